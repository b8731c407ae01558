"""Fit the rule that links records by name and address: ``python -m tests.bench.fit_linking [--check]``.

Demos of other seeds than the shipped one (7) are generated; the records without an id of every source are paired with
their candidates; a ridge logistic rule is fitted by Newton steps; both thresholds are set on the first seeds' truth and
measured on the last one, which neither the fit nor the thresholds have seen. Writes ``ingest/match/rule.json``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from data.demo import generate
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.load import ingest
from ingest.match import find
from ingest.match.records import unlinked_records
from ingest.match.rule import FEATURES, PPB, Rule, rule, sure_ppb
from ingest.merge import merge

SEEDS, TEST_SEED, ENTERPRISES, YEAR = (101, 102, 103), 104, 10_000, 2024
RIDGE, MOST_WRONG, LEAST_FOUND = 1.0, 0.002, 0.985
LEAST_SURE = PPB * 95 // 100  # no link below, however few are wrong on made-up names
FILE = Path(__file__).resolve().parents[2] / "ingest" / "match" / "rule.json"


def pairs_of(seed: int, folder: Path) -> pl.DataFrame:
    """Every pair of one demo with its features and whether it is true; records without a pair have a null enterprise."""
    generate(folder, enterprises=ENTERPRISES, years=(YEAR,), seed=seed)
    warehouse = Warehouse(folder / "warehouse").create()
    ingest(warehouse, [folder / "drops"])
    merged = warehouse.merged / merge(warehouse, YEAR).merge_id
    enterprises = pl.read_parquet(merged / "enterprises.parquet")
    names = find.Names(enterprises.select("enterprise_id", "name", "former_names", "address", "region_code"))
    truth = pl.read_parquet(folder / "truth" / "links.parquet").filter(~pl.col("has_id"))
    people = identified(enterprises, folder)
    parts = []
    for source, keyed in unlinked_records(Year(warehouse, YEAR), merged):
        real = truth.filter(pl.col("source") == source).join(people, on="uscc", how="left")
        asked = keyed.join(real.select("record_key").unique(), on="record_key", how="semi")
        records = names.records(asked)
        scored, told = find.scored(names.pairs(records), _flat())
        columns = pl.DataFrame(told, schema=[f"f_{name}" for name in FEATURES])
        frame = pl.concat([scored, columns], how="horizontal")
        right = real.select("record_key", "enterprise_id", true=pl.lit(True)).drop_nulls().unique()
        frame = frame.join(right, on=["record_key", "enterprise_id"], how="left")
        lonely = asked.join(frame, on="record_key", how="anti").select("record_key")
        frame = pl.concat([frame, lonely], how="diagonal").with_columns(pl.col("true").fill_null(False))
        has = frame["record_key"].is_in(right["record_key"].implode())
        parts.append(frame.with_columns(source=pl.lit(source), seed=pl.lit(seed), real=has))
    return pl.concat(parts, how="diagonal")


def _flat() -> Rule:
    return Rule(dict.fromkeys(FEATURES, 0.0), PPB, 0, {})


def identified(enterprises: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """``uscc enterprise_id``: by credit code, else by registration number."""
    real = pl.read_parquet(folder / "truth" / "enterprises.parquet").select("uscc", "reg_no")
    by_code = enterprises.select("uscc", "enterprise_id").join(real, on="uscc").select("uscc", "enterprise_id")
    rest = enterprises.filter(pl.col("uscc").is_null()).select("enterprise_id", "reg_no")
    return pl.concat([by_code, rest.join(real, on="reg_no").select("uscc", "enterprise_id")])


def fit(pairs: pl.DataFrame) -> dict[str, float]:
    """Ridge logistic regression by Newton steps; every pair weighs one."""
    x = pairs.select([f"f_{name}" for name in FEATURES]).to_numpy()
    y = pairs["true"].cast(pl.Float64).to_numpy()
    w = np.zeros(len(FEATURES))
    for _ in range(60):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (y - p) - RIDGE * w
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(w)), slope)
        w += step
        if np.abs(step).max() < 1e-9:
            break
    return {name: round(float(v), 4) for name, v in zip(FEATURES, w, strict=True)}


def judged(pairs: pl.DataFrame, by: Rule) -> pl.DataFrame:
    """One row a record: ``best`` (how sure of its best candidate), ``right``, ``free`` (nothing forbids the link),
    ``any`` (Σ over its candidates), ``among`` (the true one is among those shown), ``real``."""
    some = pairs.filter(pl.col("enterprise_id").is_not_null())
    odds = by.log_odds(some.select([f"f_{name}" for name in FEATURES]).to_numpy())
    key = ["seed", "source", "record_key"]
    one = pl.concat_str([pl.col(c).cast(pl.String) for c in key], separator="|")
    some = some.with_columns(sure=sure_ppb(some.with_columns(record_key=one), odds)).sort(
        *key, "sure", descending=[False, False, False, True]
    )
    rows = some.group_by(key, maintain_order=True).agg(
        best=pl.col("sure").first(), right=pl.col("true").first(), free=pl.col("why").first().is_null(),
        any=pl.col("sure").sum(), among=pl.col("true").head(find.KEPT).any(), real=pl.col("real").first(),
    )  # fmt: skip
    lonely = pairs.filter(pl.col("enterprise_id").is_null()).select(*key, "real")
    return pl.concat([rows, lonely], how="diagonal").with_columns(
        pl.col("best", "any").fill_null(0), pl.col("right", "free", "among").fill_null(False)
    )


def thresholds(rows: pl.DataFrame) -> tuple[int, int]:
    """The lowest upper threshold at which at most MOST_WRONG of the rule's links are wrong, and the highest lower
    one under which LEAST_FOUND of the records with a counterpart are linked or have it among their candidates."""
    free = rows.filter("free").sort("best", descending=True)
    wrong = (~free["right"]).cum_sum() / pl.int_range(1, free.height + 1, eager=True)
    fine = free.filter(wrong <= MOST_WRONG)
    link = max(int(fine["best"].min() or PPB), LEAST_SURE)  # type: ignore[arg-type]
    among = rows.filter("real", "among").sort("any", descending=True)
    wanted = int(np.ceil(LEAST_FOUND * rows["real"].sum()))
    review = int(among["any"][min(wanted, among.height) - 1]) if among.height else 0
    return link, min(review, link)


def measured(rows: pl.DataFrame, link: int, review: int) -> dict[str, Any]:
    """Precision of what is linked by the rule, recall, recall of candidates, share that goes to review."""
    linked = rows.filter("free", pl.col("best") >= link)
    rest = rows.join(linked, on=["seed", "source", "record_key"], how="anti")
    asked = rest.filter(pl.col("any") >= review)
    real = int(rows["real"].sum())
    right = int(linked["right"].sum())
    return {
        "records": rows.height, "with_counterpart": real, "linked": linked.height, "wrong": linked.height - right,
        "precision": right / max(linked.height, 1), "recall": right / real, "review": asked.height,
        "candidates_recall": (right + asked.filter("real", "among").height) / real,
    }  # fmt: skip


def main() -> None:
    """Fit, set thresholds, measure on the seed kept apart; write the rule unless ``--check``."""
    with tempfile.TemporaryDirectory() as folder:
        train = pl.concat([pairs_of(s, Path(folder) / str(s)) for s in SEEDS], how="diagonal")
        test = pairs_of(TEST_SEED, Path(folder) / "test")
    known = train.filter(pl.col("enterprise_id").is_not_null())
    coefficients = fit(known)
    by = Rule(coefficients, 0, 0, {})
    link, review = thresholds(judged(train, by))
    found = {
        "fitted_on": measured(judged(train, by), link, review),
        "kept_apart": measured(judged(test, by), link, review),
    }
    told = {
        "about": "logistic rule over ingest.match.rule.FEATURES; fitted by `python -m tests.bench.fit_linking`",
        "fitted": {"seeds": SEEDS, "test_seed": TEST_SEED, "enterprises": ENTERPRISES, "ridge": RIDGE, "pairs": known.height,
                   "most_wrong": MOST_WRONG, "least_found": LEAST_FOUND},
        "measured": found,
        "coefficients": coefficients,
        "thresholds_ppb": {"link": link, "review": review},
        "exact_ppb": rule().exact_ppb,
    }  # fmt: skip
    print(json.dumps(told, indent=1, ensure_ascii=False))
    if "--check" not in sys.argv:
        FILE.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
