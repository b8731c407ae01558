"""Candidates of records by name and address, each with how sure it is, and what the two thresholds make of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Hamming

from ingest.match import blocks
from ingest.match.names import address_parts, name_parts
from ingest.match.places import Counties
from ingest.match.rule import FEATURES, Floats, Rule, features, held_apart, rule, sure_ppb

_PARTS = ("part", "stem", "form", "unit", "marks", "group", "place", "street", "number", "county")
_AGREES = 70  # percent of likeness of two places whose road and number are the same
# The very name that an enterprise bore before, and no other bears: log odds of 999 to 1 at least.
_RENAMED = pl.lit(6.9)
_WELL = 85
KEPT = 6  # candidates of one record that a person is shown
CANDIDATES = {
    "record_key": pl.String, "enterprise_id": pl.String, "sure_ppb": pl.Int64, "why": pl.String, "former": pl.Boolean,
    "address_agrees": pl.Boolean, "rank": pl.Int32,
}  # fmt: skip
_STRETCH = 20_000  # names
_SPLIT = r"[,，;；、/|\n]+"


# A second whole name in brackets at the end; the kind of partnership and former names (see name_key) are none.
_SECOND = r"^(.{4,})[（(]([^（）()]{6,})[）)]$"


def _each_name(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` with further rows for names that hold a second one in brackets, the first alone and the second alone;
    ``part``: it is one of those."""
    frame = frame.with_columns(part=pl.lit(False))
    inner = pl.col("name").str.extract(_SECOND, 2)
    own = inner.is_not_null() & ~inner.str.contains(r"^(?:原|曾用名)|合伙$")
    double = frame.filter(own.fill_null(False))
    parts = [double.with_columns(name=pl.col("name").str.extract(_SECOND, n), part=pl.lit(True)) for n in (1, 2)]
    return pl.concat([frame, *parts])


@dataclass(frozen=True)
class Found:
    """``links`` (record_key, enterprise_id, method, sure_ppb), one row a record that is linked; ``review`` (CANDIDATES),
    the candidates of records that a person has to decide."""

    links: pl.DataFrame
    review: pl.DataFrame


