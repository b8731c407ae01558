"""Competition ranks of many draws at once: one sort of packed integers a row.

A score (an integer of 10⁻¹⁰ points, see engine.ranking.scores) and the enterprise's place in its group share one
uint64: sorting it orders the scores and carries the places along, several times faster than sorting places by score.
"""

from __future__ import annotations

import numpy as np


def ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks (UInt32) of each row of ``scores`` (Int64, draws × enterprises): 1, 2, 2, 4, the highest score first."""
    rows, size = scores.shape
    if not size:
        return np.zeros((rows, 0), np.uint32)
    best, worst = int(scores.max()), int(scores.min())
    bits = (size - 1).bit_length()
    if (best - worst).bit_length() + bits > 64:
        return _searched(scores)
    key = (best - scores).view(np.uint64)
    key <<= np.uint64(bits)
    key |= np.arange(size, dtype=np.uint64)
    key.sort(axis=1)
    place = (key & np.uint64((1 << bits) - 1)).view(np.int64)
    place += np.arange(rows)[:, None] * size
    key >>= np.uint64(bits)
    out = np.empty(rows * size, np.uint32)
    out[place.ravel()] = _shared(key).ravel()
    return out.reshape(rows, size)


def _shared(ordered: np.ndarray) -> np.ndarray:
    """Places of ordered values, best first; equal ones share the better place."""
    place = np.arange(1, ordered.shape[1] + 1, dtype=np.uint32)
    tied = ordered[:, 1:] == ordered[:, :-1]
    if not tied.any():
        return np.broadcast_to(place, ordered.shape)
    first = np.tile(place, (len(ordered), 1))
    first[:, 1:][tied] = 0
    return np.maximum.accumulate(first, axis=1)


def _searched(scores: np.ndarray) -> np.ndarray:
    """The same ranks without packing, where the scores lie too far apart for 64 bits (a score of a typing error)."""
    size = scores.shape[1]
    out = np.empty(scores.shape, np.uint32)
    for row, own in zip(out, scores, strict=True):
        row[:] = size + 1 - np.searchsorted(np.sort(own), own, side="right")
    return out
