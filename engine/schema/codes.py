"""Names and levels of industries, regions, zones and enterprise sizes; older industry codes brought to GB/T 4754-2017.

The tables are the CSV files of ``data/codes`` (they travel in the wheel; docs/decisions/0002 says where they come
from). Everything is read once and kept. A code that is not in the tables has no name: the answer is None, never
a guess.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeVar

import polars as pl

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

# Digits of a region code at each level; what follows in a longer code is padding or a village.
REGION_DIGITS = {"province": 2, "city": 4, "county": 6, "town": 9}
INDUSTRY_VINTAGES = ("2002", "2011", "2017")
# Up to here the letters mean the same sections in every vintage; the 2002 edition orders the later ones differently.
_SECTIONS_OF_2002 = "ABCDE"


@dataclass(frozen=True)
class Size:
    """A size class of industrial enterprises: both thresholds must be reached (rule of 2017, industry)."""

    code: str
    zh: str
    en: str
    min_employees: int
    min_revenue_fen: int


def _rows(file: str) -> list[dict[str, str]]:
    with resources.files("data.codes").joinpath(file).open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


# --- industries ------------------------------------------------------------------------------------------------


@cache
def industries() -> pl.DataFrame:
    """The 1,971 codes of GB/T 4754-2017: code, name, level (section|division|group|class), parent, section; String."""
    return pl.DataFrame(_rows("industries.csv")).with_columns(pl.col("parent").replace("", None))


@cache
def _industry() -> dict[str, tuple[str, str]]:
    return {r["code"]: (r["name"], r["section"]) for r in _rows("industries.csv")}


def industry_name(code: str | None) -> str | None:
    """The Chinese name of a 2017 code of 1 to 4 characters; None where there is no such code."""
    return _industry().get(code or "", (None, None))[0]


def industry_section(code: str | None) -> str | None:
    """The section letter of a 2017 code; None where there is no such code."""
    return _industry().get(code or "", (None, None))[1]


def industry_levels(column: str = "industry_code") -> list[pl.Expr]:
    """industry_section, industry_2, industry_3, industry_4 of a 2017 code; null below the code's own level."""
    code = pl.col(column)
    digits = pl.when(code.str.contains(r"^\d[0-9A-Z]*$")).then(code)
    return [
        code.replace_strict({c: s for c, (_, s) in _industry().items()}, default=None).alias("industry_section"),
        *(pl.when(digits.str.len_chars() >= n).then(digits.str.slice(0, n)).alias(f"industry_{n}") for n in (2, 3, 4)),
    ]


def _common_code(codes: set[str]) -> str | None:
    """The deepest 2017 code that contains all ``codes``: class, group, division, section; None across sections."""
    for digits in (4, 3, 2):
        cut = {c[:digits] for c in codes}
        if len(cut) == 1:
            return cut.pop()
    sections = {industry_section(c) for c in codes}
    return sections.pop() if len(sections) == 1 else None


def _at_level(pairs: Iterable[tuple[str, str]], digits: int) -> dict[str, set[str]]:
    """A concordance of classes seen ``digits`` deep: from → all its successors."""
    found: dict[str, set[str]] = defaultdict(set)
    for old, new in pairs:
        found[old[:digits]].add(new[:digits])
    return found


def _pairs(file: str) -> set[tuple[str, str]]:
    return {(r["from_code"], r["to_code"]) for r in _rows(file)}


def _successors(vintage: str) -> dict[str, set[str]]:
    """Codes of ``vintage`` at every level → their 2017 codes of the same level."""
    sections = {c for c in _industry() if c.isalpha()}
    if vintage == "2017":
        return {c: {c} for c in _industry()}
    pairs = _pairs("industries_2011_to_2017.csv")
    if vintage == "2002":
        later = _at_level(pairs, 4)
        pairs = {(old, new) for old, mid in _pairs("industries_2002_to_2011.csv") for new in later[mid]}
        sections &= set(_SECTIONS_OF_2002)
    by_level = [_at_level(pairs, n) for n in (2, 3, 4)]
    return {s: {s} for s in sections} | by_level[0] | by_level[1] | by_level[2]


@cache
def concordance() -> pl.DataFrame:
    """One row per vintage and code of any level: vintage, from_code, to_code (2017, null across sections), note."""
    rows = []
    for vintage in INDUSTRY_VINTAGES:
        for old, new in sorted(_successors(vintage).items()):
            note = "ambiguous" if len(new) > 1 else "" if new == {old} else "mapped"
            rows.append((vintage, old, _common_code(new), note))
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("vintage", "from_code", "to_code", "note"), pl.String), orient="row"
    )


