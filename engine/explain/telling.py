"""What every part of an explanation needs: the enterprise's row, its evidence, the language, units for people."""

from __future__ import annotations

import calendar
from typing import Any

import polars as pl

from engine.ranking.amounts import needed_facts
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
_SUFFIXES = {"fen": "money", "wh": "electricity", "litre": "volume", "gram": "mass", "ce": "coal"}


class Telling:
    """One enterprise of a release, told in ``zh`` or ``en``."""

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

    def shown(self, fact: str, value: int) -> tuple[float, str]:
        if fact == "land_dm2_days":
            return value * 3 / (200_000 * self.days), self.say("亩", "mu")
        quantity = FACTS[fact].quantity
        times, by = _SHOWN[quantity]
        return (value * times / by if by > 1 else value), DISPLAY[quantity]

    def source(self, line: dict[str, Any]) -> dict[str, Any]:
        place = {"load_id": line["load_id"], "sheet": line["sheet"] or "", "row": line["row"]}
        return place | {"file": self.release.file_of(line["load_id"])}


def amount_shown(name: str, value: int | None) -> tuple[float | int | None, str]:
    """An amount in the unit that its name's suffix is shown in."""
    quantity = _SUFFIXES.get(name.rpartition("_")[2], "count")
    times, by = _SHOWN[quantity]
    shown = value if value is None or by == 1 else value * times / by
    return shown, DISPLAY[quantity]


def step(kind: str, name: str, value: Any, unit: str, note: str, source: dict[str, Any] | None = None) -> Step:
    """One line of an explanation, in the contract's form."""
    line: Step = {"kind": kind, "name": name, "value": value, "unit": unit, "note": note}
    return line | ({"source": source} if source else {})
