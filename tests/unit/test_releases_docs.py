"""docs/releases.md against a release: the hash worked out as the page says, the manifest's names as the page lists them."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from pathlib import Path

import polars as pl

from engine.fingerprint import table_sha256
from engine.releases import find
from engine.schema.warehouse import Warehouse

WIDTHS = {"Int32": "<i", "Int64": "<q", "Float64": "<d", "Boolean": "<B", "Date": "<i"}


def by_the_page(frame: pl.DataFrame) -> str:
    """rankings_sha256 in plain Python, row by row."""
    told = hashlib.sha256()
    for name in frame.columns:
        kind, values = str(frame.schema[name]), frame[name].to_physical().to_list()
        told.update(name.encode() + b"\0" + kind.encode() + b"\0")
        bits = bytearray((len(values) + 7) // 8)
        for row, value in enumerate(values):
            bits[row // 8] |= (value is not None) << row % 8
        told.update(bits)
        if kind == "String":
            texts = [(value or "").encode() for value in values]
            told.update(b"".join(struct.pack("<I", len(text)) for text in texts) + b"".join(texts))
        else:
            told.update(b"".join(struct.pack(WIDTHS[kind], value or 0) for value in values))
    return told.hexdigest()


def test_the_hash_is_the_one_that_the_page_describes(demo_home: Warehouse) -> None:
    for policy in ("sunan-2017", "huaian-2024"):
        release = find(demo_home, year=2024, policy=policy)
        table = pl.read_parquet(release.folder / "rankings.parquet", glob=False)
        assert table["enterprise_id"].is_sorted()
        assert not {"release_id", "load_id"} & set(table.columns)
        assert by_the_page(table) == release.manifest["rankings_sha256"]


def test_every_type_is_hashed_as_the_page_describes() -> None:
    rows = {"a": [1, None], "b": [0.5, None], "c": [True, None], "d": [20000, None], "e": ["亩", None], "f": ["", "x"]}
    types = {"a": pl.Int64, "b": pl.Float64, "c": pl.Boolean, "d": pl.Date, "e": pl.String, "f": pl.String}
    frame = pl.DataFrame(
        {n: pl.Series(n, v).cast(types[n]) for n, v in rows.items()} | {"g": pl.Series([1, 2], dtype=pl.Int32)}
    )
    assert by_the_page(frame) == table_sha256(frame)


def test_the_page_names_what_a_manifest_holds(demo_home: Warehouse, checkout: Path) -> None:
    page = (checkout / "docs/releases.md").read_text("utf-8")
    listed = {
        name
        for line in page.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    manifest = json.loads((find(demo_home, year=2024).folder / "manifest.json").read_text("utf-8"))
    assert listed == set(manifest)
