"""``permu review`` through the command line: list, accept, reject, reopen, and the workbook out and back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from tests.e2e.tour import Done, inside
from tests.unit.ingest.files import A, B, C, put
from tests.unit.match.test_review_decisions import POWER, REGISTER

WRONG = A[:-1] + ("A" if A[-1] != "A" else "B")
TAX = "纳税人识别号,纳税人名称,所属期,增值税\n{code},昆山示例田机械有限公司,{month},{amount}\n"
SHARES = f"户号,统一社会信用代码,分摊比例\n3,{A},70%\n3,{B},70%\n"
DECISION, REASON = 1, 2  # columns of the workbook


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts wait, a refused code whose firm is known by name, and a meter whose shares sum to 140 %."""
    tmp_path = tmp_path_factory.mktemp("review")
    put(tmp_path, "drops/commerce/工商2024.csv", REGISTER)
    put(tmp_path, "drops/power/用电2024.csv", POWER.format(2024))
    put(tmp_path, "drops/power/分摊2024.csv", SHARES)
    put(tmp_path, "drops/state_tax/国税2024.csv", TAX.format(code=WRONG, month=202401, amount=1))
    assert inside(tmp_path, "ingest", "drops", "--year", "2024").code == 1
    assert inside(tmp_path, "merge", "--year", "2024").code == 1
    return tmp_path


@pytest.fixture
def place(untouched: Path, tmp_path: Path) -> Path:
    """A copy of its own for a test that decides."""
    return Path(shutil.copytree(untouched, tmp_path / "place"))


def review(place: Path, *words: str) -> Any:
    """The JSON of a command that has to succeed."""
    done = inside(place, "review", *words, "--json")
    assert done.code == 0, done.err
    return done.json()


def waits(place: Path) -> dict[str, dict[str, Any]]:
    return {i["name"] if i["kind"] == "proposal" else i["record_key"]: i for i in review(place, "list")["items"]}


def merged(place: Path) -> dict[str, tuple[str, str]]:
    """Merge again: record key of power and state tax → credit code and method of its link."""
    folder = inside(place, "merge", "--year", "2024", "--json").json()["merge_id"]
    tables = (pl.read_parquet(place / f"data/warehouse/merged/{folder}/{n}.parquet") for n in ("links", "enterprises"))
    links, people = tables
    both = links.join(people.select("enterprise_id", "uscc"), on="enterprise_id").filter(
        pl.col("source").is_in(["power", "state_tax"])
    )
    return {key: (uscc, method) for key, uscc, method in both.select("record_key", "uscc", "method").iter_rows()}


def failed(done: Done, *words: str) -> None:
    """Exit 2 and one line on stderr that holds ``words``."""
    assert done.code == 2 and done.out == "" and done.err.startswith("permu: ") and done.err.count("\n") == 1, done
    assert all(w in done.err for w in words), done.err


def test_the_list_shows_what_waits_and_for_whom(untouched: Path) -> None:
    done = inside(untouched, "review", "list")
    items = review(untouched, "list")["items"]
    kinds = {kind: sum(i["kind"] == kind for i in items) for kind in {i["kind"] for i in items}}
    assert done.code == 0 and "4 items: " in done.out
    assert (
        f"{kinds['unlinked']} records without an enterprise" in done.out
        and f"{kinds['proposal']} refused codes" in done.out
    )
    counted = inside(untouched, "status", "--json").json()["review"]
    assert sum(n for kind, n in kinds.items() if kind in ("unlinked", "proposal")) == sum(counted.values()), counted
    for text in ("several_enterprises_of_this_name", "needs_review", "bad_credit_code", "meter_shares_over_one", B, C):
        assert text in done.out
    kinds = {i["kind"]: i for i in waits(untouched).values()}
    assert kinds.keys() == {"proposal", "unlinked", "land"}
    assert (kinds["land"]["value"], kinds["land"]["file"], kinds["land"]["row"]) == ("account:3", "分摊2024.csv", 2)
    assert review(untouched, "list", "--source", "gas") == {"items": []} == review(untouched, "list", "--year", "2023")


def test_accept_reject_and_reopen_hold_over_merges(place: Path) -> None:
    one, two = waits(place)["account:1"], waits(place)["account:2"]
    told = review(place, "accept", one["id"], C, "--reason", "by telephone")
    assert (told["verdict"], told["decided"], told["unchanged"]) == ("accept", 1, 0)
    assert review(place, "accept", one["id"], C)["unchanged"] == 1
    assert "accepted, at the next merge" in inside(place, "review", "list").out
    assert review(place, "reject", two["id"])["verdict"] == "none"
    for _ in range(2):
        links = merged(place)
        assert links["account:1"] == (C, "review") and "account:2" not in links
        assert not {"account:1", "account:2"} & waits(place).keys()
    review(place, "reopen", one["id"])
    review(place, "reopen", two["id"])
    assert "account:1" not in merged(place)
    assert {"account:1", "account:2"} <= waits(place).keys()


