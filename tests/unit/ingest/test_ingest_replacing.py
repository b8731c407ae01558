"""What a newer file does to an older one: by name, by declared rule, and never in silence when much is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.unit.ingest.files import counting, ledger, one, put

HEAD = "户号,户名,行政区划代码,月份,用电量\n"


def usage(firms: range | list[int], months: list[int], county: str = "320583", kwh: int = 10) -> str:
    rows = [f"{f},企业{f},{county},2024{m:02d},{kwh}" for m in months for f in firms]
    return HEAD + "\n".join(rows) + "\n"


def rule(home: Warehouse, name: str) -> None:
    """Declare the rule in the warehouse's own sources."""
    put(
        home.home / "sources", "power.yaml", f"source: power\ntables:\n  usage:\n    on_new: {name}\n    fields: {{}}\n"
    )


def total(home: Warehouse) -> dict[int, int]:
    rows = counting(home, "power", "usage").group_by("period").len().sort("period")
    return dict(rows.iter_rows())


# --- files of the same name ----------------------------------------------------------------------------------------


def test_the_same_name_replaces_what_it_covers(home: Warehouse, tmp_path: Path) -> None:
    old = one(home, put(tmp_path, "用电.csv", usage(range(10), [1, 2])), "power")
    new = one(home, put(tmp_path, "用电.csv", usage(range(1, 10), [1, 2, 3], kwh=11)), "power")
    assert (new.replaces, total(home)) == ([old.load_id], {202401: 9, 202402: 9, 202403: 9})
    assert [row["superseded_by"] for row in ledger(home).values()] == [new.load_id, None]


def test_the_same_name_of_another_month_stands_beside_it(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "用电.csv", usage(range(10), [1])), "power")
    new = one(home, put(tmp_path, "用电.csv", usage(range(10), [2])), "power")
    assert (new.replaces, total(home)) == ([], {202401: 10, 202402: 10})


def test_the_same_name_of_another_county_stands_beside_it(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "用电.csv", usage(range(10), [1])), "power")
    new = one(home, put(tmp_path, "用电.csv", usage(range(20, 22), [1], "320585")), "power")
    assert (new.replaces, total(home)) == ([], {202401: 12})


def test_the_same_name_of_other_firms_without_regions_stands_beside_it(home: Warehouse, tmp_path: Path) -> None:
    head = "户号,月份,用电量\n"
    one(home, put(tmp_path, "用电.csv", head + "".join(f"{i},202401,1\n" for i in range(10))), "power")
    new = one(home, put(tmp_path, "用电.csv", head + "".join(f"{i},202401,1\n" for i in range(20, 22))), "power")
    assert (new.replaces, total(home)) == ([], {202401: 12})


# --- declared rules ------------------------------------------------------------------------------------------------


def test_replace_takes_county_and_months_whole(home: Warehouse, tmp_path: Path) -> None:
    rule(home, "replace")
    one(home, put(tmp_path, "a.csv", usage(range(10), [1, 2])), "power")
    one(home, put(tmp_path, "b.csv", usage(range(30, 35), [1, 2], "320585")), "power")
    new = one(home, put(tmp_path, "c.csv", usage(range(9), [2])), "power")
    assert (new.replaced, new.kept, total(home)) == (10, 9, {202401: 15, 202402: 14})


def test_append_keeps_both(home: Warehouse, tmp_path: Path) -> None:
    rule(home, "append")
    one(home, put(tmp_path, "用电.csv", usage(range(10), [1])), "power")
    new = one(home, put(tmp_path, "用电.csv", usage(range(10), [1]) + "77,企业77,320583,202401,1\n"), "power")
    assert (new.replaced, new.replaces, new.kept, total(home)) == (0, [], 11, {202401: 21})


def test_upsert_goes_row_by_row_even_for_the_same_name(home: Warehouse, tmp_path: Path) -> None:
    rule(home, "upsert")
    one(home, put(tmp_path, "用电.csv", usage(range(10), [1])), "power")
    new = one(home, put(tmp_path, "用电.csv", usage(range(1, 10), [1], kwh=11)), "power")
    assert (new.replaced, new.replaces, total(home)) == (9, [], {202401: 10})


