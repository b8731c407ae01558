"""Whatever a pack file holds, it loads or is refused in one line: never a traceback, never half a rule."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.policy.packs import Pack, load_pack, read_pack, shipped
from engine.policy.schema import pack_schema
from engine.schema.errors import PermuError

HERE = Path(__file__).parent
RICH = yaml.safe_load((HERE / "rich.yaml").read_text("utf-8"))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=8), st.sampled_from([
        "ratio", "inverse", "rank_only", "minmax_20_80", "all", "zero_score", "1e400", "-0", ".nan", "tax_fen", "A", "T"]),
)  # fmt: skip
ODD = st.recursive(
    SCALARS,
    lambda x: st.one_of(st.lists(x, max_size=2), st.dictionaries(st.text(max_size=5), x, max_size=2)),
    max_leaves=4,
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of the pack."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(p for key, part in below for p in paths(part, (*at, key)))]


PLACES = [p for p in paths(RICH) if p]


def changed(place: tuple[Any, ...], part: Any, gone: bool) -> str:
    pack = copy.deepcopy(RICH)
    at = pack
    for key in place[:-1]:
        at = at[key]
    if gone:
        del at[place[-1]]
    else:
        at[place[-1]] = part
    return yaml.safe_dump(pack, allow_unicode=True)


def attempt(text: str) -> Pack | PermuError:
    try:
        return read_pack(text, "mine.yaml")
    except PermuError as error:
        assert error.code == "bad_policy" and len(error.en.splitlines()) == len(error.zh.splitlines()) == 1
        assert error.details["faults"]
        return error


@settings(max_examples=100)
@given(st.sampled_from(PLACES), ODD, st.booleans())
def test_any_change_of_a_pack(place: tuple[Any, ...], part: Any, gone: bool) -> None:
    answer = attempt(changed(place, part, gone))
    if isinstance(answer, Pack) and answer.policy.score is not None:
        for group in answer.policy.score.groups.values():
            assert sum(i.weight or 0 for i in group.items.values()) == 100
            assert [s.up_to_percent for s in group.shares][-1] == 100


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    attempt(text)


@settings(max_examples=25)
@given(st.sampled_from(PLACES))
def test_any_key_that_is_left_out_is_one_that_need_not_be_there(one: tuple[Any, ...]) -> None:
    """Leaving out a key gives the same answer in whatever order the rest of the file stands."""
    text = changed(one, None, True)
    backwards = yaml.safe_dump(dict(reversed(yaml.safe_load(text).items())), allow_unicode=True, sort_keys=False)
    assert isinstance(attempt(text), Pack) == isinstance(attempt(backwards), Pack)


# --- the generated schema ----------------------------------------------------------------------------------------------

SCHEMA = pack_schema()


def forms(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema and its alternatives, with references followed."""
    if "$ref" in schema:
        return forms(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]])
    return [schema, *(f for s in schema.get("anyOf", ()) for f in forms(s))]


def unknown(value: Any, schema: dict[str, Any], at: str = "") -> list[str]:
    """Places of a pack that the schema does not foresee, and keys that it asks for in vain."""
    if isinstance(value, list):
        items = [f["items"] for f in forms(schema) if "items" in f]
        return [u for n, v in enumerate(value) for u in unknown(v, items[0], f"{at}[{n}]")] if items else [at]
    if not isinstance(value, dict):
        return []
    known = [f for f in forms(schema) if f.get("type") == "object"]
    if not known:
        return [at]
    (form,) = known
    open_ = form.get("additionalProperties") or next(iter(form.get("patternProperties", {}).values()), None)
    lacking = [f"{at}.{k} is required" for k in form.get("required", ()) if k not in value]
    below = {k: form.get("properties", {}).get(k, open_) for k in value}
    strange = [f"{at}.{k}" for k, s in below.items() if not isinstance(s, dict)]
    return (
        lacking
        + strange
        + [u for k, s in below.items() if isinstance(s, dict) for u in unknown(value[k], s, f"{at}.{k}")]
    )


@pytest.mark.parametrize("name", [*shipped(), "whole.yaml", "rich.yaml"])
def test_the_schema_knows_every_key_of_every_pack(name: str) -> None:
    text = (HERE / name).read_text("utf-8") if name.endswith(".yaml") else load_pack(name).text
    assert unknown(yaml.safe_load(text), SCHEMA) == []


@pytest.mark.parametrize("name", ["unknown-key", "unknown-key-in-item", "extra-without-clause", "tax-rule-unsaid"])
def test_the_schema_refuses_what_the_loader_refuses(name: str) -> None:
    assert unknown(yaml.safe_load((HERE / "broken" / f"{name}.yaml").read_text("utf-8")), SCHEMA)
