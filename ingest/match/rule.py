"""How sure a pair of record and enterprise is one firm: a logistic rule over what names and addresses tell.

The coefficients and both thresholds are data (``rule.json``, which says how they were fitted:
``python -m tests.bench.fit_linking``). Reference: Fellegi and Sunter 1969; logistic regression in its place, because the features
depend on each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from ingest.match.blocks import WORKERS

PPB = 10**9
FEATURES = (
    "one", "stem_ratio", "stem_equal", "one_edit", "two_edits", "contained", "form_equal", "form_missing", "former",
    "address_known", "address_equal", "street_equal", "address_ratio", "county_equal", "one_edit_address_equal",
    "one_edit_elsewhere", "group_differs",
    "unit_differs", "marks_differ", "equal_address_known", "equal_address_ratio",
)  # fmt: skip
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """Coefficients by feature and both thresholds (parts per billion)."""

    coefficients: dict[str, float]
    link_ppb: int
    review_ppb: int
    exact_ppb: dict[str, int]

    def log_odds(self, features: Floats) -> Floats:
        """Log odds of each row of features (n × FEATURES)."""
        return features @ np.array([self.coefficients[name] for name in FEATURES])


@cache
def rule() -> Rule:
    """The rule that ships."""
    told = json.loads((resources.files("ingest.match") / "rule.json").read_text(encoding="utf-8"))
    thresholds = told["thresholds_ppb"]
    return Rule(told["coefficients"], thresholds["link"], thresholds["review"], told["exact_ppb"])


def features(pairs: pl.DataFrame) -> Floats:
    """n × FEATURES of pairs with ``stem form unit marks group place street number county`` of the record and the same
    with ``_held`` of the enterprise, and ``former`` (the enterprise's former name was compared)."""
    a, b = pairs["stem"].to_list(), pairs["stem_held"].to_list()
    edits = process.cpdist(a, b, scorer=Levenshtein.distance, dtype=np.uint8, workers=WORKERS)
    ratio = process.cpdist(a, b, scorer=fuzz.ratio, dtype=np.float32, workers=WORKERS) / 100
    known = (pairs["place"].is_not_null() & pairs["place_held"].is_not_null()).to_numpy()
    near = np.zeros(len(a), np.float32)
    if known.any():
        told = pairs.filter(pl.Series(known))
        places = told["place"].to_list(), told["place_held"].to_list()
        near[known] = process.cpdist(*places, scorer=fuzz.ratio, dtype=np.float32, workers=WORKERS) / 100
    told = pairs.select(
        contained=pl.col("stem").str.contains(pl.col("stem_held"), literal=True)
        | pl.col("stem_held").str.contains(pl.col("stem"), literal=True),
        form_equal=pl.col("form") == pl.col("form_held"),
        form_missing=(pl.col("form") == "") != (pl.col("form_held") == ""),
        former="former",
        street=(pl.col("street") == pl.col("street_held")).fill_null(False),
        number=(pl.col("number") == pl.col("number_held")).fill_null(False),
        county=(pl.col("county") == pl.col("county_held")).fill_null(False),
        group=pl.col("group") != pl.col("group_held"),
        unit=pl.col("unit") != pl.col("unit_held"),
        marks=pl.col("marks") != pl.col("marks_held"),
    ).cast(pl.Float64)
    of = {name: told[name].to_numpy() for name in told.columns}
    equal = of["street"] * of["number"]
    one, same = (edits == 1).astype(float), (edits == 0).astype(float)
    columns = {
        "one": np.ones(len(a)), "stem_ratio": ratio, "stem_equal": same, "one_edit": one,
        "two_edits": edits == 2, "contained": of["contained"] * (edits > 0), "form_equal": of["form_equal"],
        "form_missing": of["form_missing"], "former": of["former"], "address_known": known * (1 - same),
        "address_equal": equal, "street_equal": of["street"], "address_ratio": near * (1 - same),
        "county_equal": of["county"], "equal_address_known": known * same, "equal_address_ratio": near * same,
        "one_edit_address_equal": one * equal, "one_edit_elsewhere": one * known * (1 - of["street"]),
        "group_differs": of["group"], "unit_differs": of["unit"], "marks_differ": of["marks"],
    }  # fmt: skip
    return np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in FEATURES])


def held_apart() -> pl.Expr:
    """Why a pair is not linked by itself, null where nothing forbids it: ``unit`` (branch against head or another
    branch), ``marks`` (numbers, 甲乙丙, 新老 …), ``group`` (集团 against plant), ``name_differs`` (where no address agrees a
    name may not differ at all: not by one character, nor by its legal form), ``name_part`` (of a name with a second one in
    brackets only one agrees, and no address does: a body within the other), ``one_character`` (one character differs and
    both are such as names are made of: a sister firm at the same address, or a slip)."""
    return (
        pl.when(pl.col("unit") != pl.col("unit_held"))
        .then(pl.lit("unit"))
        .when(pl.col("marks") != pl.col("marks_held"))
        .then(pl.lit("marks"))
        .when(pl.col("group") != pl.col("group_held"))
        .then(pl.lit("group"))
        .when((pl.col("key") != pl.col("key_held")) & ~pl.col("address_agrees"))
        .then(pl.lit("name_differs"))
        .when((pl.col("part") | pl.col("part_held")) & ~pl.col("address_agrees"))
        .then(pl.lit("name_part"))
        .when("sister")
        .then(pl.lit("one_character"))
    )


def sure_ppb(pairs: pl.DataFrame, log_odds: Floats) -> pl.Series:
    """How sure each pair is (Int64, parts per billion), beside the other candidates of its ``record_key``: a record
    belongs to at most one of them, so that each one's odds weigh against the rest (an enterprise may have many
    records)."""
    frame = pairs.select("record_key", odds=pl.Series(np.exp(np.clip(log_odds, -30, 30))))
    share = pl.col("odds") / (1 + pl.col("odds").sum().over("record_key"))
    return frame.select((share * PPB).round().cast(pl.Int64)).to_series()
