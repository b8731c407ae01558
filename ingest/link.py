"""Which enterprise a record belongs to: by credit code, organisation code, registration number, permit, own number of
the register, and exact normalised name, in this order. What fits none, or more than one, is listed and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from engine.schema.names import name_key

LINK_COLUMNS = ("source", "record_key", "enterprise_id", "method", "share_ppb")
COUNTY_DIGITS = 6


@dataclass(frozen=True)
class Linked:
    """``links`` (source, record_key, enterprise_id, method, share_ppb) and ``unlinked`` (…, name, reason, rows, origin)."""

    links: pl.DataFrame
    unlinked: pl.DataFrame


class Register:
    """The enterprises of a year by each of their keys; a key that two enterprises hold identifies neither.

    An index is built when a record first asks for its kind: a year without names to match never folds names.
    """

    def __init__(self, enterprises: pl.LazyFrame) -> None:
        org_code = pl.coalesce("org_code", pl.col("uscc").str.slice(8, 9))
        self._keys = enterprises.select(
            "enterprise_id", "uscc", "reg_no", "local_id", org_code=org_code,
            county=pl.col("region_code").str.slice(0, COUNTY_DIGITS), name=name_key(pl.col("name")),
        )  # fmt: skip
        self._indexes: dict[tuple[str, ...], pl.DataFrame] = {}

    def find(self, keys: pl.DataFrame, by: str, *kind: str) -> pl.Series:
        """The enterprise of each row: column ``by`` (and the further ``kind`` columns) looked up; null for none or several."""
        if keys[by].null_count() == keys.height:
            return pl.Series("enterprise_id", [None], dtype=pl.String).new_from_index(0, keys.height)
        wanted = keys.select(pl.col(by).alias(kind[0]), *kind[1:])
        return wanted.join(self._index(kind), on=list(kind), how="left", maintain_order="left")["enterprise_id"]

    def _index(self, kind: tuple[str, ...]) -> pl.DataFrame:
        if kind not in self._indexes:
            named = self._keys.select(*kind, "enterprise_id").drop_nulls().collect()
            self._indexes[kind] = named.filter(
                ~pl.struct(kind).is_duplicated() if len(kind) > 1 else ~pl.col(*kind).is_duplicated()
            )
        return self._indexes[kind]

    def known_names(self, names: pl.Series) -> pl.Series:
        """Whether each name is the name of any enterprise."""
        if names.null_count() == len(names):
            return pl.Series([False]).new_from_index(0, len(names))
        return names.is_in(self._keys.select("name").unique().collect()["name"].implode())


# method → (column of the keys, kind of the register's key); the first that finds exactly one enterprise links.
_METHODS = (
    ("credit_code", "uscc", "uscc"),
    ("permit", "permit_uscc", "uscc"),
    ("organisation_code", "org_code", "org_code"),
    ("registration_number", "reg_no", "reg_no"),
    ("local_id", "local_id", "local_id"),
    ("exact_name", "lone_name", "name"),
)


def link(register: Register, source: str, totals: pl.DataFrame) -> Linked:
    """Link the distinct record keys of one source.

    ``totals``: ``record_key``, ``rows``, ``origin``; optionally ``name``, ``uscc``, ``local_id``, ``region_code``.
    """
    keys = _identity(totals)
    found = [register.find(keys, column, kind) for _, column, kind in _METHODS]
    found.append(register.find(keys, "lone_name", "name", "county"))
    names = [method for method, _, _ in _METHODS] + ["exact_name"]
    linked = keys.with_columns(
        enterprise_id=pl.coalesce(found),
        method=pl.coalesce([pl.when(ids.is_not_null()).then(pl.lit(n)) for n, ids in zip(names, found, strict=True)]),
        source=pl.lit(source),
        share_ppb=pl.lit(None, dtype=pl.Int64),
    )
    links = linked.filter(pl.col("enterprise_id").is_not_null()).select(LINK_COLUMNS)
    rest = linked.filter(pl.col("enterprise_id").is_null())
    rest = rest.with_columns(known=register.known_names(rest["name"]))
    return Linked(links, rest.select("source", "record_key", "name", reason=_reason(), rows="rows", origin="origin"))


def _identity(totals: pl.DataFrame) -> pl.DataFrame:
    """The identifying columns of each record key: what its kind says, and for accounts the account's own columns."""
    parts = pl.col("record_key").str.splitn(":", 2).struct
    absent = [c for c in ("name", "uscc", "local_id", "region_code") if c not in totals.columns]
    keys = totals.with_columns(
        *(pl.lit(None, dtype=pl.String).alias(c) for c in absent),
        kind=parts.field("field_0"),
        value=parts.field("field_1"),
    )

    def own(wanted: str, column: str) -> pl.Expr:
        return pl.when(pl.col("kind") == wanted).then("value").when(pl.col("kind") == "account").then(column)

    keys = keys.with_columns(
        uscc=own("uscc", "uscc"),
        local_id=own("local_id", "local_id"),
        permit_uscc=pl.when(pl.col("kind") == "permit").then(pl.col("value").str.slice(0, 18)),
        reg_no=pl.when(pl.col("kind") == "reg_no").then("value"),
        name=pl.when(pl.col("kind") == "name").then("value").otherwise(name_key(pl.col("name"))),
        county=pl.col("region_code").str.slice(0, COUNTY_DIGITS),
    )
    return keys.with_columns(
        org_code=pl.when(pl.col("kind") == "org_code").then("value").otherwise(pl.col("uscc").str.slice(8, 9)),
        # A name decides only where the record holds no identifying code: a code that the register does not know is
        # evidence against the name.
        lone_name=pl.when(
            pl.col("kind").is_in(["name", "account"]) & pl.col("uscc").is_null() & pl.col("local_id").is_null()
        ).then("name"),
    )


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