class Names:
    """The names of a register, former ones too, taken apart once.

    ``enterprises``: ``enterprise_id name former_names address region_code`` (String), one row an enterprise.
    """

    def __init__(self, enterprises: pl.DataFrame) -> None:
        enterprises = enterprises.sort("enterprise_id")  # names that are as near are cut off in this order
        self._county_codes = Counties(enterprises["region_code"].str.slice(0, 6))
        former = (
            enterprises.select("enterprise_id", "address", "region_code", name=pl.col("former_names").str.replace_all(_SPLIT, "|"))
            .with_columns(pl.col("name").str.split("|")).explode("name").drop_nulls("name")
        )  # fmt: skip
        both = pl.concat(
            [
                enterprises.select("enterprise_id", "address", "region_code", "name", former=pl.lit(False)),
                former.select("enterprise_id", "address", "region_code", "name", former=pl.lit(True)),
            ]
        )
        self.held = self._parts(both, "enterprise_id", "former").drop_nulls("key").unique(
            ["enterprise_id", "key"], keep="first", maintain_order=True
        )  # fmt: skip

    @cached_property
    def _grams(self) -> pl.DataFrame:
        return blocks.bigrams(self.held, "name_no")

    def _parts(self, frame: pl.DataFrame, *also: str) -> pl.DataFrame:
        """Names taken apart; rows do not depend on each other, and Polars computes a text's expression in one thread."""
        every = _each_name(frame)
        stretches = [every.slice(start, _STRETCH) for start in range(0, max(every.height, 1), _STRETCH)]
        with ThreadPoolExecutor(blocks.WORKERS, "permu-names") as beside:
            return pl.concat(beside.map(lambda stretch: self._taken_apart(stretch, *also), stretches))

    def _taken_apart(self, frame: pl.DataFrame, *also: str) -> pl.DataFrame:
        county = self._county_codes.of(pl.col("name"), pl.col("address"), pl.col("region_code"))
        parts = address_parts(name_parts(frame.with_columns(county.alias("county"))))
        return parts.select(*also, "key", *_PARTS)

    def records(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Records (``record_key name address region_code``, String) taken apart, one row a name; those without left out."""
        return self._parts(frame, "record_key").drop_nulls("key")

    def pairs(self, records: pl.DataFrame) -> pl.DataFrame:
        """Every pair that is looked at, with the parts of both sides; ``record_no`` is the row of ``records``."""
        near = pl.concat([blocks.by_county(records, self.held), blocks.same_name(records, self.held)]).unique()
        near = near.sort("record_no", "name_no")
        pairs = self._of(records, near)
        rest = records.with_row_index("no").filter(~pl.col("no").is_in(self._placed_well(pairs).implode()))
        if rest.is_empty():
            return pairs
        far = blocks.anywhere(rest, self._grams)
        far = far.with_columns(record_no=rest["no"].gather(far["record_no"]))
        return self._of(records, pl.concat([near, far]).unique().sort("record_no", "name_no"))

    def _placed_well(self, pairs: pl.DataFrame) -> pl.Series:
        """Records to which a name of their own county is so near that no other county is searched."""
        stems = pairs["stem"].to_list(), pairs["stem_held"].to_list()
        ratio = process.cpdist(*stems, scorer=fuzz.ratio, dtype=np.uint8, workers=blocks.WORKERS)
        return pairs["record_no"].filter(pl.Series(ratio >= _WELL)).unique()

    def _of(self, records: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
        ours = records[pairs["record_no"]].select("record_key", "key", *_PARTS)
        theirs = self.held[pairs["name_no"]]
        held = theirs.select("enterprise_id", "former", *(pl.col(c).alias(f"{c}_held") for c in ("key", *_PARTS)))
        both = pl.concat([pairs.select("record_no"), ours, held], how="horizontal")
        both = both.with_columns(stem=self._placed("stem", "stem_held"), stem_held=self._placed("stem_held", "stem"))
        return both.with_columns(sister=self._sisters(both))

    @cached_property
    def _characters(self) -> frozenset[str]:
        """The characters that names of the register are made of: those that stand in at least three."""
        each = self.held.select(pl.col("stem").str.split("").list.unique()).explode("stem")
        return frozenset(each.group_by("stem").len().filter(pl.col("len") >= 3)["stem"].drop_nulls())

    def _sisters(self, pairs: pl.DataFrame) -> pl.Series:
        """Whether the stems differ in one character alone and the record's is one that names are made of: it may be a
        sister firm as well as a slip, which mostly gives a character that no name holds."""
        a, b = pairs["stem"].to_list(), pairs["stem_held"].to_list()
        apart = process.cpdist(a, b, scorer=Hamming.distance, dtype=np.uint16, workers=blocks.WORKERS)
        long = (pairs["stem"].str.len_chars() == pairs["stem_held"].str.len_chars()).to_numpy()
        told = np.zeros(len(a), dtype=bool)
        for at in np.flatnonzero((apart == 1) & long).tolist():
            told[at] = next(x for x, y in zip(a[at], b[at], strict=True) if x != y) in self._characters
        return pl.Series(told, dtype=pl.Boolean)

    def _placed(self, bare: str, full: str) -> pl.Expr:
        """``bare`` with the place in front that ``full`` begins with and it leaves out: within a county it tells nothing."""
        missing = pl.col(full).str.len_chars().cast(pl.Int64) - pl.col(bare).str.len_chars().cast(pl.Int64)
        front = pl.when(missing > 0).then(pl.col(full).str.slice(0, missing.clip(0)))
        only = front.is_in(self._county_codes.names.implode()) & pl.col(full).str.ends_with(pl.col(bare))
        return pl.when(only.fill_null(False)).then(full).otherwise(bare)


def scored(pairs: pl.DataFrame, by: Rule | None = None) -> tuple[pl.DataFrame, Floats]:
    """``pairs`` with ``address_agrees``, ``why`` (see :func:`held_apart`) and ``sure_ppb``; and their features.

    A record and an enterprise that are compared by several of their names count once, by the best pair.
    """
    if pairs.is_empty():
        empty = pairs.with_columns(
            address_agrees=pl.lit(False), why=pl.lit(None, dtype=pl.String), sure_ppb=pl.lit(0, dtype=pl.Int64)
        )
        return empty, np.empty((0, 0))
    told = features(pairs)
    renamed = pl.col("former") & (pl.col("key") == pl.col("key_held"))
    odds = (by or rule()).log_odds(told)
    frame = pairs.with_row_index("at").with_columns(odds=pl.Series(odds), address_agrees=pl.Series(agrees(told)))
    frame = frame.with_columns(
        odds=pl.when(renamed).then(pl.max_horizontal("odds", _RENAMED)).otherwise("odds"), why=held_apart()
    )
    frame = frame.sort(
        "record_key",
        "enterprise_id",
        "odds",
        "former",
        "key",
        "key_held",
        descending=[False, False, True] + 3 * [False],
    )
    frame = frame.unique(["record_key", "enterprise_id"], keep="first", maintain_order=True)
    frame = frame.with_columns(sure_ppb=sure_ppb(frame, frame["odds"].to_numpy()), why=pl.coalesce("why", _short()))
    return frame.drop("at"), told[frame["at"].to_numpy()]


def _short() -> pl.Expr:
    """``same_stem`` where a name differs by its form alone and several enterprises bear the stem: a branch's or a group's
    name cut short is that of the firm."""
    same = pl.col("stem") == pl.col("stem_held")
    several = same.sum().over("record_key") > 1
    return pl.when(same & several & (pl.col("key") != pl.col("key_held"))).then(pl.lit("same_stem"))


def agrees(told: Floats) -> np.ndarray:
    """Whether road and number are the same and the whole places alike, by rows of features."""
    column = {name: told[:, n] for n, name in enumerate(FEATURES)}
    like = column["address_ratio"] + column["equal_address_ratio"]
    found: np.ndarray = (column["address_equal"] > 0) & (like * 100 >= _AGREES)
    return found


def settle(pairs: pl.DataFrame, same_name: pl.Series, by: Rule | None = None) -> Found:
    """Above the upper threshold a record is linked, from the lower one on it goes to review with its candidates.

    ``pairs``, ``same_name``: as of :func:`ranked`.
    """
    limits = by or rule()
    every = ranked(pairs, same_name)
    good = (pl.col("rank") == 1) & (pl.col("sure_ppb") >= limits.link_ppb) & pl.col("why").is_null()
    links = every.filter(good).select("record_key", "enterprise_id", _method(), "sure_ppb")
    asked = every.filter(pl.col("any_ppb") >= limits.review_ppb, pl.col("rank") <= KEPT)
    asked = asked.filter(~pl.col("record_key").is_in(links["record_key"].implode()))
    return Found(links, asked.select(list(CANDIDATES)))


def ranked(pairs: pl.DataFrame, same_name: pl.Series) -> pl.DataFrame:
    """``pairs`` (of :func:`scored`) by record, the surest first, with ``rank`` and ``any_ppb`` (Σ over the record's
    candidates); ``same_name``: record keys whose name several enterprises bear: a person decides them."""
    ordered = pairs.sort("record_key", "sure_ppb", "enterprise_id", descending=[False, True, False])
    return ordered.with_columns(
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("record_key"),
        why=pl.when(pl.col("record_key").is_in(same_name.implode())).then(pl.lit("same_name")).otherwise("why"),
        any_ppb=pl.col("sure_ppb").sum().over("record_key"),
    )


def _method() -> pl.Expr:
    return (
        pl.when(pl.col("former") & (pl.col("stem") == pl.col("stem_held")))
        .then(pl.lit("former_name"))
        .when("address_agrees")
        .then(pl.lit("fuzzy_name_address"))
        .otherwise(pl.lit("fuzzy_name"))
        .alias("method")
    )
