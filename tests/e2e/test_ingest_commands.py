"""``permu ingest``, ``status``, ``refused`` and ``review`` as people and programs call them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from engine.schema.warehouse import Warehouse
from tests.unit.ingest.files import A, B, put

BAD = B[:-1] + "A"
TAX = f"2024年国税入库表,,,\n纳税人识别号,纳税人名称,所属期,增值税（万元）\n{A},示例甲公司,202401,1.5\n{BAD},示例乙公司,202401,2\n合计,,,5\n"
REGISTER = f"统一社会信用代码,企业名称,行业代码,行政区划代码\n{A},示例甲公司,2614,320583\n{B},示例乙公司,2614,320583\n"


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERMU_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def call(home: Warehouse, capfd: pytest.CaptureFixture[str]) -> Any:
    """Run a command on the test's warehouse: (exit code, stdout, stderr)."""

    def command(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            run([*map(str, words), "--home", str(home.home)])
        told = capfd.readouterr()
        return int(end.value.code or 0), told.out, told.err

    return command


def test_a_dry_run_shows_what_it_understood(call: Any, home: Warehouse, tmp_path: Path) -> None:
    code, text, _ = call("ingest", put(tmp_path, "国税.csv", TAX), "--source", "state_tax", "--dry-run")
    assert code == 1
    for part in ("state_tax.payment", "A2:D5", "header rows 2–2", "vat_fen", "增值税（万元）", "万元", "1500000",
                 "bad_credit_code", BAD, "合计 says 5", "sum to 3.5", "nothing written"):  # fmt: skip
        assert part in text, part
    assert not home.ledger.exists()
    code, text, _ = call("ingest", tmp_path / "国税.csv", "--source", "state_tax", "--dry-run", "--json")
    (load,) = json.loads(text)["loads"]
    sheet = load["understood"]["sheets"][0]
    assert sheet["columns"]["vat_fen"] == {"column": "D", "header": "增值税（万元）", "unit": "万元"}
    assert load["understood"]["refused"][0]["row"] == 4 and len(sheet["sample"]) == 1


def test_a_total_that_is_off_ends_with_1(call: Any, tmp_path: Path) -> None:
    right = TAX.replace(BAD, B)
    code, text, _ = call("ingest", put(tmp_path, "国税.csv", right), "--source", "state_tax", "--json")
    (load,) = json.loads(text)["loads"]
    assert (code, load["refused"]) == (1, 0)
    assert (load["findings"][0]["kind"], load["findings"][0]["difference"]) == ("total_differs", "1.5")
    assert json.loads(call("status", "--json")[1])["findings"] == 1


def test_from_refusal_to_review_and_back(call: Any, tmp_path: Path) -> None:
    call("ingest", put(tmp_path, "工商2024.csv", REGISTER), "--source", "commerce")
    code, text, _ = call("ingest", put(tmp_path, "国税.csv", TAX), "--source", "state_tax")
    assert code == 1 and "permu refused export" in text and "permu review list" in text
    items = json.loads(call("review", "list", "--json")[1])["items"]
    assert [(i["kind"], i["candidates"][0]["uscc"]) for i in items] == [("proposal", B)]
    assert BAD in call("review", "list")[1]
    code, text, _ = call("refused", "export", "--out", tmp_path / "x.xlsx", "--json")
    assert (code, json.loads(text)["rows"]) == (0, 1)
    code, text, _ = call("refused", "replay", tmp_path / "x.xlsx")
    assert code == 0 and "1 rows without a correction" in text
    status = json.loads(call("status", "--json")[1])
    assert status["refused_open"] == 1 and set(status) >= {"coverage", "refused", "review", "disputes"}
    (line,) = [c for c in status["coverage"] if c["source"] == "state_tax"]
    assert set(line) >= {
        "source",
        "year",
        "loads",
        "rows_in",
        "kept",
        "refused",
        "months",
        "months_held",
        "holes",
        "counties",
    }


def test_a_load_that_shrinks_ends_with_2(call: Any, tmp_path: Path) -> None:
    def file(firms: int) -> Path:
        return put(tmp_path, "用电.csv", "户号,月份,用电量\n" + "".join(f"{i},202401,{firms}\n" for i in range(firms)))

    assert call("ingest", file(10), "--source", "power")[0] == 0
    code, text, told = call("ingest", file(7), "--source", "power", "--json")
    assert (code, json.loads(text)["error"]["code"]) == (2, "load_shrinks")
    assert "--accept-shrink" in told
    assert call("ingest", file(7), "--source", "power", "--accept-shrink")[0] == 0


WRONG = [
    (("ingest",), "no_files"),
    (("ingest", "--from", "postgresql://host/x"), "wrong_usage"),
    (("ingest", "x.csv", "--from", "postgresql://host/x", "--query", "q.sql", "--source", "power"), "wrong_usage"),
    (("refused", "replay", os.devnull), "unreadable_file"),
    (("refused", "replay", "nowhere.xlsx"), "unreadable_file"),
    (("sources", "nothing"), "unknown_source"),
]


@pytest.mark.parametrize(("words", "code"), WRONG)
def test_wrong_usage(call: Any, tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    call("ingest", put(tmp_path, "工商2024.csv", REGISTER), "--source", "commerce")
    ended, text, told = call(*words, "--json")
    assert ended == 2 and json.loads(text)["error"]["code"] == code
    assert len(told.strip().splitlines()) == 1 and "Traceback" not in told


@pytest.mark.parametrize("words", [("status",), ("review", "list"), ("refused", "export", "--out", "x.xlsx")])
def test_before_anything_was_loaded(tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as end:
        run([*words, "--home", str(tmp_path / "none")])
    assert end.value.code == 2 and "permu ingest PATH" in capfd.readouterr().err
    assert not (tmp_path / "none").exists()
