"""Seeded draws of weights and bases: what a Monte-Carlo run varies, and nothing else.

Weights: each weight times an independent uniform factor of 1 ± spread, then brought back to the pack's sum. Bases:
each item's base times an independent uniform factor of 1 ± spread, the same for every group. The generator is PCG64
seeded through SeedSequence, with a stream of its own for each kind: more draws begin with the same draws, and another
spread of bases leaves the weights as they were. No thread takes part, so that the result does not know how many ran.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.schema.errors import PermuError

MOST_DRAWS = 100_000


@dataclass(frozen=True)
class Draws:
    """``weights`` and ``factors`` (of the bases), both Float64 of draws × items in the pack's order."""

    weights: np.ndarray
    factors: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)


def draw(weights: list[float], draws: int, seed: int, weight_spread: float, base_spread: float) -> Draws:
    """``draws`` sets of weights and base factors; spreads are shares of 1 (0.2 = ± 20 %), below 1.

    PermuError bad_parameter for a number outside its range.
    """
    _within("draws", draws, 1, MOST_DRAWS)
    _within("seed", seed, 0, 2**64 - 1)
    _within("weight spread", weight_spread, 0, 0.9)
    _within("base spread", base_spread, 0, 0.9)
    for_weights, for_bases = (
        np.random.Generator(np.random.PCG64(part)) for part in np.random.SeedSequence(seed).spawn(2)
    )
    own = np.asarray(weights, dtype=np.float64)
    moved = own * _factors(for_weights, draws, len(own), weight_spread)
    if weight_spread:
        moved *= (_sum(own) / _row_sums(moved))[:, None]
    return Draws(moved, _factors(for_bases, draws, len(own), base_spread))


def without_each(weights: list[float]) -> Draws:
    """One draw an item: that item's weight 0, the others scaled to the pack's sum; bases as they are."""
    own = np.asarray(weights, dtype=np.float64)
    left = np.where(np.eye(len(own), dtype=bool), 0.0, own)
    return Draws(left * (_sum(own) / _row_sums(left))[:, None], np.ones_like(left))


def _factors(generator: np.random.Generator, draws: int, items: int, spread: float) -> np.ndarray:
    return 1.0 + spread * (2.0 * generator.random((draws, items)) - 1.0)


def _row_sums(table: np.ndarray) -> np.ndarray:
    """Row sums, column by column: the same additions on any machine."""
    total = np.zeros(len(table))
    for column in table.T:
        total += column
    return total


def _sum(values: np.ndarray) -> float:
    return float(_row_sums(values[None, :])[0])


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise PermuError(
            "bad_parameter",
            f"{name} {value:g} is outside {least:g} to {most:g}; give a number within",
            f"参数 {name} 为 {value:g}，超出 {least:g} 至 {most:g}；请给出范围内的数",
            parameter=name,
        )
