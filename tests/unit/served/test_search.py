"""``q``: pinyin initials beside pypinyin itself, folding, and what finds an enterprise."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest
from pypinyin import Style, lazy_pinyin

from engine.query import Selection, select
from engine.served import texts
from engine.served.search import Search, folded, initials
from tests.unit.served.conftest import Pair


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("昆山化工有限公司", "kshgyxgs"),
        ("重庆长安", "cqca"),  # not zh, not zh: by the word, as people say it
        ("长沙银行", "csyh"),
        ("abc123电子", "abc123dz"),
        ("（苏州）", "sz"),
        ("O’Neil", "oneil"),
        ("", ""),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(folded(pl.Series([name]))).to_list() == [letters]


def test_initials_are_those_of_pypinyin(boards: dict[str, Pair]) -> None:
    names = folded(boards["sunan-2017"][1].table["name"])
    theirs = ["".join(lazy_pinyin(n, style=Style.FIRST_LETTER, errors=_plain)) for n in names]
    ours = initials(names).to_list()
    assert len(ours) == 400 and sum(a == b for a, b in zip(ours, theirs, strict=True)) >= 396


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isascii() and c.isalnum())


def test_null_names_and_odd_widths() -> None:
    table = pl.DataFrame({"name": [None, "ＡＢ（中国）"], "uscc": ["91X", None], "enterprise_id": ["E1", "E2"]})
    held = Search.of(table)
    for text, rows in {"91x": [0], "ab(中": [1], "abzg": [1], "e": [0, 1], "(": [1], "中": [1], "1e": []}.items():
        assert [int(n) for part in held.holding(text) for n in part] == rows, text


@pytest.mark.parametrize("which", ["name", "uscc", "enterprise_id"])
def test_an_enterprise_is_found_by_any_of_its_names(boards: dict[str, Pair], which: str) -> None:
    for board in boards["huaian-2024"]:
        row = board.table.row(17, named=True)
        for text in (row[which], row[which][2:-1].lower()):
            found = select(board, Selection.parse(q=text)).rows
            assert row["enterprise_id"] in [r["enterprise_id"] for r in found]


def test_no_text_reaches_over_the_parts(boards: dict[str, Pair]) -> None:
    for board in boards["sunan-2017"]:
        name = board.table["name"][0]
        assert select(board, Selection.parse(q=f"{name}\n9")).rows == []


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 300, 1000])
def test_a_text_is_found_wherever_it_stands(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the edges of blocks and stretches, rare and in every row, first and last."""
    monkeypatch.setattr(texts, "_STRETCH", 256)
    dice = random.Random(rows)
    names = [dice.choice(["昆山", "苏州", "示例"]) + str(dice.randrange(300)) for _ in range(rows)]
    table = pl.DataFrame(
        {"name": names, "uscc": [None] * rows, "enterprise_id": [f"E{n:04}" for n in range(rows)]},
        schema=dict.fromkeys(("name", "uscc", "enterprise_id"), pl.String),
    )
    held = Search.of(table)
    lines = (folded(table["name"]), table["enterprise_id"].str.to_lowercase(), initials(folded(table["name"])))
    told = ["\n".join(line) for line in zip(*lines, strict=True)]
    needles = ["e0000", f"e{rows - 1:04}", "e0063", "e0064", "昆山1", "山1", "e", "299", "absent", "ks", "示 1", "s-"]
    found_some = 0
    for text in needles:
        found = sorted({int(n) for part in held.holding(text) for n in part})
        assert found == [n for n, t in enumerate(told) if text in t], text
        picked = np.arange(0, rows, 3)
        assert held.among(text, picked).tolist() == [text in told[n] for n in picked]
        found_some += bool(found)
    assert found_some >= min(rows, 1) * 2
