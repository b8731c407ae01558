"""Which enterprise a record belongs to: by credit code, organisation code, registration number, permit, own number of
the register, and exact normalised name, in this order. What fits none, or more than one, is listed and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from engine.schema.names import name_key
from ingest.lookup import Lookup, repeated

LINK_COLUMNS = ("source", "record_key", "enterprise_id", "method", "share_ppb")
COUNTY_DIGITS = 6
_NUMBER = pl.Int32
_ABOUT = ("name", "uscc", "org_code", "reg_no", "local_id", "region_code")


@dataclass(frozen=True)
class Linked:
    """Which enterprise each record key of a source belongs to.

    ``found``: ``record_key``, ``enterprise_no`` and ``method`` in the order asked, null where none was found; ``unlinked``:
    source, record_key, name, reason, rows, origin. ``ids``: the enterprise ids by number.
    """

    source: str
    found: pl.DataFrame
    unlinked: pl.DataFrame
    ids: pl.Series

    @cached_property
    def links(self) -> pl.DataFrame:
        """LINK_COLUMNS of the keys that belong to an enterprise."""
        whose = pl.lit(self.ids).gather(pl.col("enterprise_no"))
        linked = self.found.drop_nulls("enterprise_no").with_columns(enterprise_id=whose)
        return linked.with_columns(source=pl.lit(self.source), share_ppb=pl.lit(None, dtype=pl.Int64)).select(
            LINK_COLUMNS
        )

    def with_links(self, links: pl.DataFrame) -> Linked:
        """With ``links`` (record_key, enterprise_id, method) in the place of what was found for their keys."""
        if links.is_empty():
            return self
        numbers = pl.int_range(len(self.ids), dtype=_NUMBER, eager=True)
        places = pl.DataFrame({"enterprise_id": self.ids, "new_no": numbers})
        new = links.select("record_key", "enterprise_id", new_method="method").join(places, on="enterprise_id")
        joined = self.found.join(new, on="record_key", how="left", maintain_order="left")
        found = joined.select(
            "record_key",
            enterprise_no=pl.coalesce("new_no", "enterprise_no"),
            method=pl.coalesce("new_method", "method"),
        )
        rest = self.unlinked.filter(~pl.col("record_key").is_in(links["record_key"].implode()))
        return replace(self, found=found, unlinked=rest)


class Register:
    """The enterprises of a year by each of their keys; a key that two enterprises hold identifies neither.

    ``enterprises``: ``enterprise_no`` (the place of the id in ``ids``) and the keys. An index is built when a record
    first asks for its kind: a year without names to match never folds names.
    """

    def __init__(self, enterprises: pl.LazyFrame, ids: pl.Series) -> None:
        org_code = pl.coalesce("org_code", pl.col("uscc").str.slice(8, 9))
        self.ids = ids
        self._keys = enterprises.select(
            "enterprise_no", "uscc", "reg_no", "local_id", org_code=org_code,
            county=pl.col("region_code").str.slice(0, COUNTY_DIGITS), name=name_key(pl.col("name")),
        )  # fmt: skip
        self._indexes: dict[tuple[str, ...], tuple[Lookup, pl.Series]] = {}

    def find(self, keys: pl.DataFrame, by: pl.Expr, kind: tuple[str, ...]) -> pl.Series:
        """``enterprise_no`` of each row: ``by`` (and the further columns of ``kind``) looked up; null for none or several."""
        wanted = keys.select(_together(by, *kind[1:])).to_series()
        if wanted.null_count() == keys.height:
            return _nothing("enterprise_no", _NUMBER, keys.height)
        held, numbers = self._index(kind)
        return numbers.gather(held.places(wanted))

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """``frame`` with the ``enterprise_id`` of each ``enterprise_no``."""
        return frame.with_columns(enterprise_id=pl.lit(self.ids).gather(pl.col("enterprise_no")))

    def numbered(self, frame: pl.DataFrame) -> pl.DataFrame:
        """``frame`` with the ``enterprise_no`` of each ``enterprise_id``."""
        places = Lookup(self.ids).places(frame["enterprise_id"])
        return frame.with_columns(enterprise_no=places.cast(_NUMBER))

    def _index(self, kind: tuple[str, ...]) -> tuple[Lookup, pl.Series]:
        if kind not in self._indexes:
            keys = self._keys.select(_together(*map(pl.col, kind)).alias("key"), "enterprise_no").drop_nulls().collect()
            sole = keys.filter(~repeated(keys["key"]))
            self._indexes[kind] = Lookup(sole["key"]), sole["enterprise_no"]
        return self._indexes[kind]

    def known_names(self, names: pl.Series) -> pl.Series:
        """Whether each name is the name of any enterprise."""
        if names.null_count() == len(names):
            return pl.Series([False]).new_from_index(0, len(names))
        return names.is_in(self._keys.select("name").unique().collect()["name"].implode())


def _together(first: pl.Expr, *more: pl.Expr | str) -> pl.Expr:
    """Several texts as one, null where any is."""
    return pl.concat_str(first, *more, separator="\n") if more else first


def _nothing(name: str, dtype: type[pl.DataType], rows: int) -> pl.Series:
    return pl.Series(name, [None], dtype=dtype).new_from_index(0, rows)


def _of(kind: str, account_column: str | None = None) -> pl.Expr:
    """The value of keys of one kind; for accounts the account's own column."""
    value = pl.when(pl.col("kind") == kind).then("value")
    return value.when(pl.col("kind") == "account").then(account_column) if account_column else value


