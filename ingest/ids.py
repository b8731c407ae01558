"""Check digits of Chinese identifiers, over whole columns.

Credit code (GB 32100-2015), organisation code (GB 11714) and registration number (ISO 7064 mod 11,10).
python-stdnum refuses credit codes with letters in characters 1 and 2, which the standard allows, and works on one
string: the tests hold these against it wherever it is right.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_USCC = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORG = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USCC_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int32)
_ORG_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)


def _table(alphabet: bytes) -> np.ndarray:
    """Byte → its value in the alphabet, −1 where it is not in it."""
    values = np.full(256, -1, dtype=np.int32)
    values[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(len(alphabet))
    return values


_USCC_VALUES, _ORG_VALUES, _DIGITS = _table(_USCC), _table(_ORG), _table(b"0123456789")


def _bytes(texts: pl.Series, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are exactly ``width`` ASCII characters, as (their positions, a matrix of bytes)."""
    fits = (texts.str.len_bytes() == width).fill_null(False).to_numpy()
    joined = "".join(texts.filter(pl.Series(fits)).to_list()).encode()
    return np.flatnonzero(fits), np.frombuffer(joined, dtype=np.uint8).reshape(-1, width)


def _marked(size: int, at: np.ndarray, ok: np.ndarray) -> pl.Series:
    result = np.zeros(size, dtype=bool)
    result[at] = ok
    return pl.Series(result)


def valid_uscc(codes: pl.Series) -> pl.Series:
    """True where an upper-case code is a credit code with a right check character (String → Boolean; null → False)."""
    at, chars = _bytes(codes, 18)
    values = _USCC_VALUES[chars]
    right = (values >= 0).all(axis=1) & (_DIGITS[chars[:, 2:8]] >= 0).all(axis=1)
    check = (31 - (values[:, :17] * _USCC_WEIGHTS).sum(axis=1) % 31) % 31
    return _marked(len(codes), at, right & (check == values[:, 17]))


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
