"""Type one column of texts: values, which rows are wrong, and what else the text tells (an id inside an id)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import polars as pl
import shapely

from engine.schema.units import to_smallest
from ingest.geometry import dm2
from ingest.ids import valid_org_code, valid_reg_no, valid_uscc
from ingest.named import industry_of, region_of
from ingest.read.crs import misplaced
from ingest.values import EMPTY_MARKS, FLAGS, SPACES, Empty, parse_date, parse_period, parse_share, plain_number

_MARKS = pl.Series(sorted(EMPTY_MARKS))


@dataclass
class Typed:
    """A column after typing. ``problems``: (code, Boolean mask of the rows); ``also`` holds values for other fields."""

    values: pl.Series
    problems: list[tuple[str, pl.Series]] = field(default_factory=list)
    also: dict[str, pl.Series] = field(default_factory=dict)


def _wrong(code: str, mask: pl.Series | None) -> list[tuple[str, pl.Series]]:
    return [] if mask is None else [(code, mask)]


def clean(texts: pl.Series) -> pl.Series:
    """Outer spaces off, full-width to half-width (NFKC) where anything is not ASCII, empty marks to null."""
    texts = texts.str.strip_chars(SPACES)
    if (texts.str.len_bytes() != texts.str.len_chars()).any():
        texts = texts.str.normalize("NFKC").str.strip_chars(SPACES)
    short = (texts.str.len_bytes() <= 9).any()
    if not short:
        return texts
    blank = texts.str.to_lowercase().is_in(_MARKS.implode())
    return texts.set(blank.fill_null(False), None) if blank.any() else texts


def without_spaces(texts: pl.Series) -> pl.Series:
    """Inner spaces removed; most columns have none."""
    return texts.str.replace_all(r"\s+", "") if texts.str.contains(r"\s").any() else texts


def by_distinct(
    texts: pl.Series, parse: Callable[[str], object], dtype: pl.DataType
) -> tuple[pl.Series, pl.Series | None]:
    """``parse`` once per distinct text: (values, rows whose text is none). Texts that mean "no value" become null."""
    good: dict[str, object] = {}
    bad: list[str] = []
    for text in texts.drop_nulls().unique().to_list():
        try:
            value = parse(text)
        except Empty:
            continue
        if value is None:
            bad.append(text)
        else:
            good[text] = value
    new = pl.Series(list(good.values()), dtype=dtype)
    values = texts.replace_strict(pl.Series(list(good), dtype=pl.String), new, default=None, return_dtype=dtype)
    return values, texts.is_in(pl.Series(bad, dtype=pl.String).implode()).fill_null(False) if bad else None


def amount(texts: pl.Series, factor: Fraction, negative: bool) -> Typed:
    """Written numbers as Int64 in the smallest unit, exactly."""
    values = _smallest(texts, factor)
    wrong = None
    failed = values.is_null() & texts.is_not_null()
    if failed.any():
        at = failed.arg_true()
        values = values.scatter(at, _as_people_write(texts.gather(at), factor))
        wrong = values.is_null() & texts.is_not_null()
    problems = [] if wrong is None else [("not_a_number", wrong)]
    if not negative and (values < 0).any():
        problems.append(("negative_amount", (values < 0).fill_null(False)))
    return Typed(values, problems)


def _as_people_write(texts: pl.Series, factor: Fraction) -> pl.Series:
    """1,234.50 and ¥1 234 at once; what is left, brackets for a minus and the like, once per distinct text."""
    values = _smallest(texts.str.replace_all(r"[\s,，'¥￥$]", ""), factor)
    at = values.is_null().arg_true()
    if at.len() == 0:
        return values
    plain, _ = by_distinct(texts.gather(at), plain_number, pl.String())
    return values.scatter(at, _smallest(plain, factor))


def _smallest(texts: pl.Series, factor: Fraction) -> pl.Series:
    return texts.to_frame("t").select(to_smallest(pl.col("t"), factor)).to_series()


def date(texts: pl.Series) -> Typed:
    values, wrong = by_distinct(texts, parse_date, pl.Date())
    return Typed(values, _wrong("bad_date", wrong))


def period(texts: pl.Series, year: int) -> Typed:
    """Int32 yyyymm or yyyy; ``also`` the day (Int32) where the text names one."""
    values, wrong = by_distinct(texts, lambda t: (p := parse_period(t, year)) and p.value, pl.Int32())
    day, _ = by_distinct(texts, lambda t: (p := parse_period(t, year)) and (p.day or None), pl.Int32())
    return Typed(values, _wrong("bad_period", wrong), {"day": day})


def share(texts: pl.Series, factor: Fraction) -> Typed:
    values, wrong = by_distinct(texts, lambda t: parse_share(t, factor), pl.Int64())
    outside = ((values < 0) | (values > 10**9)).fill_null(False)
    if outside.any():
        wrong = outside if wrong is None else wrong | outside
    return Typed(values, _wrong("bad_share", wrong))


def flag(texts: pl.Series) -> Typed:
    values, wrong = by_distinct(without_spaces(texts).str.to_lowercase(), FLAGS.get, pl.Int64())
    return Typed(values, _wrong("bad_flag", wrong))


def number(texts: pl.Series) -> Typed:
    values, wrong = by_distinct(texts, lambda t: (n := plain_number(t)) and float(n), pl.Float64())
    return Typed(values, _wrong("bad_number", wrong))


def text(texts: pl.Series) -> Typed:
    return Typed(texts)


def name(texts: pl.Series) -> Typed:
    """Display name: spaces removed except between Latin letters or digits."""
    if texts.str.contains(r"\s").any():
        texts = texts.str.replace_all(r"([^\x00-\x7f])\s+", "$1").str.replace_all(r"\s+([^\x00-\x7f])", "$1")
        texts = texts.str.replace_all(r"\s+", " ")
    return Typed(texts)


def code_text(texts: pl.Series) -> Typed:
    """Account numbers and the like: upper case, no spaces, and no ``.0`` that a spreadsheet added to digits."""
    texts = without_spaces(texts).str.to_uppercase()
    return Typed(texts.str.replace(r"^(\d+)\.0+$", "$1"))


_TEXT_MARK = r"^['‘’`]+"  # what a spreadsheet puts before digits that are text, left over in a CSV


def uscc(texts: pl.Series) -> Typed:
    """Credit codes; also the organisation code or registration number where an old id stands in the column."""
    codes = without_spaces(texts).str.to_uppercase().str.replace(r"^(\d+)\.0+$", "$1")
    right = valid_uscc(codes)
    rest = codes.is_not_null() & ~right
    if not rest.any():
        return Typed(codes)
    if codes.str.contains(_TEXT_MARK).any():
        return uscc(codes.str.replace(_TEXT_MARK, ""))
    bare = codes.str.replace_all("-", "", literal=True)
    width = bare.str.len_bytes()
    org = pl.select(pl.when(width == 15).then(bare.str.slice(6, 9)).when(width == 9).then(bare)).to_series()
    org_ok = rest & valid_org_code(org)
    reg_ok = rest & ~org_ok & valid_reg_no(bare)
    also = {"org_code": _only(org, org_ok), "reg_no": _only(bare, reg_ok)}
    return Typed(_only(codes, right), [("bad_credit_code", rest & ~org_ok & ~reg_ok)], also)


def _only(values: pl.Series, where: pl.Series) -> pl.Series:
    return values.set(~where.fill_null(False), None)


def org_code(texts: pl.Series) -> Typed:
    codes = without_spaces(texts).str.to_uppercase().str.replace_all("-", "", literal=True)
    right = valid_org_code(codes)
    return Typed(_only(codes, right), [("bad_organisation_code", codes.is_not_null() & ~right)])


def reg_no(texts: pl.Series) -> Typed:
    """15 digits are checked; older numbers (13 digits, 企合苏…字第…号) have no check digit and are taken as they are."""
    codes = without_spaces(texts).str.to_uppercase().str.replace(r"^(\d+)\.0+$", "$1")
    checked = codes.str.contains(r"^\d{15}$").fill_null(False)
    return Typed(codes, [("bad_registration_number", checked & ~valid_reg_no(codes))])


def permit(texts: pl.Series) -> Typed:
    """22 characters that begin with a credit code; the last one is not checked (its algorithm is not published)."""
    codes = without_spaces(texts).str.to_uppercase()
    holder = codes.str.slice(0, 18)
    right = valid_uscc(holder) & codes.str.contains(r"^.{18}(?:[0-9A-Z]{4})?$").fill_null(False)
    full = right & (codes.str.len_bytes() == 22).fill_null(False)
    return Typed(_only(codes, full), [("bad_permit", codes.is_not_null() & ~right)], {"uscc": _only(holder, right)})


def parcel(texts: pl.Series) -> Typed:
    """Upper case without spaces. 19 and 28 characters must be built as 宗地代码 and 不动产单元号; others are local codes."""
    codes = without_spaces(texts).str.to_uppercase().str.replace(r"^(\d+)\.0+$", "$1")
    # As printed on certificates: 320583 001001 GB00001 F00010001.
    width = codes.str.len_bytes()
    national = codes.str.contains(r"^\d{12}[A-Z]{2}[0-9W]\d{4}(?:[A-Z][0-9A-Z]{8})?$").fill_null(False)
    wrong = (
        ((width == 19) | (width == 28)).fill_null(False) & codes.str.contains(r"^\d{12}").fill_null(False) & ~national
    )
    long = national & (width == 28).fill_null(False)
    unit = _only(codes, long)
    return Typed(codes, [("bad_parcel_code", wrong)], {"unit_code": unit, "parcel_code": unit.str.slice(0, 19)})


def region(texts: pl.Series) -> Typed:
    """2 to 12 digits, or the exact name of one division; other names give null (counted by the caller)."""
    codes = without_spaces(texts).str.replace(r"\.0+$", "")
    digits = codes.str.extract(r"^(\d{2,12})(?:\D.*)?$", 1)
    named = codes.is_not_null() & digits.is_null()
    if not named.any():
        return Typed(digits)
    values = digits.zip_with(~named, by_distinct(codes.set(~named, None), region_of, pl.String())[0])
    return Typed(values, [], {"__named": named & values.is_not_null(), "__unread": named & values.is_null()})


_SEVERAL_CODES = r"^[A-T]?\d{2,4}\s*[;；,，、/|]\s*[A-T]?\d{2,4}"


def industry(texts: pl.Series) -> Typed:
    """GB/T 4754: C2614, 2614, 26 or an exact name → digits; a section letter and a local code stay as written.

    ``also`` counts: several codes in a cell (the first is taken), names that were read, texts that are neither.
    """
    codes = without_spaces(texts).str.to_uppercase().str.replace(r"^(\d+)\.0+$", "$1")
    digits = codes.str.extract(r"^[A-T]?(\d{2,4})(?:[^0-9A-Z].*)?$", 1)
    several = codes.str.contains(_SEVERAL_CODES).fill_null(False)
    words = digits.is_null() & codes.str.contains(r"[^\x00-\x7f]").fill_null(False)
    named = by_distinct(codes.set(~words, None), industry_of, pl.String())[0] if words.any() else None
    values = pl.select(pl.coalesce([digits, *([named] if named is not None else []), codes])).to_series()
    found = words & named.is_not_null() if named is not None else words
    return Typed(values, [], {"__several": several, "__named": found, "__unread": words & ~found})


def geometry(wkb: pl.Series) -> Typed:
    """Valid polygons as WKB (lon/lat); ``also["__repaired"]`` marks rings that had to be made valid, ``ring_dm2`` holds
    the area of such a ring as it was drawn. Latitudes where longitudes belong and metres are refused under their names.
    """
    with np.errstate(invalid="ignore"):
        shapes = shapely.from_wkb(np.array(wkb.to_list(), dtype=object), on_invalid="ignore")
    swapped, metres = misplaced(shapely.bounds(shapes))
    shapes[swapped | metres] = None
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    corners, of = shapely.get_coordinates(shapes[broken], return_index=True)
    # Corners that are nowhere (beyond a projection) cannot be repaired.
    shapes[np.flatnonzero(broken)[np.unique(of[~np.isfinite(corners).all(axis=1)])]] = None
    broken &= ~shapely.is_missing(shapes)
    as_drawn = dm2(shapes[broken]).fill_null(0)
    shapes[broken] = [_areas(s) for s in shapely.make_valid(shapes[broken])]
    flat = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    present = wkb.is_not_null()
    values = pl.Series(list(shapely.to_wkb(shapes)), dtype=pl.Binary).set(~pl.Series(flat), None)
    wrong = [("axes_swapped", pl.Series(swapped)), ("metres_for_degrees", pl.Series(metres))]
    before = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(shapes)).scatter(np.flatnonzero(broken), as_drawn)
    also = {"__repaired": pl.Series(broken & flat), "ring_dm2": before}
    return Typed(values, [*wrong, ("bad_geometry", present & ~pl.Series(flat))], also)


def _areas(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a repaired shape: what collapsed to a line or point has no area."""
    if shape.geom_type != "GeometryCollection":
        return shape
    return shapely.union_all([g for g in shape.geoms if g.geom_type in ("Polygon", "MultiPolygon")])
