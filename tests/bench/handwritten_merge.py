"""A merge written by hand for one case, on Polars: the mark that permu's merge is held against.

From the same canonical tables it writes the same tables with the same rows: register with permanent ids and levels of
industry and region, links, land use, parcels, claims and facts in enterprise order, facts wide; and it looks for what would
stand in the lists that are empty here: unlinked keys, months missing, repeated registrations, findings about land and power.
What it knows beforehand and permu has to find out: which columns there are, that every record is linked by a credit code,
that one source states each fact, that nobody rents, shares or corrects.

    python -m tests.bench.handwritten_merge HOME OUT    → one JSON line; the answer is over all tables' rows
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import duckdb
import polars as pl

from engine.schema.codes import industries
from engine.schema.facts import FACTS
from ingest.evidence import unit_of
from ingest.ids import valid_org_code
from tests.bench.measure import peak_mb
from tests.bench.warehouse import MONTHLY, YEAR

DAYS = 366
YEARLY = {"land": ["area_dm2"], "statistics": ["is_above_scale", "main_revenue_fen", "employees"]}
COMPARED = ("claims", "enterprises", "facts", "facts_wide", "land_use", "links", "parcels")
EMPTY = ("area_disputes", "coverage", "findings", "unlinked")
_GONE = "注销|吊销"
_SURE = 10**9


def tables(home: Path) -> dict[str, str]:
    """Source → its canonical Parquet file."""
    return {f.parts[-3]: str(f) for f in home.glob("canonical/*/*/*.parquet")}


def by_hand(home: Path, out: Path) -> None:
    """Every table of COMPARED and EMPTY into ``out``."""
    files = tables(home)
    register = _register(files["commerce"], out)
    ids = register.select("record_key", "enterprise_id", "enterprise_no")
    land = _land(files["land"], ids, out)
    totals = {"land": land}
    links = [_links("land", pl.read_parquet(files["land"], columns=["record_key"]).join(ids, on="record_key"))]
    lost, short = [], []
    for source, (_, fields) in MONTHLY.items():
        summed = _totals(files[source], fields, by_account=source in ("power", "gas"))
        short.append(summed.filter(pl.col("rows") < 12).select("record_key"))
        totals[source], gone = _linked(summed, ids, "owner" if source in ("power", "gas") else "record_key")
        links.append(_links(source, totals[source]))
        lost.append(gone)
    yearly = pl.read_parquet(files["statistics"], columns=["record_key", "row", *YEARLY["statistics"]])
    totals["statistics"], gone = _linked(yearly.with_columns(rows=pl.lit(1, dtype=pl.Int32)), ids, "record_key")
    links.append(_links("statistics", totals["statistics"]))
    pl.concat([*lost, gone]).write_parquet(out / "unlinked.parquet")
    pl.concat(short).write_parquet(out / "coverage.parquet")
    pl.concat(links).sink_parquet(out / "links.parquet", compression_level=1)
    _evidence(register, totals, out)
    _findings(out)


def _register(file: str, out: Path) -> pl.DataFrame:
    """The register in id order with ``enterprise_no``; a key that two rows hold would stand among the findings."""
    rows = pl.read_parquet(file)
    inner = rows["uscc"].str.slice(8, 9)
    valid = valid_org_code(inner)
    keys = rows.select(
        "row", "record_key", key=pl.when(valid).then("org_code:" + pl.lit(inner)).otherwise("record_key")
    )
    with duckdb.connect() as db:
        db.register("keys", keys.select("row", "key").to_arrow())
        ids = db.sql("SELECT row, 'E' || upper(substr(md5(key), 1, 15)) AS enterprise_id FROM keys").pl()
    numbered = ids.sort("enterprise_id").with_columns(enterprise_no=pl.int_range(pl.len(), dtype=pl.Int32))
    assert not numbered["enterprise_id"].is_duplicated().any()
    sections = industries().filter(pl.col("level") == "class").select(industry_code="code", industry_section="section")
    code, region = pl.col("industry_code"), pl.col("region_code")
    levels = {f"industry_{n}": code.str.slice(0, n) for n in (2, 3, 4)}
    levels |= {f"region_{k}": region.str.slice(0, n) for k, n in (("city", 4), ("county", 6), ("town", 9))}
    made = rows.lazy().join(sections.lazy(), on="industry_code", how="left").join(numbered.lazy(), on="row")
    made = made.with_columns(
        **levels, industry_code_written=code, region_code_written=region, industry_note=pl.lit(""),
        load_id=pl.lit(f"commerce-{YEAR}-000000000000"), sheet=pl.lit(None, dtype=pl.String),
    )  # fmt: skip
    made.drop("enterprise_no").sink_parquet(out / "enterprises.parquet", compression_level=1)
    return numbered.join(keys, on="row", maintain_order="left").select("record_key", "enterprise_id", "enterprise_no")


def _land(file: str, ids: pl.DataFrame, out: Path) -> pl.DataFrame:
    """Writes ``land_use`` and ``parcels``; the land of each enterprise in enterprise order."""
    rows = pl.read_parquet(
        file, columns=["row", "record_key", "parcel_code", "area_dm2", "share_ppb", "from_on", "to_on"]
    )
    none = {
        n: pl.lit(None, dtype=t) for n, t in (("drawn_dm2", pl.Int64), ("polygons", pl.Int32), ("geometry", pl.Binary))
    }
    none |= {n: pl.lit(None, dtype=pl.Float64) for n in ("minx", "miny", "maxx", "maxy")}
    parcels = rows.group_by("parcel_code").agg(pl.col("area_dm2").max(), holders=pl.len()).sort("parcel_code")
    shared = parcels.filter(pl.col("holders") > 1)
    assert shared.is_empty()
    parcels.drop("holders").with_columns(**none).write_parquet(out / "parcels.parquet", compression_level=1)
    first, last = pl.date(YEAR, 1, 1), pl.date(YEAR, 12, 31)
    begin, end = pl.max_horizontal("from_on", first), pl.min_horizontal(pl.col("to_on").fill_null(last), last)
    used = rows.join(ids, on="record_key").sort("enterprise_no").with_columns(days=(end - begin).dt.total_days() + 1)
    used = used.with_columns(
        dm2_days=pl.col("area_dm2") * pl.col("days"), kind=pl.lit("own"), assumed=pl.lit(False),
        share_ppb=pl.col("share_ppb").fill_null(_SURE), counterpart_id=pl.lit(None, dtype=pl.String),
        load_id=pl.lit(f"land-{YEAR}-000000000000"), sheet=pl.lit(None, dtype=pl.String),
    )  # fmt: skip
    used.drop("record_key", "enterprise_no").write_parquet(out / "land_use.parquet", compression_level=1)
    summed = used.group_by("enterprise_no", "enterprise_id", maintain_order=True).agg(
        land_dm2_days=pl.col("dm2_days").sum(), row=pl.col("row").min(), rows=pl.len().cast(pl.Int32)
    )
    return summed.with_columns(record_key=pl.lit("land_use"), method=pl.lit("land_use"))


def _totals(file: str, fields: dict[str, float], by_account: bool) -> pl.DataFrame:
    sums = [pl.col(f).sum() for f in fields]
    grouped = pl.scan_parquet(file).group_by("record_key")
    totals = grouped.agg(*sums, rows=pl.len().cast(pl.Int32), row=pl.col("row").min()).collect(engine="streaming")
    if not by_account:
        return totals
    first = pl.scan_parquet(file).select("row", "uscc").join(totals.lazy().select("row"), on="row", how="semi")
    owner = first.collect(engine="streaming").select("row", owner="uscc:" + pl.col("uscc"))
    return totals.join(owner, on="row")


def _linked(totals: pl.DataFrame, ids: pl.DataFrame, by: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The totals with their enterprise, in enterprise order; the keys that no enterprise holds."""
    joined = totals.join(ids.rename({"record_key": by}), on=by, how="left").with_columns(method=pl.lit("credit_code"))
    lost = joined.filter(pl.col("enterprise_no").is_null()).select("record_key")
    kept = joined.filter(pl.col("enterprise_no").is_not_null()).sort("enterprise_no")
    assert not kept["enterprise_no"].is_duplicated().any()
    return kept, lost