def test_one_candidate_rejected_leaves_the_others(place: Path) -> None:
    review(place, "reject", waits(place)["account:1"]["id"], B)
    merged(place)
    assert {c["uscc"] for c in waits(place)["account:1"]["candidates"]} & {B, C} == {C}


def test_the_workbook_goes_out_is_filled_and_comes_back(place: Path) -> None:
    told = review(place, "export", "--out", "待审核.xlsx")
    assert (told["items"], told["waiting"]) == (3, 4), "those with candidates, of all that wait"
    book = openpyxl.load_workbook(place / "待审核.xlsx")
    page = book.active
    assert page is not None
    at = [c.value for c in page[1]].index("record_key") + 1
    rows = {page.cell(r, at).value: r for r in range(3, page.max_row + 1)}
    for key, told in (("account:1", C), ("account:2", "都不是"), (WRONG, "1")):
        page.cell(rows[key], DECISION).value, page.cell(rows[key], REASON).value = told, "核对营业执照"
    book.save(place / "待审核.xlsx")
    dry = review(place, "import", "待审核.xlsx", "--dry-run")
    assert (dry["would_decide"], dry["decided"], dry["dry_run"]) == (3, 0, True)
    assert {i["state"] for i in waits(place).values()} == {"open"}
    told = review(place, "import", "待审核.xlsx")
    assert (told["decided"], told["corrected"], told["empty"]) == (3, 1, 0)
    for _ in range(2):
        links = merged(place)
        assert links["account:1"] == (C, "review") and "account:2" not in links
        assert links[f"uscc:{A}"] == (A, "credit_code")
        assert {i["kind"] for i in waits(place).values()} == {"land"}


def test_a_finding_is_settled_by_rejecting_it_alone(place: Path) -> None:
    (finding,) = [i for i in waits(place).values() if i["kind"] == "land"]
    for words in (("accept",), ("accept", A), ("reject", A)):
        failed(inside(place, "review", words[0], finding["id"], *words[1:]), finding["id"], "review reject")
    assert finding["record_key"] in waits(place)
    review(place, "reject", finding["id"], "--reason", "the bureau splits it so")
    failed(inside(place, "review", "accept", finding["id"]), "review reject")
    merged(place)
    assert finding["record_key"] not in waits(place)
    review(place, "reopen", finding["id"])
    assert finding["record_key"] in waits(place)


def test_a_wrong_code_that_was_decided_once_is_not_asked_again(place: Path) -> None:
    proposal = next(i for i in waits(place).values() if i["kind"] == "proposal")
    assert review(place, "accept", proposal["id"])["corrected"] == 1
    put(place, "later/state_tax/国税2024补.csv", TAX.format(code=WRONG, month=202402, amount=2))
    told = inside(place, "ingest", "later", "--year", "2024", "--json")
    assert [(x["kept"], x["refused"]) for x in told.json()["loads"]] == [(0, 1), (1, 0)]
    assert "proposal" not in {i["kind"] for i in waits(place).values()}
    assert merged(place)[f"uscc:{A}"] == (A, "credit_code")
    review(place, "reopen", proposal["id"])
    put(place, "last/state_tax/国税2024再补.csv", TAX.format(code=WRONG, month=202403, amount=3))
    again = inside(place, "ingest", "last", "--year", "2024", "--json").json()["loads"]
    assert [(x["kept"], x["refused"]) for x in again] == [(0, 1)]
    assert "proposal" in {i["kind"] for i in waits(place).values()}


BAD = {
    "unknown item": (("accept", "U000000000000"), ["U000000000000", "permu review list"]),
    "unknown enterprise": (("accept", "{account:1}", "E00"), ["E00", "2024", "candidates"]),
    "candidate that is not there": (("accept", "{account:1}", "99"), ["99"]),
    "no file": (("import", "none.xlsx"), ["none.xlsx"]),
    "another workbook": (("import", "drops/power/分摊2024.csv"), ["分摊2024.csv", "permu review export"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_one_line_and_changes_nothing(untouched: Path, case: str) -> None:
    words, told = BAD[case]
    known = {key: item["id"] for key, item in waits(untouched).items()}
    filled = [known[w[1:-1]] if w.startswith("{") else w for w in words]
    failed(inside(untouched, "review", *filled), *told)
    assert {i["state"] for i in waits(untouched).values()} == {"open"}
