"""docs/api.md, written from the dictionaries: ``python -m api.reference > docs/api.md`` (a test compares them)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.app import create_app
from api.desk.parameters import DESK
from api.errors import STATUS
from engine.query.parameters import PARAMETERS
from engine.schema.columns import COLUMNS, GROUPINGS, ROLES
from engine.schema.warehouse import Warehouse

_HEAD = """# The HTTP interface

`permu serve` answers on `http://127.0.0.1:8000`. Without users it answers this machine only (Host `localhost`,
`127.0.0.1` or `[::1]`) and whoever asks acts as the local administrator. `/openapi.json` is the same for programs,
`/docs` for a browser, `/` is the web page. This file is written by `python -m api.reference > docs/api.md`.

- **One release per request**: `release=` names it; else it is the newest of `year=` under `policy=` (default
  `sunan-2017` where there is one, else the newest of all). New releases are seen without a restart.
- **Ranks** count within industry × region × size × group: competition ranks (1, 2, 2, 4); `of` = those with a value;
  `percentile` = 100·(of − rank)/(of − 1), null where of = 1. `grade` and `q` filter rows and change no rank. Rows
  without a value have rank null, come last, and are in no bottom list.
- **Bottom lists**: `percent=p` keeps rank·100 > (100 − p)·of; `count=n` the last n with all that tie at the cut.
- **Paging**: `next` of a page is the `cursor` of the following one, with the same question. It stays with its release.
- **Figures** in JSON are unrounded; missing is null, never 0. `/summary` gives Σ/Σ (`ratio`) beside the simple `mean`.
- **Files**: `format=csv|xlsx|parquet|arrow` gives every row of the question (or `limit` of them), whole or not at all.
  CSV has a BOM and headers by column name; its last columns say release, policy, loads, time, who and row count. XLSX
  has a sheet of notes; Parquet and Arrow carry the same as JSON under `permu` in their schema metadata. Text that a
  spreadsheet would take for a formula gets an apostrophe in CSV and is a text cell in XLSX.
- **Caching**: every answer has an ETag that changes with the release; `If-None-Match` gives 304. gzip on request.
  Layers also take byte ranges.
- **Errors** are `application/problem+json` with `code`, `detail`, `detail_zh`, and `parameter` and `allowed` where a
  parameter is meant. Unknown, repeated, empty and malformed parameters are 400.
"""


def _table(*columns: str) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)


def _routes(document: dict[str, Any]) -> Iterator[str]:
    yield from ("", "## Routes", "", *_table("route", "parameters", "what it gives"))
    for path, operations in document["paths"].items():
        get = operations["get"]
        names = ", ".join(f"`{p['name']}`" for p in get["parameters"] if p["in"] == "query") or "–"
        yield f"| `{path}` | {names} | {get['summary']} |"
        if "post" in operations:
            yield f"| `POST {path}` | a JSON body | {operations['post']['summary']} |"


def _parameters() -> Iterator[str]:
    yield from ("", "## Parameters", "", *_table("parameter", "allowed", "允许的取值"))
    for p in (*PARAMETERS.values(), *DESK.values()):
        yield f"| `{p.name}` | {p.en} | {p.zh} |"


def _columns() -> Iterator[str]:
    yield from ("", "## Columns", "", *_table("column", "title", "标题", "unit", "roles that may see it"))
    for c in COLUMNS.values():
        roles = ", ".join(r for r in ROLES if r in c.roles)
        yield f"| `{c.name}` | {c.en} | {c.zh} | {c.unit_en} {c.unit_zh} | {roles} |"
    groupings = ", ".join(f"`{g}`" for g in GROUPINGS)
    yield from (
        "",
        f"`ranks` holds for each ranked metric the groupings {groupings}, each with rank and of; files hold",
    )
    yield "them as `rank__<metric>__<grouping>` and `of__<metric>__<grouping>`. Roles take effect once there are users."


def _codes() -> Iterator[str]:
    yield from ("", "## Error codes", "", *_table("code", "status"))
    yield from (f"| `{code}` | {status} |" for code, status in STATUS.items())


def reference() -> str:
    """The text of docs/api.md."""
    with tempfile.TemporaryDirectory() as nowhere:
        document = create_app(Warehouse(Path(nowhere))).openapi()
    return "\n".join([_HEAD.rstrip(), *_routes(document), *_parameters(), *_columns(), *_codes()]) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
