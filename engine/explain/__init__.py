"""Why an enterprise stands where it stands: records → facts → corrections → amounts → indicators → bases → score →
ranks → quota → adjustments → grade, and what the next grade would take.

Each step is a line that a person can check: kind, name, value with unit, a note with the arithmetic, and where a
record lies (load, file, sheet, row).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from engine.explain import evidence, next_grade, scoring
from engine.explain.corrections import corrections
from engine.explain.identity import identity
from engine.explain.telling import Step, Telling
from engine.releases import Release
from engine.schema.facts import FACTS


def explain(release: Release, enterprise: str, lang: str = "zh", rows: pl.Expr | None = None) -> dict[str, Any]:
    """The steps for one enterprise (id or credit code) in ``zh`` or ``en``; PermuError unknown_enterprise.

    Other users of its parcels and meters are named if they are of ``rows``, a condition on the rankings (None: all are).
    """
    row = release.enterprise(enterprise)
    told = Telling(release, row, lang, rows)
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
    yield from identity(told)
    yield from evidence.records(told)
    yield from evidence.land(told)
    yield from (evidence.fact(told, told.facts[name]) for name in FACTS if name in told.facts)
    yield from corrections(told)
    computed = scoring.computed_amounts(told)
    yield from scoring.amounts(told, computed)
    known = told.policy.all_indicators
    yield from (scoring.indicator(told, known[name], computed) for name in told.policy.computed)
    yield from scoring.score(told)
    yield from scoring.ranks(told)
    yield from scoring.quota(told)
    yield from scoring.adjustments(told)
    yield from scoring.grade(told)
    yield from next_grade.steps(told, computed)
