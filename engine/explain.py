"""Why an enterprise stands where it stands: records → facts → amounts → indicators → bases → score → ranks → grade.

Each step is a line that a person can check: kind, name, value with unit, a note with the arithmetic, and where a
record lies (load, file, sheet, row).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from typing import Any

import narwhals as nw
import polars as pl

from engine.policy.indicators import INDICATORS, Indicator
from engine.ranking.amounts import needed_facts, with_amounts
from engine.ranking.ranks import GROUPINGS
from engine.releases import Release
from engine.schema.facts import FACTS
from engine.schema.units import DISPLAY

Step = dict[str, Any]

# smallest unit → shown unit: value · times ÷ by
_SHOWN = {
    "money": (1, 10**6),
    "electricity": (1, 10**3),
    "volume": (1, 10**3),
    "mass": (1, 10**6),
    "coal": (1, 10**10),
    "count": (1, 1),
}
_KINDS = {
    "own": ("自有", "own"),
    "rented_in": ("租入", "rented in"),
    "rented_out": ("租出", "rented out"),
}
_HOW = {
    "only_claim": ("唯一来源", "only one source states it"),
    "agreed": ("各来源一致", "all sources agree"),
    "disputed": ("各来源不一致，取最可信来源", "sources disagree; the most trusted is taken"),
}


def explain(release: Release, enterprise: str, lang: str = "zh") -> dict[str, Any]:
    """The steps for one enterprise (id or credit code) in ``zh`` or ``en``; PermuError unknown_enterprise."""
    row = release.enterprise(enterprise)
    told = _Teller(release, row, lang)
    return {
        "enterprise_id": row["enterprise_id"],
        "uscc": row["uscc"],
        "name": row["name"],
        "release_id": release.id,
        "year": release.manifest["year"],
        "policy": release.manifest["policy"]["id"],
        "score": row["score"],
        "grade": row["grade"],
        "steps": list(told.steps()),
    }


class _Teller:
    def __init__(self, release: Release, row: dict[str, Any], lang: str) -> None:
        self.release, self.row, self.zh = release, row, lang == "zh"
        self.year = int(release.manifest["year"])
        self.days = 366 if calendar.isleap(self.year) else 365
        self.policy = release.pack.policy
        self.fields = set(needed_facts(self.policy))

    def say(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def mine(self, table: str) -> list[dict[str, Any]]:
        if not self.release.has(table):
            return []
        wanted = pl.col("enterprise_id") == self.row["enterprise_id"]
        return self.release.table(table).filter(wanted).collect().to_dicts()

    def steps(self) -> Iterator[Step]:
        yield from self.records()
        yield from self.land()
        facts = {f["field"]: f for f in self.mine("facts") if f["field"] in self.fields}
        yield from (self.fact(facts[name]) for name in FACTS if name in facts)
        yield from self.amounts(facts)
        yield from (self.indicator(INDICATORS[name]) for name in self.policy.computed)
        yield from self.score()
        yield from self.ranks()
        yield from self.grade()

    def records(self) -> Iterator[Step]:
        for claim in self.mine("claims"):
            if claim["field"] in self.fields and claim["field"] != "land_dm2_days":
                value, unit = self.shown(claim["field"], claim["value"])
                more = claim["rows"] - 1
                note = self.say(
                    f"{claim['source']} 记录 {claim['record_key']}，按 {claim['method']} 关联"
                    + (f"，全年共 {claim['rows']} 行，此为第一行" if more else ""),
                    f"{claim['source']} record {claim['record_key']}, linked by {claim['method']}"
                    + (f"; {claim['rows']} rows of the year, this is the first" if more else ""),
                )
                yield step("record", claim["field"], value, unit, note, self.source(claim))

    def land(self) -> Iterator[Step]:
        for line in self.mine("land_use"):
            zh, en = _KINDS[line["kind"]]
            mu = line["area_dm2"] * 3 / 200_000
            note = self.say(
                f"{zh}，宗地 {line['parcel_code'] or '未注明'}，{mu:.4f} 亩 × {line['days']} 天 ÷ {self.days} 天",
                f"{en}, parcel {line['parcel_code'] or 'not stated'}, {mu:.4f} mu × {line['days']} of {self.days} days",
            )
            share = line["dm2_days"] * 3 / (200_000 * self.days)
            yield step("land", line["kind"], share, self.say("亩", "mu"), note, self.source(line))

    def fact(self, fact: dict[str, Any]) -> Step:
        value, unit = self.shown(fact["field"], fact["value"])
        zh, en = _HOW[fact["how"]]
        title = FACTS[fact["field"]]
        exact = f"{fact['value']} {fact['unit']}".strip()
        note = self.say(
            f"{title.zh}，取自 {fact['source']}（{zh}），精确值 {exact}",
            f"{title.en} from {fact['source']} ({en}), exactly {exact}",
        )
        return step("fact", fact["field"], value, unit, note)

    def amounts(self, facts: dict[str, dict[str, Any]]) -> Iterator[Step]:
        """The policy's amounts, computed again from the facts shown above."""
        stated = {name: [facts[name]["value"] if name in facts else None] for name in self.fields}
        row = pl.DataFrame(stated, schema=dict.fromkeys(sorted(self.fields), pl.Int64)).lazy()
        computed = with_amounts(nw.from_native(row), self.policy).to_native().collect().row(0, named=True)
        for name, formula in self.policy.amounts.items():
            value, unit = _amount_shown(name, computed[name])
            exact = "" if computed[name] is None else f"; {computed[name]}"
            text = " ".join(formula.split())
            yield step("amount", name, value, unit, self.say(f"公式 {text}{exact}", f"formula {text}{exact}"))

    def indicator(self, one: Indicator) -> Step:
        value = self.row[one.name]
        land = f"({one.by} × {self.row['land_dm2_days']} dm²·d) × {self.days} d" if one.per_land else one.denominator
        note = self.say(
            f"{one.zh} = {one.numerator} ÷ {land}" if value is not None else f"{one.zh}：无数据，不参加排名",
            f"{one.en} = {one.numerator} ÷ {land}" if value is not None else f"{one.en}: no value, not ranked",
        )
        return step("indicator", one.name, value, one.unit, note)

    def score(self) -> Iterator[Step]:
        if self.policy.score is None:
            return
        for name, item in self.policy.score.items.items():
            base, points, value = (self.row[k] for k in (f"base__{name}", f"item__{name}", name))
            where = self._base_note(item.base.constant, item.base.times, item.base.within)
            yield step("base", name, base, INDICATORS[name].unit, where)
            note = f"{value} ÷ {base} × {item.weight}"
            if value is None and points is not None:
                note = self.say("无数据，按规则得 0 分", "no value: 0 points by the rule for missing values")
            yield step("item", name, points, self.say("分", "points"), note)
        total = self.say("各项得分之和，按 10⁻¹⁰ 取整", "sum of the items, to 10⁻¹⁰")
        yield step("total", "score", self.row["score"], self.say("分", "points"), total)

    def _base_note(self, constant: float | None, times: int, within: str) -> str:
        if constant is not None:
            return self.say("办法公布的基准值", "constant published by the policy")
        place = self.row.get(within)
        return self.say(
            f"{times} × {self.year - 1} 年 {within}={place} 参评企业的平均值（Σ÷Σ，不含 T 类和范围外企业）",
            f"{times} × the average (Σ÷Σ) of {within}={place} in {self.year - 1} over the enterprises evaluated "
            "(without T and out of scope)",
        )

    def ranks(self) -> Iterator[Step]:
        for metric in self.release.manifest["metrics"]:
            for grouping, keys in GROUPINGS.items():
                rank, of = self.row[f"rank__{metric}__{grouping}"], self.row[f"of__{metric}__{grouping}"]
                among = " × ".join(str(self.row.get(k, "全部" if self.zh else "all")) for k in keys)
                note = self.say(f"{among}：共 {of} 家有值", f"{among}: {of} enterprises with a value")
                yield step("rank", f"{metric}/{grouping}", rank, "", note)

    def grade(self) -> Iterator[Step]:
        if self.policy.score is None:
            return
        level = self.policy.score.graded_within
        rank, of = self.row[f"rank__score__{level}"], self.row[f"of__score__{level}"]
        lines = " ".join(f"{s.grade} ≤ {s.up_to_percent} %" for s in self.policy.score.shares)
        note = f"{rank} × 100 ÷ {of}; {lines}" if rank is not None else self._why_not()
        yield step("grade", "grade", self.row["grade"], "", note)

    def _why_not(self) -> str:
        """Why an enterprise has no rank by score: the rule of the pack, or its flags."""
        assert self.policy.score is not None
        if self.row["grade"] != "T":
            return str(self.row["flags"])
        listed = any(f["field"] == "is_exempt" and f["value"] == 1 for f in self.mine("facts"))
        for rule in self.policy.score.not_evaluated:
            by_age = rule.in_production_less_than_years is not None
            if (rule.listed and listed) or self.row["industry_2"] in rule.divisions or by_age:
                return self.say(rule.reason.zh, rule.reason.en)
        return str(self.row["flags"])

    def shown(self, fact: str, value: int) -> tuple[float, str]:
        if fact == "land_dm2_days":
            return value * 3 / (200_000 * self.days), self.say("亩", "mu")
        quantity = FACTS[fact].quantity
        times, by = _SHOWN[quantity]
        return (value * times / by if by > 1 else value), DISPLAY[quantity]

    def source(self, line: dict[str, Any]) -> dict[str, Any]:
        place = {k: line[k] for k in ("load_id", "sheet", "row")}
        return place | {"file": self.release.file_of(line["load_id"])}


_SUFFIXES = {"fen": "money", "wh": "electricity", "litre": "volume", "gram": "mass", "ce": "coal"}


def _amount_shown(name: str, value: int | None) -> tuple[float | int | None, str]:
    """An amount in the unit that its name's suffix is shown in."""
    quantity = _SUFFIXES.get(name.rpartition("_")[2], "count")
    times, by = _SHOWN[quantity]
    shown = value if value is None or by == 1 else value * times / by
    return shown, DISPLAY[quantity]


def step(kind: str, name: str, value: Any, unit: str, note: str, source: dict[str, Any] | None = None) -> Step:
    """One line of an explanation, in the contract's form."""
    line: Step = {"kind": kind, "name": name, "value": value, "unit": unit, "note": note}
    return line | ({"source": source} if source else {})