_USCC = pl.coalesce(_of("uscc", "uscc"), _of("permit").str.slice(0, 18))
# A name decides only where the record holds no identifying code: a code that the register does not know is evidence
# against the name.
_LONE_NAME = pl.when(
    pl.col("kind").is_in(["name", "account"])
    & pl.all_horizontal(pl.col("uscc", "org_code", "reg_no", "local_id").is_null())
).then(pl.when(pl.col("kind") == "name").then("value").otherwise(name_key(pl.col("name"))))

# method, what of the key is looked up, in which index of the register; the first that finds one enterprise links.
_METHODS: tuple[tuple[str, pl.Expr, tuple[str, ...]], ...] = (
    ("credit_code", _of("uscc", "uscc"), ("uscc",)),
    ("permit", _of("permit").str.slice(0, 18), ("uscc",)),
    ("organisation_code", pl.coalesce(_of("org_code", "org_code"), _USCC.str.slice(8, 9)), ("org_code",)),
    ("registration_number", _of("reg_no", "reg_no"), ("reg_no",)),
    ("local_id", _of("local_id", "local_id"), ("local_id",)),
    ("exact_name", _LONE_NAME, ("name",)),
    ("exact_name", _LONE_NAME, ("name", "county")),
)


def link(register: Register, source: str, totals: pl.DataFrame) -> Linked:
    """Link the distinct record keys of one source.

    ``totals``: ``record_key``, ``rows``, ``origin``; optionally ``name``, ``uscc``, ``local_id``, ``region_code``.
    """
    rest = _keys(totals).with_row_index("place")
    numbers, methods = _nothing("enterprise_no", _NUMBER, totals.height), _nothing("method", pl.String, totals.height)
    for method, by, kind in _METHODS:
        if rest.is_empty():
            break
        held = register.find(rest, by, kind)
        known = held.is_not_null()
        if known.any():
            places = rest["place"].filter(known)
            numbers = numbers.scatter(places, held.filter(known))
            methods = methods.scatter(places, method)
            rest = rest.filter(~known)
    found = pl.DataFrame([totals["record_key"], numbers, methods])
    return Linked(source, found, _left(register, source, rest), register.ids)


def _left(register: Register, source: str, rest: pl.DataFrame) -> pl.DataFrame:
    """What no method found, with the name that people look for and the reason."""
    rest = rest.with_columns(name=pl.when(pl.col("kind") == "name").then("value").otherwise(name_key(pl.col("name"))))
    rest = rest.with_columns(known=register.known_names(rest["name"]), source=pl.lit(source))
    return rest.select("source", "record_key", "name", reason=_reason(), rows="rows", origin="origin")


def distinct_keys(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """The distinct keys of a column, as :func:`link` takes them: ``record_key``, ``rows``, ``origin`` of the first row."""
    distinct = rows.drop_nulls(column).group_by(pl.col(column).alias("record_key"))
    return distinct.agg(rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min()).sort("origin")


def _keys(totals: pl.DataFrame) -> pl.DataFrame:
    """``totals`` with the kind and value of each record key, and the columns that a source does not state as null."""
    parts = pl.col("record_key").str.splitn(":", 2).struct
    absent = [c for c in _ABOUT if c not in totals.columns]
    nothing = [pl.lit(None, dtype=pl.String).alias(c) for c in absent]
    keys = totals.select("record_key", "rows", "origin", *(c for c in _ABOUT if c in totals.columns), *nothing)
    county = pl.col("region_code").str.slice(0, COUNTY_DIGITS)
    return keys.with_columns(kind=parts.field("field_0"), value=parts.field("field_1"), county=county)


def _reason() -> pl.Expr:
    coded = ~pl.col("kind").is_in(["name", "account"]) | pl.col("uscc").is_not_null()
    return (
        pl.when(coded)
        .then(pl.lit("code_not_in_register"))
        .when(pl.col("name").is_null())
        .then(pl.lit("no_name"))
        .when(pl.col("known"))
        .then(pl.lit("several_enterprises_of_this_name"))
        .otherwise(pl.lit("no_enterprise_of_this_name"))
    )
