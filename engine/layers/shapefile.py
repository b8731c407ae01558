"""A layer as shapefile, for desktops that read nothing else: text in GBK, field names of at most ten characters, each of
them explained in a list that travels with it."""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from engine.layers import files
from engine.layers.origin import dated, texts
from engine.layers.style import qml
from engine.releases import Release
from engine.schema.columns import column
from engine.schema.errors import PermuError

ENCODING = "GBK"
# Where the first ten characters would not tell two apart or say little.
SHORT = {
    "parcel_code": "parcel", "enterprise_id": "ent_id", "enterprise_ids": "ent_ids", "enterprises": "ent_count",
    "industry_code": "industry", "region_code": "region_cd", "scale_group": "scale_grp", "output_per_mu": "out_mu",
    "benefit_per_mu": "ben_mu", "rank_output_per_mu": "rank_out", "rank_benefit_per_mu": "rank_ben",
    "output_wan_yuan": "out_wan", "tax_wan_yuan": "tax_wan",
}  # fmt: skip
_NAME, _TEXT = 10, 254  # bytes of a field's name and of a text in dBASE
_STAND_IN = "〓"  # what print shops set where a character is not in the case


def write(release: Release, layer: str, rows: pl.DataFrame, place: Path, crs: str, told: dict[str, Any]) -> None:
    """``place`` ends in .shp (the other files beside it) or .zip (all of them in it, with the list of fields)."""
    if place.suffix.lower() not in (".shp", ".zip"):
        raise PermuError(
            "bad_out",
            f"--out {place.name}: a shapefile's name ends in .shp (its .dbf, .shx, .prj and .cpg are written beside it) "
            "or in .zip (all of them in one file)",
            f"--out {place.name}：shapefile 的文件名须以 .shp（.dbf、.shx、.prj、.cpg 同时写出）或 .zip（打包）结尾",
        )
    zipped = place.suffix.lower() == ".zip"
    main = place.with_name(f"{layer}.shp") if zipped else place
    names = shortened(c for c in rows.columns if c != "geometry")
    printed, replaced = _printable(rows)
    day = f"{dated(release):%Y-%m-%d}"  # a .dbf has a date: were it today's, the same rows gave other bytes tomorrow
    files.put(printed.rename(names), main, "shp", layer, crs, encoding=ENCODING, DBF_DATE_LAST_UPDATE=day)
    listed = _fields(release, layer, names, crs, replaced, told)
    main.with_name(f"{main.stem}.fields.txt").write_text(listed, encoding="utf-8-sig")
    if "grade" in names:
        main.with_suffix(".qml").write_text(qml(names["grade"]), encoding="utf-8")
    if zipped:
        _pack(place, main)


def _pack(place: Path, main: Path) -> None:
    parts = sorted(main.parent.glob(f"{main.stem}.*"))
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            if part != place:
                archive.writestr(
                    zipfile.ZipInfo(part.name, (1980, 1, 1, 0, 0, 0)), part.read_bytes(), zipfile.ZIP_DEFLATED
                )
                part.unlink()


def _clipped(text: str, most: int) -> str:
    return text.encode(ENCODING, "ignore")[:most].decode(ENCODING, "ignore")


def shortened(names: Iterable[str]) -> dict[str, str]:
    """Long name → one of at most ten bytes in GBK, each of them once (dBASE does not tell upper from lower case)."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        short, number = _clipped(SHORT.get(name, name), _NAME) or "field", 1
        while short.lower() in taken:
            number += 1
            short = f"{_clipped(name, _NAME - len(str(number)))}{number}"
        found[name] = short
        taken.add(short.lower())
    return found


def _printable(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Text that GBK and a dBASE field can hold: other characters become 〓, lists keep as many whole ids as fit.

    Returns how many texts lost a character.
    """
    lists = [c for c, kind in rows.schema.items() if isinstance(kind, pl.List)]
    rows = rows.with_columns(pl.col(c).list.join(",").map_elements(_whole, pl.String) for c in lists)
    codecs.register_error("stand_in", lambda error: (_STAND_IN, error.end))  # type: ignore[attr-defined]
    changed, replaced = [], 0
    for name in (c for c, kind in rows.schema.items() if kind == pl.String):
        was = rows[name]
        is_now = pl.Series(name, [t if t is None or t.isascii() else _fitting(t) for t in was], dtype=pl.String)
        replaced += int((is_now != was).sum())
        changed.append(is_now)
    return rows.with_columns(changed), replaced


def _fitting(text: str) -> str:
    return text.encode(ENCODING, "stand_in")[:_TEXT].decode(ENCODING, "ignore")


def _whole(ids: str) -> str:
    return ids if len(ids) <= _TEXT else ids[: ids.rfind(",", 0, _TEXT + 1)]


def _fields(release: Release, layer: str, names: dict[str, str], crs: str, replaced: int, told: dict[str, Any]) -> str:
    """The list of fields in words, under where the file comes from."""
    made_up = "合成数据，非真实企业 Synthetic data, no real enterprise\n" if release.manifest.get("synthetic") else ""
    head = (
        f"{layer} · {release.id}\n{made_up}坐标系 CRS: {crs}; 文字编码 text: {ENCODING} (.cpg)\n"
        f"无法用 GBK 表示的字以 {_STAND_IN} 代替 texts with a character that GBK lacks: {replaced}\n\n"
        "来源 provenance\n" + "".join(f"{name}: {text}\n" for name, text in texts(told).items()) + "\n"
        "字段\tfield\t名称\ttitle\t单位\tunit\n"
    )
    fields = [(short, column(name)) for name, short in names.items()]
    lines = [f"{s}\t{c.name}\t{c.zh}\t{c.en}\t{c.unit_zh}\t{c.unit_en}\n" for s, c in fields]
    return head + "".join(lines)
