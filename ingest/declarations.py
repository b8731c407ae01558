"""What each department supplies, declared as data: ``sources/<source>.yaml`` and ``--mapping`` files.

A declaration names the tables of a source, their fields with every header that departments write for them,
the unit where a file states none, which columns must be found and which values a row must have.
There is no code per department: a new one is one YAML file.
"""

from __future__ import annotations

from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from engine.schema.errors import PermuError
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
KINDS = ("uscc", "org_code", "reg_no", "local_id", "permit", "account", "name")


# libyaml where PyYAML was built with it: ten times as fast.
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", ignored_types=(cached_property,))


class Field(_Strict):
    """One canonical field: its type, the headers it comes under, its unit where the file states none."""

    type: FieldType
    headers: list[str] = []
    unit: str | None = None
    negative: bool = False
    default: str | None = None


class Table(_Strict):
    """One canonical table of a source."""

    title: dict[str, str] = {}
    record_key: list[str] = []
    keys: dict[str, list[str]] = {}
    unique: list[str] = []
    require: list[list[str]] = []
    required_values: list[str] = []
    constants: dict[str, str] = {}
    fields: dict[str, Field]

    @model_validator(mode="after")
    def _names_exist(self) -> Table:
        keys = {"record_key", *self.keys}
        named = [*self.record_key, *self.required_values, *self.constants]
        named += [n for group in [*self.require, *self.keys.values()] for n in group]
        named += [n for n in self.unique if n not in keys]
        if unknown := sorted(set(named) - set(self.fields)):
            raise ValueError(f"not among the fields: {', '.join(unknown)}")
        for name, field in self.fields.items():
            if field.type in ("amount", "share"):
                _default_unit(name, field)
        return self

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


class Source(_Strict):
    """A department: its name, titles, folder names under which drops arrive, its tables."""

    source: str
    title: dict[str, str] = {}
    folders: list[str] = []
    tables: dict[str, Table]


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


def _load(text: str, label: str) -> Source:
    try:
        return Source.model_validate(yaml.load(text, _YAML))
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        why = _first_line(error)
        raise PermuError(
            "bad_mapping",
            f"{label}: {why}; see docs/ingest.md for the shape of a source file",
            f"{label}：{why}；来源文件的写法见 docs/ingest.md",
        ) from None


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(p) for p in first['loc']) or 'top level'}: {first['msg']}"
    return " ".join(str(error).split())


@cache
def sources() -> dict[str, Source]:
    """Every declared source by name.

    Raises:
        PermuError: ``bad_mapping`` when a declaration is not wholly understood.
    """
    folder = resources.files("ingest") / "sources"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    loaded = [_load(f.read_text(encoding="utf-8"), f.name) for f in files]
    return {s.source: s for s in loaded}


def find_source(name: str) -> Source:
    """The source of that name, or one whose Chinese name or folder name it is.

    Raises:
        PermuError: ``unknown_source``.
    """
    for declared in sources().values():
        if name in (declared.source, *declared.folders):
            return declared
    known = ", ".join(sources())
    raise PermuError(
        "unknown_source",
        f"{name}: not a source; known are {known}; add ingest/sources/{name}.yaml or choose one of these with --source",
        f"{name}：没有这一来源；已有：{known}；请新增 ingest/sources/{name}.yaml，或用 --source 指定其一",
    )


def load_mapping(path: Path) -> Source:
    """A ``--mapping`` file: same shape as a source file, for files whose headers no declaration knows.

    Raises:
        PermuError: ``bad_mapping`` (not readable or not understood), ``unknown_source``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise PermuError(
            "bad_mapping",
            f"{path}: mapping file not readable: {why}; give a YAML file with --mapping",
            f"{path}：映射文件无法读取：{why}；请用 --mapping 指定 YAML 文件",
        ) from None
    mapping = _load(text, str(path))
    canonical = find_source(mapping.source)
    for name, table in mapping.tables.items():
        _check_mapping(path, canonical, name, table)
    return _completed(mapping, canonical)


def _check_mapping(path: Path, canonical: Source, name: str, table: Table) -> None:
    known = canonical.tables.get(name)
    if known is None:
        wrong, allowed = name, sorted(canonical.tables)
    else:
        wrong, allowed = next((f for f in table.fields if f not in known.fields), ""), sorted(known.fields)
    if not wrong:
        return
    raise PermuError(
        "bad_mapping",
        f"{path}: {wrong} is not in source {canonical.source}; known there: {', '.join(allowed)}; correct the name",
        f"{path}：来源 {canonical.source} 中没有 {wrong}；可用：{'、'.join(allowed)}；请更正名称",
    )


_INHERITED = ("record_key", "keys", "unique")


def _completed(mapping: Source, canonical: Source) -> Source:
    """The mapping's tables with every canonical field, so that its Parquet has the whole table's columns."""
    tables = {}
    for name, table in mapping.tables.items():
        whole = {k: f.model_copy(update={"headers": []}) for k, f in canonical.tables[name].fields.items()}
        kept = {k: getattr(canonical.tables[name], k) for k in _INHERITED if k not in table.model_fields_set}
        tables[name] = table.model_copy(update={"fields": whole | table.fields, **kept})
    return mapping.model_copy(update={"tables": tables, "folders": canonical.folders})
