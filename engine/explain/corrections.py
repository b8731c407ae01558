"""Corrections that stand behind a fact: what it was, what it is, why, on what evidence, by whom, until when."""

from __future__ import annotations

from collections.abc import Iterator

from engine.explain.telling import Step, Telling, step


def corrections(told: Telling) -> Iterator[Step]:
    for line in told.mine("corrections"):
        if line["field"] not in told.fields:
            continue
        value, unit = told.shown(line["field"], line["value"])
        before = told.say("无", "none") if line["before"] is None else line["before"]
        until = told.say(f"，有效至 {line['until']}", f", until {line['until']}") if line["until"] else ""
        note = told.say(
            f"更正 {line['correction_id']}：{before} → {line['value']}（前提 {line['expect']}）；原因：{line['reason']}；"
            f"依据：{line['evidence']}；批准：{line['approver']}{until}",
            f"correction {line['correction_id']}: {before} → {line['value']} (guard {line['expect']}); "
            f"reason: {line['reason']}; evidence: {line['evidence']}; approved by {line['approver']}{until}",
        )
        yield step("correction", line["field"], value, unit, note)
