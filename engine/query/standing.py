"""How a group stands by a metric, and the rows of an answer in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Standing:
    """How a group stands by one metric.

    ``rows``: row numbers with a value, in id order; ``rank``: their competition ranks (1, 2, 2, 4), same order;
    ``unranked``: row numbers without a value, in id order.
    """

    rows: np.ndarray
    rank: np.ndarray
    unranked: np.ndarray

    @property
    def of(self) -> int:
        """Enterprises of the group with a value."""
        return len(self.rows)


@dataclass(frozen=True)
class Ordered:
    """Row numbers in served order with their ranks (0 = none) and the group's ``of``."""

    rows: np.ndarray
    rank: np.ndarray
    of: int

    def ranks(self) -> list[int | None]:
        """Ranks as the contract shows them: None where there is none."""
        return [int(r) or None for r in self.rank]
