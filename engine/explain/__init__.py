"""Why an enterprise stands where it stands: records → facts → amounts → indicators → bases → score → ranks → grade.

Each step is a line that a person can check: kind, name, value with unit, a note with the arithmetic, and where a
record lies (load, file, sheet, row).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.explain import evidence, scoring
from engine.explain.telling import Step, Telling
from engine.policy.indicators import INDICATORS
from engine.releases import Release
from engine.schema.facts import FACTS


def explain(release: Release, enterprise: str, lang: str = "zh") -> dict[str, Any]:
    """The steps for one enterprise (id or credit code) in ``zh`` or ``en``; PermuError unknown_enterprise."""
    row = release.enterprise(enterprise)
    told = Telling(release, row, lang)
    return {
        "enterprise_id": row["enterprise_id"],
        "uscc": row["uscc"],
        "name": row["name"],
        "release_id": release.id,
        "year": release.manifest["year"],
        "policy": release.manifest["policy"]["id"],
        "score": row["score"],
        "grade": row["grade"],
        "steps": list(_steps(told)),
    }


def _steps(told: Telling) -> Iterator[Step]:
    yield from evidence.records(told)
    yield from evidence.land(told)
    facts = {f["field"]: f for f in told.mine("facts") if f["field"] in told.fields}
    yield from (evidence.fact(told, facts[name]) for name in FACTS if name in facts)
    yield from scoring.amounts(told, facts)
    yield from (scoring.indicator(told, INDICATORS[name]) for name in told.policy.computed)
    yield from scoring.score(told)
    yield from scoring.ranks(told)
    yield from scoring.grade(told)
