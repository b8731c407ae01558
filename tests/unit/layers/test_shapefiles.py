"""Shapefiles: names of at most ten bytes that tell fields apart, text in GBK, and the list of fields in the zip."""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.layers import table
from engine.layers.files import export
from engine.layers.shapefile import shortened
from engine.releases import Release
from engine.schema.columns import BESIDE, COLUMNS
from engine.schema.errors import PermuError

NAMES = st.one_of(
    st.sampled_from([*COLUMNS, *BESIDE]),
    st.text("abcXYZ_019亩均税收产出", min_size=1, max_size=24),
    st.text(st.characters(codec="gbk", categories=("L", "N")), min_size=1, max_size=16),
)


@given(st.lists(NAMES, min_size=1, max_size=60, unique=True))
def test_names_are_at_most_ten_bytes_and_told_apart(names: list[str]) -> None:
    short = shortened(names)
    assert list(short) == names and all(0 < len(s.encode("gbk")) <= 10 for s in short.values())
    assert len({s.lower() for s in short.values()}) == len(names)  # dBASE does not tell upper from lower case


def test_the_zip_explains_every_field(graded: Release, tmp_path: Path) -> None:
    export(graded, "parcels", "shp", tmp_path / "宗地.zip")
    with zipfile.ZipFile(tmp_path / "宗地.zip") as archive:
        assert sorted(archive.namelist()) == [
            "parcels.cpg", "parcels.dbf", "parcels.fields.txt", "parcels.prj", "parcels.qml", "parcels.shp", "parcels.shx",
        ]  # fmt: skip
        assert archive.read("parcels.cpg").strip() == b"GBK" and "China_2000" in archive.read("parcels.prj").decode()
        words = archive.read("parcels.fields.txt").decode("utf-8-sig")
    read = gpd.read_file(tmp_path / "宗地.zip")
    told = [line.split("\t")[0] for line in words.splitlines() if line.count("\t") == 5][1:]
    assert told == [c for c in read.columns if c != "geometry"] and "合成数据" in words
    assert "ben_mu\tbenefit_per_mu\t亩均效益\tBenefit per mu\t万元/亩\t10,000 yuan per mu" in words


def test_text_is_gbk_and_comes_back_as_it_was(graded: Release, tmp_path: Path) -> None:
    export(graded, "parcels", "shp", tmp_path / "宗地.shp", crs="EPSG:4549")
    read, rows = gpd.read_file(tmp_path / "宗地.shp"), table(graded, "parcels")
    assert read.crs == "EPSG:4549" and len(read.columns) == len(rows.columns)
    assert read["name"].dropna().tolist() == rows["name"].drop_nulls().to_list()
    assert rows["name"].drop_nulls()[0].encode("gbk") in (tmp_path / "宗地.dbf").read_bytes()
    with pytest.raises(PermuError, match=r"ends in \.shp"):
        export(graded, "parcels", "shp", tmp_path / "parcels.gdb")


def test_what_gbk_and_dbase_cannot_hold_is_told(graded: Release, tmp_path: Path) -> None:
    """A rare character becomes 〓 and is counted; of a long list as many whole ids are kept as fit."""
    shutil.copytree(graded.folder, tmp_path / "r")
    owner = table(graded, "parcels").filter(pl.col("enterprises") == 1)["enterprise_id"][0]
    renamed = pl.when(pl.col("enterprise_id") == owner).then(pl.lit("䶮" + "𠮷" + "纺" * 200)).otherwise("name")
    graded.rankings.with_columns(name=renamed).write_parquet(tmp_path / "r" / "rankings.parquet")
    uses = pl.read_parquet(tmp_path / "r" / "land_use.parquet")
    line = uses.filter(pl.col("enterprise_id") == owner).head(1)
    more = pl.concat(
        [line.with_columns(enterprise_id=pl.lit(f"{n:016}"), dm2_days=pl.lit(1, pl.Int64)) for n in range(30)]
    )
    pl.concat([uses, more]).write_parquet(tmp_path / "r" / "land_use.parquet")
    changed = dataclasses.replace(graded, folder=tmp_path / "r")
    export(changed, "parcels", "shp", tmp_path / "p.shp")
    read = gpd.read_file(tmp_path / "p.shp")
    row = read[read["ent_id"] == owner].iloc[0]
    assert row["name"].startswith("〓〓纺纺") and len(row["name"].encode("gbk")) == 254
    ids = row["ent_ids"].split(",")
    assert row["ent_count"] == 31 and len(ids) == 15 and all(len(i) == 16 for i in ids)
    told = (tmp_path / "p.fields.txt").read_text("utf-8-sig")
    count = int((read["ent_id"] == owner).sum())
    assert f"a character that GBK lacks: {count}\n" in told
