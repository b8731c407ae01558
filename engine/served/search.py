"""What ``q`` looks in: name, credit code, id and pinyin initials of every enterprise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.served.texts import Texts

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


@dataclass(frozen=True)
class Search:
    """What ``q`` looks in: the folded ``names``; and ``codes``: credit code, id and initials of the name, a line each.

    ``plain``: no code holds a character beyond ASCII.
    """

    names: Texts
    codes: Texts
    plain: bool

    @classmethod
    def of(cls, table: pl.DataFrame) -> Search:
        """Of a rankings table."""
        name = folded(table["name"])
        codes = table.select(uscc=pl.col("uscc").str.to_lowercase(), id=pl.col("enterprise_id").str.to_lowercase())
        lines = codes.with_columns(initials=initials(name)).select(pl.concat_str(pl.all().fill_null("") + SEPARATOR))
        held = Texts.of(lines.to_series())
        return cls(Texts.of(name.fill_null("") + SEPARATOR), held, held.is_ascii)

    def holding(self, text: str) -> Iterator[np.ndarray]:
        """Numbers of the rows that hold the text, in pieces; a row can come twice."""
        for one in self._where(text):
            yield from one.holding(text)

    def among(self, text: str, rows: np.ndarray) -> np.ndarray:
        """Which of a few rows hold the text (a mask)."""
        return np.logical_or.reduce([one.among(text, rows) for one in self._where(text)])

    def _where(self, text: str) -> list[Texts]:
        """Where the text can stand: letters and digits of a name stand in its initials as they stand in the name."""
        if text.isascii() and text.isalnum():
            return [self.codes]
        return [self.names] if self.plain and not text.isascii() else [self.names, self.codes]
