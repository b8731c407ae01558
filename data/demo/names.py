"""Names of synthetic enterprises and the ways in which departments misspell them."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.demo.settings import BY_NAME, NOT_LINKABLE, Ints, texts, vocabulary
from engine.schema.names import name_key

# How a name-only record spells its holder. The first four leave the normalised name as it is.
SPELLINGS = ("same", "spaced", "suffix", "renamed", "typo", "former", "short")
_SAME, _SPACED, _SUFFIX, _RENAMED, _TYPO, _FORMER, _SHORT = range(7)


def syllable_triples(numbers: Ints, salt: Ints) -> tuple[pl.Series, pl.Series]:
    """Two syllables and a third one, different for different ``numbers`` below 60³ of one ``salt``."""
    syllables = vocabulary()["syllables"]
    n = len(syllables)
    code = (numbers * 7919 + salt * 131) % n**3
    first = texts(list(syllables), code // n**2) + texts(list(syllables), code // n % n)
    return first, texts(list(syllables), code % n)


def compose(parts: pl.DataFrame) -> pl.DataFrame:
    """``name`` and ``former_name`` of firms from ``place head third trade bracket form branch`` (String columns)."""
    words = vocabulary()
    start, end = pl.col("place") + words["marker"] + pl.col("head"), pl.col("bracket") + pl.col("trade")
    tail = end + pl.col("form") + pl.col("branch")
    return parts.with_columns(name=start + pl.col("third") + tail, former_name=start + words["former"] + tail)


def spell(firms: pl.DataFrame, kinds: Ints) -> pl.Series:
    """The name of each firm in the given spelling (an index into ``SPELLINGS`` per row)."""
    typos = vocabulary()["typos"]
    name, form, kind = pl.col("name"), pl.col("form"), pl.col("_kind")
    slip = texts(list(typos), np.arange(firms.height) % len(typos))
    words = vocabulary()
    long, short = words["forms"][1], words["forms"][0]
    stem = pl.col("place") + words["marker"] + pl.col("head")
    typo = stem + slip + pl.col("bracket") + pl.col("trade") + form + pl.col("branch")
    suffix = (
        pl.when(form == long)
        .then(name.str.replace(long, short, literal=True))
        .when(form == short)
        .then(name.str.replace(short, long, literal=True))
        .otherwise(name)
    )
    spaced = name.str.slice(0, 2) + " " + name.str.slice(2, 2) + "　" + name.str.slice(4)
    return (
        firms.with_columns(_kind=pl.Series(kinds, dtype=pl.Int8))
        .select(
            pl.when(kind == _SPACED)
            .then(spaced.str.replace("（", "(").str.replace("）", ")"))
            .when(kind == _SUFFIX)
            .then(suffix)
            .when(kind == _RENAMED)
            .then(name + "（原" + pl.col("former_name") + "）")
            .when(kind == _TYPO)
            .then(typo)
            .when(kind == _FORMER)
            .then(pl.col("former_name"))
            .when(kind == _SHORT)
            .then(name.str.slice(0, name.str.len_chars() - form.str.len_chars() - pl.col("branch").str.len_chars()))
            .otherwise(name)
        )
        .to_series()
    )


def keys(names: pl.Series) -> pl.Series:
    """The project's normalised names."""
    return names.cast(pl.String).to_frame("name").select(name_key(pl.col("name"))).to_series()


def levels(written: pl.Series, firms: pl.DataFrame, shared_names: pl.Series) -> Ints:
    """Whether each written name is, normalised, its firm's own and nobody else's: ``BY_NAME`` or ``NOT_LINKABLE``."""
    own = keys(firms["name"])
    exact = (keys(written) == own) & ~own.is_in(shared_names.implode())
    return np.where(exact.to_numpy(), BY_NAME, NOT_LINKABLE).astype(np.int64)
