"""What every part of an explanation needs: the enterprise's row, its evidence, the language, units for people."""

from __future__ import annotations

import calendar
from functools import cached_property
from typing import Any

import polars as pl

from engine.policy.own import quantity_of
from engine.policy.scoring import Group
from engine.ranking.amounts import needed_facts
from engine.ranking.ranks import GROUPINGS as GROUPING_KEYS
from engine.releases import Release
from engine.schema.columns import GROUPINGS, SCALE_GROUPS, SIZES
from engine.schema.facts import FACTS
from engine.schema.units import DISPLAY

Step = dict[str, Any]

# smallest unit → shown unit: value · times ÷ by
_SHOWN = {
    "money": (1, 10**6),
    "area": (3, 200_000),
    "electricity": (1, 10**3),
    "volume": (1, 10**3),
    "mass": (1, 10**6),
    "coal": (1, 10**10),
    "count": (1, 1),
    "share": (1, 10**9),
}
_ENGLISH = {
    "万元": "×10,000 yuan",
    "元": "yuan",
    "亩": "mu",
    "千瓦时": "kWh",
    "立方米": "m³",
    "吨": "t",
    "吨标准煤": "tce",
    "人": "person",
    "分": "points",
}
_WORDS = {
    code: titles
    for titled in (SIZES, {n: t for n, t in SCALE_GROUPS.items() if n != "all"})
    for code, titles in titled.items()
}


class Telling:
    """One enterprise of a release, told in ``zh`` or ``en`` to somebody who sees the enterprises of ``rows`` (None: all)."""

    def __init__(self, release: Release, row: dict[str, Any], lang: str, rows: pl.Expr | None = None) -> None:
        self.release, self.row, self.zh, self.rows = release, row, lang == "zh", rows
        self.year = int(release.manifest["year"])
        self.days = 366 if calendar.isleap(self.year) else 365
        self.policy = release.pack.policy
        self.fields = set(needed_facts(self.policy))
        self.evaluated: dict[tuple[str | None, str], pl.DataFrame | None] = {}  # groups of averages, read once

    def say(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def unit(self, chinese: str) -> str:
        """A unit in the reader's language (``万元/亩`` is ``10,000 yuan/mu``)."""
        return chinese if self.zh else "/".join(_ENGLISH.get(part, part) for part in chinese.split("/"))

    def title(self, indicator: str) -> str:
        """An indicator's name in the reader's language."""
        one = self.policy.all_indicators[indicator]
        return self.say(one.zh, one.en)

    def among(self, keys: tuple[str, ...]) -> str:
        """The group that an enterprise is ranked in, by the values that it has in ``keys``."""
        parts = [(k, self.row.get(k)) for k in keys if k in self.row]
        if not parts:
            return self.say("全部企业", "all enterprises")
        return " × ".join(f"{GROUPINGS[k][0 if self.zh else 1]} {self._worded(v)}" for k, v in parts)

    def peers(self, level: str) -> str:
        """The pack's group at a level: those that an enterprise is scored and graded with."""
        place = self.among(GROUPING_KEYS[level])
        if self.group is None or self.policy.score is None or len(self.policy.score.groups) == 1:
            return place
        name = str(self.row["score_group"])
        titles = (
            (self.group.title.zh, self.group.title.en) if self.group.title else SCALE_GROUPS.get(name, (name, name))
        )
        return f"{titles[0 if self.zh else 1]} × {place}"

    def _worded(self, value: Any) -> str:
        titles = _WORDS.get(value)
        return str(value) if titles is None else titles[0 if self.zh else 1]

    @cached_property
    def group(self) -> Group | None:
        """The group of the pack that the enterprise is scored in; None where it is in none."""
        score = self.policy.score
        return None if score is None else score.groups.get(str(self.row.get("score_group")))

    @cached_property
    def facts(self) -> dict[str, dict[str, Any]]:
        """The enterprise's facts that the policy reads, by field."""
        return {f["field"]: f for f in self.mine("facts") if f["field"] in self.fields}

    def mine(self, table: str) -> list[dict[str, Any]]:
        if not self.release.has(table):
            return []
        wanted = pl.col("enterprise_id") == self.row["enterprise_id"]
        return self.release.table(table).filter(wanted).collect().to_dicts()

    def shown(self, fact: str, value: int) -> tuple[float, str]:
        if fact == "land_dm2_days":
            return value * 3 / (200_000 * self.days), self.unit("亩")
        return self._shown(FACTS[fact].quantity, value, 1)

    def amount(self, name: str, value: int) -> tuple[float, str]:
        """An amount (or fact) in the unit that its name's suffix is shown in."""
        if name in FACTS:
            return self.shown(name, value)
        return self._shown(quantity_of(name), value, self.policy.scales.get(name, 1))

    def _shown(self, quantity: str, value: int, scale: int) -> tuple[float, str]:
        times, by = _SHOWN[quantity]
        by *= scale
        return (value * times / by if by > 1 else value), self.unit(DISPLAY[quantity])

    def shown_as(self, name: str) -> tuple[int, int, str]:
        """How an amount or fact is shown: value × times ÷ by, and the unit of that."""
        if name == "land_dm2_days":
            return 3, 200_000 * self.days, self.unit("亩")
        quantity = FACTS[name].quantity if name in FACTS else quantity_of(name)
        times, by = _SHOWN[quantity]
        scale = 1 if name in FACTS else self.policy.scales.get(name, 1)
        return times, by * scale, self.unit(DISPLAY[quantity])

    def source(self, line: dict[str, Any]) -> dict[str, Any]:
        place = {"load_id": line["load_id"], "sheet": line["sheet"] or "", "row": line["row"]}
        return place | {"file": self.release.file_of(line["load_id"])}


def step(kind: str, name: str, value: Any, unit: str, note: str, source: dict[str, Any] | None = None) -> Step:
    """One line of an explanation, in the contract's form."""
    line: Step = {"kind": kind, "name": name, "value": value, "unit": unit, "note": note}
    return line | ({"source": source} if source else {})


def plain(value: float | int | None) -> str:
    """A number in a sentence: short, but every digit that counts (at most ten)."""
    return "–" if value is None else f"{value:,.10g}"


def exact(value: Any) -> str:
    """A decimal of a pack as it was written."""
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