def map_industries(frame: Frame, code: str = "industry_code", vintage: str = "industry_vintage") -> Frame:
    """``frame`` with ``code`` brought to 2017 and ``industry_note`` beside it; row order and count stay.

    Notes: ``""`` unchanged · ``mapped`` one successor · ``ambiguous`` several successors: the code is then the
    deepest one that contains them all (null across sections) · ``unknown`` not a code of that vintage, null ·
    ``local`` a place's own code, kept as it is · ``missing``. No vintage stated means 2017. A section letter
    written before the digits (C2651) is dropped.
    """
    written = pl.col(code).str.strip_chars().str.to_uppercase()
    year = pl.col(vintage).cast(pl.String).fill_null("2017")
    table = concordance().rename({"vintage": "_vintage", "from_code": "_from", "to_code": "_to", "note": "_note"})
    right = table if isinstance(frame, pl.DataFrame) else table.lazy()
    local, missing = pl.col("_vintage") == "local", pl.col("_from").is_null() | (pl.col("_from") == "")
    return (
        frame.with_columns(written.str.replace(r"^[A-T](\d)", "${1}").alias("_from"), year.alias("_vintage"))
        .join(right, on=["_vintage", "_from"], how="left", maintain_order="left")
        .with_columns(
            pl.when(local & ~missing).then(pl.col(code)).otherwise(pl.col("_to")).alias(code),
            pl.when(missing)
            .then(pl.lit("missing"))
            .when(local)
            .then(pl.lit("local"))
            .otherwise(pl.col("_note").fill_null("unknown"))
            .alias("industry_note"),
        )
        .drop("_from", "_vintage", "_to", "_note")
    )


def map_industry(code: str | None, vintage: str | None = "2017") -> tuple[str | None, str]:
    """One code brought to 2017: (code, note) as :func:`map_industries` writes them."""
    schema = {"industry_code": pl.String, "industry_vintage": pl.String}
    return (
        map_industries(pl.DataFrame([(code, vintage)], schema=schema, orient="row"))
        .select("industry_code", "industry_note")
        .row(0)
    )


# --- regions and zones -----------------------------------------------------------------------------------------


@cache
def regions() -> pl.DataFrame:
    """Divisions of 2023: code (2, 4, 6 or 9 digits), name, level, parent; towns for Jiangsu only; String."""
    return pl.DataFrame(_rows("regions.csv")).with_columns(pl.col("parent").replace("", None))


@cache
def _region() -> dict[str, str]:
    """Names by short code; a Jiangsu code that has ended keeps its last name, a zone's pseudo code its zone's."""
    ended = {region_code(r["code"]) or "": r["name"] for r in _rows("regions_history.csv")}
    return ended | {r["code"]: r["name"] for f in ("zones.csv", "regions.csv") for r in _rows(f)}


def region_code(code: str | None) -> str | None:
    """A region code without its padding: 320500 → 3205, 320583000 → 320583; a village's 12 digits → its town's 9."""
    text = (code or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) not in (2, 4, 6, 9, 12):
        return None
    for digits, end in ((2, 4), (4, 6), (6, 9)):
        if not text[digits:end].strip("0"):
            return text[:digits]
    return text[:9]


def region_level(code: str | None) -> str | None:
    """province | city | county | town by the digits of the code; None where it is no region code."""
    short = region_code(code)
    return next((level for level, n in REGION_DIGITS.items() if n == len(short or "")), None)


def region_name(code: str | None) -> str | None:
    """The name of a region in any spelling of its code; None where it is not in the tables."""
    return _region().get(region_code(code) or "")


def region_levels(column: str = "region_code") -> list[pl.Expr]:
    """region_code without padding, region_city, region_county, region_town; null below the code's own level."""
    text = pl.col(column).str.strip_chars()
    text = pl.when(text.str.contains(r"^(?:\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$")).then(text.str.slice(0, 9))
    short = text.str.replace(r"^(\d{6})000$", "${1}").str.replace(r"^(\d{4})00$", "${1}")
    short = short.str.replace(r"^(\d{2})00$", "${1}")
    reached = {level: short.str.len_chars() >= n for level, n in REGION_DIGITS.items()}
    return [
        short.alias(column),
        *(
            pl.when(reached[level]).then(short.str.slice(0, REGION_DIGITS[level])).alias(f"region_{level}")
            for level in ("city", "county", "town")
        ),
    ]


def zone_name(code: str | None) -> str | None:
    """The name of a development zone by its pseudo code; None where it is not in the table."""
    return {r["code"]: r["name"] for r in _rows("zones.csv")}.get(code or "")


# --- sizes -----------------------------------------------------------------------------------------------------


@cache
def sizes() -> tuple[Size, ...]:
    """The four size classes, largest first; the last one has no thresholds."""
    return tuple(
        Size(r["code"], r["zh"], r["en"], int(r["min_employees"]), int(r["min_revenue_wan_yuan"]) * 10**6)
        for r in _rows("sizes.csv")
    )
