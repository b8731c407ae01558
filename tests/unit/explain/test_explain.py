"""What an explanation says is what the pipeline did: sums behind bases, limits, events, adjustments, corrections."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.explain import explain
from engine.explain.bases import sums
from engine.explain.telling import Telling
from engine.policy.scoring import Base
from engine.releases import Release
from tests.unit.compare.made import release, worker


def steps(one: Release, enterprise: str, kind: str, lang: str = "en") -> list[dict[str, Any]]:
    return [s for s in explain(one, enterprise, lang)["steps"] if s["kind"] == kind]


def first(one: Release, *wanted: pl.Expr) -> str:
    return str(one.rankings.filter(*wanted)["enterprise_id"][0])


@pytest.mark.parametrize("policy", ["huaian-2024", "illustrative-2024", "own"])
def test_the_sums_that_are_told_give_the_base(releases: dict[str, Release], policy: str) -> None:
    one, judged = releases[policy], 0
    for grade in "ABCD":
        told = Telling(one, one.enterprise(first(one, pl.col("grade_initial") == grade)), "en")
        assert told.group is not None
        for name, item in told.group.items.items():
            if not isinstance(item.base, Base) or item.base.constant is not None or told.row[f"base__{name}"] is None:
                continue
            found, ratio = sums(told, name, item.base), told.policy.all_indicators[name]
            assert found is not None and found.count > 0
            days = 365 if item.base.average_of == "last_year" else 366
            times = ratio.times * item.base.times_exact * (days if ratio.per_land else 1)
            exact = found.numerator * times / (found.denominator * ratio.by)
            assert float(exact) == pytest.approx(told.row[f"base__{name}"], rel=1e-15)
            judged += 1
    assert judged


def test_a_constant_says_where_it_is_published(releases: dict[str, Release]) -> None:
    one = releases["own"]
    told = steps(one, first(one, pl.col("grade_initial") == "A"), "base")
    (constant,) = (s for s in told if s["name"] == "power_intensity")
    assert constant["value"] == 20 and "测〔2024〕1号" in constant["note"] and "第三条" in constant["note"]


def test_items_say_which_limit_or_missing_rule_was_hit(releases: dict[str, Release]) -> None:
    one = releases["own"]
    capped = steps(one, first(one, pl.col("item__tax_per_mu") == 20), "item")
    assert "capped at 0.5 × the weight: 20" in next(s["note"] for s in capped if s["name"] == "tax_per_mu")
    scored = pl.col("score_e10").is_not_null()
    missing = steps(one, first(one, scored & pl.col("power_intensity").is_null()), "item", "zh")
    assert "按规则得 0 分" in next(s["note"] for s in missing if s["name"] == "power_intensity")
    ranged = steps(one, first(one, scored & (pl.col("sales_per_mu") > 0)), "item")
    assert "[20 + 80 ×" in next(s["note"] for s in ranged if s["name"] == "sales_per_mu")


def test_items_and_extras_add_up_to_the_total(releases: dict[str, Release]) -> None:
    one = releases["own"]
    enterprise = first(one, (pl.col("bonus") > 0) & pl.col("score_e10").is_not_null())
    parts = [s["value"] for kind in ("item", "bonus") for s in steps(one, enterprise, kind)]
    (total,) = steps(one, enterprise, "total")
    assert sum(parts) == pytest.approx(total["value"], abs=1e-9)
    (event,) = (s for s in steps(one, enterprise, "event") if s["name"] == "awards")
    assert "质量奖" in event["note"] and "第八条" in event["note"] and event["source"]["row"] > 1


def test_an_adjustment_says_rule_clause_and_event(releases: dict[str, Release]) -> None:
    one = releases["own"]
    enterprise = first(one, pl.col("grade") != pl.col("grade_initial"))
    row = one.enterprise(enterprise)
    (rule,) = steps(one, enterprise, "adjustment")
    assert rule["name"] == "accident" and all(w in rule["note"] for w in ("not_above C", "第十条", "较大事故"))
    (grade,) = steps(one, enterprise, "grade")
    assert grade["value"] == row["grade"] == "C" and grade["note"].startswith(str(row["grade_initial"]))
    assert all("accident" in s["note"] for s in steps(one, enterprise, "next") if s["value"] is not None)


def test_the_quota_line_lies_where_the_grades_change(releases: dict[str, Release]) -> None:
    one = releases["huaian-2024"]
    row = one.rankings.filter(grade_initial="B").filter(pl.col("grade_of") > 5).row(0, named=True)
    (quota,) = steps(one, row["enterprise_id"], "quota")
    alike = one.rankings.filter(region_county=row["region_county"])
    last = alike.filter(grade_initial="A")["grade_rank"].max()
    assert quota["value"] == row["grade_rank"] and f"A to rank {row['grade_of'] * 20 // 100}" in quota["note"]
    assert last <= row["grade_of"] * 20 // 100 < row["grade_rank"]


def test_who_is_not_evaluated_is_told_why(releases: dict[str, Release]) -> None:
    one = releases["huaian-2024"]
    utility = first(one, pl.col("grade") == "T", pl.col("industry_2").is_in(["44", "45", "46"]))
    (grade,) = steps(one, utility, "grade")
    assert grade["value"] == "T" and grade["note"] == "utilities"
    assert steps(one, utility, "item") == steps(one, utility, "quota") == steps(one, utility, "next") == []


def test_a_correction_is_told_with_its_reason(tmp_path: Path) -> None:
    firms = [worker(n, 50_000_000 * n) for n in range(1, 8)]
    one = release(tmp_path / "r", firms, last=firms, corrections=[("E000002", "vat_fen", 2024, 7_000_000, 100_000_000)])
    more = {"reason": "录入错误", "evidence": "完税证明3号", "approver": "张", "correction_id": "c1"}
    table = pl.read_parquet(one.folder / "corrections.parquet")
    texts = [pl.lit(v).alias(k) for k, v in more.items()]
    table.with_columns(*texts, until=pl.lit(date(2025, 6, 30)), expect=pl.lit("")).write_parquet(
        one.folder / "corrections.parquet"
    )
    (step,) = steps(one, "E000002", "correction")
    assert (step["value"], step["unit"]) == (100, "×10,000 yuan")
    assert all(w in step["note"] for w in ("7000000 → 100000000", "录入错误", "完税证明3号", "张", "2025-06-30", "c1"))
    assert steps(one, "E000001", "correction") == []


def test_both_languages_tell_the_same_figures(releases: dict[str, Release]) -> None:
    for one in releases.values():
        enterprise = first(one, pl.col("grade_initial") == "C")
        zh, en = (explain(one, enterprise, lang)["steps"] for lang in ("zh", "en"))
        assert [(s["kind"], s["name"], s["value"]) for s in zh] == [(s["kind"], s["name"], s["value"]) for s in en]
        assert any("万元" in s["unit"] for s in zh) and not any("万元" in s["unit"] for s in en)
