"""The example files of CQL2, text and JSON: answered over collections that have what they speak of, else refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.ogc import add_file
from tests.judges.ogc import examples
from tests.judges.ogc.api import Api


@pytest.fixture
def exemplary(api: Api, tmp_path: Path) -> Iterator[None]:
    """Beside the others, collections with the properties that the standard's examples speak of."""
    state = api.client.app.state  # type: ignore[attr-defined]
    before = state.ogc_files
    for place in examples.write(tmp_path).values():
        add_file(api.client.app, place)  # type: ignore[arg-type]
    yield
    state.ogc_files = before


@pytest.mark.requirement("/req/cql2-text/validate")
@pytest.mark.requirement("/req/cql2-json/validate")
@pytest.mark.parametrize(("ending", "answered"), [("txt", 113), ("json", 102)])
def test_every_example_of_the_claimed_classes_answers(
    api: Api, shared: Path, exemplary: None, ending: str, answered: int
) -> None:
    """Each example file of the standard over a collection that has what it speaks of; the others are refused for what
    is not claimed."""
    counted = 0
    for place in sorted((shared / examples.EXAMPLES).glob(f"*/*.{ending}")):
        answer = _ask(api, examples.collection_for(place.stem, place.read_text("utf-8")), place)
        if why := examples.REFUSED.get(place.stem):
            assert answer.status_code == 400 and answer.json()["parameter"] == "filter", place
            assert why in answer.json()["detail"], (place, answer.json())
            continue
        assert answer.status_code == 200, (place, answer.text[:300])
        assert answer.json()["numberMatched"] <= 2
        counted += 1
    assert counted == answered


def test_examples_of_other_properties_are_refused(api: Api, shared: Path) -> None:
    """Over the parcels those examples answer that speak of nothing but the shape and the name, in both languages."""
    folder = shared / examples.EXAMPLES
    files = sorted([*folder.glob("text/*.txt"), *folder.glob("json/*.json")])
    answered = []
    for place in files:
        answer = _ask(api, "parcels", place)
        if answer.status_code == 200:
            answered.append(place)
            continue
        problem: dict[str, Any] = answer.json()
        assert answer.status_code == 400 and problem["parameter"] == "filter", (place, problem)
        why = ("no queryable", "takes the geometry or a shape")  # the latter where a name is no shape's
        assert any(word in problem["detail"] for word in why) or place.stem in examples.REFUSED, (place, problem)
    assert {place.stem for place in answered} == examples.OF_EVERY_LAYER
    assert (len(answered), len(files)) == (41, 229)


def _ask(api: Api, name: str, place: Path) -> Any:
    language = "cql2-json" if place.suffix == ".json" else "cql2-text"
    return api.get(f"/collections/{name}/items", filter=place.read_text("utf-8"), filter_lang=language, limit="1")
