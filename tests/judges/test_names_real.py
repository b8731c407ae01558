"""Real pairs of names (shared/real/names): the 57 that differ, judged by hand, against what the rule makes of them.

Rows are numbers of the file's data rows (the first is 0); no name stands here. ``same``: one organisation under both
names; ``different``: two legal persons (a trade union, a branch, a parent, another firm); ``unclear``: the two names
alone cannot tell (a fragment, a change of legal form or of trade that may be a rename).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ingest.link import Register, link
from ingest.match.find import Found, Names, scored, settle

# A reason stands where the judgement is not obvious.
LABELS: dict[int, tuple[str, str]] = {
    1: ("same", "second name in brackets left out"), 9: ("unclear", "集团 added: rename or parent"),
    10: ("unclear", "another trade word: rename or sister"), 28: ("same", "ministry renamed in 2018"),
    29: ("different", ""), 30: ("unclear", "股份: conversion or another firm"),
    31: ("unclear", "股份: conversion or another firm"), 36: ("unclear", "successor after a reform, perhaps"),
    37: ("different", "affiliate"), 45: ("same", "the county became a city"), 71: ("same", "superior body left out"),
    83: ("unclear", "fragment"), 97: ("unclear", "fragment"), 107: ("unclear", "fragment"),
    109: ("different", "ministry, not its institute"), 129: ("same", "superior bodies left out"),
    147: ("unclear", "fragment"), 194: ("different", "academy, not its institute"), 196: ("same", "second name left out"),
    218: ("same", "second name left out"), 224: ("same", "one of two names"), 228: ("same", "last character lost"),
    237: ("unclear", "fragment"), 238: ("unclear", "fragment"), 246: ("different", "two institutes of one academy"),
    255: ("unclear", "head office of the academy"), 267: ("different", ""), 271: ("unclear", "fragment"),
    274: ("unclear", "fragment"), 322: ("same", "second name left out"), 324: ("same", "second name left out"),
    326: ("different", "academy, not its institute"), 327: ("same", "two name plates of one house"),
    328: ("same", "second name left out"), 341: ("different", "a centre elsewhere"), 346: ("same", "ministry renamed in 2018"),
    358: ("different", "its trade union"), 359: ("different", "two universities"), 360: ("different", "its development centre"),
    368: ("different", "a listed company"), 373: ("same", "short form"), 377: ("different", ""), 391: ("different", ""),
    397: ("different", ""), 401: ("same", "width of brackets"), 449: ("different", ""), 456: ("same", "second name added"),
    459: ("different", "its service centre"), 460: ("same", "short form of the academy"), 477: ("different", ""),
    493: ("same", "second name added"), 501: ("different", "its laboratory"), 523: ("unclear", "rename or sister"),
    574: ("different", ""), 577: ("same", "second name added"), 579: ("different", "trade union of a centre"),
    580: ("same", "traditional characters"),
}  # fmt: skip


@pytest.fixture(scope="module")
def pairs(shared: Path) -> pl.DataFrame:
    file = shared / "real" / "names" / "techme_institution_name_pairs.csv"
    return pl.read_csv(file, infer_schema=False).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))


@pytest.fixture(scope="module")
def found(pairs: pl.DataFrame) -> Found:
    """Every first name of the file linked to all second names as a merge does, as records without an address."""
    nothing = pl.lit(None, dtype=pl.String)
    named = pairs.filter(pl.col("name_matched").str.strip_chars() != "")
    register = named.unique("name_matched", keep="first", maintain_order=True).select(
        enterprise_id="name_matched", name="name_matched", former_names=nothing, address="address", region_code=nothing
    )
    asked = named.select(
        record_key=pl.col("row").cast(pl.String), name="name_origin", address=nothing, region_code=nothing
    )
    numbers = pl.int_range(pl.len(), dtype=pl.Int64)
    totals = asked.select("record_key", "name", rows=pl.lit(1, dtype=pl.Int32), origin=numbers)
    keyed = totals.with_columns(record_key="account:" + pl.col("record_key"))
    codes = dict.fromkeys(("uscc", "org_code", "reg_no", "local_id"), nothing)
    numbered = register.with_columns(**codes).with_row_index("enterprise_no").cast({"enterprise_no": pl.Int32})
    exact = link(Register(numbered.lazy(), register["enterprise_id"]), "gas", keyed).links
    exact = exact.with_columns(pl.col("record_key").str.strip_prefix("account:"), sure_ppb=pl.lit(10**9))
    rest = asked.filter(~pl.col("record_key").is_in(exact["record_key"].implode()))
    names = Names(register)
    candidates, _ = scored(names.pairs(names.records(rest)))
    by_rule = settle(candidates, pl.Series([], dtype=pl.String))
    return Found(
        pl.concat([exact.select(by_rule.links.columns).cast(dict(by_rule.links.schema)), by_rule.links]), by_rule.review
    )


def _differing(pairs: pl.DataFrame) -> pl.DataFrame:
    differ = pl.col("name_origin") != pl.col("name_matched")
    return pairs.filter(differ, pl.col("name_matched").str.strip_chars() != "")


def _with(links: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    keyed = links.with_columns(row=pl.col("record_key").cast(pl.Int64))
    return keyed.join(pairs.select("row", "name_matched"), on="row")


def test_every_differing_pair_is_judged(pairs: pl.DataFrame) -> None:
    assert sorted(LABELS) == _differing(pairs)["row"].to_list() and len(LABELS) == 57


def test_no_pair_that_is_different_or_unclear_is_linked(pairs: pl.DataFrame, found: Found) -> None:
    linked = _with(found.links, _differing(pairs))
    own = linked.filter(pl.col("enterprise_id") == pl.col("name_matched"))["row"].to_list()
    assert [row for row in own if LABELS[row][0] != "same"] == []


def test_no_record_is_linked_to_another_pairs_name(pairs: pl.DataFrame, found: Found) -> None:
    linked = _with(found.links, pairs)
    others = linked.filter(pl.col("enterprise_id") != pl.col("name_matched"))["row"].to_list()
    assert others == [129]  # its full name, with a space less, stands in another row of the file


def test_equal_pairs_are_linked(pairs: pl.DataFrame, found: Found) -> None:
    equal = pairs.filter(pl.col("name_origin") == pl.col("name_matched"))
    linked = _with(found.links, equal)
    assert linked.height > 0.97 * equal.height


def test_most_pairs_that_are_the_same_are_linked_or_asked(pairs: pl.DataFrame, found: Found) -> None:
    same = [row for row, (label, _) in LABELS.items() if label == "same"]
    both = pl.concat(
        [found.links.select("record_key", "enterprise_id"), found.review.select("record_key", "enterprise_id")]
    )
    right = _with(both, _differing(pairs)).filter(pl.col("enterprise_id") == pl.col("name_matched"))["row"]
    assert len(set(same) & set(right)) >= 0.6 * len(same)
