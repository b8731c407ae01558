"""Write the files of ``served/`` from a rankings table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from engine.served import coding, orders
from engine.served.layout import DIMENSIONS, FILES, INDEX, VERSION, record_type
from engine.served.search import search_text

_CHUNK = 1 << 16
_WORDS = ("enterprise_id", "uscc", "name")


def prepare(table: pl.DataFrame, manifest: dict[str, Any], folder: Path) -> None:
    """Everything of :data:`FILES`, then the index that makes them count; the table in enterprise_id order."""
    folder.mkdir(parents=True)
    table.write_ipc(folder / "table.arrow", compression="uncompressed")
    pl.DataFrame({"search": search_text(table)}).write_ipc(folder / "search.arrow", compression="uncompressed")
    found = {name: coding.coded(table, columns) for name, columns in DIMENSIONS.items()}
    codes = {name: one for name, (one, _) in found.items()}
    index: dict[str, Any] = {
        "version": VERSION,
        "rows": table.height,
        "figures": [n for n, t in table.schema.items() if t == pl.Float64],
        "ranks": [n for n in table.columns if n.startswith(("rank__", "of__"))],
        "dimensions": {n: {"columns": c.to_dict(as_series=False), "type": str(codes[n].dtype)} for n, (_, c) in found.items()},
        "metrics": [m for m in manifest["metrics"] if f"rank__{m}__all" in table.columns],
    }  # fmt: skip
    ends = _words(table, folder / "words.bin")
    _records(table, codes, ends, index, folder / "records.bin")
    with (folder / "codes.bin").open("wb") as file:
        for one in codes.values():
            one.tofile(file)
    index["levels"] = _orders(table, index["metrics"], found, folder / "orders.bin")
    index["bytes"] = {name: (folder / name).stat().st_size for name in FILES}
    (folder / INDEX).write_bytes(orjson.dumps(index))


def _words(table: pl.DataFrame, place: Path) -> np.ndarray:
    """The JSON of every row's id, credit code and name, one behind the other; where each ends."""
    ends = [np.zeros(1, dtype=np.int64)]
    with place.open("wb") as file:
        for part in table.select(_WORDS).iter_slices(_CHUNK):
            texts = part.select(pl.struct(_WORDS).struct.json_encode()).to_series()
            ends.append(ends[-1][-1] + texts.str.len_bytes().cum_sum().cast(pl.Int64).to_numpy())
            file.write(texts.str.join("").item().encode())
    return np.concatenate(ends)


def _records(
    table: pl.DataFrame, codes: dict[str, np.ndarray], ends: np.ndarray, index: dict[str, Any], place: Path
) -> None:
    kind = record_type(len(index["figures"]), len(index["ranks"]))
    with place.open("wb") as file:
        for start in range(0, table.height, _CHUNK):
            part = table.slice(start, _CHUNK)
            rows = np.empty(part.height, dtype=kind)
            for n, name in enumerate(index["figures"]):
                rows["figures"][:, n] = part[name].fill_null(float("nan")).to_numpy()
            for n, name in enumerate(index["ranks"]):
                rows["ranks"][:, n] = part[name].fill_null(-1).to_numpy()
            for n, one in enumerate(codes.values()):
                rows["codes"][:, n] = one[start : start + _CHUNK]
            rows["word"] = ends[start : start + part.height]
            rows["length"] = np.diff(ends[start : start + part.height + 1])
            rows.tofile(file)


def _orders(
    table: pl.DataFrame, metrics: list[str], found: dict[str, tuple[np.ndarray, pl.DataFrame]], place: Path
) -> list[dict[str, Any]]:
    """For each metric the ranks among all, the order of all, and that order cut by every level; the levels."""
    told: list[dict[str, Any]] = []
    cuts: list[np.ndarray] = []
    for dimension, (codes, combinations) in found.items():
        for level, names in coding.levels(dimension, combinations).items():
            known = names.unique().sort(nulls_last=True)
            group = names.rank("dense").fill_null(known.drop_nulls().len() + 1).to_numpy().astype(np.int64) - 1
            cuts.append(group.astype(np.uint16 if len(known) < 2**16 else np.uint32)[codes])
            ends = orders.starts(cuts[-1], len(known))
            told.append({"dimension": dimension, "level": level, "group": group.tolist(), "starts": ends})
    with place.open("wb") as file:
        for metric in metrics:
            ranks = orders.global_ranks(table, metric)
            order = orders.by_rank(ranks)
            ranks.tofile(file)
            order.tofile(file)
            for cut in cuts:
                orders.by_group(order, cut).tofile(file)
    return told
