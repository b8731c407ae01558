"""Check digits of the synthetic codes against python-stdnum and the published examples."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from stdnum.cn import uscc

from data.demo import ids
from engine.schema.names import name_key


def _codes(count: int = 500) -> pl.Series:
    return ids.credit_codes(np.full(count, 91), np.full(count, 320583), np.arange(count) * 37)


def test_credit_codes_are_valid_and_different() -> None:
    codes = _codes()
    assert all(uscc.is_valid(code) for code in codes)
    assert codes.n_unique() == len(codes)


def test_credit_code_holds_the_organisation_code() -> None:
    assert (_codes().str.slice(8, 9) == ids.organisation_codes(np.arange(500) * 37)).all()


def test_series_is_obviously_synthetic() -> None:
    assert _codes().str.slice(8, 1).unique().to_list() == ["X"]


def test_spoilt_codes_are_refused_by_stdnum() -> None:
    assert not any(uscc.is_valid(code) for code in ids.spoilt(_codes()))


def test_full_width_folds_back() -> None:
    codes = _codes(50)
    wide = ids.full_width(codes)
    assert not (wide == codes).any()
    assert (wide.to_frame("n").select(name_key(pl.col("n"))).to_series() == codes).all()


@pytest.mark.parametrize("number", ["440301108548379", "440301103097413", "110108012660422"])
def test_registration_number_check_digit(number: str) -> None:
    made = ids.registration_numbers(np.array([int(number[:6])]), np.array([int(number[6:14])]))
    assert made.to_list() == [number]


def test_permit_is_the_credit_code_and_four_more() -> None:
    permits = ids.permits(_codes(5))
    assert permits.str.len_chars().unique().to_list() == [22]
    assert (permits.str.slice(0, 18) == _codes(5)).all()
