"""Corrections that stand behind a fact: what it was, what it is, why, on what evidence, by whom, until when."""

from __future__ import annotations

from collections.abc import Iterator

from engine.explain.telling import Step, Telling, step


def corrections(told: Telling) -> Iterator[Step]:
    for line in told.mine("corrections"):
        if line["field"] not in told.fields:
            continue
        value, unit = told.shown(line["field"], line["value"])
        before = "–" if line["before"] is None else f"{told.shown(line['field'], line['before'])[0]:.10g}"
        until = f"; {told.say('有效至', 'until')} {line['until']}" if line["until"] else ""
        note = told.say(
            f"原值 {before}；理由：{line['reason']}；依据：{line['evidence']}；批准：{line['approver']}{until}（{line['correction_id']}）",
            f"was {before}; reason: {line['reason']}; evidence: {line['evidence']}; approved by {line['approver']}{until} "
            f"({line['correction_id']})",
        )
        yield step("correction", line["field"], value, unit, note)
