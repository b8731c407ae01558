"""The two layouts of facts hold the same figures."""

from __future__ import annotations

import polars as pl

from engine.releases import find
from engine.schema.warehouse import Warehouse


def test_wide_facts_are_the_long_facts_turned(demo_home: Warehouse) -> None:
    release = find(demo_home, year=2024)
    long = release.table("facts").collect()
    wide = release.table("facts_wide").collect().drop("months_missing")  # no fact: tests/unit/merge/test_months.py
    turned = long.pivot(on="field", index="enterprise_id", values="value").sort("enterprise_id")
    fields = sorted(set(wide.columns) - {"enterprise_id"})
    assert sorted(turned.columns) == sorted(wide.columns)
    stated = wide.filter(pl.any_horizontal(pl.col(fields).is_not_null())).sort("enterprise_id")
    assert stated.select("enterprise_id", *fields).equals(turned.select("enterprise_id", *fields))
    assert long.height == sum(wide[f].count() for f in fields) > 5000
