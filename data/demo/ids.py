"""Identity codes with correct check digits in an obviously synthetic series, computed for whole arrays.

Credit code GB 32100-2015, organisation code GB 11714, registration number GS15-2006 (ISO 7064 mod 11,10).
Organisation codes here all begin with ``X0``: no office ever issued such a series.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from data.demo.settings import Ints

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_BYTES = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_CREDIT_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_ORGANISATION_CHECKS = np.frombuffer(b"0123456789X0", dtype=np.uint8)
_X = ALPHABET.index("X")

Characters = NDArray[np.uint8]


def _digits(numbers: Ints, width: int) -> Ints:
    """One row a number, one column a decimal digit."""
    return numbers[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10


def _series(characters: Characters) -> pl.Series:
    rows = np.ascontiguousarray(characters)
    return pl.Series(rows.view(f"S{rows.shape[1]}").ravel().astype(str))


def organisation_values(numbers: Ints) -> Ints:
    """Organisation codes as values of the 36-character alphabet, check apart: X and 7 digits."""
    body = _digits(numbers, 7)
    return np.hstack([np.full((len(numbers), 1), 33), body])  # X is 33 in 0-9A-Z


def _organisation(numbers: Ints) -> Characters:
    values = organisation_values(numbers)
    check = 11 - (values @ _ORGANISATION_WEIGHTS) % 11
    text = np.hstack([np.full((len(numbers), 1), ord("X")), values[:, 1:] + ord("0")])
    return np.hstack([text, _ORGANISATION_CHECKS[check][:, None]]).astype(np.uint8)


def organisation_codes(numbers: Ints) -> pl.Series:
    """9 characters, without the hyphen."""
    return _series(_organisation(numbers))


def credit_codes(prefix: Ints, region: Ints, numbers: Ints) -> pl.Series:
    """18 characters: ``prefix`` (91 a firm, 92 a sole trader), six region digits, organisation code, check."""
    values = np.hstack([_digits(prefix, 2), _digits(region, 6), _credit_values(numbers)])
    check = (31 - (values @ _CREDIT_WEIGHTS) % 31) % 31
    return _series(_BYTES[np.hstack([values, check[:, None]])])


def _credit_values(numbers: Ints) -> Ints:
    organisation = _organisation(numbers)
    lookup = np.zeros(128, dtype=np.int64)
    lookup[_BYTES] = np.arange(31)
    return lookup[organisation]


def registration_numbers(region: Ints, numbers: Ints) -> pl.Series:
    """15 digits: region, 8 digits, check."""
    body = np.hstack([_digits(region, 6), _digits(numbers, 8)])
    p = np.full(len(numbers), 10)
    for column in body.T:
        s = (p + column) % 10
        p = np.where(s == 0, 10, s) * 2 % 11
    return _series((np.hstack([body, ((11 - p) % 10)[:, None]]) + ord("0")).astype(np.uint8))


def permits(credit_codes: pl.Series) -> pl.Series:
    """22 characters: credit code, site 001, and a letter that nobody checks."""
    return credit_codes + "001P"


def spoilt(codes: pl.Series) -> pl.Series:
    """The codes with a wrong check digit (the next one of the alphabet)."""
    following = dict(zip(ALPHABET, ALPHABET[1:] + ALPHABET[0], strict=True))
    return codes.str.slice(0, 17) + codes.str.slice(17, 1).replace_strict(following, return_dtype=pl.String)


def full_width(codes: pl.Series) -> pl.Series:
    """The codes with full-width digits and letters, as an input method leaves them."""
    plain = [chr(c) for c in range(0x30, 0x5B)]
    return codes.str.replace_many(plain, [chr(ord(c) + 0xFEE0) for c in plain])