def test_upsert_needs_a_key(home: Warehouse, tmp_path: Path) -> None:
    put(
        home.home / "sources",
        "land.yaml",
        "source: land\ntables:\n  parcel:\n    unique: []\n    on_new: upsert\n    fields: {}\n",
    )
    with pytest.raises(PermuError, match="upsert needs a key"):
        one(home, put(tmp_path, "a.csv", usage(range(3), [1])), "power")


def test_what_a_replaced_load_had_replaced_counts_again(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "a.csv", usage([1, 2], [1])), "power")
    one(home, put(tmp_path, "b.csv", usage([1, 3], [1], kwh=99)), "power")
    assert sorted(counting(home, "power", "usage")["power_wh"]) == [10_000, 99_000, 99_000]
    one(home, put(tmp_path, "b.csv", usage([3, 4], [1], kwh=98)), "power")
    assert sorted(counting(home, "power", "usage")["power_wh"]) == [10_000, 10_000, 98_000, 98_000]
    again = one(home, put(tmp_path, "c.csv", usage([1, 5], [1])), "power")
    assert again.reasons == {"duplicate_row": 1}


# --- loads that shrink ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["用电.csv", "重发.csv"])
@pytest.mark.parametrize(("firms", "fits"), [(80, True), (79, False)])
def test_a_load_that_shrinks(home: Warehouse, tmp_path: Path, name: str, firms: int, fits: bool) -> None:
    one(home, put(tmp_path, "用电.csv", usage(range(100), [1])), "power")
    path = put(tmp_path, name, usage(range(firms), [1], kwh=11))
    if fits:
        assert one(home, path, "power").kept == 80
        return
    before = ledger(home)
    with pytest.raises(PermuError) as error:
        one(home, path, "power")
    assert error.value.code == "load_shrinks"
    assert "79" in error.value.en and "100" in error.value.en and "100" in error.value.zh
    assert ledger(home) == before
    assert not list(home.tmp.iterdir())
    report = one(home, path, "power", accept_shrink=True)
    assert report.kept == 79
    assert ledger(home)[report.load_id]["understood"]["accepted_shrink"][0]["before"] == 100


def test_a_shrunken_delivery_without_regions_is_known_by_its_firms(home: Warehouse, tmp_path: Path) -> None:
    head = "户号,月份,用电量\n"
    one(home, put(tmp_path, "a.csv", head + "".join(f"{i},202401,1\n" for i in range(100))), "power")
    few = put(tmp_path, "b.csv", head + "".join(f"{i},202401,2\n" for i in range(50)))
    with pytest.raises(PermuError, match="shrinks"):
        one(home, few, "power")
    for name, firms in (("c.csv", range(500, 550)), ("补报.csv", range(10))):
        other = put(tmp_path, name, head + "".join(f"{i},202401,2\n" for i in firms))
        assert one(home, other, "power").kept == len(firms)


@pytest.mark.parametrize("text", [usage(range(10), [2]), usage(range(500, 510), [1], "320585")])
def test_another_month_or_county_does_not_shrink(home: Warehouse, tmp_path: Path, text: str) -> None:
    one(home, put(tmp_path, "a.csv", usage(range(100), [1])), "power")
    assert one(home, put(tmp_path, "b.csv", text), "power").kept == 10


def test_rows_taken_before_are_no_shrinkage(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "a.csv", usage(range(100), [1])), "power")
    again = one(home, put(tmp_path, "b.csv", usage(range(101), [1])), "power")
    assert (again.kept, again.reasons) == (1, {"duplicate_row": 100})


def test_a_dry_run_tells_of_it(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "a.csv", usage(range(100), [1])), "power")
    report = one(home, put(tmp_path, "a.csv", usage(range(10), [1])), "power", dry_run=True)
    assert [f["kind"] for f in report.findings] == ["load_shrinks"]
    assert report.needs_person
