"""Paths into a pack: what each changes, that nothing else changes, and what is refused with which words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.model import Policy
from engine.policy.packs import Pack, load_pack, read_pack
from engine.schema.errors import PermuError
from engine.whatif.changes import changed
from tests.unit.whatif.worlds import EVERY_FORM

HUAIAN, TWO_GROUPS = load_pack("huaian-2024"), load_pack(EVERY_FORM)
RICH = load_pack(str(Path(__file__).parents[1] / "policy" / "rich.yaml"))


def at(policy: Policy, path: str) -> Any:
    """What stands at a path of the loaded policy."""
    here: Any = policy
    for key in path.split("."):
        if isinstance(here, dict):
            here = here[key]
        elif isinstance(here, tuple):
            here = next(
                x for x in here if key in (getattr(x, "grade", None), getattr(x, "name", None), getattr(x, "of", None))
            )
        else:
            here = getattr(here, key)
    return here


ABOVE = "score.groups.above_scale"
CASES = [
    (HUAIAN, ["weights.tax_per_mu=35", "weights.sales_per_mu=45"], {"score.groups.all.items.tax_per_mu.weight": 35, "score.groups.all.items.sales_per_mu.weight": 45}),
    (HUAIAN, ["weights.sales=50", "weights.tax_per_tce=5"], {"score.groups.all.items.sales_per_mu.weight": 50}),
    (HUAIAN, ["bases.sales_per_mu=120.5"], {"score.groups.all.items.sales_per_mu.base.constant": 120.5, "score.groups.all.items.sales_per_mu.base.average_of": None}),
    (HUAIAN, ["bases.tax_per_mu.times=1.5"], {"score.groups.all.items.tax_per_mu.base.times": Decimal("1.5"), "score.groups.all.items.tax_per_mu.base.average_of": "last_year"}),
    (HUAIAN, ["caps.tax_per_mu=1.5", "floors.tax_per_mu=0"], {"score.groups.all.items.tax_per_mu.cap": Decimal("1.5"), "score.groups.all.items.tax_per_mu.floor": 0}),
    (HUAIAN, ["shares.A=25"], {"score.groups.all.shares.A.up_to_percent": 25, "score.groups.all.shares.B.up_to_percent": 60}),
    (HUAIAN, ["scope.below_scale_least_mu=5"], {"scope.below_scale_least_mu": 5}),
    (HUAIAN, ["bottom_percent=10"], {"bottom_percent": 10}),
    (TWO_GROUPS, ["weights.below_scale.tax=45", "weights.below_scale.rd=25"], {"score.groups.below_scale.items.tax_per_mu.weight": 45, f"{ABOVE}.items.tax_per_mu.weight": Decimal("45.5")}),
    (TWO_GROUPS, ["bases.tax_per_mu=10"], {"score.groups.below_scale.items.tax_per_mu.base.constant": 10, f"{ABOVE}.items.tax_per_mu.base.constant": 10}),
    (TWO_GROUPS, ["shares.below_scale.A=10"], {"score.groups.below_scale.shares.A.up_to_percent": 10, f"{ABOVE}.shares.A.up_to_percent": 20}),
    (TWO_GROUPS, ["caps.above_scale.tax=null", "missing.rd_ratio=group_average_score"], {f"{ABOVE}.items.tax_per_mu.cap": None, "score.groups.below_scale.items.rd_ratio.missing": "group_average_score"}),
    (TWO_GROUPS, ["score.ties=share_worse_rank"], {"score.ties": "share_worse_rank"}),
    (RICH, ["thresholds.large.main_revenue_fen=60 亿元"], {"score.adjustments.large.conditions.main_revenue_fen.more_than": "60 亿元"}),
    (RICH, ["shares.A=15"], {f"{ABOVE}.shares.A.up_to_percent": 15, "score.groups.other.shares.A.up_to_percent": 15}),
]  # fmt: skip


@pytest.mark.parametrize(("pack", "changes", "expected"), CASES, ids=[" ".join(c[1]) for c in CASES])
def test_a_change_changes_what_it_names(pack: Pack, changes: list[str], expected: dict[str, Any]) -> None:
    found = changed(pack, changes).policy
    assert {path: at(found, path) for path in expected} == expected
    assert {path: at(pack.policy, path) for path in expected} != expected, "nothing was changed"


@pytest.mark.parametrize("pack", [HUAIAN, TWO_GROUPS, RICH], ids=lambda p: p.policy.id)
def test_nothing_else_changes(pack: Pack) -> None:
    found = changed(pack, [f"bottom_percent={pack.policy.bottom_percent}"]).policy
    told = {"id", "title", "status", "basis"}
    assert found.model_dump(exclude=told) == pack.policy.model_dump(exclude=told)
    assert found.id == f"{pack.policy.id}-draft" and found.status == "illustrative"
    assert found.basis[:-1] == pack.policy.basis and "bottom_percent" in found.basis[-1].title


def test_a_draft_is_a_pack_like_any_other() -> None:
    draft = changed(HUAIAN, ["weights.tax_per_mu=35"], rescale=True)
    again = read_pack(draft.text, "draft.yaml")
    assert again.policy == draft.policy and again.sha256 == draft.sha256


def test_an_alias_of_the_file_does_not_change_with_its_anchor() -> None:
    raw = yaml.safe_load(HUAIAN.text)
    items = raw["score"]["items"]
    items["sales_per_mu"]["base"] = items["tax_per_mu"]["base"]
    text = yaml.safe_dump(raw, allow_unicode=True)
    assert "&id001" in text
    found = changed(read_pack(text, "aliased"), ["bases.tax_per_mu.times=3"]).policy
    assert at(found, "score.groups.all.items.tax_per_mu.base.times") == 3
    assert at(found, "score.groups.all.items.sales_per_mu.base.times") == 2


@given(st.sampled_from(["tax_per_mu", "sales_per_mu", "tax_per_tce"]), st.decimals("0.1", "99", places=2))
def test_rescaled_weights_sum_to_100_in_their_proportion(name: str, weight: Decimal) -> None:
    items = at(changed(HUAIAN, [f"weights.{name}={weight}"], rescale=True).policy, "score.groups.all.items")
    assert sum(i.weight for i in items.values()) == 100 and items[name].weight == weight
    one, other = (n for n in items if n != name)
    before = at(HUAIAN.policy, "score.groups.all.items")
    assert float(items[one].weight / items[other].weight) == pytest.approx(
        float(before[one].weight / before[other].weight), rel=0.01
    )


REFUSED = [
    (HUAIAN, ["weights.tax_per_mu=35"], "weights_not_100", ["group all", "90", "--rescale"]),
    (HUAIAN, ["weights.tax=35"], "bad_change", ["`tax`", "tax_per_mu", "tax_per_tce"]),
    (HUAIAN, ["weights.profit_per_mu=35"], "bad_change", ["profit_per_mu", "sales_per_mu"]),
    (HUAIAN, ["weights.below_scale.tax_per_mu=35"], "bad_change", ["below_scale.tax_per_mu"]),
    (HUAIAN, ["weights=35"], "bad_change", ["no single item"]),
    (HUAIAN, ["weights.tax_per_mu=many"], "bad_policy", ["weight", "many"]),
    (HUAIAN, ["weights.tax_per_mu=-5", "weights.sales_per_mu=85"], "bad_policy", ["weight"]),
    (HUAIAN, ["shares.A=70"], "bad_policy", ["shares", "rise"]),
    (HUAIAN, ["shares.E=70"], "bad_change", ["grade E"]),
    (HUAIAN, ["bases.tax_per_mu=0"], "bad_policy", ["base"]),
    (HUAIAN, ["caps.tax_per_mu=1.5", "floors.tax_per_mu=2"], "bad_policy", ["floor"]),
    (HUAIAN, ["thresholds.large=3"], "bad_change", ["name one condition"]),
    (RICH, ["thresholds.large=60 亿元"], "bad_change", ["large.main_revenue_fen", "large.tax_per_mu"]),
    (HUAIAN, ["wieghts.tax_per_mu=35"], "bad_change", ["no such path", "weights"]),
    (HUAIAN, ["colour=blue"], "bad_policy", ["colour"]),
    (HUAIAN, ["weights.tax_per_mu"], "bad_change", ["PATH=VALUE"]),
    (HUAIAN, ["=3"], "bad_change", ["PATH=VALUE"]),
    (HUAIAN, ["bottom_percent=[1"], "bad_change", ["[1"]),
    (HUAIAN, [], "bad_change", ["PATH=VALUE"]),
    (load_pack("sunan-2017"), ["weights.tax_per_mu=35"], "bad_change", ["no composite"]),
]  # fmt: skip


@pytest.mark.parametrize(("pack", "changes", "code", "words"), REFUSED, ids=[" ".join(r[1]) or "none" for r in REFUSED])
def test_what_is_no_change_is_refused(pack: Pack, changes: list[str], code: str, words: list[str]) -> None:
    with pytest.raises(PermuError) as caught:
        changed(pack, changes)
    assert caught.value.code == code
    for word in words:
        assert word in caught.value.en
    assert caught.value.zh != caught.value.en


def test_rescaling_cannot_help_where_nothing_is_left() -> None:
    for change in ("weights.tax_per_mu=100", "weights.tax_per_mu=120"):
        with pytest.raises(PermuError) as caught:
            changed(HUAIAN, [change], rescale=True)
        assert caught.value.code == "weights_not_100"
