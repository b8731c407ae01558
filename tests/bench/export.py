"""Spreadsheets of a bottom list: permu's own writer beside libraries, answers read back before times are reported.

python -m tests.bench.export WAY TABLE.parquet    → one JSON line

Every way writes the same 50,000 × 25 cells with what it can do of the formatting: ids as text, number formats, frozen
header, filter, widths, print setup. permu's also holds the unit row, notes, grade colours and quoted formulas.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import time
from pathlib import Path

import fastexcel
import polars as pl

from api.exports.provenance import Provenance
from api.exports.sheets import shown
from api.exports.table import Sheet
from api.exports.xlsx import prepare
from tests.bench.measure import Line, in_turn, lines, peak_mb

ROWS = 50_000
TEXT, NUMBER = "@", "#,##0.00"


def table(path: Path) -> Path:
    """50,000 rows as the bottom 5 % of a million enterprises has them, 25 columns, synthetic."""
    n = pl.int_range(ROWS, eager=True)
    rank = {f"rank__output_per_mu__{g}": n * 7 % 40_000 + 1 for g in ("industry_2", "region_county", "size")}
    of = {k.replace("rank", "of"): v * 0 + 40_000 for k, v in rank.items()}
    figures = ("percentile", "land_mu", "output_wan_yuan", "tax_wan_yuan", "output_per_mu", "benefit_per_mu")
    text = {
        "enterprise_id": "E" + n.cast(pl.String),
        "uscc": "913205070000" + (n + 100_000).cast(pl.String),
        "name": "示例" + n.cast(pl.String) + "有限公司",
        "industry_code": (n % 400 + 1000).cast(pl.String),
        "industry_name": pl.Series(["化学药品原料药制造"] * ROWS),
        "region_code": (n % 90 + 320507000).cast(pl.String),
        "region_name": pl.Series(["元和街道"] * ROWS),
        "size": pl.Series(["小型"] * ROWS),
        "scale_group": pl.Series(["规下"] * ROWS),
        "flags": pl.Series(["few_peers"] * ROWS),
        "release_id": pl.Series(["2024-sunan-2017-00000000"] * ROWS),
    }
    numbers = {name: n * (k + 1) / 7.0 for k, name in enumerate(figures)}
    frame = pl.DataFrame({"rank": 1_000_000 - n, "of": n * 0 + 1_000_000, **text, **numbers, **rank, **of})
    ordered = frame.select(shown(Sheet(frame, "output_per_mu", ROWS, "bottom")))
    ordered.write_parquet(path)
    return path


def _permu(frame: pl.DataFrame) -> bytes:
    loads = ({"load_id": "l", "source": "land", "file": "f"},)
    origin = Provenance("r", 2024, "own", "s", "complete", "draft", True, "", "h", loads, {}, "bench")
    return prepare(Sheet(frame, "output_per_mu", frame.height, "bottom"), origin, "zh").finish(origin)


def _rustpy(frame: pl.DataFrame) -> bytes:
    import rustpy_xlsxwriter as rust

    out = io.BytesIO()
    formats = [rust.Format().set_num_format(TEXT if t == pl.String else NUMBER) for t in frame.dtypes]
    paper = {"landscape": True, "paper_size": 9, "repeat_rows": 5, "fit_to_pages": (1, 0)}
    title = [(0, 0, 0, 8, "title"), (1, 0, 1, 8, "origin")]
    rust.write_worksheet(
        frame, out, sheet_name="x", freeze_row=6, freeze_col=5, column_formats=formats, merge_ranges=title,
        header_row=5, autofilter=True, column_widths=[15.0] * frame.width, page_setup=paper,
        header_format=rust.Format().set_bold(),
    )  # fmt: skip
    return out.getvalue()


def _polars(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    formats = {pl.String: TEXT, pl.Float64: NUMBER}
    frame.write_excel(out, position="A6", dtype_formats=formats, freeze_panes=(6, 5), autofilter=True, table_style=None)  # type: ignore[call-overload]
    return out.getvalue()


def _xlsxwriter(frame: pl.DataFrame) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet()
    formats = [book.add_format({"num_format": TEXT if t == pl.String else NUMBER}) for t in frame.dtypes]
    for place, name in enumerate(frame.columns):
        page.set_column(place, place, 15)
        page.write_string(5, place, name)
    for number, row in enumerate(frame.iter_rows(), 6):
        for place, value in enumerate(row):
            page.write(number, place, value, formats[place])
    page.autofilter(5, 0, 5 + frame.height, frame.width - 1)
    page.freeze_panes(6, 5)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    book.close()
    return out.getvalue()


WAYS = {"permu": _permu, "rustpy": _rustpy, "polars": _polars, "xlsxwriter": _xlsxwriter}


def answer(content: bytes, like: pl.DataFrame) -> str:
    """The hash of the cells below row 6, as calamine reads them: numbers to 12 digits, text as it is."""
    kinds = {n: "string" if t == pl.String else "float" for n, t in enumerate(like.dtypes)}
    page = fastexcel.read_excel(content).load_sheet(0, header_row=None, skip_rows=6, dtypes=kinds)  # type: ignore[arg-type]
    told = hashlib.sha256()
    for read, meant in zip(page.to_polars(), like, strict=True):
        cells = read if meant.dtype == pl.String else read.round_sig_figs(12)
        told.update("\n".join(cells.cast(pl.String).fill_null("")).encode())
    return told.hexdigest()


def main(way: str, path: str) -> None:
    """Write once; print seconds, peak memory and the hash of what is read back."""
    frame, write = pl.read_parquet(path), WAYS[way]
    write(frame.head(2))  # importing is not writing
    began = time.monotonic()
    content = write(frame)
    seconds, peak = time.monotonic() - began, peak_mb()
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "answer_sha256": answer(content, frame)}))


def export_xlsx() -> list[Line]:
    """permu at most 1.3 × the fastest library; the mark is the Rust writer (a library that the tests alone need)."""
    import tempfile
    from importlib.util import find_spec

    with tempfile.TemporaryDirectory() as folder:
        path = table(Path(folder) / "table.parquet")
        words = [sys.executable, "-m", "tests.bench.export"]
        ways = [w for w in WAYS if w != "rustpy" or find_spec("rustpy_xlsxwriter")]
        runs = in_turn({way: [*words, way, str(path)] for way in ways}, once=("polars", "xlsxwriter"))
    return lines("export_xlsx", ROWS, runs, mark="rustpy" if "rustpy" in runs else "xlsxwriter")


if __name__ == "__main__":
    main(*sys.argv[1:])
