"""Check digits of Chinese identifiers, over whole columns.

Credit code (GB 32100-2015), organisation code (GB 11714) and registration number (ISO 7064 mod 11,10).
python-stdnum refuses credit codes with letters in characters 1 and 2, which the standard allows, and works on one
string: the tests hold these against it wherever it is right.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

_USCC = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORG = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORG_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
_WRONG = 1 << 20  # more than any sum of right characters
_STRETCH = 8192  # rows at a time: they stay in the processor's cache


def _table(alphabet: bytes) -> np.ndarray:
    """Byte → its value in the alphabet, −1 where it is not in it."""
    values = np.full(256, -1, dtype=np.int32)
    values[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(len(alphabet))
    return values


_USCC_VALUES, _ORG_VALUES, _DIGITS = _table(_USCC), _table(_ORG), _table(b"0123456789")


@cache
def _uscc_pairs() -> list[np.ndarray]:
    """For each pair of characters: the two bytes as one 16-bit number → what they add to the sum, _WRONG if not allowed."""
    single = []
    for place in range(18):
        values = _DIGITS if 2 <= place < 8 else _USCC_VALUES
        weight = pow(3, place, 31) if place < 17 else 1
        single.append(np.where(values < 0, _WRONG, values * weight).astype(np.int32))
    # The first character is the low byte of the number.
    return [(second[:, None] + first[None, :]).ravel() for first, second in zip(single[::2], single[1::2], strict=True)]


def _bytes(texts: pl.Series, width: int) -> tuple[np.ndarray | None, np.ndarray]:
    """Rows that are exactly ``width`` bytes, as (their positions, None for all of them; a matrix of bytes)."""
    fits = (texts.str.len_bytes() == width).fill_null(False)
    every = fits.all()
    array = (texts if every else texts.filter(fits)).to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    if len(array) == 0 or data is None:
        return np.flatnonzero(fits.to_numpy()), np.empty((0, width), dtype=np.uint8)
    start = int(np.frombuffer(offsets, np.int64, count=1, offset=8 * array.offset)[0])
    chars = np.frombuffer(data, np.uint8, count=len(array) * width, offset=start).reshape(-1, width)
    return (None if every else np.flatnonzero(fits.to_numpy())), chars


def _marked(size: int, at: np.ndarray | None, ok: np.ndarray) -> pl.Series:
    if at is None:
        return pl.Series(ok)
    result = np.zeros(size, dtype=bool)
    result[at] = ok
    return pl.Series(result)


def valid_uscc(codes: pl.Series) -> pl.Series:
    """True where an upper-case code is a credit code with a right check character (String → Boolean; null → False)."""
    at, chars = _bytes(codes, 18)
    right = np.empty(len(chars), dtype=bool)
    for start in range(0, len(chars), _STRETCH):
        right[start : start + _STRETCH] = _adds_up(chars[start : start + _STRETCH].view("<u2"))
    return _marked(len(codes), at, right)


def _adds_up(pairs: np.ndarray) -> np.ndarray:
    """Whether the check character makes the weighted sum a multiple of 31 (nine pairs of characters a row)."""
    total, adds = np.zeros(len(pairs), dtype=np.int32), np.empty(len(pairs), dtype=np.int32)
    for place, table in enumerate(_uscc_pairs()):
        total += np.take(table, pairs[:, place], out=adds, mode="clip")
    found: np.ndarray = (total < _WRONG) & (total % 31 == 0)
    return found


def valid_org_code(codes: pl.Series) -> pl.Series:
    """True where 9 characters (no hyphen) are an organisation code with a right check character."""
    at, chars = _bytes(codes, 9)
    values = _ORG_VALUES[chars[:, :8]]
    check = 11 - (values * _ORG_WEIGHTS).sum(axis=1) % 11
    expected = np.where(check == 10, ord("X"), np.where(check == 11, ord("0"), ord("0") + check))
    return _marked(len(codes), at, (values >= 0).all(axis=1) & (expected == chars[:, 8]))


def valid_reg_no(codes: pl.Series) -> pl.Series:
    """True where 15 digits satisfy ISO 7064 mod 11,10."""
    at, chars = _bytes(codes, 15)
    digits = _DIGITS[chars]
    check = np.full(len(digits), 10, dtype=np.int32)
    for column in range(14):
        total = (check + digits[:, column]) % 10
        check = (np.where(total == 0, 10, total) * 2) % 11
    return _marked(len(codes), at, (digits >= 0).all(axis=1) & ((check + digits[:, 14]) % 10 == 1))


_ID_WEIGHTS = [pow(2, 17 - i, 11) for i in range(17)]


def hide_personal(text: str | None) -> str | None:
    """A resident's identity number in ``text`` masked behind its first six digits: personal data is never stored."""
    if text is None or len(text) < 18:
        return text
    head, last = text[:17], text[17:18].upper()
    if not (head.isascii() and head.isdigit() and 1900 <= int(text[6:10]) <= 2100 and int(text[10:12]) <= 12):
        return text
    total = sum(int(c) * w for c, w in zip(head, _ID_WEIGHTS, strict=True))
    return text[:6] + "*" * (len(text) - 6) if "10X98765432"[total % 11] == last else text
