""".zip of any file that can be read, within bounds; file geodatabases; workbooks under another name."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import polars as pl
import pytest
import shapely

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.load import LoadReport, ingest
from ingest.read import open_file

pytestmark = pytest.mark.filterwarnings("ignore")
TEXT = "户号,户名,月份,用电量\n0000000001,甲厂,202401,5\n0000000002,乙厂,202401,7\n"
SQUARE = shapely.box(120.9, 31.3, 120.901, 31.301)


def pack(path: Path, files: dict[str, bytes], **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as packed:  # type: ignore[call-overload]
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def parcels(path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {"宗地代码": ["320583001001GB00001"], "权利人": ["甲公司"], "宗地面积": [1.5]}
    gpd.GeoDataFrame(data, geometry=[SQUARE], crs="EPSG:4490").to_file(path, **options)
    return path


def one(home: Warehouse, path: Path, source: str) -> LoadReport:
    (report,) = ingest(home, [path], source=source, year=2024)
    assert report.rows_in == report.kept + report.refused + report.furniture
    return report


def kept(home: Warehouse, report: LoadReport, table: str) -> pl.DataFrame:
    return pl.read_parquet(home.canonical / report.source / report.load_id / f"{table}.parquet", glob=False)


def why(path: Path) -> PermuError:
    with pytest.raises(PermuError) as error:
        for sheet in open_file(path):
            list(sheet.read())
    assert error.value.code == "unreadable_file"
    assert "\n" not in error.value.en
    assert "permu-" not in error.value.en, "the temporary folder means nothing to a person"
    return error.value


# --- what is taken -----------------------------------------------------------------------------------------------


def test_a_zip_of_tables(home: Warehouse, tmp_path: Path) -> None:
    pl.DataFrame({"户号": ["9"], "月份": ["202403"], "用电量": [1.5]}).write_ipc(tmp_path / "三月.feather")
    files = {
        "1月/用电.csv": TEXT.encode(),
        "2月.csv": TEXT.replace("202401", "202402").encode("gbk"),
        "三月.feather": (tmp_path / "三月.feather").read_bytes(),
        "__MACOSX/._2月.csv": b"\0",
        "说明.pdf": b"%PDF-1.7",
    }
    report = one(home, pack(tmp_path / "drop" / "用电.zip", files), "power")
    assert (report.kept, report.furniture) == (5, 2)
    assert kept(home, report, "usage").select("sheet", "row").rows() == [
        ("1月/用电.csv", 2), ("1月/用电.csv", 3), ("2月.csv", 2), ("2月.csv", 3), ("三月.feather", 1),
    ]  # fmt: skip


def test_names_in_gbk(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"XXXX.csv": TEXT.encode()})
    path.write_bytes(path.read_bytes().replace(b"XXXX", "用电".encode("gbk")))
    assert [s.name for s in open_file(path)] == ["用电.csv"]


def test_a_zipped_shapefile(home: Warehouse, tmp_path: Path) -> None:
    parcels(tmp_path / "宗地.shp", encoding="GB18030")
    parts = {f"图/{f.name}": f.read_bytes() for f in tmp_path.glob("宗地.*") if f.suffix != ".cpg"}
    report = one(home, pack(tmp_path / "z" / "宗地.zip", parts), "land")
    assert kept(home, report, "parcel")["holder_name"].to_list() == ["甲公司"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_geodatabase(home: Warehouse, tmp_path: Path, packed: bool) -> None:
    folder = parcels(tmp_path / "land" / "宗地.gdb", driver="OpenFileGDB", layer="ZD")
    path = folder
    if packed:
        files = {f"宗地.gdb/{f.name}": f.read_bytes() for f in folder.iterdir()}
        path = pack(tmp_path / "zipped" / "land" / "宗地.zip", files)
    report = one(home, path, "land")
    table = kept(home, report, "parcel")
    assert table.select("parcel_code", "holder_name", "area_dm2").rows() == [("320583001001GB00001", "甲公司", 150)]
    assert shapely.from_wkb(table["geometry"][0]).symmetric_difference(SQUARE).area < 1e-12
    raw = home.loads / report.load_id
    assert (raw / path.name).exists()
    assert packed or any((raw / path.name).glob("*.gdbtable"))


def test_a_geodatabase_in_a_folder_is_one_file(home: Warehouse, tmp_path: Path) -> None:
    parcels(tmp_path / "drops" / "land" / "宗地.gdb", driver="OpenFileGDB")
    assert [(r.file, r.kept) for r in ingest(home, [tmp_path / "drops"], year=2024)] == [("宗地.gdb", 1)]


def test_feather_and_arrow(home: Warehouse, tmp_path: Path) -> None:
    frame = pl.DataFrame({"单位名称": ["甲", "乙"], "参保人数": [12, 30], "月份": [202401] * 2, "照片": [b"1", b"2"]})
    frame.write_ipc(tmp_path / "参保.feather", compression="lz4")
    assert one(home, tmp_path / "参保.feather", "hr").kept == 2


@pytest.mark.parametrize("name", ["甲.xls", "甲.et", "甲.csv", "甲"])
def test_a_workbook_under_another_name(home: Warehouse, tmp_path: Path, name: str) -> None:
    frame = pl.read_csv(io.StringIO(TEXT), infer_schema=False)
    frame.write_excel(tmp_path / "a.xlsx")
    shutil.move(tmp_path / "a.xlsx", tmp_path / name)
    assert one(home, tmp_path / name, "power").kept == 2


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../用电.csv", "/tmp/用电.csv", "a/../../b.csv", "C:\\用电.csv", "..\\b.csv"])
def test_a_name_that_leaves_the_folder(tmp_path: Path, name: str) -> None:
    assert "leads elsewhere" in why(pack(tmp_path / "a.zip", {"x.csv": TEXT.encode(), name: TEXT.encode()})).en
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_a_link(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        link = zipfile.ZipInfo("用电.csv")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")
    assert "leads elsewhere" in why(path).en


def test_an_archive_in_an_archive(tmp_path: Path) -> None:
    inner = pack(tmp_path / "i.zip", {"用电.csv": TEXT.encode()}).read_bytes()
    assert "archive in the archive" in why(pack(tmp_path / "a.zip", {"b.zip": inner})).en
    assert "archive in the archive" in why(pack(tmp_path / "b.zip", {"b.csv": inner})).en


def test_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("用电.csv", "w") as out:
        for _ in range(100):
            out.write(b"0" * (1 << 20))
    assert path.stat().st_size < 1 << 20
    assert "too much" in why(path).en


def test_an_archive_that_lies_about_its_sizes(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"用电.csv": TEXT.encode() + b"1,1,1,1\n" * 100_000})
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 50)
    path.write_bytes(data)
    why(path)


def test_too_many_files(tmp_path: Path) -> None:
    assert "2001 files" in why(pack(tmp_path / "a.zip", {f"{i}.csv": b"" for i in range(2001)})).en


def test_a_password(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"用电.csv": TEXT.encode()})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    path.write_bytes(data)
    assert "password" in why(path).en


@pytest.mark.parametrize("keep", [30, 60, 100, -10, -60])
def test_a_truncated_archive(tmp_path: Path, keep: int) -> None:
    path = pack(tmp_path / "a.zip", {"用电.csv": TEXT.encode(), "b.csv": TEXT.encode()})
    path.write_bytes(path.read_bytes()[:keep])
    why(path)


def test_nothing_in_it_and_something_unreadable_in_it(tmp_path: Path) -> None:
    assert "no data file" in why(pack(tmp_path / "a.zip", {"说明.pdf": b"%PDF"})).en
    assert "b.zip → 用电.csv" in why(pack(tmp_path / "b.zip", {"用电.csv": b"%PDF-1.7"})).en
