"""Refused rows go out in a workbook, are corrected there and come back with their lineage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.refused import NOW, WAS, export, open_rows
from ingest.replay import replay
from tests.unit.ingest.files import A, B, C, counting, kept, ledger, one, put, refused, workbook

BAD = C[:-1] + "A"
TAX = (
    f"纳税人识别号,纳税人名称,所属期,增值税（万元）\n{A},甲公司,202401,1.5\n{BAD},丙公司,202402,2\n"
    f"{B},乙公司,202403,三万\n,,202404,1\n{A},甲公司,202401,7\n"
)


@pytest.fixture
def taxes(home: Warehouse, tmp_path: Path) -> Warehouse:
    """A load with four refused rows: 3, 4, 5 and 6 (the same key as row 2 with another value)."""
    report = one(home, put(tmp_path, "国税.csv", TAX), "state_tax", year=2024)
    assert report.reasons == {"bad_credit_code": 1, "conflicting_row": 1, "missing_uscc": 1, "not_a_number": 1}
    return home


def correct(path: Path, rows: dict[int, dict[str, Any]], copy: str = "") -> Path:
    """Write corrections as a person would: by the row's number in its own file; ``was:`` writes over the cell."""
    book = openpyxl.load_workbook(path)
    for sheet in book:
        keys = [c.value for c in sheet[1]]
        for line in sheet.iter_rows(min_row=3):
            for field, text in rows.get(int(line[keys.index("row")].value), {}).items():
                key = field if field.startswith(WAS) else NOW + field
                line[keys.index(key)].value = text
    out = path.with_name(copy) if copy else path
    book.save(out)
    return out


def exported(home: Warehouse, tmp_path: Path, name: str = "退回.xlsx", **options: Any) -> Path:
    told = export(home, tmp_path / name, **options)
    assert told["rows"] == open_rows(home, **options).height
    return tmp_path / name


# --- export ------------------------------------------------------------------------------------------------------


