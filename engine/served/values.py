"""Which codes of a dimension hold a value: found in a dictionary, where a condition would look through all of them."""

from __future__ import annotations

import numpy as np
import polars as pl


class Values:
    """The values of one column of a dimension's combinations, or their first ``length`` letters."""

    def __init__(self, texts: pl.Series, length: int | None = None) -> None:
        cut = texts if length is None else texts.str.slice(0, length)
        held = pl.DataFrame({"text": cut, "code": pl.int_range(len(cut), eager=True)}).drop_nulls().sort("text")
        runs = held["text"].rle().struct.unnest()
        ends = runs["len"].cum_sum()
        self._codes = held["code"].to_numpy()
        self._places = dict(zip(runs["value"], zip(ends - runs["len"], ends, strict=True), strict=True))

    def mark(self, value: str, mask: np.ndarray) -> None:
        """Set those of the codes in ``mask`` that hold the value."""
        start, end = self._places.get(value, (0, 0))
        mask[self._codes[start:end]] = True
