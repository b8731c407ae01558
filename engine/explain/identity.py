"""What became of an enterprise under its one permanent id: renamed, moved, given a new code, merged, split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from engine.explain.telling import Step, Telling, step

IDENTITY_KINDS = {
    "rename": ("更名", "renamed"),
    "move": ("迁址", "moved"),
    "new_code": ("代码变更", "given a new code"),
    "merge": ("合并", "merged"),
    "split": ("分立", "split"),
}


def identity(told: Telling) -> Iterator[Step]:
    """A step for every change of this year against the register before, with the row that shows it."""
    lines = told.mine("identity_events")
    others = _names(told, [x["other_enterprise_id"] for x in lines])
    order = list(IDENTITY_KINDS)
    for line in sorted(lines, key=lambda x: (order.index(x["kind"]), str(x["on"]), x["other_enterprise_id"] or "")):
        on = line["on"]
        when = told.say(f"{line['year']} 年", str(line["year"])) if on is None else str(on)
        what = told.say(*IDENTITY_KINDS[line["kind"]])
        parts = [_change(told, line), _other(told, line, others)]
        note = told.say("：", ": ").join([f"{when} {what}", *(p for p in parts if p)])
        kept = told.say("；企业编号不变", "; its id stays")
        source = told.source(line) if line["load_id"] else None
        yield step("identity", line["kind"], line["after"], "", note + kept, source)


def _change(told: Telling, line: dict[str, Any]) -> str:
    if line["before"] is None and line["after"] is None:
        return ""
    nothing = told.say("（无）", "(none)")
    return f"{line['before'] or nothing} → {line['after'] or nothing}"


def _other(told: Telling, line: dict[str, Any], names: dict[str, str]) -> str:
    """The other enterprise of a merger or split."""
    other = line["other_enterprise_id"]
    if other is None:
        return ""
    return told.say(f"涉及 {names.get(other) or other}", f"with {names.get(other) or other}")


def _names(told: Telling, ids: list[str | None]) -> dict[str, str]:
    wanted = sorted({i for i in ids if i})
    if not wanted:
        return {}
    known = told.release.table("rankings").filter(pl.col("enterprise_id").is_in(wanted))
    return dict(known.select("enterprise_id", "name").collect().iter_rows())
