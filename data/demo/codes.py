"""Region and industry codes of the synthetic world, read from ``data/codes``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from data.demo.settings import CITIES, Floats, Ints, vocabulary

CODES = Path(__file__).resolve().parents[1] / "codes"


@dataclass(frozen=True)
class Regions:
    """Towns of the five cities in code order, each with its county; counties and cities with their names."""

    towns: list[str]
    town_names: list[str]
    town_county: Ints
    counties: list[str]
    county_names: list[str]
    county_city: Ints
    cities: list[str]
    city_names: list[str]

    def places(self) -> list[str]:
        """The short name of each county, as enterprises carry it in front of their names."""
        return [n if len(n) < 3 else n.removesuffix("市").removesuffix("区") for n in self.county_names]


def _read(file: str) -> pl.DataFrame:
    return pl.read_csv(CODES / file, infer_schema=False)


def regions() -> Regions:
    """Cities west to east, their counties and towns."""
    table = _read("regions.csv").filter(pl.col("code").str.slice(0, 4).is_in(CITIES))
    width = pl.col("code").str.len_chars()
    names = dict(zip(table["code"], table["name"], strict=True))
    towns = table.filter(width == 9).sort("code")
    counties = sorted(towns["code"].str.slice(0, 6).unique().to_list())
    county_of = {c: i for i, c in enumerate(counties)}
    return Regions(
        towns["code"].to_list(),
        towns["name"].to_list(),
        np.array([county_of[c[:6]] for c in towns["code"]]),
        counties,
        [names[c] for c in counties],
        np.array([CITIES.index(c[:4]) for c in counties]),
        list(CITIES),
        [names[c] for c in CITIES],
    )


@dataclass(frozen=True)
class Industries:
    """Four-digit classes of GB/T 4754-2017 in divisions 13–46 with their share of enterprises and 2011 codes.

    ``old_only``: the 2011 code whose only successor the class is; ``old_split``: one that was split among several
    classes of one division; empty where there is none.
    """

    classes: list[str]
    weights: Floats
    old_only: list[str]
    old_split: list[str]


def industries() -> Industries:
    """Classes weighted by division, evenly within it but for a seventh of the classes that hold most firms."""
    divisions = vocabulary()["divisions"]
    table = _read("industries.csv").filter(pl.col("code").str.contains(r"^\d{4}$"))
    classes = sorted(c for c in table["code"] if c[:2] in divisions)
    weights = np.array([1.0 + 6.0 * (int(c) % 7 == 0) for c in classes])
    division = np.array([c[:2] for c in classes])
    for name, effect in divisions.items():
        members = division == name
        weights[members] *= effect[0] / weights[members].sum()
    only, split = _old_codes(classes)
    return Industries(classes, weights / weights.sum(), only, split)


def _old_codes(classes: list[str]) -> tuple[list[str], list[str]]:
    pairs = _read("industries_2011_to_2017.csv").filter(
        (pl.col("from_code").str.len_chars() == 4) & (pl.col("to_code").str.len_chars() == 4)
    )
    pairs = pairs.with_columns(
        n=pl.len().over("from_code"),
        divisions=pl.col("to_code").str.slice(0, 2).n_unique().over("from_code"),
        same=pl.col("from_code") == pl.col("to_code"),
    )
    only = pairs.filter((pl.col("n") == 1) & ~pl.col("same"))
    split = pairs.filter((pl.col("n") > 1) & (pl.col("divisions") == 1))
    old = [dict(zip(t["to_code"], t["from_code"], strict=True)) for t in (only.sort("from_code"), split)]
    return [old[0].get(c, "") for c in classes], [old[1].get(c, "") for c in classes]
