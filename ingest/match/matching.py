"""What a year's merge asks of linking by name: more links, the candidates that wait for a person, decisions applied."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from ingest.canonical import Year
from ingest.link import Linked
from ingest.match import store
from ingest.match.find import CANDIDATES, Names, scored, settle
from ingest.match.records import BY_CODE, BY_NAME, attributes
from ingest.match.rule import PPB, rule

_ABOUT = ("enterprise_id", "name", "former_names", "address", "region_code")
_LEARNED = {"source": pl.String, "record_key": pl.String, "enterprise_id": pl.String, "sure_ppb": pl.Int64}


class Matching:
    """Linking by name within one merge. The register's names are read when the first record needs them."""

    def __init__(self, year: Year, enterprises: Path) -> None:
        self._year, self._enterprises = year, enterprises
        self._names: Names | None = None
        self._learned: list[pl.DataFrame] = []
        self._review: list[pl.DataFrame] = []
        with year.warehouse.read() as db:
            self._decided = store.decisions(db)

    def more(self, source: str, found: Linked) -> Linked:
        """``found`` with decisions applied and what name and address link; reasons of the rest say what waits."""
        found = self._decide(source, found)
        asked = found.unlinked.filter(pl.col("reason").is_in([*BY_NAME, *BY_CODE]))
        if asked.is_empty():
            return found
        records = attributes(self._year, source, asked["record_key"])
        if records["name"].null_count() == records.height:
            return found
        pairs = self._without_rejected(source, self._pairs(records))
        pairs, _ = scored(pairs)
        coded = asked.filter(pl.col("reason").is_in(BY_CODE))["record_key"].implode()
        # A code that the register does not know speaks against the name: only the very name is worth a question.
        same = ~pl.col("record_key").is_in(coded) | (pl.col("key") == pl.col("key_held"))
        pairs = pairs.filter(same).with_columns(
            why=pl.when(pl.col("record_key").is_in(coded)).then(pl.lit("code")).otherwise("why")
        )
        several = asked.filter(pl.col("reason") == BY_NAME[1])["record_key"]
        settled = settle(pairs, several)
        self._review.append(settled.review.select(pl.lit(source).alias("source"), *CANDIDATES))
        return self._with(source, found, settled.links, settled.review["record_key"])

    def _with(self, source: str, found: Linked, links: pl.DataFrame, review: pl.Series) -> Linked:
        self._learned.append(links.select(pl.lit(source).alias("source"), "record_key", "enterprise_id", "sure_ppb"))
        made = found.with_links(links)
        waits = pl.col("record_key").is_in(review.implode()) & (pl.col("reason") == BY_NAME[0])
        reason = pl.when(waits).then(pl.lit("needs_review")).otherwise("reason")
        return replace(made, unlinked=made.unlinked.with_columns(reason=reason))

    def _pairs(self, records: pl.DataFrame) -> pl.DataFrame:
        if self._names is None:
            rows = pl.scan_parquet(self._enterprises, glob=False)
            held = rows.collect_schema().names()
            nothing = pl.lit(None, dtype=pl.String)
            told = rows.select((pl.col(c) if c in held else nothing).alias(c) for c in _ABOUT)
            self._names = Names(told.collect())
        return self._names.pairs(self._names.records(records))

    # --- decisions -----------------------------------------------------------------------------------------------

    def _decide(self, source: str, found: Linked) -> Linked:
        """Accepted enterprises link (over an exact name, never over a code); what was rejected as a whole stays out."""
        mine = self._decided.filter(pl.col("source") == source)
        if mine.is_empty():
            return found
        known = pl.scan_parquet(self._enterprises, glob=False).select("enterprise_id").collect()["enterprise_id"]
        accepted = mine.filter(pl.col("verdict") == "accept")
        named = found.found.filter(pl.col("method") == "exact_name").select("record_key")
        open_keys = pl.concat([named, found.unlinked.select("record_key")])
        here = accepted.join(open_keys, on="record_key", how="semi")
        good = here.filter(pl.col("enterprise_id").is_in(known.implode()))
        none = pl.lit(None, dtype=pl.String)
        reason = (
            pl.when(pl.col("record_key").is_in(here["record_key"].implode()))
            .then(pl.lit("decided_enterprise_not_in_register"))
            .when(pl.col("record_key").is_in(mine.filter(pl.col("verdict") == "none")["record_key"].implode()))
            .then(pl.lit("rejected_in_review"))
            .otherwise(none)
        )
        rest = found.unlinked.with_columns(reason=pl.coalesce(reason, "reason"))
        settled = good.select("record_key", "enterprise_id", method=pl.lit("review"), sure_ppb=pl.lit(PPB))
        return self._with(source, replace(found, unlinked=rest), settled, pl.Series([], dtype=pl.String))

    def _without_rejected(self, source: str, pairs: pl.DataFrame) -> pl.DataFrame:
        rejected = self._decided.filter(pl.col("source") == source, pl.col("verdict") == "reject")
        return pairs.join(rejected, on=["record_key", "enterprise_id"], how="anti", maintain_order="left")

    # --- what is kept --------------------------------------------------------------------------------------------

    def with_sure(self, links: pl.LazyFrame) -> pl.LazyFrame:
        """``links`` with ``sure_ppb`` at the end: of a learned link its own, of the others what their method is known
        to be worth (``exact_ppb`` of the rule)."""
        exact = pl.col("method").replace_strict(rule().exact_ppb, default=PPB, return_dtype=pl.Int64)
        learned = [part for part in self._learned if part.height]
        if not learned:
            return links.with_columns(sure_ppb=exact)
        key = ["source", "record_key", "enterprise_id"]
        own = pl.concat(learned).rename({"sure_ppb": "own_ppb"}).unique(key, keep="first", maintain_order=True)
        joined = links.join(own.lazy(), on=key, how="left", maintain_order="left")
        return joined.with_columns(sure_ppb=pl.coalesce("own_ppb", exact)).drop("own_ppb")

    def write_candidates(self, folder: Path) -> pl.DataFrame:
        """``candidates.parquet``: source and CANDIDATES, best first within a record."""
        parts: Sequence[pl.DataFrame] = self._review or [pl.DataFrame(schema={"source": pl.String, **CANDIDATES})]
        every = pl.concat(parts).unique(["source", "record_key", "enterprise_id"], keep="first", maintain_order=True)
        every = every.sort("source", "record_key", "rank", "enterprise_id")
        every.write_parquet(folder / "candidates.parquet")
        return every

    def keep(self, db: sqlite3.Connection, folder: Path, merge_id: str) -> None:
        """Put the items that wait, with their candidates, into the queue of the ledger in place of the year's former ones."""
        store.keep_items(db, folder, self._year.year, merge_id)
