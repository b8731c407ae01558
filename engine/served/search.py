"""What ``q`` looks in: name, credit code, id and pinyin initials of every enterprise, in one text a row."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

_STRETCH, _BLOCK = 1 << 17, 64  # rows
_PLAIN = r"^[\x20-\x7e\x{4e00}-\x{9fff}]*$"
SEPARATOR = "\n"


def folded(names: pl.Series) -> pl.Series:
    """Names as they are compared: NFKC, small letters."""
    odd = (~names.str.contains(_PLAIN)).fill_null(False).arg_true()
    if len(odd):
        names = names.scatter(odd, names.gather(odd).str.normalize("NFKC"))
    return names.str.to_lowercase()


def needle(q: str) -> str:
    """What is looked for; the asked text was normalised when it was read."""
    return q.lower()


def initials(names: pl.Series) -> pl.Series:
    """First letters of the pinyin of folded names (昆山化工 → kshg); letters and digits stay, the rest goes.

    Characters by their most common reading, words whose reading differs (重庆, 长沙) by pypinyin's dictionary.
    """
    held = names.drop_nulls().str.extract_all(r"[^a-z0-9]").list.explode().drop_nulls().unique().to_list()
    if not held:
        return names
    chars = {c: _letters(c) for c in held}
    words = {w: s for w in _words(frozenset(held)) if (s := _letters(w)) != "".join(chars[c] for c in w)}
    longest = sorted(words, key=len, reverse=True)
    patterns = [*longest, *chars]
    return names.str.replace_many(patterns, [words.get(p) or chars.get(p, "") for p in patterns], leftmost=True)


def _letters(text: str) -> str:
    from pypinyin import Style, lazy_pinyin  # 55 MB of dictionaries, which only preparing needs

    found = "".join(lazy_pinyin(text, style=Style.FIRST_LETTER, errors="ignore"))
    return "".join(c for c in found.lower() if c.isascii() and c.isalnum())


def _words(held: frozenset[str]) -> list[str]:
    from pypinyin.constants import PHRASES_DICT

    return [w for w in PHRASES_DICT if held.issuperset(w)]


def search_text(table: pl.DataFrame) -> pl.Series:
    """One text a row: the folded name, credit code, id and initials, each ended by a line feed."""
    name = folded(table["name"])
    codes = table.select(uscc=pl.col("uscc").str.to_lowercase(), id=pl.col("enterprise_id").str.to_lowercase())
    frame = codes.with_columns(name=name, initials=initials(name)).select("name", "uscc", "id", "initials")
    return frame.select(search=pl.concat_str(pl.all().fill_null("") + SEPARATOR)).to_series()


class Texts:
    """The texts of all rows, one after the other: a needle is looked for in many of them at once."""

    def __init__(self, data: bytes | mmap.mmap | pa.Buffer, starts: np.ndarray) -> None:
        """``data`` in UTF-8; ``starts`` (int64): where the text of each row begins, and where the last one ends."""
        self._data, self._starts = pa.py_buffer(data), starts

    @classmethod
    def of(cls, table: pl.DataFrame) -> Texts:
        """Of a rankings table."""
        _, starts, data = pa.array(search_text(table), pa.large_string()).buffers()
        return cls(b"" if data is None else data, np.frombuffer(starts, np.int64, table.height + 1))

    def write(self, data: Path, starts: Path) -> None:
        """Both parts, to be mapped."""
        data.write_bytes(self._data)
        self._starts.tofile(starts)

    def holding(self, text: str) -> Iterator[np.ndarray]:
        """Numbers of the rows that hold the text, stretch after stretch (some 15 MB), so that mapped pages can be given back.

        Texts of _BLOCK rows are looked through as one: four times as quick, and few hold a text worth searching for.
        """
        rows = len(self._starts) - 1
        for first in range(0, rows, _STRETCH):
            starts = self._starts[first : min(first + _STRETCH, rows) + 1]
            blocks = self._strings(np.append(starts[:-1:_BLOCK], starts[-1]))
            held = np.flatnonzero(_contain(blocks, text))
            if 4 * len(held) > len(blocks):
                yield first + np.flatnonzero(_contain(self._strings(starts), text))
            else:
                near = (first + _BLOCK * held[:, None] + np.arange(_BLOCK)).ravel()
                near = near[near < rows]
                yield near[self.among(text, near)]

    def among(self, text: str, rows: np.ndarray) -> np.ndarray:
        """Which of a few rows hold the text (a mask)."""
        return _contain(self._strings(self._starts).take(pa.array(rows)), text)

    def _strings(self, places: np.ndarray) -> pa.LargeStringArray:
        return pa.LargeStringArray.from_buffers(len(places) - 1, pa.py_buffer(places), self._data)


def _contain(texts: pa.LargeStringArray, text: str) -> np.ndarray:
    found = pl.from_arrow(texts)
    assert isinstance(found, pl.Series)
    return found.str.contains(text, literal=True).to_numpy()
