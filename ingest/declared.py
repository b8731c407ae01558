"""Which sources are declared: the shipped ones, those of a warehouse's own ``sources/`` folder, and ``--mapping`` files."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.schema.errors import PermuError
from engine.schema.facts import FACTS, Fact
from engine.schema.facts import adopt as adopt_facts
from ingest.declarations import Source, Table

# libyaml where PyYAML was built with it: ten times as fast.
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _load(text: str, label: str) -> Source:
    return _checked(_parsed(text, label), label)


def _parsed(text: str, label: str) -> dict[str, Any]:
    try:
        raw = yaml.load(text, _YAML)
    except yaml.YAMLError as error:
        raise _not_understood(label, _first_line(error)) from None
    if not isinstance(raw, dict):
        raise _not_understood(label, "it holds no mapping of source, tables and fields")
    return raw


def _checked(raw: dict[str, Any], label: str) -> Source:
    try:
        return Source.model_validate(raw)
    except (ValidationError, ValueError) as error:
        raise _not_understood(label, _first_line(error)) from None


def _not_understood(label: str, why: str) -> PermuError:
    return PermuError(
        "bad_mapping",
        f"{label}: {why}; see docs/ingest.md for the shape of a source file",
        f"{label}：{why}；来源文件的写法见 docs/ingest.md",
    )


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(p) for p in first['loc']) or 'top level'}: {first['msg']}"
    return " ".join(str(error).split())


_own: dict[str, Source] = {}


def sources() -> dict[str, Source]:
    """Every declared source by name: the shipped ones and those of the adopted warehouse.

    Raises:
        PermuError: ``bad_mapping`` when a declaration is not wholly understood.
    """
    return _shipped() | _own


def adopt(home: Path) -> None:
    """Take up what the warehouse at ``home`` declares itself in ``sources/*.yaml``; what was adopted before is forgotten.

    A file of a shipped source's name adds its headers, fields and tables to that source.

    Raises:
        PermuError: ``bad_mapping``.
    """
    _own.clear()
    adopt_facts([])
    files = sorted((home / "sources").glob("*.yaml"))
    found = {s.source: s for s in (_own_source(f) for f in files)}
    adopt_facts(Fact(n, f.quantity, f.zh, f.en, f.over_year) for s in found.values() for n, f in s.facts.items())
    _own.update(found)


def _own_source(file: Path) -> Source:
    raw = _parsed(_text(file), str(file))
    shipped = _shipped().get(str(raw.get("source")))
    own = _checked(_extended(shipped, raw, file.name) if shipped else raw, str(file))
    known = {*FACTS, *own.facts, *(n for t in (shipped.tables.values() if shipped else ()) for n in t.fields)}
    amounts = [n for t in own.tables.values() for n, f in t.fields.items() if f.type == "amount"]
    if unknown := [n for n in amounts if n not in known]:
        raise _not_understood(file.name, f"{unknown[0]} is no known fact: declare its quantity and titles under facts")
    return own


def _extended(shipped: Source, own: dict[str, Any], label: str) -> dict[str, Any]:
    """A shipped source as data, with the headers, fields, tables and rules that a bureau adds to it."""
    whole = shipped.model_dump(exclude_unset=True)
    for name, table in _mappings(own.get("tables"), label).items():
        known = whole["tables"].setdefault(name, {"fields": {}})
        for field, said in _mappings(table.get("fields"), label).items():
            old = known["fields"].setdefault(field, {})
            if said.get("type", old.get("type")) != old.get("type", said.get("type")):
                raise _not_understood(label, f"{name}.{field} is of type {old['type']}, not {said['type']}")
            known["fields"][field] = {**old, **said, "headers": [*old.get("headers", []), *said.get("headers", [])]}
        known |= {k: v for k, v in table.items() if k != "fields"}
    folders = [*shipped.folders, *own.get("folders", [])]
    return {**whole, **{k: v for k, v in own.items() if k != "tables"}, "folders": folders}


def _mappings(value: object, label: str) -> dict[str, dict[str, Any]]:
    """A mapping of mappings, or ``bad_mapping``."""
    found = value or {}
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise _not_understood(label, "tables and fields must be mappings")
    return found


@cache
def _shipped() -> dict[str, Source]:
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
        f"{name}: not a source; known are {known}; declare it in sources/{name}.yaml of the warehouse (docs/ingest.md) or "
        "choose one of these with --source",
        f"{name}：没有这一来源；已有：{known}；请在数据仓库的 sources/{name}.yaml 中声明（见 docs/ingest.md），或用 --source 指定其一",
    )


def load_mapping(path: Path) -> Source:
    """A ``--mapping`` file: same shape as a source file, for files whose headers no declaration knows.

    Raises:
        PermuError: ``bad_mapping`` (not readable or not understood), ``unknown_source``.
    """
    mapping = _load(_text(path), str(path))
    canonical = find_source(mapping.source)
    for name, table in mapping.tables.items():
        _check_mapping(path, canonical, name, table)
    return _completed(mapping, canonical)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise PermuError(
            "bad_mapping",
            f"{path}: mapping file not readable: {why}; give a YAML file in UTF-8",
            f"{path}：映射文件无法读取：{why}；请提供 UTF-8 编码的 YAML 文件",
        ) from None


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


_INHERITED = ("record_key", "keys", "unique", "on_new")


def _completed(mapping: Source, canonical: Source) -> Source:
    """The mapping's tables with every canonical field, so that its Parquet has the whole table's columns."""
    tables = {}
    for name, table in mapping.tables.items():
        whole = {k: f.model_copy(update={"headers": []}) for k, f in canonical.tables[name].fields.items()}
        kept = {k: getattr(canonical.tables[name], k) for k in _INHERITED if k not in table.model_fields_set}
        tables[name] = table.model_copy(update={"fields": whole | table.fields, **kept})
    return mapping.model_copy(update={"tables": tables, "folders": canonical.folders})
