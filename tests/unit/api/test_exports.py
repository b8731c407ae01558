"""Files read back by other libraries: openpyxl, Python's csv, pyarrow, pyogrio."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from fastapi.testclient import TestClient

from api.app import create_app
from api.exports import download as downloading
from api.exports import formats as writing
from api.exports.formats import disarmed
from api.exports.table import Rows
from engine.schema.columns import COLUMNS, ROW, column
from engine.schema.warehouse import Warehouse

RANKINGS = "/api/v1/rankings"
BOTTOM = "/api/v1/rankings/bottom"


def fetched(client: TestClient, path: str, form: str, **asked: Any) -> bytes:
    answer = client.get(path, params={**asked, "format": form})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == writing.MEDIA[form]
    assert 'filename="permu-20' in answer.headers["content-disposition"]
    return answer.content


def lines(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_holds_the_json_rows(client: TestClient) -> None:
    rows = client.get(RANKINGS, params={"limit": 100}).json()["rows"]
    found = lines(fetched(client, RANKINGS, "csv"))
    assert [f["enterprise_id"] for f in found] == [r["enterprise_id"] for r in rows]
    for name in ("rank", "of", "percentile", "uscc", "land_mu", "output_per_mu", "industry_name", "region_name"):
        for file_row, row in zip(found, rows, strict=True):
            given = row[name]
            shown = file_row[name]
            assert shown == "" if given is None else type(given)(shown) == given, name
    assert found[0]["rank__output_per_mu__all"] == "1"


def test_csv_carries_its_origin_in_every_row(client: TestClient, ids: dict[str, str]) -> None:
    for row in lines(fetched(client, RANKINGS, "csv", limit=3)):
        assert row["release_id"] == ids["2024"] and row["policy"] == "sunan-2017" and row["year"] == "2024"
        assert row["exported_rows"] == "3" and row["exported_at"] and row["exported_by"] and row["loads_digest"]


def test_csv_disarms_formulas_in_text_and_leaves_numbers(client: TestClient) -> None:
    found = {r["enterprise_id"]: r for r in lines(fetched(client, RANKINGS, "csv"))}
    assert found["E10"]["name"] == "'=cmd|' /C calc'!A0" and found["E12"]["name"] == "'@SUM(1)"
    assert found["E10"]["tax_wan_yuan"] == "-10000.0"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_every_opening_of_a_formula_is_disarmed(start: str) -> None:
    frame = disarmed(pl.DataFrame({"t": [start + "1+1", "a" + start, None], "n": [-1, 2, None]}))
    assert frame["t"].to_list() == ["'" + start + "1+1", "a" + start, None] and frame["n"].to_list() == [-1, 2, None]


@pytest.fixture(scope="module")
def book(client: TestClient) -> openpyxl.Workbook:
    content = fetched(client, RANKINGS, "xlsx", policy="huaian-2024")
    return openpyxl.load_workbook(io.BytesIO(content))


def test_xlsx_is_what_an_official_hands_on(book: openpyxl.Workbook, ids: dict[str, str]) -> None:
    page, notes = book["排名"], book["说明"]
    assert page["A1"].value == "2024年工业企业综合得分排名" and "合成演示数据" in page["A2"].value
    heads = [c.value for c in page[5]]
    assert heads[:4] == ["名次\nRank", "参评数\nOf", "百分位\nPercentile", "企业编号\nEnterprise id"]
    units = dict(zip(heads, [c.value for c in page[6]], strict=True))
    assert units["用地面积\nLand"] == "亩" and units["亩均效益\nBenefit per mu"] == "万元/亩"
    assert page.freeze_panes == "G7" and page.auto_filter.ref.startswith("A6:") and page.max_row == 6 + 12
    told = {r[0].value: r[1].value for r in notes.iter_rows()}
    assert told["发布版本"] == ids["graded"] and told["行数"] == "12 / 12" and "huaian-2024" in told["评价办法"]
    assert "10" in told["基准值"] and "宗地.xlsx" in told["数据来源文件"] and told["导出人"] and told["导出时间（UTC）"]
    assert page.auto_filter.ref == f"A6:{page.cell(18, page.max_column).coordinate}"
    grade = page.cell(1, heads.index("等级\nGrade") + 1).column_letter
    coloured = {str(found.sqref): found.rules for found in page.conditional_formatting}
    assert list(coloured) == [f"{grade}7:{grade}18"]
    rules = coloured[f"{grade}7:{grade}18"]
    fills = {rule.formula[0].strip('"'): rule.dxf.fill.bgColor.rgb[-6:] for rule in rules}
    assert fills == {"A": "D5EBDD", "B": "DCE8F5", "C": "FBEFD0", "D": "F6D9D5", "T": "E7E7E7"}


def test_xlsx_cells_keep_text_numbers_and_gaps(book: openpyxl.Workbook) -> None:
    page = book["排名"]
    heads = [str(c.value).split("\n")[0] for c in page[5]]
    rows = {r[heads.index("企业编号")].value: dict(zip(heads, r, strict=True)) for r in page.iter_rows(min_row=7)}
    code = rows["E01"]["统一社会信用代码"]
    assert code.data_type == "s" and len(code.value) == 18 and code.number_format == "@"
    assert rows["E10"]["企业名称"].value == "=cmd|' /C calc'!A0" and rows["E10"]["企业名称"].data_type == "s"
    assert rows["E01"]["亩均产出"].value == 6000.0 and rows["E01"]["亩均产出"].number_format == "#,##0.00"
    assert rows["E05"]["产出"].value is None and rows["E05"]["名次"].value is None and rows["E04"]["税收"].value == 0


def test_xlsx_in_english_and_of_nobody(client: TestClient) -> None:
    empty = openpyxl.load_workbook(io.BytesIO(fetched(client, RANKINGS, "xlsx", industry="99", lang="en")))
    assert empty["Ranking"]["A5"].value == "Rank\n名次" and empty["Notes"]["B1"].value.startswith(
        "Industrial enterprises 2024"
    )


def test_a_sheet_that_does_not_fit_is_refused_whole(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "XLSX_ROWS", 11)
    answer = client.get(RANKINGS, params={"format": "xlsx"})
    assert answer.status_code == 400 and answer.json()["code"] == "too_many_rows"


def test_bottom_lists_as_files_carry_their_groups(client: TestClient) -> None:
    asked = {"count": 1, "within": "industry,size"}
    groups = client.get(BOTTOM, params=asked).json()["groups"]
    expected = [(g["key"]["industry"], r["enterprise_id"], r["rank"], g["of"]) for g in groups for r in g["rows"]]
    found = lines(fetched(client, BOTTOM, "csv", **asked))
    assert [(f["within_industry"], f["enterprise_id"], int(f["rank"]), int(f["of"])) for f in found] == expected
    book = openpyxl.load_workbook(io.BytesIO(fetched(client, BOTTOM, "xlsx", **asked)))
    assert book["排名"]["A5"].value == "分组·行业大类\nGroup: industry division"


def test_parquet_and_arrow_keep_types_and_origin(client: TestClient, ids: dict[str, str]) -> None:
    table = pq.read_table(io.BytesIO(fetched(client, RANKINGS, "parquet", by="benefit_per_mu")))
    stream = pa.ipc.open_file(fetched(client, RANKINGS, "arrow", by="benefit_per_mu")).read_all()
    for found in (table, stream):
        origin = json.loads(found.schema.metadata[b"permu"])
        assert origin["release_id"] == ids["2024"] and origin["rows"] == 12 and origin["loads"] and origin["who"]
        assert origin["question"] == {"by": "benefit_per_mu"}
        assert found.column("enterprise_id")[0].as_py() == "E09" and pa.types.is_floating(
            found.schema.field("tax_wan_yuan").type
        )
    assert table.column_names == stream.column_names


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
@pytest.mark.parametrize("path", [RANKINGS, BOTTOM])
def test_slices_make_the_same_file(client: TestClient, monkeypatch: pytest.MonkeyPatch, form: str, path: str) -> None:
    asked: dict[str, Any] = {"by": "benefit_per_mu"} | (
        {"count": 2, "within": "industry,size"} if path == BOTTOM else {}
    )

    def rows() -> list[dict[str, Any]]:
        content = fetched(client, path, form, **asked)
        if form == "csv":
            return [{k: v for k, v in r.items() if k != "exported_at"} for r in lines(content)]
        read = pq.read_table(io.BytesIO(content)) if form == "parquet" else pa.ipc.open_file(content).read_all()
        return list(read.to_pylist())

    whole = rows()
    monkeypatch.setattr(downloading, "SLICE", 3)
    assert len(whole) > 6 and rows() == whole


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
def test_a_csv_is_packed_on_the_way(client: TestClient, encoding: str) -> None:
    answer = client.get(RANKINGS, params={"format": "csv"}, headers={"Accept-Encoding": encoding})
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert len(lines(answer.content)) == 12
    kept = client.get(RANKINGS, params={"format": "csv"}, headers={"If-None-Match": answer.headers["etag"]})
    assert kept.status_code == 304


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow", "xlsx"])
def test_a_failure_in_the_middle_gives_a_problem_not_a_cut_file(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """The third slice fails: nothing has gone out yet."""
    monkeypatch.setattr(downloading, "SLICE", 4)
    real = Rows.frame

    def frame(self: Rows, start: int = 0, stop: int | None = None) -> pl.DataFrame:
        if start >= 8 or (form == "xlsx" and start == 0):
            raise OSError("no space left on the disk")
        return real(self, start, stop)

    monkeypatch.setattr(Rows, "frame", frame)
    with TestClient(create_app(warehouse), base_url="http://127.0.0.1", raise_server_exceptions=False) as own:
        answer = own.get(RANKINGS, params={"format": form})
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert "content-disposition" not in answer.headers


def test_limit_and_cursor_hold_for_files(client: TestClient) -> None:
    page = client.get(RANKINGS, params={"limit": 5}).json()
    found = lines(fetched(client, RANKINGS, "csv", limit=3, cursor=page["next"]))
    assert [r["enterprise_id"] for r in found] == ["E11", "E12", "E04"]


def test_every_exported_column_is_in_the_dictionary(client: TestClient) -> None:
    own = {"policy", "year", "loads_digest", "exported_at", "exported_by", "exported_rows"}
    for policy in ("sunan-2017", "huaian-2024"):
        for name in lines(fetched(client, RANKINGS, "csv", policy=policy))[0]:
            assert name in own or column(name).zh != name, name
    assert set(ROW) <= set(COLUMNS)


# --- GeoJSON -----------------------------------------------------------------------------------------------------


def test_parcels_are_read_back_by_gdal(client: TestClient, tmp_path: Path) -> None:
    answer = client.get("/layers/parcels.geojson", params={"policy": "huaian-2024"})
    assert answer.headers["content-type"] == "application/geo+json"
    (tmp_path / "p.geojson").write_bytes(answer.content)
    found = pyogrio.read_dataframe(tmp_path / "p.geojson")
    assert len(found) == 12 and found.crs.to_epsg() == 4326 and found.geometry.isna().sum() == 1
    first = found.iloc[0]
    assert (first.parcel_code, first.enterprise_id, first.enterprises, first["rank"], first.grade) == (
        "320507001001GB00000",
        "E01",
        2,
        1,
        "A",
    )
    assert list(found["rank"].dropna()) == [1, 3, 2, 4, 5, 6, 7, 8, 9, 10]
    assert first.output_per_mu == 6000.0 and list(first.enterprise_ids) == ["E01", "E02"]


def test_geojson_follows_rfc_7946(client: TestClient) -> None:
    body = client.get("/layers/parcels.geojson").json()
    assert body["type"] == "FeatureCollection" and "crs" not in body
    for feature in body["features"][:-1]:
        ring = feature["geometry"]["coordinates"][0]
        assert shapely.LinearRing(ring).is_ccw and ring[0] == ring[-1]
        assert all(round(v, 7) == v for point in ring for v in point) and 119 < ring[0][0] < 122
    assert body["features"][-1]["geometry"] is None
    assert len({f["id"] for f in body["features"]}) == 12


def test_geojson_has_etag_range_and_gzip(client: TestClient) -> None:
    path = "/layers/parcels.geojson"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    tag = plain.headers["etag"]
    assert (
        not tag.startswith("W/")
        and client.get(path, headers={"Accept-Encoding": "identity", "If-None-Match": tag}).status_code == 304
    )
    part = client.get(path, headers={"Accept-Encoding": "identity", "Range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == plain.content[10:20]
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip" and packed.headers["etag"] != tag
    assert gzip.decompress(raw) == plain.content
