"""Names of synthetic enterprises and the ways in which departments misspell them."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.demo.settings import BY_NAME, NOT_LINKABLE, Ints, texts, vocabulary
from engine.schema.names import name_key

# How a name-only record spells its holder. The first four leave the normalised name as it is.
SPELLINGS = (
    "same", "spaced", "suffix", "renamed", "typo", "former", "short", "swapped", "dropped", "no_place", "cut_trade"
)  # fmt: skip
_SAME, _SPACED, _SUFFIX, _RENAMED, _TYPO, _FORMER, _SHORT, _SWAPPED, _DROPPED, _NO_PLACE, _CUT_TRADE = range(11)


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
    words = vocabulary()
    # Half of the slips give a character that other firms' names hold: then only the address tells them apart.
    slips = list(words["typos"]) + list(words["syllables"])
    name, form, kind = pl.col("name"), pl.col("form"), pl.col("_kind")
    slip = texts(slips, np.arange(firms.height) * 17 % len(slips))
    long, short = words["forms"][1], words["forms"][0]
    place, head, third = pl.col("place") + words["marker"], pl.col("head"), pl.col("third")
    tail = pl.col("bracket") + pl.col("trade") + form + pl.col("branch")
    swapped = place + head.str.slice(0, 1) + third + head.str.slice(1) + tail
    cut = place + head + third + pl.col("bracket") + pl.col("trade").str.slice(-2) + form + pl.col("branch")
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
            .then(place + head + pl.when(slip == third).then(pl.lit(slips[0])).otherwise(slip) + tail)
            .when(kind == _SWAPPED)
            .then(swapped)
            .when(kind == _DROPPED)
            .then(place + head + tail)
            .when(kind == _NO_PLACE)
            .then(words["marker"] + head + third + tail)
            .when(kind == _CUT_TRADE)
            .then(cut)
            .when(kind == _FORMER)
            .then(pl.col("former_name"))
            .when(kind == _SHORT)
            .then(name.str.slice(0, name.str.len_chars() - form.str.len_chars() - pl.col("branch").str.len_chars()))
            .otherwise(name)
        )
        .to_series()
    )


def near(firms: pl.DataFrame, others: pl.DataFrame, rng: np.random.Generator) -> tuple[pl.Series, Ints]:
    """Names of firms that no register holds, each near that of a firm: and the kind of nearness (0–3).

    0: one syllable differs; 1: a branch that is not registered; 2: the same word in another trade (``others``);
    3: the same name in another place.
    """
    words = vocabulary()
    kind = rng.choice(4, firms.height, p=[0.6, 0.15, 0.15, 0.1])
    syllable = texts(list(words["syllables"]), rng.integers(0, len(words["syllables"]), firms.height))
    branch = texts(words["absent_branches"], rng.integers(0, len(words["absent_branches"]), firms.height))
    place, trade = others["place"], others["trade"]
    end = pl.col("trade") + pl.col("form")
    stem = pl.col("place") + words["marker"] + pl.col("head")
    made = firms.with_columns(_kind=pl.Series(kind), _place=place, _trade=trade).select(
        pl.when(pl.col("_kind") == 0)
        .then(stem + syllable + end)
        .when(pl.col("_kind") == 1)
        .then(stem + pl.col("third") + end + branch)
        .when(pl.col("_kind") == 2)
        .then(stem + pl.col("third") + pl.col("_trade") + pl.col("form"))
        .otherwise(pl.col("_place") + words["marker"] + pl.col("head") + pl.col("third") + end)
    )
    return made.to_series(), kind


# How a utility writes an address: as the register does, without the county, with a building, full width, with another
# number, another place altogether, or not at all.
_ADDRESS_SHARES = (0.47, 0.15, 0.12, 0.05, 0.07, 0.06, 0.08)


def written_addresses(rng: np.random.Generator, firms: pl.DataFrame, counties: pl.Series) -> pl.Series:
    """The address of each firm as a utility writes it; ``counties``: the name of each firm's county."""
    kind = pl.Series(rng.choice(len(_ADDRESS_SHARES), firms.height, p=_ADDRESS_SHARES))
    building = pl.Series(rng.integers(1, 9, firms.height)).cast(pl.String)
    elsewhere = firms["address"].gather(rng.permutation(firms.height))
    frame = pl.DataFrame({"a": firms["address"], "c": counties, "k": kind, "b": building, "e": elsewhere})
    address, k = pl.col("a"), pl.col("k")
    wide = address.str.replace_many(list("0123456789"), list("０１２３４５６７８９"))
    return frame.select(
        pl.when(k == 1)
        .then(address.str.slice(pl.col("c").str.len_chars()))
        .when(k == 2)
        .then(address + pl.col("b") + "幢")
        .when(k == 3)
        .then(wide)
        .when(k == 4)
        .then(address.str.replace(r"\d+号$", "") + pl.col("b") + "8号")
        .when(k == 5)
        .then("e")
        .when(k == 6)
        .then(pl.lit(None, dtype=pl.String))
        .otherwise(address)
    ).to_series()


def keys(names: pl.Series) -> pl.Series:
    """The project's normalised names."""
    return names.cast(pl.String).to_frame("name").select(name_key(pl.col("name"))).to_series()


def levels(written: pl.Series, firms: pl.DataFrame, shared_names: pl.Series) -> Ints:
    """Whether each written name is, normalised, its firm's own and nobody else's: ``BY_NAME`` or ``NOT_LINKABLE``."""
    own = keys(firms["name"])
    exact = (keys(written) == own) & ~own.is_in(shared_names.implode())
    return np.where(exact.to_numpy(), BY_NAME, NOT_LINKABLE).astype(np.int64)
