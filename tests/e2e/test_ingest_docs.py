"""docs/ingest.md, followed literally: its files are written, its commands run, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from ingest.declarations import FieldType
from ingest.declared import adopt
from ingest.reasons import REASONS
from ingest.refused import NOW

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([^`\n]+\.(?:yaml|csv))`:\s*\Z")
SECTION = re.compile(r"^## Add a department with one YAML file\n(.*?)^## ", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page(checkout: Path) -> str:
    return (checkout / "docs" / "ingest.md").read_text("utf-8")


@pytest.fixture(scope="module")
def section(page: str) -> str:
    found = SECTION.search(page)
    assert found
    return found[1]


def environment() -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PERMU_", "PYTHON", "COV"))}
    return clean | {"PATH": f"{Path(sys.executable).parent}:{clean['PATH']}", "PERMU_LANG": "en"}


def permu(folder: Path, *words: str) -> Any:
    done = subprocess.run(
        ["permu", *words, "--json"], cwd=folder, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode <= 1, done.stderr
    return json.loads(done.stdout)


def follow(section: str, folder: Path) -> list[str]:
    """Write every file that the page names and run every command, in order; what the commands printed."""
    said = []
    for block in BLOCK.finditer(section):
        named = NAMED.search(section[: block.start()])
        if named and block[1] in ("yaml", "csv"):
            path = folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block[2], "utf-8")
        elif block[1] == "sh":
            for line in block[2].splitlines():
                done = subprocess.run(
                    ["bash", "-c", line], cwd=folder, env=environment(), capture_output=True, text=True, timeout=120
                )
                assert done.returncode <= 1 and "Traceback" not in done.stderr, (line, done.stderr)
                said.append(done.stdout)
    return said


def test_an_official_adds_a_department(section: str, tmp_path: Path) -> None:
    said = follow(section, tmp_path)
    assert len(said) == 6
    assert "steam_gram" in said[0] and "用汽量" in said[1] and "吨" in said[1]
    home = tmp_path / "data" / "warehouse"
    coverage = {c["source"]: c for c in permu(tmp_path, "status")["coverage"]}
    assert (coverage["heat"]["kept"], coverage["heat"]["refused"], coverage["heat"]["months_held"]) == (2, 1, [1, 2])
    assert permu(tmp_path, "status")["refused"] == {"out_of_range": 1}
    assert permu(tmp_path, "status")["findings"] == 0  # "the total adds up"
    (facts,) = home.glob("merged/*/facts.parquet")
    steam = pl.read_parquet(facts, glob=False).filter(pl.col("field") == "steam_gram")
    assert steam.select("value", "source", "unit").rows() == [(220 * 10**6, "heat", "gram")]
    _correct(tmp_path)


def _correct(folder: Path) -> None:
    """The page's step 5, by hand: the official fills the yellow cell and takes the workbook back."""
    book = openpyxl.load_workbook(folder / "退回.xlsx")
    sheet = book["heat.usage"]
    keys = [c.value for c in sheet[1]]
    sheet.cell(3, keys.index(NOW + "steam_gram") + 1).value = "1200"
    book.save(folder / "退回.xlsx")
    (load,) = permu(folder, "refused", "replay", "退回.xlsx")["loads"]
    assert (load["kept"], load["refused"]) == (1, 0)
    assert permu(folder, "refused", "replay", "退回.xlsx")["loads"] == []


def test_the_page_edits_no_file_of_the_package(section: str, checkout: Path) -> None:
    named = [NAMED.search(section[: b.start()]) for b in BLOCK.finditer(section)]
    assert [n[1] for n in named if n] == [
        "data/warehouse/sources/heat.yaml", "drops/热力公司/2024/用汽量.csv", "drops/commerce/2024/企业名册.csv",
    ]  # fmt: skip
    assert not (checkout / "ingest" / "sources" / "heat.yaml").exists()


def test_the_other_declarations_are_understood(page: str, tmp_path: Path) -> None:
    """Every YAML block of the page stands as it is, as a source of one's own or as a mapping."""
    from ingest.declared import load_mapping

    blocks = [b[2] for b in BLOCK.finditer(page) if b[1] == "yaml"]
    assert len(blocks) >= 3
    for n, text in enumerate(blocks):
        (tmp_path / "sources").mkdir(exist_ok=True)
        path = tmp_path / "sources" / f"{n}.yaml"
        path.write_text(text, "utf-8")
        if text.startswith("source: land"):
            load_mapping(path)
            path.unlink()
    adopt(tmp_path)
    adopt(tmp_path / "none")


def test_every_reason_type_and_rule_is_on_the_page(page: str) -> None:
    assert [code for code in REASONS if code not in page] == []
    assert [kind for kind in FieldType.__args__ if kind not in page] == []
    for word in ("on_new", "replace", "upsert", "append", "load_shrinks", "write_failed", "warehouse_busy", "findings"):
        assert f"`{word}`" in page, word


def test_every_option_of_ingest_is_on_the_page(page: str) -> None:
    shown = subprocess.run(
        ["permu", "ingest", "--help"], env=environment() | {"COLUMNS": "200"}, capture_output=True, text=True
    )
    options = set(re.findall(r"--[a-z][a-z-]+", shown.stdout)) - {"--help", "--home", "--json"}
    assert len(options) >= 8
    assert sorted(o for o in options if o not in page) == []
