"""The loader refuses what it does not wholly understand: a broken file for each rule, and the words of its message."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import pytest

from engine.policy.packs import load_pack, read_pack
from engine.ranking.pipeline import rankings
from engine.schema.errors import PermuError
from tests.unit.ranking.firms import firm, year_of

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))
# What is no pack at all cannot be one with a fault.
NO_PACK = {"empty", "nested-deep", "no-yaml", "not-a-mapping"}


def words(file: Path) -> list[str]:
    """What the message must hold."""
    first = file.read_text("utf-8").splitlines()[0]
    assert first.startswith("# says: ")
    return first.removeprefix("# says: ").split(" | ")


def source_of(file: Path) -> list[str]:
    """The lines of the pack that the file is, but for its fault."""
    rich = file.read_text("utf-8").splitlines()[1] == "# from: rich"
    return lines_of(HERE / ("rich.yaml" if rich else "whole.yaml"))


def lines_of(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").splitlines() if not line.startswith(("#", "id: "))]


@pytest.mark.parametrize("file", BROKEN, ids=lambda f: f.stem)
def test_broken_pack_is_refused_in_its_words(file: Path) -> None:
    with pytest.raises(PermuError) as caught:
        load_pack(str(file))
    error = caught.value
    assert error.code == "bad_policy"
    assert all(w in error.en for w in words(file)), error.en
    assert str(file) in error.en and str(file) in error.zh and "permu policy check" in error.en
    assert len(error.en.splitlines()) == len(error.zh.splitlines()) == 1
    assert error.details["faults"], "programs get every fault with its place"


@pytest.mark.parametrize("file", [f for f in BROKEN if f.stem not in NO_PACK], ids=lambda f: f.stem)
def test_the_repaired_pack_loads(file: Path) -> None:
    """Its one fault put right, the file loads: nothing else in it was refused."""
    broken, whole = lines_of(file), source_of(file)
    places = [o for o in SequenceMatcher(None, broken, whole, autojunk=False).get_opcodes() if o[0] != "equal"]
    assert len(places) <= 1, "one fault a file"
    for _, start, end, left, right in places:
        broken[start:end] = whole[left:right]
    read_pack("\n".join([f"id: {file.stem}" if places else "id: repaired", *broken]), file.name)


def test_every_rule_has_its_file() -> None:
    assert len(BROKEN) >= 120 and len({f.read_text("utf-8") for f in BROKEN}) == len(BROKEN)


def test_the_whole_packs_load() -> None:
    """Each broken file is one of these with one fault: were they refused too, it would prove nothing."""
    pack = load_pack(str(HERE / "whole.yaml"))
    assert pack.policy.id == "whole" and pack.policy.metrics == ["score", "output_per_mu", "benefit_per_mu"]
    assert load_pack(str(HERE / "rich.yaml")).policy.score is not None


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    text = (HERE / "whole.yaml").read_text("utf-8").replace("weight: 40", "weigth: 40").replace("status: ", "state: ")
    with pytest.raises(PermuError) as caught:
        read_pack(text, "mine.yaml")
    faults = caught.value.details["faults"]
    assert isinstance(faults, list)
    assert [(f["line"], f["at"]) for f in faults] == [
        (None, "status"),
        (4, "state"),
        (18, "score.items.output_per_mu.weigth"),
    ]
    assert "第 4 行 state：不认识的键" in caught.value.zh and "缺少该项" in caught.value.zh


def test_many_faults_are_counted() -> None:
    text = (HERE / "whole.yaml").read_text("utf-8") + "".join(f"more{n}: 1\n" for n in range(9))
    with pytest.raises(PermuError) as caught:
        read_pack(text, "mine.yaml")
    assert "and 4 more" in caught.value.en and len(caught.value.details["faults"]) == 9  # type: ignore[arg-type]


def test_an_average_of_everyone_can_be_a_base() -> None:
    text = (HERE / "whole.yaml").read_text("utf-8").replace("within: region_county}", "within: all}")
    policy = read_pack(text, "whole").policy
    firms = [firm(n, vat_fen=10**8 * n, invoiced_sales_fen=10**9, land_dm2_days=366 * 10**6) for n in (1, 3)]
    table = rankings(policy, year_of(firms), None).to_native().collect()
    assert table["base__benefit_per_mu"].n_unique() == 1
    assert table["item__benefit_per_mu"].to_list() == [30.0, 90.0]


@pytest.mark.parametrize("name", ["sunan-2018", "", "../sunan-2017", "sunan-2017.yaml", "/none.yaml"])
def test_an_unknown_policy_names_those_known(name: str) -> None:
    with pytest.raises(PermuError) as caught:
        load_pack(name)
    assert caught.value.code == "unknown_policy" and "huaian-2024, huangyan-2021" in caught.value.en


def test_the_hash_is_of_the_text() -> None:
    text = (HERE / "whole.yaml").read_text("utf-8")
    assert read_pack(text, "x").sha256 != read_pack(text + "# a word more\n", "x").sha256
