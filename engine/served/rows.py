"""Rows of the contract as JSON text, one line each, without what depends on the question (rank, of, percentile).

A row is a sequence of constant pieces (names of columns) and slots (figures). The figures of many rows are written by
one call of orjson over a matrix, cut at the commas and dealt into the slots: 5 µs a row, as a dict it takes 50.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import orjson
import polars as pl

from engine.schema.codes import industry_name, region_name
from engine.schema.columns import ROW
from engine.served import shape

CHUNK = 1 << 10  # rows written at once: their pieces stay in the processor's cache
_SLAB = 1 << 15  # rows whose figures become one matrix
_NAMES: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "industry_name": ("industry_code", industry_name),
    "region_name": ("region_code", region_name),
}
_OWN = ("enterprise_id", "uscc", "name")  # different in every row
_NAN = float("nan")
_PARTS = (("base__", "bases"), ("item__", "items"))
# A slot: the kind of what fills it and its column.
Slot = tuple[str, str]
Piece = bytes | Slot


def lines(table: pl.DataFrame, release_id: str) -> Iterator[bytes]:
    """The rows' text in parts of :data:`CHUNK` rows, each row ended by a line feed."""
    pieces = _merged(_pieces(table, release_id))
    template = [piece if isinstance(piece, bytes) else b"" for piece in pieces]
    slots = [(place, *piece) for place, piece in enumerate(pieces) if not isinstance(piece, bytes)]
    numbers = list(dict.fromkeys(name for _, kind, name in slots if kind == "number"))
    kinds = [(t, m, [n for n in numbers if table.schema[n] == t]) for t, m in ((pl.Int32, -1), (pl.Float64, _NAN))]
    words = {name: _Words(table, name) for _, kind, name in slots if kind == "text"}
    for slab in table.iter_slices(_SLAB):
        matrices = [(_matrix(slab, names, missing), names, missing == -1) for _, missing, names in kinds if names]
        for start in range(0, slab.height, CHUNK):
            part = slab[start : start + CHUNK]
            found = {
                name: texts
                for matrix, names, ranks in matrices
                for name, texts in _numbers(matrix[start : start + CHUNK], names, ranks)
            }
            out, stride = template * part.height, len(template)
            for place, kind, name in slots:
                out[place::stride] = found[name] if kind == "number" else words[name](part)
            yield b"".join(out)


def _matrix(slab: pl.DataFrame, names: list[str], missing: float) -> np.ndarray:
    return np.ascontiguousarray(slab.select(pl.col(names).fill_null(missing)).to_numpy(order="c"))


def _numbers(matrix: np.ndarray, names: list[str], ranks: bool) -> Iterator[tuple[str, list[bytes]]]:
    """Columns of numbers as JSON; missing, NaN and infinite values as null."""
    if len(matrix):
        text = orjson.dumps(matrix, option=orjson.OPT_SERIALIZE_NUMPY)[2:-2]
        text = text.replace(b"],[", b",")
        # ranks are never negative, so in a matrix of them -1 is a missing one
        tokens = (text.replace(b"-1", b"null") if ranks else text).split(b",")
        yield from ((name, tokens[n :: len(names)]) for n, name in enumerate(names))


class _Words:
    """A column of text as JSON: names of codes are looked up, the grade's "" is null, flags are a list."""

    def __init__(self, table: pl.DataFrame, name: str) -> None:
        self.name = name
        self.column = _NAMES[name][0] if name in _NAMES else name
        self.named = _NAMES[name][1] if name in _NAMES else None
        self.held = self.column in table.columns
        self.known: dict[str | None, bytes] = {}

    def __call__(self, part: pl.DataFrame) -> list[bytes]:
        if not self.held:
            return [b"null"] * part.height
        values = part[self.column].to_list()
        if self.name in _OWN:
            return list(map(orjson.dumps, values))
        for value in set(values) - self.known.keys():
            self.known[value] = self._written(value)
        return [self.known[value] for value in values]

    def _written(self, value: str | None) -> bytes:
        if self.named is not None:
            return orjson.dumps(self.named(value) if value else None)
        if self.name == "flags":
            return orjson.dumps(value.split(",") if value else [])
        return orjson.dumps((value or None) if self.name == "grade" else value)


def _merged(pieces: Iterator[Piece]) -> list[Piece]:
    """Neighbouring constants as one."""
    found: list[Piece] = []
    for piece in pieces:
        if found and isinstance(piece, bytes) and isinstance(found[-1], bytes):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def _pieces(table: pl.DataFrame, release_id: str) -> Iterator[Piece]:
    """A row in the order of the contract, from its fourth column on; what the release does not hold is null."""
    for name in ROW[3:]:
        yield from _pair(table, name)
    for name in shape.indicators(table.schema):
        if name not in ROW:
            yield from _pair(table, name)
    for family, title in _PARTS:
        held = [n for n in shape.parts(table.columns) if n.startswith(family)]
        if held:
            yield b',"%b":{' % title.encode()
            for count, name in enumerate(held):
                yield from _pair(table, name, name.removeprefix(family), bool(count))
            yield b"}"
    yield from _ranks(table)
    yield from _pair(table, "flags")
    yield b',"release_id":%b}\n' % orjson.dumps(release_id)


def _pair(table: pl.DataFrame, name: str, title: str = "", comma: bool = True) -> Iterator[Piece]:
    yield (b"," if comma else b"") + orjson.dumps(title or name) + b":"
    if name in _NAMES or table.schema.get(name) == pl.String:
        yield "text", name
    elif name in table.columns:
        yield "number", name
    else:
        yield b"null"


def _ranks(table: pl.DataFrame) -> Iterator[Piece]:
    yield b',"ranks":{'
    for first, (metric, groups) in enumerate(shape.ranked(table.columns).items()):
        yield (b"," if first else b"") + orjson.dumps(metric) + b":{"
        for count, group in enumerate(groups):
            yield (b"," if count else b"") + orjson.dumps(group) + b":{"
            yield from _pair(table, f"rank__{metric}__{group}", "rank", comma=False)
            yield from _pair(table, f"of__{metric}__{group}", "of")
            yield b"}"
        yield b"}"
    yield b"}"
