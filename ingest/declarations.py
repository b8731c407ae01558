"""What each department supplies, declared as data: ``sources/<source>.yaml`` and ``--mapping`` files.

A declaration names the tables of a source, their fields with every header that departments write for them,
the unit where a file states none, which columns must be found and which values a row must have.
There is no code per department: a new one is one YAML file, in ``<home>/sources/`` where it is a bureau's own.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, model_validator

from engine.schema.facts import FACTS
from engine.schema.units import Unit, find_unit, unit_names

FieldType = Literal[
    "uscc", "org_code", "reg_no", "permit", "parcel", "account", "name", "text", "region", "industry", "date",
    "period", "amount", "share", "flag", "number", "geometry",
]  # fmt: skip
_SUFFIX = {
    "fen": "money", "dm2": "area", "wh": "electricity", "litre": "volume", "gram": "mass", "ce": "coal", "ppb": "share",
}  # fmt: skip
_DTYPES: dict[str, pl.DataType] = {
    "date": pl.Date(), "period": pl.Int32(), "amount": pl.Int64(), "share": pl.Int64(), "flag": pl.Int64(),
    "number": pl.Float64(), "geometry": pl.Binary(),
}  # fmt: skip
_RANGED = ("amount", "share", "number", "date")
KINDS = ("uscc", "org_code", "reg_no", "local_id", "permit", "account", "name")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", ignored_types=(cached_property,))


Bound = int | float | dt.date | None


class Field(_Strict):
    """One canonical field: its type, the headers it comes under, its unit where the file states none.

    ``range``: the lowest and highest value that can be true, in ``unit`` (dates as dates); what lies outside is refused.
    ``median``: between what a whole column's median can lie, in ``unit``; outside, the file's unit is asked for.
    """

    type: FieldType
    headers: list[str] = []
    unit: str | None = None
    negative: bool = False
    default: str | None = None
    range: tuple[Bound, Bound] | None = None
    median: tuple[float, float] | None = None


class Long(_Strict):
    """Headers of the column that names a row's kind (税种) and of the column with its amount (金额)."""

    kind: list[str]
    value: list[str]


class Table(_Strict):
    """One canonical table of a source.

    ``wide``: the amount that columns named as months hold. ``long``: a row names its amount, and rows of a key are summed.
    ``undated``: a row may state no period, and then has none (elsewhere it is of the load's year, or refused).

    ``on_new`` says what a later file of the same source and year does to the rows of an older one: ``replace`` those
    of its counties and months, ``upsert`` row by row, or only ``append``. Without it a file of the same name replaces
    the older one, and others upsert (where ``unique`` names a key) or append.
    """

    title: dict[str, str] = {}
    record_key: list[str] = []
    keys: dict[str, list[str]] = {}
    unique: list[str] = []
    on_new: Literal["replace", "append", "upsert"] | None = None
    require: list[list[str]] = []
    required_values: list[str] = []
    constants: dict[str, str] = {}
    undated: bool = False
    wide: str | None = None
    long: Long | None = None
    fields: dict[str, Field]

    @model_validator(mode="after")
    def _names_exist(self) -> Table:
        keys = {"record_key", *self.keys}
        named = [*self.record_key, *self.required_values, *self.constants, *([self.wide] if self.wide else [])]
        named += [n for group in [*self.require, *self.keys.values()] for n in group]
        named += [n for n in self.unique if n not in keys]
        if unknown := sorted(set(named) - set(self.fields)):
            raise ValueError(f"not among the fields: {', '.join(unknown)}")
        for name, field in self.fields.items():
            if field.type in ("amount", "share"):
                _default_unit(name, field)
            if field.range and field.type not in _RANGED:
                raise ValueError(f"{name}: a {field.type} has no range (only {', '.join(_RANGED)})")
        if self.on_new == "upsert" and not self.unique:
            raise ValueError("on_new: upsert needs a key: name it in unique")
        return self

    @property
    def region(self) -> str | None:
        """The field that says which division a row is of."""
        return next((n for n, f in self.fields.items() if f.type == "region"), None)

    @property
    def key_columns(self) -> dict[str, list[str]]:
        """``record_key`` and every further key column → the fields it is taken from, in order."""
        return {"record_key": self.record_key, **self.keys}

    @property
    def period(self) -> str | None:
        """The field that says which month or year a row is of."""
        return next((n for n, f in self.fields.items() if f.type == "period"), None)

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """Columns and types of the canonical Parquet file: row, sheet, keys, then the fields."""
        head: dict[str, pl.DataType] = {"row": pl.Int32(), "sheet": pl.String()}
        head |= dict.fromkeys(self.key_columns, pl.String())
        head |= {name: dtype(field) for name, field in self.fields.items()}
        return head | ({"day": pl.Int32()} if self.period else {})


class OwnFact(_Strict):
    """A fact that no shipped source supplies; its name ends in the smallest unit of its quantity."""

    quantity: str
    zh: str
    en: str
    over_year: Literal["sum", "mean", "max"] = "sum"


class Source(_Strict):
    """A department: its name, titles, folder names under which drops arrive, its tables, facts of its own.

    ``crs``: the coordinates of its layers where they state none (``EPSG:4549``), or ``gcj02``, which none can state.
    """

    source: str
    title: dict[str, str] = {}
    folders: list[str] = []
    crs: str | None = None
    facts: dict[str, OwnFact] = {}
    tables: dict[str, Table]

    @model_validator(mode="after")
    def _facts_are_columns(self) -> Source:
        for name, fact in self.facts.items():
            if fact.quantity != quantity(name):
                raise ValueError(f"facts.{name}: its name ends as one of {quantity(name)}, not {fact.quantity}")
            if not any(name in t.fields and t.fields[name].type == "amount" for t in self.tables.values()):
                raise ValueError(f"facts.{name}: no table has an amount of this name")
        return self


def dtype(field: Field) -> pl.DataType:
    """The Polars type of a canonical column."""
    return _DTYPES.get(field.type, pl.String())


def quantity(name: str) -> str:
    """``money`` for ``vat_fen``, ``count`` for ``employees``: read off the name, or from the facts."""
    if name in FACTS:
        return FACTS[name].quantity
    return _SUFFIX.get(name.rsplit("_", 1)[-1], "count")


def key_kind(field: str) -> str:
    """The kind of a record key taken from ``field``: ``holder_uscc`` gives ``uscc``, ``permit_no`` gives ``permit``."""
    stem = field.removesuffix("_no") if field == "permit_no" else field
    return next(kind for kind in KINDS if stem == kind or stem.endswith(f"_{kind}"))


def _default_unit(name: str, field: Field) -> Unit:
    unit = find_unit(field.unit or "", quantity(name))
    if unit is None:
        known = ", ".join(unit_names(quantity(name)))
        raise ValueError(f"{name}: unit {field.unit!r} is not a unit of {quantity(name)} (known: {known})")
    return unit


def default_unit(name: str, field: Field) -> Unit:
    """The declared unit of an amount; the loader has refused a declaration without one."""
    return _default_unit(name, field)
