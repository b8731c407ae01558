"""Numbers as they are written on the command line: ``name=value`` and ``name=least..greatest``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.schema.errors import PermuError


def numbers(words: Sequence[str] | None) -> dict[str, float]:
    """``["tax_per_mu=39.015"]`` as a mapping; PermuError bad_value for anything else."""
    return {name: _number(word, text) for word, name, text in _parts(words)}


def ranges(words: Sequence[str] | None) -> dict[str, tuple[float, float]]:
    """``["tax_per_mu=0..60"]`` as a mapping of pairs in rising order; PermuError bad_value for anything else."""
    found = {}
    for word, name, text in _parts(words):
        low, dots, high = text.partition("..")
        pair = (_number(word, low), _number(word, high if dots else ""))
        if pair[0] > pair[1]:
            raise _bad(word)
        found[name] = pair
    return found


def _parts(words: Sequence[str] | None) -> list[tuple[str, str, str]]:
    split = [(word, *word.partition("=")) for word in words or ()]
    names = [name for _, name, _, _ in split]
    for word, name, equals, _ in split:
        if not (name and equals) or names.count(name) > 1:
            raise _bad(word)
    return [(word, name, text) for word, name, _, text in split]


def _number(word: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _bad(word)
    return value


def _bad(word: str) -> PermuError:
    return PermuError(
        "bad_value",
        f"`{word}` is no name=number, given once: write tax_per_mu=39.015, or a range as tax_per_mu=0..60",
        f"`{word}` 不是“名称=数值”或重复给出：应如 tax_per_mu=39.015，区间应如 tax_per_mu=0..60",
    )