def test_the_workbook_shows_rows_as_they_came(taxes: Warehouse, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(exported(taxes, tmp_path))["state_tax.payment"]
    keys = [c.value for c in sheet[1]]
    assert sheet.row_dimensions[1].hidden and sheet.max_row == 6
    rows = {
        r[keys.index("row")].value: {k: c.value for k, c in zip(keys, r, strict=True)}
        for r in sheet.iter_rows(min_row=3)
    }
    assert set(rows) == {"3", "4", "5", "6"}
    assert rows["3"][WAS + "uscc"] == BAD and "校验位" in rows["3"]["zh"] and "check digit" in rows["3"]["en"]
    assert rows["4"][WAS + "vat_fen"] == "三万"
    # A row refused after typing shows the file's own unit, not fen.
    assert (rows["6"][WAS + "vat_fen"], rows["6"][WAS + "period"]) == ("7", "202401")
    assert all(row[k] is None for row in rows.values() for k in keys if k.startswith(NOW))
    assert all(c.number_format == "@" for c in sheet[3])


def test_a_folder_gets_a_workbook_per_source(taxes: Warehouse, tmp_path: Path) -> None:
    one(taxes, put(tmp_path, "用电.csv", "户号,月份,用电量\n1,202401,-5\n"), "power")
    told = export(taxes, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["power.xlsx", "state_tax.xlsx"]
    assert told["rows"] == 5
    assert export(taxes, tmp_path / "one.xlsx", source="power")["rows"] == 1
    assert export(taxes, tmp_path / "none.xlsx", year=2023) == {"rows": 0, "files": []}


def test_a_formula_in_a_cell_stays_text(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "用电.csv", '户号,户名,月份,用电量\n1,"=HYPERLINK(""x"")",202401,-5\n'), "power")
    sheet = openpyxl.load_workbook(exported(home, tmp_path))["power.usage"]
    cell = next(c for c in sheet[3] if str(c.value).startswith("=HYPERLINK"))
    assert cell.data_type == "s"


# --- replay ------------------------------------------------------------------------------------------------------


def test_corrected_rows_come_back_with_lineage(taxes: Warehouse, tmp_path: Path) -> None:
    (origin,) = ledger(taxes)
    path = correct(exported(taxes, tmp_path), {3: {"uscc": C}, 4: {"vat_fen": "3"}})
    done = replay(taxes, path)
    (report,) = done.loads
    assert (report.rows_in, report.kept, report.refused, done.untouched) == (2, 2, 0, 2)
    rows = counting(taxes, "state_tax", "payment").sort("period")
    assert rows.select("uscc", "period", "vat_fen").rows() == [
        (A, 202401, 1_500_000), (C, 202402, 2_000_000), (B, 202403, 3_000_000),
    ]  # fmt: skip
    lineage = pl.read_parquet(taxes.refused / "state_tax" / f"{report.load_id}.corrections.parquet").sort("row")
    place = ["sheet", "row", "base_load", "base_file", "base_row", "header", "was", "now"]
    assert lineage.select(place).rows() == [
        ("state_tax.payment", 3, origin, "国税.csv", 3, "纳税人识别号", BAD, C),
        ("state_tax.payment", 4, origin, "国税.csv", 4, "增值税（万元）", "三万", "3"),
    ]
    assert kept(taxes, report, "payment").select("sheet", "row").rows() == [
        ("state_tax.payment", 3),
        ("state_tax.payment", 4),
    ]
    entry = ledger(taxes)[report.load_id]
    assert entry["understood"]["replay_of"] == origin and entry["who"]
    assert (taxes.loads / report.load_id / path.name).read_bytes() == path.read_bytes()


def test_the_same_workbook_twice_changes_nothing(taxes: Warehouse, tmp_path: Path) -> None:
    path = correct(exported(taxes, tmp_path), {3: {"uscc": C}, 4: {"vat_fen": "毫无"}})
    replay(taxes, path)
    before, rows = ledger(taxes), counting(taxes, "state_tax", "payment")
    again = replay(taxes, path)
    assert (again.loads, again.untouched, again.already) == ([], 2, 2)
    # Saved once more, the same corrections are in a file of another hash.
    other = correct(path, {}, copy="又存.xlsx")
    assert other.read_bytes() != path.read_bytes()
    assert replay(taxes, other).loads == []
    assert ledger(taxes) == before
    assert counting(taxes, "state_tax", "payment").equals(rows)


def test_what_is_still_wrong_is_refused_again(taxes: Warehouse, tmp_path: Path) -> None:
    path = correct(exported(taxes, tmp_path), {3: {"uscc": C, "period": "202513"}, 4: {"vat_fen": "四万"}})
    (report,) = replay(taxes, path).loads
    found = refused(taxes, report).sort("row")
    assert found.select("code", "row", "value").rows() == [("bad_period", 3, "202513"), ("not_a_number", 4, "四万")]
    assert found["column"][1] == openpyxl.utils.get_column_letter(found_column(path, NOW + "vat_fen"))
    assert open_rows(taxes).height == 4  # the two that nobody touched, the two refused again
    second = correct(exported(taxes, tmp_path, "再.xlsx"), {3: {"period": "202402"}, 4: {"vat_fen": "4"}})
    (last,) = replay(taxes, second).loads
    assert (last.kept, last.refused) == (2, 0)
    # The credit code corrected first is still corrected.
    assert sorted(kept(taxes, last, "payment")["uscc"].to_list()) == sorted([B, C])
    assert open_rows(taxes)["row"].sort().to_list() == [5, 6]


def test_the_first_workbook_improved_goes_on_from_there(taxes: Warehouse, tmp_path: Path) -> None:
    path = correct(exported(taxes, tmp_path), {4: {"vat_fen": "四万"}})
    replay(taxes, path)
    done = replay(taxes, correct(path, {4: {"vat_fen": "4"}}))
    assert [(r.kept, r.refused) for r in done.loads] == [(1, 0)]
    assert replay(taxes, path).loads == []


def found_column(path: Path, key: str) -> int:
    sheet = openpyxl.load_workbook(path)["state_tax.payment"]
    return [c.value for c in sheet[1]].index(key) + 1


def test_a_cell_written_over_counts_as_corrected(taxes: Warehouse, tmp_path: Path) -> None:
    path = correct(exported(taxes, tmp_path), {3: {WAS + "uscc": C}})
    assert [r.kept for r in replay(taxes, path).loads] == [1]


def test_a_conflict_is_settled_by_the_corrected_row(taxes: Warehouse, tmp_path: Path) -> None:
    path = correct(exported(taxes, tmp_path), {6: {"vat_fen": "8"}})
    (report,) = replay(taxes, path).loads
    assert (report.kept, report.replaced) == (1, 1)
    assert counting(taxes, "state_tax", "payment")["vat_fen"].to_list() == [8_000_000]


def test_unit_sheet_and_mapping_are_those_of_the_file(home: Warehouse, tmp_path: Path) -> None:
    head: list[Any] = ["户", "量"]
    path = workbook(tmp_path / "气.xlsx", {"1月": [head, ["1001", "待核1"]], "2月": [head, ["1002", "待核2"]]})
    mapping = put(
        tmp_path, "m.yaml",
        "source: gas\ntables: {usage: {fields: {account: {type: account, headers: [户]}, gas_litre: {type: amount, unit: 万立方米, headers: [量]}}}}\n",
    )  # fmt: skip
    one(home, path, "gas", year=2024, mapping=mapping)
    book = openpyxl.load_workbook(exported(home, tmp_path))
    sheet = book.active
    keys = [c.value for c in sheet[1]]
    for line in (3, 4):
        sheet.cell(line, keys.index(NOW + "gas_litre") + 1).value = str(line)
    book.save(tmp_path / "退回.xlsx")
    (report,) = replay(home, tmp_path / "退回.xlsx").loads
    rows = kept(home, report, "usage").sort("period")
    assert rows.select("account", "period", "gas_litre").rows() == [
        ("1001", 202401, 3 * 10**7),
        ("1002", 202402, 4 * 10**7),
    ]


def test_a_newer_file_takes_the_corrections_of_the_older_with_it(taxes: Warehouse, tmp_path: Path) -> None:
    path = correct(exported(taxes, tmp_path), {3: {"uscc": C}})
    (report,) = replay(taxes, path).loads
    new = one(taxes, put(tmp_path, "国税.csv", TAX.replace(BAD, C).replace("三万", "3")), "state_tax", year=2024)
    assert report.load_id in new.replaces
    assert counting(taxes, "state_tax", "payment").filter(pl.col("uscc") == C).height == 1
    with pytest.raises(PermuError) as error:
        replay(taxes, correct(path, {4: {"vat_fen": "5"}}))
    assert error.value.code == "unknown_rows"


def test_another_workbook_is_not_taken(taxes: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError) as error:
        replay(taxes, workbook(tmp_path / "x.xlsx", {"a": [["户号", "用电量"], [1, 2]]}))
    assert error.value.code == "not_an_export"
