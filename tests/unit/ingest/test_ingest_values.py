"""Dates, periods, shares, numbers and ids: tables of what is written and what it means."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as oracle
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10

from ingest import columns
from ingest.ids import hide_personal, valid_org_code, valid_reg_no, valid_uscc
from ingest.values import Empty, parse_date, parse_period, parse_share, plain_number

DATES = [
    "2024-01-05",
    "2024/1/5",
    "2024.1.5",
    "2024年1月5日",
    "2024年01月05日",
    "20240105",
    "45296",
    "2024-01-05 00:00:00",
]


@pytest.mark.parametrize("text", DATES)
def test_every_way_to_write_a_date(text: str) -> None:
    assert parse_date(text) == dt.date(2024, 1, 5)


@pytest.mark.parametrize("text", ["1901年01月02日", "1900-01-01", "9999-12-31", "长期"])
def test_marks_that_mean_no_date(text: str) -> None:
    with pytest.raises(Empty):
        parse_date(text)


@pytest.mark.parametrize("text", ["2024-13-01", "2024-02-30", "abc", "05/06/2024", "12"])
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text) is None


PERIODS = [
    ("202401", 202401), ("2024-01", 202401), ("2024/1", 202401), ("2024年1月", 202401), ("2024年01月份", 202401),
    ("1月", 202401), ("12", 202412), ("十二月", 202412), ("2024", 2024), ("2024年度", 2024), ("2024-01-31", 202401),
    ("20240131", 202401), ("2024Q1", 202403), ("2024年第四季度", 202412), ("2024-01-01至2024-03-31", 202403),
    ("20240101-20240131", 202401), ("2024年1-3月", 202403), ("45292", 202401), ("Jan-24", 202401),
    ("2024-01-01 00:00:00", 202401),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), PERIODS)
def test_every_way_to_write_a_period(text: str, value: int) -> None:
    period = parse_period(text, 2024)
    assert period is not None
    assert period.value == value


@pytest.mark.parametrize("text", ["13月", "2024-13", "x", "2023-12至2024-01", "0"])
def test_what_is_no_period(text: str) -> None:
    assert parse_period(text, 2024) is None


SHARES = [("50%", 5), ("50％", 5), ("0.5", 5), ("1/2", 5), ("500‰", 5), ("1", 10), ("0", 0)]


@pytest.mark.parametrize(("text", "tenths"), SHARES)
def test_shares(text: str, tenths: int) -> None:
    assert parse_share(text, Fraction(10**9)) == tenths * 10**8


def test_a_third_and_a_wrong_share() -> None:
    assert parse_share("1/3", Fraction(10**9)) == 333333333
    assert parse_share("1/0", Fraction(10**9)) is None
    assert parse_share("1e999999999", Fraction(10**9)) is None
    assert parse_share("99999999999999", Fraction(10**7)) == 10**9 + 1
    assert columns.share(pl.Series(["1.5", "-0.1", "x", None]), Fraction(10**9)).problems[0][1].to_list() == [
        True, True, True, False,
    ]  # fmt: skip


NUMBERS = [
    ("1,234.5", "1234.5"),
    ("１２", "12"),
    ("(12.5)", "-12.5"),
    ("1.2e5", "120000"),
    ("¥1 000", "1000"),
    ("5亩", None),
    ("nan", None),
    ("1e999999999", None),
    ("-1e-999999999", "0"),
    ("0e999999999", "0"),
]


@pytest.mark.parametrize(("text", "plain"), NUMBERS)
def test_numbers(text: str, plain: str | None) -> None:
    assert plain_number(text) == plain


def test_amounts_are_exact_and_say_what_is_wrong() -> None:
    typed = columns.amount(pl.Series(["1.005", "1,000", "-2", "x", None]), Fraction(100), False)
    assert typed.values.to_list() == [101, 100000, -200, None, None]
    codes = {code: mask.to_list() for code, mask in typed.problems}
    assert codes == {
        "not_a_number": [False, False, False, True, False],
        "negative_amount": [False, False, True, False, False],
    }


@given(st.integers(-(10**12), 10**12), st.integers(0, 2))
def test_amounts_never_pass_through_a_float(fen: int, decimals: int) -> None:
    text = f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}" + "0" * decimals
    assert columns.amount(pl.Series([text]), Fraction(100), True).values.to_list() == [fen]


def test_empty_marks() -> None:
    marks = ["", "/", "—", "－", "–", "Nah", "无", "空", "NULL", "N/A", "\u00a0", "　", " - ", "<Null>"]
    assert columns.clean(pl.Series(marks)).null_count() == len(marks)
    assert columns.clean(pl.Series(["０.５", " 甲　"])).to_list() == ["0.5", "甲"]


def test_names_keep_spaces_between_latin_words_only() -> None:
    names = pl.Series(["新 疆 某 厂", "ABC Steel (苏州) 有限公司", "甲  乙"])
    assert columns.name(names).values.to_list() == ["新疆某厂", "ABC Steel (苏州)有限公司", "甲乙"]


# --- identifiers ----------------------------------------------------------------------------------------------

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@given(st.text(ALPHABET, min_size=17, max_size=17), st.sampled_from(ALPHABET))
def test_credit_codes_against_stdnum_where_it_is_right(body: str, last: str) -> None:
    code = f"91{body[2:8].translate(str.maketrans(ALPHABET, '0123456789012345678901234567890'))}{body[8:]}{last}"
    try:
        expected = oracle.validate(code) == code
    except ValidationError:
        expected = False
    assert valid_uscc(pl.Series([code])).to_list() == [expected]


def test_letters_in_the_first_two_characters() -> None:
    total = sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate("A1110000600037341"))
    assert valid_uscc(pl.Series(["A1110000600037341" + ALPHABET[(31 - total % 31) % 31]])).to_list() == [True]


@given(st.text("0123456789", min_size=14, max_size=14))
def test_registration_numbers_against_stdnum(body: str) -> None:
    right = body + mod_11_10.calc_check_digit(body)
    wrong = body + str((int(right[-1]) + 1) % 10)
    assert valid_reg_no(pl.Series([right, wrong])).to_list() == [True, False]


def test_organisation_codes() -> None:
    assert valid_org_code(pl.Series(["551385082", "551385083", None, "短"])).to_list() == [True, False, False, False]


def test_old_ids_in_the_credit_code_column() -> None:
    texts = pl.Series(["91110108551385082Q", "110108551385082", "55138508-2", "440301108548379", "91110108551385082R"])
    typed = columns.uscc(texts)
    assert typed.values.to_list() == ["91110108551385082Q", None, None, None, None]
    assert typed.also["org_code"].to_list() == [None, "551385082", "551385082", None, None]
    assert typed.also["reg_no"].to_list() == [None, None, None, "440301108548379", None]
    assert typed.problems[0][1].to_list() == [False, False, False, False, True]


def test_a_permit_tells_the_credit_code() -> None:
    typed = columns.permit(pl.Series(["91110108551385082Q001V", "91110108551385082R001V", "x"]))
    assert typed.also["uscc"].to_list() == ["91110108551385082Q", None, None]
    assert typed.problems[0][1].to_list() == [False, True, True]


def test_parcel_codes() -> None:
    texts = pl.Series(
        ["320583001001GB00001", "320583001001GB00001F00010001", "320583001001G00001X", "215-8", "320583 001001 gb00002"]
    )
    typed = columns.parcel(texts)
    assert typed.also["parcel_code"].to_list()[1] == "320583001001GB00001"
    assert typed.problems[0][1].to_list() == [False, False, True, False, False]
    assert typed.values.to_list()[4] == "320583001001GB00002"


def test_a_resident_number_is_masked() -> None:
    assert hide_personal("11010519491231002X") == "110105" + "*" * 12
    assert hide_personal("91110108551385082Q") == "91110108551385082Q"
