"""The evidence under an enterprise's figures: its records, its land line by line, and the facts taken from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.explain.telling import Step, Telling, step
from engine.schema.facts import FACTS

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


def records(told: Telling) -> Iterator[Step]:
    for claim in told.mine("claims"):
        if claim["field"] in told.fields and claim["field"] != "land_dm2_days":
            value, unit = told.shown(claim["field"], claim["value"])
            more = claim["rows"] - 1
            note = told.say(
                f"{claim['source']} 记录 {claim['record_key']}，按 {claim['method']} 关联"
                + (f"，全年共 {claim['rows']} 行，此为第一行" if more else ""),
                f"{claim['source']} record {claim['record_key']}, linked by {claim['method']}"
                + (f"; {claim['rows']} rows of the year, this is the first" if more else ""),
            )
            yield step("record", claim["field"], value, unit, note, told.source(claim))


def land(told: Telling) -> Iterator[Step]:
    for line in told.mine("land_use"):
        zh, en = _KINDS[line["kind"]]
        mu = line["area_dm2"] * 3 / 200_000
        note = told.say(
            f"{zh}，宗地 {line['parcel_code'] or '未注明'}，{mu:.4f} 亩 × {line['days']} 天 ÷ {told.days} 天",
            f"{en}, parcel {line['parcel_code'] or 'not stated'}, {mu:.4f} mu × {line['days']} of {told.days} days",
        )
        share = line["dm2_days"] * 3 / (200_000 * told.days)
        yield step("land", line["kind"], share, told.say("亩", "mu"), note, told.source(line))


def fact(told: Telling, fact: dict[str, Any]) -> Step:
    value, unit = told.shown(fact["field"], fact["value"])
    zh, en = _HOW[fact["how"]]
    title = FACTS[fact["field"]]
    exact = f"{fact['value']} {fact['unit']}".strip()
    note = told.say(
        f"{title.zh}，取自 {fact['source']}（{zh}），精确值 {exact}",
        f"{title.en} from {fact['source']} ({en}), exactly {exact}",
    )
    return step("fact", fact["field"], value, unit, note)
