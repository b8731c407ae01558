"""Rows of the contract as JSON text, straight from the prepared records: the same bytes as dumping :mod:`rows`.

A row is a sequence of constant pieces (names of columns) and slots (figures). Figures of all rows are written by one
call of orjson over a matrix, cut at the commas and dealt into the slots: a row costs 4 µs, as a dict it costs 50.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import orjson

from engine.query.board import Board
from engine.query.rows import ranked_columns
from engine.schema.codes import industry_name, region_name
from engine.schema.columns import ROW
from engine.served import Served
from engine.served.layout import DIMENSIONS

_NAMES: dict[str, Callable[[str], str | None]] = {"industry_code": industry_name, "region_code": region_name}
_CODED = {
    "industry_code": "industry",
    "region_code": "region",
    "size": "size",
    "scale_group": "scale",
    "grade": "grade",
}
_PARTS = (("base__", "bases"), ("item__", "items"))
_DIMENSION = {name: number for number, name in enumerate(DIMENSIONS)}
# A slot: the kind of its figures and which of them it is.
Slot = tuple[str, int]
Piece = bytes | Slot


class RowText:
    """Writes rows of one board; safe to share between threads."""

    def __init__(self, board: Board, served: Served) -> None:
        self._served = served
        self._fragments = {d: _fragments(served, d) for d in ("industry", "region", "size", "scale", "grade", "flags")}
        self._template: list[bytes] = []
        self._slots: list[Slot] = []
        constant = b""
        for piece in _pieces(board, served):
            if isinstance(piece, bytes):
                constant += piece
            else:
                self._template += [constant, b""]
                self._slots.append(piece)
                constant = b""
        self._template.append(constant)

    def __call__(self, rows: np.ndarray, ranks: np.ndarray, of: int) -> bytes:
        """The JSON array of these rows; ``ranks`` those of the asked group (0 = none), ``of`` its size."""
        if not len(rows):
            return b"[]"
        found = self._served.records[rows]
        figures = _tokens(found["figures"])
        stored = [b"null" if token == b"-1" else token for token in _tokens(found["ranks"])]
        codes = found["codes"].T.tolist()
        dealt = {"figures": (figures, found["figures"].shape[1]), "ranks": (stored, found["ranks"].shape[1])}
        out, stride = self._template * len(rows), len(self._template)
        for place, (kind, number) in enumerate(self._slots):
            if kind in dealt:
                tokens, width = dealt[kind]
                filled = tokens[number::width]
            elif kind == "place":
                filled = _places(ranks, of)
            elif kind == "word":
                filled = self._words(found)
            else:
                filled = [self._fragments[kind][code] for code in codes[number]]
            out[2 * place + 1 :: stride] = filled
        return b"[" + b"".join(out)[:-1] + b"]"

    def _words(self, found: np.ndarray) -> list[bytes]:
        words = self._served.words
        starts, lengths = found["word"].tolist(), found["length"].tolist()
        return [words[a + 1 : a + n - 1] for a, n in zip(starts, lengths, strict=True)]  # without the braces


def _tokens(matrix: np.ndarray) -> list[bytes]:
    """Every number of a matrix as JSON, row by row; NaN and infinite values as null."""
    if not matrix.shape[1]:
        return []
    text = orjson.dumps(np.ascontiguousarray(matrix), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[2:-2].replace(b"],[", b",").split(b",")


def _places(ranks: np.ndarray, of: int) -> list[bytes]:
    """``rank``, ``of`` and ``percentile`` of each row."""
    found = ranks.tolist()
    told = [[r, of, None if of == 1 else 100 * (of - r) / (of - 1)] if r else [None, of, None] for r in found]
    texts = orjson.dumps(told)[2:-2].split(b"],[")
    return [b'"rank":%b,"of":%b,"percentile":%b' % tuple(text.split(b",")) for text in texts]


def _fragments(served: Served, dimension: str) -> list[bytes]:
    """What each code of a dimension says in a row, as ``"name":value`` pairs."""
    column = DIMENSIONS[dimension][0]
    texts = []
    for code in served.combinations[dimension][column].to_list():
        pairs = {column: code}
        if dimension == "flags":
            pairs = {"flags": code.split(",") if code else []}
        elif dimension == "grade":
            pairs = {"grade": code or None}
        elif column in _NAMES:
            pairs[column.replace("_code", "_name")] = _NAMES[column](code) if code else None
        texts.append(orjson.dumps(pairs)[1:-1])
    return texts


def _pieces(board: Board, served: Served) -> Iterator[Piece]:
    """A row in the order of the contract; what the release does not hold is null."""
    yield b"{"
    yield "place", 0
    yield b","
    yield "word", 0
    figures = {name: number for number, name in enumerate(served.figures)}
    for name in ROW[6:]:
        if name in _CODED:
            yield b","
            yield _CODED[name], _DIMENSION[_CODED[name]]
        elif not name.endswith("_name"):
            yield from _figure(name, figures)
    for name in dict.fromkeys([*board.indicators, *board.metrics]):
        if name not in ROW:
            yield from _figure(name, figures)
    for family, title in _PARTS:
        held = [n for n in board.parts if n.startswith(family)]
        if held:
            yield b',"%b":{' % title.encode()
            for count, name in enumerate(held):
                yield from _figure(name, figures, name.removeprefix(family), bool(count))
            yield b"}"
    yield from _ranks(board, served)
    yield b","
    yield "flags", _DIMENSION["flags"]
    yield b',"release_id":%b},' % orjson.dumps(board.release_id)


def _figure(name: str, figures: dict[str, int], title: str = "", comma: bool = True) -> Iterator[Piece]:
    yield (b"," if comma else b"") + orjson.dumps(title or name) + b":"
    if name in figures:
        yield "figures", figures[name]
    else:
        yield b"null"


def _ranks(board: Board, served: Served) -> Iterator[Piece]:
    stored = {name: number for number, name in enumerate(served.ranks)}
    yield b',"ranks":{'
    for first, (metric, groups) in enumerate(ranked_columns(board).items()):
        yield (b"," if first else b"") + orjson.dumps(metric) + b":{"
        for count, group in enumerate(groups):
            yield (b"," if count else b"") + orjson.dumps(group) + b':{"rank":'
            yield "ranks", stored[f"rank__{metric}__{group}"]
            yield b',"of":'
            yield "ranks", stored[f"of__{metric}__{group}"]
            yield b"}"
        yield b"}"
    yield b"}"