def _links(source: str, linked: pl.DataFrame) -> pl.LazyFrame:
    return linked.lazy().select(
        "record_key", "enterprise_id", source=pl.lit(source), method=pl.lit("credit_code"),
        share_ppb=pl.lit(None, dtype=pl.Int64), sure_ppb=pl.lit(_SURE, dtype=pl.Int64),
    )  # fmt: skip


def _evidence(register: pl.DataFrame, totals: dict[str, pl.DataFrame], out: Path) -> None:
    """``claims``, ``facts`` and ``facts_wide``."""
    claims, facts, wide = [], [], {}
    for name in FACTS:
        for source, frame in totals.items():
            if name not in frame.columns:
                continue
            about = {"source": pl.lit(source), "value": pl.col(name), "field": pl.lit(name)}
            year = pl.lit(YEAR, dtype=pl.Int32)
            place = {"load_id": pl.lit(f"{source}-{YEAR}-000000000000"), "sheet": pl.lit(None, dtype=pl.String)}
            rows = frame.lazy()
            claims.append(
                rows.select("enterprise_id", "record_key", "method", "rows", "row", **about, **place, year=year)
            )
            sole = {
                "how": pl.lit("only_claim"),
                "spread": pl.lit(0, dtype=pl.Int64),
                "claims": pl.lit(1, dtype=pl.Int32),
            }
            facts.append(rows.select("enterprise_id", **about, **sole, year=year, unit=pl.lit(unit_of(name))))
            none = pl.Series(name, [None], dtype=pl.Int64).new_from_index(0, register.height)
            wide[name] = none.scatter(frame["enterprise_no"], frame[name])
    months = pl.Series("months_missing", [None], dtype=pl.Int64).new_from_index(0, register.height)
    table = pl.DataFrame({"enterprise_id": register["enterprise_id"], **wide, "months_missing": months})
    table.write_parquet(out / "facts_wide.parquet", compression_level=1)
    for name, parts in (("claims", claims), ("facts", facts)):
        pl.concat(parts).sink_parquet(out / f"{name}.parquet", compression_level=1)


