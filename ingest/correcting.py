"""Corrections applied to a merge: after the departments' claims have decided the facts, and before anybody reads them."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.corrected import Version, guard_broken, newest, versions
from ingest.corrections import Correction
from ingest.evidence import ROW_GROUP, unit_of

_APPLIED = {
    "enterprise_id": pl.String, "field": pl.String, "year": pl.Int32, "before": pl.Int64, "value": pl.Int64,
    "expect": pl.String, "reason": pl.String, "evidence": pl.String, "approver": pl.String, "until": pl.Date,
    "correction_id": pl.String,
}  # fmt: skip


def apply(warehouse: Warehouse, folder: Path, year: int, today: date | None = None) -> dict[str, Any]:
    """Correct ``facts`` and ``facts_wide`` in ``folder``, write ``corrections.parquet`` and count.

    Raises correction_guard and correction_lost; the merge under way is then given up, the one before stays.
    """
    standing = [v for v in newest(versions(warehouse, year)) if v.state == "active"]
    live = [v for v in standing if not v.ended(today or date.today())]
    ended = [v.correction_id for v in standing if v not in live]
    applied = _applied(folder, live) if live else pl.DataFrame(schema=_APPLIED)
    sha256 = hashlib.sha256(applied.write_json().encode()).hexdigest() if live else None
    counts: dict[str, Any] = {"corrections": {"applied": len(live), "ended": ended, "sha256": sha256}}
    if live:
        applied.write_parquet(folder / "corrections.parquet")
        _correct_facts(folder, applied)
        _correct_wide(folder, applied)
        facts = pl.scan_parquet(folder / "facts.parquet", glob=False).select(
            facts=pl.len(), disputed=(pl.col("how") == "disputed").sum()
        )
        counts |= facts.collect().row(0, named=True)
    return counts


def _applied(folder: Path, live: list[Version]) -> pl.DataFrame:
    """``corrections.parquet``: what each correction does to this merge; every guard holds, or PermuError."""
    keys = pl.DataFrame(
        [(v.enterprise_id, v.entry.field) for v in live],
        schema={"enterprise_id": pl.String, "field": pl.String},
        orient="row",
    )
    facts = pl.scan_parquet(folder / "facts.parquet", glob=False).join(
        keys.lazy(), on=["enterprise_id", "field"], how="semi"
    )
    before = {(e, f): v for e, f, v in facts.select("enterprise_id", "field", "value").collect().iter_rows()}
    firms = pl.scan_parquet(folder / "enterprises.parquet", glob=False).join(
        keys.lazy(), on="enterprise_id", how="semi"
    )
    known = set(firms.select("enterprise_id").collect()["enterprise_id"])
    rows = []
    for one in live:
        entry, was = one.entry, before.get((one.enterprise_id, one.entry.field))
        assert isinstance(entry, Correction)
        if one.enterprise_id not in known:
            raise _lost(one)
        if not entry.holds(was):
            raise guard_broken(entry, was, one.enterprise_id, one.correction_id)
        rows.append(
            (one.enterprise_id, entry.field, entry.year, was, entry.smallest(entry.value), entry.guard, entry.reason,
             entry.evidence, entry.approver, entry.last_day, one.correction_id)
        )  # fmt: skip
    return pl.DataFrame(rows, schema=_APPLIED, orient="row").sort("enterprise_id", "field")


def _correct_facts(folder: Path, applied: pl.DataFrame) -> None:
    """The corrected figures in the place of the facts, ``how`` corrected; figures that nobody stated come last."""
    place = folder / "facts.parquet"
    facts = pl.scan_parquet(place, glob=False)
    columns = facts.collect_schema()
    new = applied.select("enterprise_id", "field", corrected="value")
    is_new = pl.col("corrected").is_not_null()
    changed = facts.join(new.lazy(), on=["enterprise_id", "field"], how="left", maintain_order="left").with_columns(
        value=pl.coalesce("corrected", "value"),
        source=pl.when(is_new).then(pl.lit("correction")).otherwise("source"),
        how=pl.when(is_new).then(pl.lit("corrected")).otherwise("how"),
    )
    names = list(applied["field"].unique())
    stated = {
        "source": pl.lit("correction"), "how": pl.lit("corrected"), "spread": pl.lit(0), "claims": pl.lit(0),
        "unit": pl.col("field").replace_strict(names, [unit_of(n) for n in names], return_dtype=pl.String),
    }  # fmt: skip
    made = applied.filter(pl.col("before").is_null()).with_columns(**stated)
    made = made.select(pl.col(n).cast(kind) for n, kind in columns.items())
    part = folder / "facts.spill"
    pl.concat([changed.select(columns.names()), made.lazy()]).sink_parquet(
        part, compression="zstd", compression_level=1, row_group_size=ROW_GROUP
    )
    part.replace(place)


def _correct_wide(folder: Path, applied: pl.DataFrame) -> None:
    place = folder / "facts_wide.parquet"
    wide = pl.read_parquet(place, glob=False)
    for (field,), rows in applied.group_by("field", maintain_order=True):
        name = str(field)
        held = pl.col(name) if name in wide.columns else pl.lit(None, dtype=pl.Int64)
        new = rows.select("enterprise_id", corrected="value")
        wide = wide.join(new, on="enterprise_id", how="left", maintain_order="left").with_columns(
            pl.coalesce("corrected", held).alias(name)
        ).drop("corrected")  # fmt: skip
    wide.write_parquet(place, compression_level=1, row_group_size=ROW_GROUP)


def _lost(one: Version) -> PermuError:
    return PermuError(
        "correction_lost",
        f"correction {one.correction_id} is about {one.enterprise_id}, which the register of {one.entry.year} no longer holds; "
        "withdraw the correction, or load the register that holds it",
        f"更正 {one.correction_id} 所针对的企业 {one.enterprise_id} 已不在 {one.entry.year} 年名录中；请撤回该更正，或重新导入名录",
    )
