"""docs/exports.md names every option, parameter and format there is; groups of bottom lists on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import openpyxl
import pytest
from typer.main import get_command

from api.exports.formats import FORMATS
from api.exports.sheets import LONGEST_NAME, MOST_SHEETS
from cli.main import application, run
from cli.report import app as reports
from engine.query import Board
from engine.releases import find
from engine.schema.warehouse import Warehouse


def test_the_docs_name_every_option_and_format(checkout: Path) -> None:
    text = (checkout / "docs" / "exports.md").read_text(encoding="utf-8")
    for command in get_command(reports).commands.values():  # type: ignore[attr-defined]
        options = [o for p in command.params for o in p.opts if o.startswith("--")]
        assert f"permu report {command.name}" in text and options
        assert [o for o in options if f"`{o}`" not in text and f"{o} " not in text] == []
    assert all(f"`{form}`" in text for form in FORMATS)
    assert f"at most {MOST_SHEETS} groups" in text and f"{LONGEST_NAME} characters" in text
    for picture in re.findall(r"\]\((pictures/[\w.-]+)\)", text):
        assert (checkout / "docs" / picture).stat().st_size < 200_000


def test_the_commands_of_the_docs_are_commands(checkout: Path) -> None:
    text = (checkout / "docs" / "exports.md").read_text(encoding="utf-8")
    known = get_command(application([])).commands  # type: ignore[attr-defined]
    named = re.findall(r"`permu (\w+)((?: --[a-z-]+| [\w%.-]+)*)", text)
    assert len(named) >= 4
    for name, rest in named:
        command = known[name]
        part = rest.split()[0] if hasattr(command, "commands") else ""
        command = command.commands[part] if part else command
        options = {o for p in command.params for o in p.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, (name, rest)


def ended(words: list[str]) -> int:
    with pytest.raises(SystemExit) as found:
        run(words)
    return int(found.value.code or 0)


def test_bottom_lists_within_groups_by_command(
    demo_home: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(demo_home.home), "--year", "2024"]
    assert ended(["rankings", "--bottom", "2", "--within", "region_city,size", "--json", *home]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    table = Board(find(demo_home, None, 2024)).table
    assert {g["key"]["region_city"] for g in groups} == set(table["region_city"])
    place = tmp_path / "b.xlsx"
    words = ["rankings", "--bottom", "2", "--within", "region_city,size", "--sheets", "group", "--format", "xlsx"]
    assert ended([*words, "--out", str(place), *home]) == 0
    book = openpyxl.load_workbook(place)
    assert len(book.sheetnames) == 2 + sum(bool(g["rows"]) for g in groups)
    assert [p.max_row - 6 for p in book.worksheets[1:-1]] == [len(g["rows"]) for g in groups if g["rows"]]


@pytest.mark.parametrize(
    "words", [["--within", "size"], ["--bottom", "1", "--within", "colour"], ["--bottom", "1", "--sheets", "all"]]
)
def test_groups_without_bottom_lists_are_refused(demo_home: Warehouse, words: list[str]) -> None:
    assert ended(["rankings", *words, "--home", str(demo_home.home), "--year", "2024"]) == 2
