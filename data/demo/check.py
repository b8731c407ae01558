"""``permu demo check``: how close links, land, facts and ranks of a warehouse come to the demo's truth.

A unit of linking is a distinct record key of a source and year. A key is right when every enterprise that it was
linked to is truly one of its own. Recall counts keys that have a true counterpart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from data.demo.ranks import GROUPINGS, METRICS
from engine.schema.errors import PermuError

_KEY = ["year", "source", "record_key"]
_MU_PER_DM2 = 3 / 200_000
_POLICY = "sunan-2017"


def check(merged: dict[int, Path], rankings: dict[tuple[int, str], Path], truth: Path) -> dict[str, Any]:
    """Measures by ``links land facts ranks``.

    ``merged``: year → folder of the merge; ``rankings``: (year, policy) → ``rankings.parquet`` or the release that
    holds it; ``truth``: the folder that :func:`generate` wrote. Raises no_truth where it holds none.
    """
    if not (truth / "demo.json").is_file():
        raise PermuError(
            "no_truth",
            f"{truth}: no truth of a demo there (no demo.json); run `permu demo` first, or pass its folder as --truth",
            f"{truth}：没有演示数据的真值（缺 demo.json）：请先运行 permu demo，或用 --truth 指定目录",
        )
    years = sorted(merged)
    people = {year: _identified(merged[year], truth, year) for year in years}
    return {
        "synthetic": True,
        "years": years,
        "links": _links(merged, people, truth),
        "land": _land(merged, people, truth),
        "facts": _facts(merged, people, truth),
        "ranks": _ranks(rankings, people, truth),
    }


def _truth(truth: Path, table: str, years: list[int]) -> pl.DataFrame:
    return pl.read_parquet(truth / f"{table}.parquet").filter(pl.col("year").is_in(years))


def _identified(folder: Path, truth: Path, year: int) -> pl.DataFrame:
    """``enterprise_id`` → ``uscc`` of the true enterprise, by credit code, organisation code or registration number."""
    real = _truth(truth, "enterprises", [year]).select("uscc", "org_code", "reg_no")
    found = pl.read_parquet(folder / "enterprises.parquet")
    parts = [found.select("enterprise_id", "uscc").join(real.select("uscc"), on="uscc")]
    for column in ("org_code", "reg_no"):
        if column in found.columns:
            rest = found.filter(pl.col("uscc").is_null()).select("enterprise_id", column)
            parts.append(rest.join(real.select("uscc", column), on=column).select("enterprise_id", "uscc"))
    return pl.concat(parts).unique("enterprise_id", keep="first", maintain_order=True)


# --- links -----------------------------------------------------------------------------------------------------


def _links(merged: dict[int, Path], people: dict[int, pl.DataFrame], truth: Path) -> dict[str, Any]:
    linked = pl.concat([_linked(merged[y], people[y], y) for y in merged])
    sources = linked["source"].unique().sort()
    real = _truth(truth, "links", list(merged)).filter(pl.col("source").is_in(sources.implode()))
    keys = _judged(linked, real).join(_review(merged, people, real), on=_KEY, how="left")
    keys = keys.with_columns(pl.col("waits", "among").fill_null(False))
    return {
        **_quality(keys, pl.lit(True)),
        "by_method": _by_method(keys),
        "by_source": {s: _quality(keys, pl.col("source") == s) for s in sources},
        "without_id": _quality(keys, ~pl.col("has_id")),
        "identities": _identities(people),
    }


def _linked(folder: Path, people: pl.DataFrame, year: int) -> pl.DataFrame:
    links = pl.read_parquet(folder / "links.parquet").select("source", "record_key", "enterprise_id", "method")
    found = links.join(people, on="enterprise_id", how="left")
    return found.with_columns(year=pl.lit(year, dtype=pl.Int32)).rename({"uscc": "found"})


def _judged(linked: pl.DataFrame, real: pl.DataFrame) -> pl.DataFrame:
    """One row a record key of either side: ``linked right has_id real`` (real: has a true counterpart), ``method``."""
    pairs = linked.join(
        real.select(*_KEY, found="uscc", true=pl.lit(True)).drop_nulls("found"), on=[*_KEY, "found"], how="left"
    )
    ours = pairs.group_by(_KEY).agg(right=pl.col("true").fill_null(False).all(), method=pl.col("method").first())
    theirs = real.group_by(_KEY).agg(has_id=pl.col("has_id").first(), real=pl.col("uscc").is_not_null().any())
    return theirs.join(ours, on=_KEY, how="full", coalesce=True).with_columns(
        pl.col("has_id").fill_null(True),
        pl.col("real").fill_null(False),
        linked=pl.col("right").is_not_null(),
        right=pl.col("right").fill_null(False),
    )


def _review(merged: dict[int, Path], people: dict[int, pl.DataFrame], real: pl.DataFrame) -> pl.DataFrame:
    """Keys that wait for a person (``waits``: they have candidates) and whether the true one is ``among`` them."""
    schema = {**dict.fromkeys(_KEY, pl.String), "year": pl.Int32, "waits": pl.Boolean, "among": pl.Boolean}
    parts = [pl.DataFrame(schema=schema)]
    for year, folder in merged.items():
        if not (folder / "candidates.parquet").is_file():
            continue
        named = pl.read_parquet(folder / "candidates.parquet").join(people[year], on="enterprise_id", how="left")
        true = (
            real.filter(pl.col("year") == year).select("source", "record_key", "uscc", true=pl.lit(True)).drop_nulls()
        )
        judged = named.join(true, on=["source", "record_key", "uscc"], how="left")
        grouped = judged.group_by("source", "record_key").agg(among=pl.col("true").fill_null(False).any())
        parts.append(
            grouped.select(
                pl.lit(year, dtype=pl.Int32).alias("year"), "source", "record_key", waits=True, among="among"
            )
        )
    return pl.concat([p.select(list(schema)) for p in parts])


def _quality(keys: pl.DataFrame, which: pl.Expr) -> dict[str, float | int | None]:
    """``review_share``: of the keys that are linked or wait; ``candidates_recall``: of the keys with a true counterpart
    those that are linked rightly, or wait with the true one among their candidates."""
    some = keys.filter(which)
    linked, right, real, waiting = (int(some[c].sum()) for c in ("linked", "right", "real", "waits"))
    among = some.filter("among", "real", ~pl.col("linked")).height
    return {
        "keys": some.height,
        "linked": linked,
        "precision": _ratio(right, linked),
        "recall": _ratio(right, real),
        "review_share": _ratio(waiting, linked + waiting),
        "candidates_recall": _ratio(right + among, real),
    }


def _identities(people: dict[int, pl.DataFrame]) -> dict[str, int]:
    """Enterprises that are there in several years, and how many of them did not keep their id."""
    every = pl.concat([p.select("uscc", "enterprise_id") for p in people.values()])
    counted = every.group_by("uscc").agg(pl.len(), ids=pl.col("enterprise_id").n_unique()).filter(pl.col("len") > 1)
    return {"in_several_years": counted.height, "changed_id": counted.filter(pl.col("ids") > 1).height}


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _by_method(keys: pl.DataFrame) -> dict[str, dict[str, float | int | None]]:
    grouped = keys.filter("linked").group_by("method").agg(pl.len(), pl.col("right").sum()).sort("method")
    return {m: {"linked": n, "precision": _ratio(r, n)} for m, n, r in grouped.iter_rows()}


# --- land ------------------------------------------------------------------------------------------------------


def _land(merged: dict[int, Path], people: dict[int, pl.DataFrame], truth: Path) -> dict[str, Any]:
    parts = [_land_of(merged[y], people[y], _truth(truth, "land_used", [y]), y) for y in merged]
    both = pl.concat(parts)
    clear = both.filter(pl.col("all_linkable"))
    return {
        "max_abs_error_mu": clear["error_mu"].max() if clear.height else 0.0,
        "enterprises_off": clear.filter(pl.col("error_mu") > 0).height,
        "enterprises": clear.height,
        "with_records_not_linkable": both.height - clear.height,
        "of_those_complete": both.filter(~pl.col("all_linkable") & (pl.col("error_mu") == 0)).height,
    }


def _land_of(folder: Path, people: pl.DataFrame, real: pl.DataFrame, year: int) -> pl.DataFrame:
    """One row an enterprise on either side: ``error_mu`` against its whole true land, ``all_linkable``."""
    lines = pl.read_parquet(folder / "land_use.parquet", columns=["enterprise_id", "dm2_days"])
    used = lines.group_by("enterprise_id").agg(pl.col("dm2_days").sum()).join(people, on="enterprise_id")
    both = real.join(used.select("uscc", "dm2_days"), on="uscc", how="full", coalesce=True)
    days = 366 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 365
    error = (pl.col("dm2_days").fill_null(0) - pl.col("land_dm2_days").fill_null(0)).abs()
    return both.select(error_mu=error / days * _MU_PER_DM2, all_linkable=pl.col("all_linkable").fill_null(True))


# --- facts -----------------------------------------------------------------------------------------------------


def _facts(merged: dict[int, Path], people: dict[int, pl.DataFrame], truth: Path) -> dict[str, Any]:
    both = pl.concat([_facts_of(merged[y], people[y], truth, y) for y in merged])
    by_field = {str(name): _agreement(part) for (name,), part in sorted(both.group_by("field"))}
    return {**_agreement(both), "by_field": by_field}


def _facts_of(folder: Path, people: pl.DataFrame, truth: Path, year: int) -> pl.DataFrame:
    real = _truth(truth, "facts", [year])
    facts = pl.read_parquet(folder / "facts.parquet", columns=["enterprise_id", "field", "value"])
    ours = facts.join(people, on="enterprise_id").select("uscc", "field", ours="value")
    ours = ours.filter(pl.col("field").is_in(real["field"].unique().implode()))
    wanted = ["uscc", "field", "value", "with_id", "with_names"]
    both = real.select(wanted).join(ours, on=["uscc", "field"], how="full", coalesce=True)
    waiting = pl.col("uscc").is_in(_incomplete(folder, people, truth, year).implode())
    return both.with_columns(waiting=waiting.fill_null(False))


def _incomplete(folder: Path, people: pl.DataFrame, truth: Path, year: int) -> pl.Series:
    """True enterprises some of whose records are not linked to them: their facts may lie between."""
    linked = _linked(folder, people, year).select("source", "record_key", uscc="found")
    real = _truth(truth, "links", [year]).select("source", "record_key", "uscc").drop_nulls()
    return real.join(linked, on=["source", "record_key", "uscc"], how="anti")["uscc"].unique()


def _agreement(both: pl.DataFrame) -> dict[str, int | float | None]:
    """``equal``: what all records with a code or the exact name give; ``complete``: what all records give; ``partial``:
    another value of an enterprise some of whose records wait for a person; the rest is wrong or missing."""
    ours, value = pl.col("ours"), pl.col("value")
    equal, complete = ours.eq_missing(value), ours.eq(pl.col("with_names")).fill_null(False)
    counts = both.select(
        compared=pl.len(),
        equal=equal.sum(),
        complete=complete.sum(),
        missing=(ours.is_null() & value.is_not_null()).sum(),
        partial=(ours.is_not_null() & ~equal & ~complete & pl.col("waiting")).sum(),
        unexpected=(value.is_null() & ours.is_not_null() & ~complete & ~pl.col("waiting")).sum(),
        off=(ours.is_not_null() & value.is_not_null() & ~equal & ~complete & ~pl.col("waiting")).sum(),
    ).row(0, named=True)
    right = both.filter(equal | complete).height
    return {**counts, "right_share": _ratio(right, counts["compared"])}


# --- ranks -----------------------------------------------------------------------------------------------------


def _ranks(rankings: dict[tuple[int, str], Path], people: dict[int, pl.DataFrame], truth: Path) -> dict[str, Any]:
    """Ranks of ``sunan-2017`` beside those computed from the truth without the engine."""
    ours = {year: path for (year, policy), path in rankings.items() if policy == _POLICY and year in people}
    out: dict[str, Any] = {"policy": _POLICY, "years": sorted(ours)}
    for metric in METRICS:
        for grouping in GROUPINGS:
            parts = [_ranks_of(ours[y], people[y], truth, y, metric, grouping) for y in sorted(ours)]
            out[f"{metric}.{grouping}"] = _rank_agreement(pl.concat(parts)) if parts else None
    return out


def _ranks_of(path: Path, people: pl.DataFrame, truth: Path, year: int, metric: str, grouping: str) -> pl.DataFrame:
    file = path / "rankings.parquet" if path.is_dir() else path
    ours = pl.read_parquet(file, columns=["enterprise_id", f"rank__{metric}__{grouping}"]).join(
        people, on="enterprise_id"
    )
    real = _truth(truth, "ranks", [year]).filter((pl.col("metric") == metric) & (pl.col("grouping") == grouping))
    ranked = ours.select("uscc", ours=pl.col(f"rank__{metric}__{grouping}").cast(pl.Int64)).drop_nulls()
    return real.select("uscc", "rank", "rank_true").join(ranked, on="uscc", how="full", coalesce=True)


def _rank_agreement(both: pl.DataFrame) -> dict[str, int | float | None]:
    known = both.drop_nulls(["rank", "ours"])
    away = (known["ours"] - known["rank"]).abs()
    return {
        "compared": both.height,
        "equal": int((away == 0).sum()),
        "equal_to_whole_truth": int((known["ours"] == known["rank_true"]).sum()),
        "only_one_side": both.height - known.height,
        "max_difference": int(away.max() or 0) if known.height else None,  # type: ignore[arg-type]
        "median_difference": float(away.median() or 0.0) if known.height else None,  # type: ignore[arg-type]
    }
