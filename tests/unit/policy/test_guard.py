"""Refused before anything is computed: partial packs, packs that ran out, two that claim one place and date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.policy.guard import check_claims, check_usable, misfits
from engine.policy.packs import known_packs, load_pack, own, read_pack, shipped, usable_pack
from engine.ranking.run import rank
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.unit.ranking.firms import firm, ranked

RICH = (Path(__file__).parent / "rich.yaml").read_text("utf-8")


def pack(**changes: str) -> Any:
    """The rich pack with lines of its own."""
    text = RICH
    for key, value in changes.items():
        line = next(x for x in text.splitlines() if x.startswith(f"{key}: "))
        text = text.replace(line, f"{key}: {value}" if value else "#")
    return read_pack(text, "mine.yaml").policy


@pytest.mark.parametrize("name", shipped())
def test_partial_packs_rank_nothing_and_say_why(name: str) -> None:
    policy = load_pack(name).policy
    year = policy.valid_from.year
    needed = [x for x in policy.missing if x.part in ("items", "weights", "bases")]
    if not needed:
        check_usable(policy, year)
        return
    with pytest.raises(PermuError) as caught:
        check_usable(policy, year)
    error = caught.value
    assert error.code == "policy_partial" and name in error.en and len(error.en.splitlines()) == 1
    assert policy.status == "partial" and all(x.en in error.en and x.zh in error.zh for x in needed)


@pytest.mark.parametrize(("year", "usable"), [(2022, True), (2024, True), (2026, True), (2027, False), (2030, False)])
def test_a_pack_that_ran_out_before_the_year(year: int, usable: bool) -> None:
    """Until 2026-12-31: it evaluates 2026 and not 2027; on years before it came into force it may be tried."""
    if usable:
        check_usable(pack(), year)
        return
    with pytest.raises(PermuError) as caught:
        check_usable(pack(), year)
    assert caught.value.code == "policy_expired" and "2026-12-31" in caught.value.en and str(year) in caught.value.zh


CLAIMS: list[tuple[dict[str, str], bool]] = [
    ({"id": "other"}, True),  # the same region, the same years
    ({"id": "other", "valid_from": "2026-12-31", "valid_to": ""}, True),  # one day in common
    ({"id": "other", "valid_from": "2027-01-01", "valid_to": ""}, False),
    ({"id": "other", "regions": '["329901"]'}, False),  # a place inside goes before the wider one
    ({"id": "other", "regions": '["329901", "329900"]'}, True),
    ({"id": "other", "replaces": "[rich]"}, False),
    ({"id": "rich-2023"}, False),  # which the rich pack replaces
    ({"id": "other", "status": "illustrative"}, False),
]


@pytest.mark.parametrize(("changes", "refused"), CLAIMS)
def test_two_packs_of_one_place_and_date(changes: dict[str, str], refused: bool) -> None:
    for one, two in ((pack(), pack(**changes)), (pack(**changes), pack())):
        if not refused:
            check_claims(one, [two])
            continue
        with pytest.raises(PermuError) as caught:
            check_claims(one, [two])
        error = caught.value
        assert error.code == "policy_claims" and "329900" in error.en and "replaces" in error.zh
        assert all(p.id in error.en for p in (one, two))


def test_no_two_shipped_packs_claim_one_place() -> None:
    packs = [p.policy for p in known_packs()]
    for policy in packs:
        check_claims(policy, (p for p in packs if p is not policy))


def test_packs_of_a_warehouse(home: Warehouse) -> None:
    """A file of <home>/policies is known by its name; it may not take the name of a shipped pack."""
    folder = home.home / "policies"
    folder.mkdir()
    (folder / "rich.yaml").write_text(RICH, "utf-8")
    assert list(own(home.home)) == ["rich"] and usable_pack("rich", 2024, home.home).policy.id == "rich"
    (folder / "second.yaml").write_text(RICH.replace("id: rich\n", "id: second\n"), "utf-8")
    with pytest.raises(PermuError) as caught:
        usable_pack("rich", 2024, home.home)
    assert caught.value.code == "policy_claims" and "second" in caught.value.en
    (folder / "sunan-2017.yaml").write_text(RICH, "utf-8")
    with pytest.raises(PermuError) as caught:
        load_pack("rich", home.home)
    assert caught.value.code == "policy_name"


def test_a_file_must_be_called_as_its_id(home: Warehouse) -> None:
    (home.home / "policies").mkdir()
    (home.home / "policies" / "mine.yaml").write_text(RICH, "utf-8")
    with pytest.raises(PermuError) as caught:
        load_pack("mine", home.home)
    assert caught.value.code == "policy_name" and "rich" in caught.value.en


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("jingde-2022", "policy_partial"),
        (RICH.replace("2026-12-31", "2024-12-31").replace("valid_from: 2024", "valid_from: 2020"), "policy_expired"),
        (RICH.replace('"329900"', '"3208"'), "policy_claims"),
        (RICH.replace("weight: 40", "weight: 45"), "bad_policy"),
    ],
)
def test_rank_refuses_before_it_looks_for_data(home: Warehouse, tmp_path: Path, text: str, code: str) -> None:
    """The warehouse is empty: any other order of the checks would say that nothing was merged."""
    name = text
    if "\n" in text:
        file = tmp_path / "mine.yaml"
        file.write_text(text, "utf-8")
        name = str(file)
    with pytest.raises(PermuError) as caught:
        rank(home, 2025, name)
    assert caught.value.code == code
    assert not list(home.releases.iterdir()) and not home.ledger.exists()


@pytest.mark.parametrize("name", ["huangyan-2021", "huangyan-2022", "linhai-2014"])
def test_without_shares_there_is_a_score_and_a_rank_but_no_grade(name: str) -> None:
    facts = {"vat_fen": 10**9, "invoiced_sales_fen": 10**10, "land_dm2_days": 366 * 10**6, "power_wh": 10**10}
    rows = [firm(n, is_above_scale=n % 2, **{k: v * (n + 1) ** 2 for k, v in facts.items()}) for n in range(6)]
    table = ranked(rows, name)
    assert table["score"].null_count() == 0 and table["rank__score__all"].min() == 1
    assert table["grade"].null_count() == table.height


def test_a_place_or_time_that_does_not_fit_is_told() -> None:
    policy = load_pack("huaian-2024").policy
    here, there = pl.Series(["320803001", "320804002"]), pl.Series(["320803001", "320583001", None])
    assert misfits(policy, 2024, here) == []
    ((zh, en),) = misfits(policy, 2024, there)
    assert "2 家" in zh and "2 of the enterprises" in en
    assert "a trial" in misfits(policy, 2020, here)[0][1]
    assert misfits(load_pack("illustrative-2024").policy, 2024, there) == []
