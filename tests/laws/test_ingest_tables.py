"""Laws of finding a table: the order of columns, what stands around it, its file's kind and its spelling change nothing."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from random import Random

import polars as pl
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.schema.warehouse import Warehouse
from ingest.load import ingest

# field → header in Chinese, in English, three firms' values
COLUMNS = {
    "uscc": ("统一社会信用代码", "Credit code", ["91110108551385082Q", "91110000600037341L", "91310112087994932F"]),
    "name": ("企业名称", "Name", ["苏州甲有限公司", "乙厂", "丙集团"]),
    "main_revenue_fen": ("主营业务收入", "Revenue", ["1234.5", "0", "88"]),
    "output_value_fen": ("工业总产值", "Output value", ["2000", "3", "99.25"]),
    "employees": ("平均用工人数", "Employees", ["30", "4", "500"]),
    "note": ("备注", "Remarks", ["", "x", "好"]),
}
TITLES = [["2024年统计年报"], ["单位：万元"], [], ["填报单位：示例", "", "联系电话：0512"], ["Statistics of industry"]]
KINDS = ["csv", "gbk", "tsv", "xlsx", "html", "zip"]
full_width = str.maketrans("0123456789.", "０１２３４５６７８９．")


def grid(order: list[str], titles: list[list[str]], bilingual: bool, spaced: bool, luck: Random) -> list[list[str]]:
    """The table's cells; where ``spaced``, with full-width digits, spaces inside headers and an empty column before it."""
    head = [[COLUMNS[c][0] for c in order], *([[COLUMNS[c][1] for c in order]] if bilingual else [])]
    body = [[COLUMNS[c][2][i] for c in order] for i in range(3)]
    if spaced:
        head[0] = [" ".join(h[:2]) + h[2:] for h in head[0]]
        body = [
            [
                v.translate(full_width) if luck.random() < 0.5 and c != "name" else v
                for c, v in zip(order, r, strict=True)
            ]
            for r in body
        ]
        head, body = [["", *r] for r in head], [["", *r] for r in body]
    total = [{"name": "合计", "main_revenue_fen": "1322.5"}.get(c, "") for c in order]
    return [*titles, *head, *body, ["", *total] if spaced else total, ["注：快报数"]]


def write(rows: list[list[str]], kind: str, folder: Path) -> Path:
    path = folder / f"2024.{ {'gbk': 'csv', 'html': 'xls', 'tsv': 'txt'}.get(kind, kind) }"
    text = "\n".join(("\t" if kind == "tsv" else ",").join(r) for r in rows) + "\n"
    if kind == "xlsx":
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for at, row in enumerate(rows):
                for place, cell in enumerate(row):
                    sheet.write_string(at, place, cell) if cell else None
    elif kind == "html":
        body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
        path.write_text(f"<html><table>{body}</table></html>", "utf-8")
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("统计/2024.csv", text)
    else:
        path.write_bytes(text.encode("gb18030" if kind == "gbk" else "utf-8"))
    return path


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.permutations(list(COLUMNS)), st.lists(st.sampled_from(TITLES), max_size=3), st.booleans(), st.booleans(),
    st.sampled_from(KINDS), st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_same_firms_whatever_the_table_looks_like(
    order: list[str], titles: list[list[str]], bilingual: bool, spaced: bool, kind: str, luck: Random
) -> None:
    rows = grid(order, [["单位：万元"], *titles], bilingual, spaced, luck)
    with tempfile.TemporaryDirectory() as folder:
        path = write(rows, kind, Path(folder))
        home = Warehouse(Path(folder) / "warehouse")
        (report,) = ingest(home, [path], source="statistics", year=2024)
        found = pl.read_parquet(home.canonical / "statistics" / report.load_id / "annual.parquet", glob=False)
    assert (report.kept, report.refused) == (3, 0)
    assert report.rows_in == report.kept + report.furniture == sum(any(c.strip() for c in r) for r in rows)
    assert found.sort("uscc").select(
        "uscc", "name", "main_revenue_fen", "output_value_fen", "employees"
    ).rows() == sorted(
        (u, n, int(float(r) * 10**6), int(float(o) * 10**6), int(e))
        for u, n, r, o, e in zip(*(COLUMNS[c][2] for c in list(COLUMNS)[:5]), strict=True)
    )