def _findings(out: Path) -> None:
    """Parcels that nobody uses or users without power, the landless, output without power, land of firms that are gone."""
    wide = pl.read_parquet(
        out / "facts_wide.parquet", columns=["enterprise_id", "land_dm2_days", "power_wh", "invoiced_sales_fen"]
    )
    uses = pl.scan_parquet(out / "land_use.parquet").select("parcel_code", "enterprise_id")
    parcels = pl.scan_parquet(out / "parcels.parquet").select("parcel_code")
    dark = wide.filter(pl.col("power_wh").fill_null(0) == 0)
    gone = (
        pl.scan_parquet(out / "enterprises.parquet")
        .filter(pl.col("status").str.contains(_GONE))
        .select("enterprise_id")
    )
    found = [
        parcels.join(uses, on="parcel_code", how="anti").collect(),
        uses.join(dark.lazy(), on="enterprise_id", how="semi").select("parcel_code").collect(),
        uses.join(gone, on="enterprise_id", how="semi").select("parcel_code").collect(),
        wide.filter(pl.col("land_dm2_days").fill_null(0) <= 0).select("enterprise_id"),
        dark.filter(pl.col("invoiced_sales_fen") > 0).select("enterprise_id"),
        wide.filter((pl.col("power_wh") > 0) & (pl.col("invoiced_sales_fen").fill_null(0) <= 0)).select(
            "enterprise_id"
        ),
    ]
    pl.concat(found, how="diagonal").write_parquet(out / "findings.parquet")
    pl.DataFrame(schema={"parcel_code": pl.String}).write_parquet(out / "area_disputes.parquet")


def answer_of(folder: Path) -> str:
    """A hash over the rows of every table, in any order of rows; the empty ones must be empty."""
    told: dict[str, list[int]] = {}
    for name in (*COMPARED, *EMPTY):
        rows = pl.read_parquet(folder / f"{name}.parquet", glob=False)
        hashes = rows.select(sorted(rows.columns)).hash_rows(7) if name in COMPARED and rows.height else pl.Series([0])
        told[name] = [rows.height, int(hashes.cast(pl.UInt64).cast(pl.Int128).sum())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def main(home: str, out: str) -> None:
    """Merge and print seconds, peak and the answer's hash."""
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    by_hand(Path(home), place)
    told = {"seconds": time.monotonic() - began, "peak_mb": peak_mb()}
    print(json.dumps(told | {"answer_sha256": answer_of(place)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
