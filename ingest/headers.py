"""Headers: what a written header says, and which declared field it names.

A header is compared after NFKC, lower case, without spaces and punctuation, without the unit in brackets and without
decoration (``2024年``, ``其中：``, ``本期``, ``…额``). The better the likeness, the smaller the rank; a decorated
header never beats an exact one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from engine.schema.units import find_unit
from ingest.declarations import Table, quantity

_BRACKETS = re.compile(r"[(\[【〔{<《]([^()\[\]【】〔〕{}<>《》]*)[)\]】〕}>》]")
_NOISE = re.compile(r"[\s_\-—–‐:：,，、.。;；/\\|*#'\"“”‘’`·・&()\[\]【】〔〕{}<>《》?？!！=+~]+")
_SPLIT = re.compile(r"[/_:：,，;；\-—|\s]+")
_ORDINAL = re.compile(r"^(?:\d{1,2}[.、．]\s*(?=\D)|[一二三四五六七八九十]+[、.．]|\([一二三四五六七八九十\d]+\))")
_PREFIX = re.compile(
    r"^(?:其中|20\d\d年?度?|\d{1,2}月份?|本年度?|全年|年度|当年|本期|当期|本月|当月|实际|实缴|企业|工业企业)+"
)
_SUFFIX = re.compile(r"(?:合计|总计|总额|金额|税额|数额|数值|数据|情况|必填|选填|全年|本年|本期|额|数|值)+$")
_UNIT_WORD = re.compile(r"^(?:计量)?单位[:：]?")

_LONGEST_UNIT, _LONGEST_HEADER = 8, 80
EXACT, LOOSE, STRIPPED, CUT = 0, 1, 2, 3


class Match(NamedTuple):
    """A field that a header names: how exactly (0 best), the synonym's place in the list, the unit text beside it."""

    field: str
    rank: int
    place: int
    unit: str | None


def normal(text: str) -> str:
    """NFKC, lower case, outer spaces removed."""
    return unicodedata.normalize("NFKC", text).lower().strip()


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """A header as it is compared: nothing but its letters, digits and ideographs."""
    return _NOISE.sub("", normal(text))


@lru_cache(maxsize=65536)
def bracketed(text: str) -> tuple[str, ...]:
    """What stands in brackets: 面积（亩） → 亩; 金额(单位：万元) → 万元."""
    return tuple(_UNIT_WORD.sub("", inner.strip()) for inner in _BRACKETS.findall(normal(text)) if inner.strip())


class Index:
    """The synonyms of one table, folded: header → fields."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.exact: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for name, field in table.fields.items():
            for place, synonym in enumerate(field.headers):
                if name not in [n for n, _ in self.exact[fold(synonym)]]:
                    self.exact[fold(synonym)].append((name, place))
        self._cache: dict[tuple[str, bool], list[Match]] = {}

    def matches(self, header: str, cut: bool = False) -> list[Match]:
        """Every field that ``header`` names at its best rank; ``cut``: the format may have cut the name off."""
        key = (header, cut)
        if key not in self._cache:
            self._cache[key] = self._find(header, cut)
        return self._cache[key]

    def _find(self, header: str, cut: bool) -> list[Match]:
        if len(header) > _LONGEST_HEADER:
            return []
        for rank, folded, unit in _readings(header):
            if found := self._named(folded, rank, unit):
                return found
        return self._unit_at_end(header) or (self._cut_off(header) if cut else [])

    def _named(self, folded: str, rank: int, unit: str | None) -> list[Match]:
        return [Match(name, rank, place, unit) for name, place in self.exact.get(folded, []) if folded]

    def _unit_at_end(self, header: str) -> list[Match]:
        """面积亩, 用电量kwh: a synonym followed by a unit of that field."""
        folded = fold(header)
        for end in range(1, min(_LONGEST_UNIT, len(folded) - 1) + 1):
            for match in self._named(folded[:-end], LOOSE, folded[-end:]):
                if quantity_unit(self.table, match.field, folded[-end:]):
                    return [match]
        return []

    def _cut_off(self, header: str) -> list[Match]:
        """A .dbf cuts names at 10 bytes: the beginning of the synonyms of exactly one field."""
        folded = fold(header)
        if max(len(header.encode("gb18030")), len(header.encode())) < 9:
            return []
        begun = {name for text, named in self.exact.items() if text.startswith(folded) for name, _ in named}
        return [Match(begun.pop(), CUT, 0, None)] if len(begun) == 1 else []


def quantity_unit(table: Table, name: str, text: str) -> bool:
    """Whether ``text`` is a unit of the amount ``name``."""
    return table.fields[name].type in ("amount", "share") and find_unit(text, quantity(name)) is not None


def _readings(header: str) -> list[tuple[int, str, str | None]]:
    """(rank, folded text, unit text) from the most to the least literal reading of a header."""
    text = normal(header)
    inner = bracketed(text)
    outside = _BRACKETS.sub("", text)
    unit = next((i for i in reversed(inner) if i), None)
    readings = [(EXACT, fold(text), None), (EXACT, fold(outside), unit)]
    parts = [p for p in _SPLIT.split(outside) if p]
    readings += [(LOOSE, fold("".join(parts[:i])), parts[i]) for i in range(len(parts) - 1, 0, -1)]
    bare = fold(_ORDINAL.sub("", outside))
    readings.append((LOOSE, bare, unit))
    stem = _PREFIX.sub("", bare)
    readings += [
        (STRIPPED, stem, unit),
        (STRIPPED, _SUFFIX.sub("", stem), unit),
        (STRIPPED, _SUFFIX.sub("", bare), unit),
    ]
    return [(rank, folded, hint) for rank, folded, hint in readings if folded]


def units_in(line: str) -> list[str]:
    """Unit texts of a line like 单位：个，亿元 or (unit: 10000 yuan); [] where it states none."""
    found = re.search(r"(?:单位|unit)s?\s*[:：,]?\s*([^)）]+)", normal(line))
    pieces = [p.strip() for p in re.split(r"[,，、;；(]+", found[1]) if p.strip()] if found else []
    # The words of ``100 million yuan`` are one unit, those of ``个.亿元`` or ``元 吨`` are not.
    return [u for p in pieces for u in ([p] if is_unit_of_any(p) else re.split(r"[/\s.]+", p)) if u]


_UNIT_LIKE = re.compile(r"元|亩|顷|米|㎡|m2|m3|m²|m³|瓦|kwh|度$|吨|^t|kg|克|^方|万方|升|标煤|tce|yuan|acre")


def looks_like_unit(text: str) -> bool:
    """Whether a short text seems to be a unit, known or not: a unit nobody knows must not pass for none."""
    bare = normal(text)
    return len(bare) <= 8 and bool(_UNIT_LIKE.search(bare))


def is_unit_of_any(text: str) -> bool:
    """Whether ``text`` is a unit of some quantity."""
    bare = normal(text).strip("()（） ")
    kinds = ("money", "area", "electricity", "volume", "mass", "coal", "count", "share")
    return bool(bare) and any(find_unit(bare, kind) for kind in kinds)
