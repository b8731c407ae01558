"""The land bureau's findings of the newest merge: read for a list, written to a workbook with a sheet a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now, who

TITLES = {
    "kind": "类型 kind", "parcel_code": "宗地代码 parcel", "enterprise_id": "企业编号 enterprise", "name": "企业名称 name",
    "region_code": "区划 region", "value": "数值 value", "unit": "单位 unit", "note_zh": "说明", "note_en": "note",
    "other": "另一方 other", "record_key": "记录键 record", "file": "文件 file", "sheet": "工作表 sheet", "row": "行号 row",
}  # fmt: skip
_WIDE = {"note_zh": 60, "note_en": 60, "name": 34, "parcel_code": 24, "file": 30}
_ROWS_A_SHEET = 1_000_000


def read(warehouse: Warehouse, year: int, kind: str | None = None) -> tuple[str, pl.DataFrame]:
    """Merge id and findings of ``year`` (of one ``kind``) with the enterprise's ``name`` and the ``file``.

    PermuError no_findings where the year was not merged, unknown_kind where there is none of that kind.
    """
    with warehouse.read() as db:
        merge = db.execute(
            "SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (year,)
        ).fetchone()
        files = db.execute("SELECT load_id, file FROM loads").fetchall()
    place = warehouse.merged / merge["merge_id"] / "findings.parquet" if merge else None
    if place is None or not place.is_file():
        raise PermuError(
            "no_findings",
            f"{year}: no findings yet; run `permu merge --year {year}` first",
            f"{year} 年尚无核查结果；请先运行 permu merge --year {year}",
        )
    rows = pl.read_parquet(place, glob=False)
    if kind and kind not in (kinds := sorted(rows["kind"].unique())):
        raise PermuError(
            "unknown_kind",
            f"no finding of kind {kind[:40]!r} in {year}: there are {', '.join(kinds) or 'none'}",
            f"{year} 年没有类型为 {kind[:40]!r} 的核查结果：现有 {'、'.join(kinds) or '无'}",
        )
    names = pl.read_parquet(place.with_name("enterprises.parquet"), columns=["enterprise_id", "name"], glob=False)
    loads = pl.DataFrame([tuple(f) for f in files], schema={"load_id": pl.String, "file": pl.String}, orient="row")
    joined = rows.filter(pl.col("kind") == kind) if kind else rows
    joined = joined.join(names, on="enterprise_id", how="left", maintain_order="left")
    joined = joined.join(loads, on="load_id", how="left", maintain_order="left")
    told = [c if c in joined.columns else pl.lit(None, dtype=pl.String).alias(c) for c in TITLES]
    return str(merge["merge_id"]), joined.select(told)


def write(warehouse: Warehouse, year: int, place: Path, kind: str | None = None) -> dict[str, Any]:
    """The findings as a workbook, whole or not at all: ``{merge_id, file, rows, kinds: {kind: rows}}``.

    Numbers stay numbers, all else is text (no formulas); the first sheet says year, merge, when and by whom.
    """
    merge_id, rows = read(warehouse, year, kind)
    part = place.with_name(f".{place.name}.part")
    try:
        with xlsxwriter.Workbook(
            str(part), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        ) as book:
            _about(book.add_worksheet("说明 about"), year, merge_id, rows)
            for (name,), found in rows.group_by("kind", maintain_order=True):
                for number, chunk in enumerate(found.iter_slices(_ROWS_A_SHEET)):
                    _sheet(book, f"{name}"[:28] + (f" {number + 1}" if number else ""), chunk)
        part.replace(place)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise PermuError(
            "cannot_write",
            f"--out {place}: {error}; name a file in a folder that exists and that you may write",
            f"--out {place}：{error}；请指定可写目录中的文件",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    kinds = dict(rows.group_by("kind").len().sort("kind").iter_rows())
    return {"merge_id": merge_id, "file": str(place), "rows": rows.height, "kinds": kinds}


def _about(sheet: Any, year: int, merge_id: str, rows: pl.DataFrame) -> None:
    sheet.set_column(0, 1, 40)
    told = [
        ("年份 year", year),
        ("合并 merge", merge_id),
        ("导出 written", f"{now()} {who()}"),
        ("行数 rows", rows.height),
    ]
    told += list(rows.group_by("kind").len().sort("kind").iter_rows())
    for line, (name, value) in enumerate(told):
        sheet.write_string(line, 0, str(name))
        sheet.write_string(line, 1, str(value))


def _sheet(book: Any, name: str, rows: pl.DataFrame) -> None:
    sheet, bold = book.add_worksheet(name), book.add_format({"bold": True, "bg_color": "#DDDDDD"})
    text = book.add_format({"num_format": "@", "quote_prefix": True})
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(TITLES):
        sheet.set_column(at, at, _WIDE.get(column, 16))
        sheet.write_string(0, at, TITLES[column], bold)
    for line, row in enumerate(rows.iter_rows(), 1):
        for at, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(line, at, value)
            elif value is not None:
                sheet.write_string(line, at, str(value), text)
