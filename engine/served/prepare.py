"""Write the files of ``served/`` from a rankings table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from engine.served import coding, orders, rows, shape
from engine.served.layout import DIMENSIONS, FILES, INDEX, VERSION
from engine.served.search import Search


def prepare(table: pl.DataFrame, manifest: dict[str, Any], folder: Path) -> None:
    """Everything of :data:`FILES`, then the index that makes them count; the table in enterprise_id order."""
    folder.mkdir(parents=True)
    table.write_ipc(folder / "table.arrow", compression="uncompressed")
    found = {name: coding.coded(table, columns) for name, columns in DIMENSIONS.items()}
    codes = {name: one for name, (one, _) in found.items()}
    index: dict[str, Any] = {
        "version": VERSION,
        "rows": table.height,
        "dimensions": {n: {"columns": c.to_dict(as_series=False), "type": str(codes[n].dtype)} for n, (_, c) in found.items()},
        "metrics": [m for m in manifest["metrics"] if f"rank__{m}__all" in table.columns],
    }  # fmt: skip
    with ThreadPoolExecutor(1, "permu-rows") as beside:  # Python writes rows, libraries sort
        written = beside.submit(_rows, table, manifest["release_id"], folder)
        _groups(table, found, index, folder)
        written.result()
    index["bytes"] = {name: (folder / name).stat().st_size for name in FILES}
    (folder / INDEX).write_bytes(orjson.dumps(index))


def _groups(
    table: pl.DataFrame, found: dict[str, tuple[np.ndarray, pl.DataFrame]], index: dict[str, Any], folder: Path
) -> None:
    """What ``q`` looks in, the codes, and the orders; told to the index."""
    search = Search.of(table)
    search.names.write(folder / "names.txt", folder / "names.bin")
    search.codes.write(folder / "ids.txt", folder / "ids.bin")
    index["plain"] = search.plain
    with (folder / "codes.bin").open("wb") as file:
        for one, _ in found.values():
            one.tofile(file)
    others = [*shape.indicators(table.schema), *(a for a in shape.AMOUNTS if a in table.columns)]
    index["others"] = [m for m in others if m not in index["metrics"]]
    index["levels"] = _orders(table, index["metrics"], found, folder / "orders.bin")
    with (folder / "orders.bin").open("ab") as file:
        for metric in index["others"]:
            ranks = orders.ranks_by_value(table[metric])
            ranks.tofile(file)
            orders.by_rank(ranks).tofile(file)


def _rows(table: pl.DataFrame, release_id: str, folder: Path) -> None:
    """The rows' text, and where each line starts (and the last one ends)."""
    start = 0
    with (folder / "rows.json").open("wb") as file, (folder / "starts.bin").open("wb") as starts:
        np.zeros(1, dtype=np.int64).tofile(starts)
        for text in rows.lines(table, release_id):
            ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
            (start + 1 + ends).astype(np.int64).tofile(starts)
            file.write(text)
            start += len(text)


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
