"""The closed language of formulas: what it allows, what it computes with gaps, what it refuses."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.formula import compile_formula, names_in, parse
from engine.schema.errors import PermuError

ROW = {"a_fen": 7, "b_fen": -3, "c_fen": 0, "n_fen": None, "m_fen": None}
VALUES: list[tuple[str, int | None]] = [
    ("a_fen", 7), ("n_fen", None), ("5", 5), ("a_fen + b_fen", 4), ("a_fen - b_fen", 10), ("a_fen * 1229", 8603),
    ("a_fen + b_fen * 2", 1), ("(a_fen + b_fen) * 2", 8), ("a_fen + n_fen", None), ("n_fen * 0", None),
    ("first(n_fen, a_fen)", 7), ("first(c_fen, a_fen)", 0), ("first(n_fen, m_fen)", None), ("first(a_fen)", 7),
    ("total(a_fen, n_fen)", 7), ("total(n_fen, m_fen)", None), ("total(a_fen, b_fen, c_fen)", 4), ("total(c_fen)", 0),
    ("total(first(n_fen, b_fen), a_fen * 2)", 11), ("total(n_fen * 2, a_fen - n_fen)", None), (" a_fen\n + 1 ", 8),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "value"), VALUES)
def test_value(formula: str, value: int | None) -> None:
    frame = nw.from_native(pl.LazyFrame({k: pl.Series([v], dtype=pl.Int64) for k, v in ROW.items()}))
    result = frame.select(x=compile_formula(formula)).to_native().collect()["x"]
    assert result.dtype == pl.Int64 and result.to_list() == [value]


REFUSED = [
    "", "a_fen +", "a_fen / 2", "a_fen // 2", "a_fen ** 2", "a_fen % 2", "-a_fen", "a_fen > 1", "a_fen if 1 else 2",
    "a_fen and b_fen", "1.5", "True", "None", "'a'", "a.b", "a[0]", "[a]", "lambda: a", "max(a, b)", "first()",
    "first(a, key=b)", "first(*a)", "first", "total", "__import__('os')", "eval('1')", "x := 1", "f'{a}'", "a; b", "a\0",
    "99999999999999999999", "print(a)", "a_fen @ b_fen", "{a}", "(a, b)", "...", "b'1'", "1j", "await a", "yield",
]  # fmt: skip


@pytest.mark.parametrize("formula", REFUSED)
def test_refused(formula: str) -> None:
    with pytest.raises(PermuError) as caught:
        parse(formula)
    assert caught.value.code == "bad_formula" and "first(…)" in caught.value.en


DEEP = ["(" * 10_000 + "a" + ")" * 10_000, "(" * 150 + "a" + ")" * 150, "first(" * 3000 + "a" + ")" * 3000,
        "+".join(["a"] * 10_000), "+".join(["a"] * 1500), "-" * 3000 + "1", "[" * 90 + "]" * 90,
        "total(" + ",".join(["a"] * 5000) + ")", "9" * 4000]  # fmt: skip


@pytest.mark.parametrize("formula", DEEP, ids=lambda f: f[:8])
def test_deep_nesting_is_refused_not_a_crash(formula: str) -> None:
    try:
        compile_formula(formula)
    except PermuError as error:
        assert error.code == "bad_formula" and len(error.en) < 300
    else:
        assert formula.startswith("((((") and len(formula) < 400, "brackets alone nest nothing"


def test_nothing_is_evaluated() -> None:
    seen: list[str] = []
    for text in ("[].append(1)", "(lambda: seen.append(1))()", "__builtins__"):
        if text == "__builtins__":
            assert names_in(text) == {"__builtins__"}  # a name like any other: no fact is called so
        else:
            with pytest.raises(PermuError):
                compile_formula(text)
    assert seen == []


def test_names() -> None:
    assert names_in("total(a_fen, first(b_fen, c_fen) * 3)") == {"a_fen", "b_fen", "c_fen"}


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parse(text)
    except PermuError as error:
        assert error.code == "bad_formula"
