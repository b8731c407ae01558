"""An enterprise's facts through the years: each figure with its source and how the sources stand to each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.explain.telling import Telling
from engine.releases import Release
from engine.schema.facts import FACTS


def facts_by_year(releases: Iterable[Release], enterprise_id: str) -> dict[str, Any]:
    """``years`` (the release that each is taken from, earliest first) and ``facts``: a line a field that any year states.

    ``values`` of a line: year → value in the shown unit, ``exact`` in the smallest, ``source``, ``how`` (only_claim,
    agreed, disputed, corrected), ``spread`` and, where sources differ, ``claims`` with load, file, sheet and row. A year
    that states nothing is absent: no data is not zero.
    """
    years: list[dict[str, Any]] = []
    lines: dict[str, dict[str, Any]] = {}
    for release in sorted(releases, key=lambda r: int(r.manifest["year"])):
        told = Telling(release, {"enterprise_id": enterprise_id}, "zh")
        years.append({"year": told.year, "release_id": release.id})
        claims = told.mine("claims")
        for fact in told.mine("facts"):
            line = lines.setdefault(fact["field"], _line(told, fact["field"]))
            line["values"][str(told.year)] = _value(told, fact, claims)
    ordered = [lines[name] for name in FACTS if name in lines]
    return {"enterprise_id": enterprise_id, "years": years, "facts": ordered}


def _line(told: Telling, field: str) -> dict[str, Any]:
    english = Telling(told.release, told.row, "en")
    known, units = FACTS[field], (told.shown(field, 0)[1], english.shown(field, 0)[1])
    return {"field": field, "zh": known.zh, "en": known.en, "unit": units[0], "unit_en": units[1], "values": {}}


def _value(told: Telling, fact: dict[str, Any], claims: list[dict[str, Any]]) -> dict[str, Any]:
    value, _ = told.shown(fact["field"], fact["value"])
    found = {"value": value, "exact": fact["value"], **{k: fact[k] for k in ("source", "how", "spread")}}
    if fact["how"] not in ("disputed", "corrected"):
        return found
    stated = [c for c in claims if c["field"] == fact["field"]]
    said = [
        {
            "source": c["source"],
            "value": told.shown(c["field"], c["value"])[0],
            **told.source(c),
        }
        for c in sorted(stated, key=lambda c: (c["source"], c["load_id"], c["row"]))
    ]
    return {**found, "claims": said}
