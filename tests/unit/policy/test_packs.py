"""The loader refuses what it does not wholly understand: a broken file for each rule, and the words of its message."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.policy.indicators import INDICATORS
from engine.policy.packs import load_pack, read_pack, shipped
from engine.ranking.pipeline import rankings
from engine.schema.errors import PermuError
from tests.unit.ranking.firms import firm, year_of

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))


def words(file: Path) -> list[str]:
    """What the first line says that the message must hold."""
    first = file.read_text("utf-8").splitlines()[0]
    assert first.startswith("# says: ")
    return first.removeprefix("# says: ").split(" | ")


@pytest.mark.parametrize("file", BROKEN, ids=lambda f: f.stem)
def test_broken_pack_is_refused_in_its_words(file: Path) -> None:
    with pytest.raises(PermuError) as caught:
        load_pack(str(file))
    error = caught.value
    assert error.code == "bad_policy"
    assert all(w in error.en for w in words(file)), error.en
    assert str(file) in error.en and str(file) in error.zh and "permu policy check" in error.en
    assert len(error.en.splitlines()) == len(error.zh.splitlines()) == 1


def test_every_rule_has_its_file() -> None:
    assert len(BROKEN) >= 45 and len({f.read_text("utf-8") for f in BROKEN}) == len(BROKEN)


def test_the_whole_pack_loads() -> None:
    """Each broken file is this one with one fault: were it refused too, they would prove nothing."""
    pack = load_pack(str(HERE / "whole.yaml"))
    assert pack.policy.id == "whole" and pack.policy.metrics == ["score", "output_per_mu", "benefit_per_mu"]


def test_shipped_packs_load_and_their_weights_sum() -> None:
    assert {"sunan-2017", "huaian-2024"} <= set(shipped())
    for name in shipped():
        pack = load_pack(name)
        policy = pack.policy
        assert policy.id == name and len(pack.sha256) == 64 and policy.basis
        assert set(policy.computed) <= set(INDICATORS)
        if policy.score is not None:
            assert sum(i.weight for i in policy.score.items.values()) == 100
            assert policy.score.shares[-1].up_to_percent == 100


def test_the_missions_own_pack_has_no_composite() -> None:
    policy = load_pack("sunan-2017").policy
    assert policy.score is None and policy.metrics == ["output_per_mu", "benefit_per_mu"] and policy.scope.everyone


def test_huaian_is_as_published() -> None:
    score = load_pack("huaian-2024").policy.score
    assert score is not None
    assert {n: i.weight for n, i in score.items.items()} == {"tax_per_mu": 45, "sales_per_mu": 35, "tax_per_tce": 20}
    assert [(s.grade, s.up_to_percent) for s in score.shares] == [("A", 20), ("B", 60), ("C", 95), ("D", 100)]
    assert all(i.base.times == 2 and i.base.chosen for i in score.items.values())


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
    assert caught.value.code == "unknown_policy" and "huaian-2024, sunan-2017" in caught.value.en


def test_the_hash_is_of_the_text() -> None:
    text = (HERE / "whole.yaml").read_text("utf-8")
    assert read_pack(text, "x").sha256 != read_pack(text + "# a word more\n", "x").sha256
