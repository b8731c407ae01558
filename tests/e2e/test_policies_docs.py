"""docs/policies.md, followed literally: its file is written and added to, its commands run, its outputs compared."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.policy.model import Policy
from engine.policy.packs import load_pack, shipped
from engine.policy.scoring import Item, Score
from engine.schema.warehouse import Warehouse

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([a-z0-9-]+\.yaml)`[^`]*:\s*\Z")
ADDED = re.compile(r"Add\s+to `([a-z0-9-]+\.yaml)`(?:(?!```).)*:\s*\Z", re.DOTALL)


@pytest.fixture(scope="module")
def page(checkout: Path) -> str:
    return (checkout / "docs" / "policies.md").read_text("utf-8")


class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        self.said: list[subprocess.CompletedProcess[str]] = []

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PERMU_", "PYTHON", "COV"))}
        path = f"{Path(sys.executable).parent}:{clean['PATH']}"
        env = clean | {"PATH": path, "PERMU_LANG": "en", "PERMU_HOME": str(self.home)}
        return subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=env, capture_output=True, text=True, timeout=120
        )

    def follow(self, page: str) -> None:
        for block in BLOCK.finditer(page):
            before, (kind, text) = page[: block.start()], block.groups()
            if kind == "yaml":
                if added := ADDED.search(before):
                    with (self.folder / added[1]).open("a", encoding="utf-8") as file:
                        file.write(text)
                else:
                    named = FILE.search(before)
                    assert named, "a file of the page has a name"
                    (self.folder / named[1]).write_text(text, "utf-8")
            elif kind == "sh":
                self.said += [self.run(line) for line in text.splitlines()]
            elif kind == "text":
                assert self.said[-1].returncode == 2 and text.strip() in self.said[-1].stderr.replace("\n", " ")
            elif kind == "json":
                self.compare(json.loads(text))

    def compare(self, expected: dict[str, float]) -> None:
        """The items and the total that the last command tells."""
        told = json.loads(self.run(f"{self.said[-1].args[2]} --json").stdout)
        assert told["items"] | {"total": told["total"]} == expected


@pytest.fixture(scope="module")
def reader(page: str, demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("policies")
    shutil.copytree(demo_home.home, folder / "home")
    one = Reader(folder, folder / "home")
    one.follow(page)
    return one


def test_a_bureau_writes_its_own_pack(reader: Reader) -> None:
    """All commands end well but the one on the file made wrong; the pack ranks and its release holds it as written."""
    failed = [s.args[2] for s in reader.said if s.returncode not in (0, 1)]
    assert failed == ["permu policy check wrong.yaml"]
    assert "shili-2025" in next(s.stdout for s in reversed(reader.said) if s.args[2] == "permu policy list")
    (release,) = (reader.home / "releases").glob("2024-shili-2025-*")
    assert (release / "policy.yaml").read_bytes() == (reader.folder / "shili-2025.yaml").read_bytes()


def test_what_the_pack_ranked(reader: Reader) -> None:
    rows = json.loads(reader.run("permu rankings --policy shili-2025 --year 2024 --json").stdout)["rows"]
    grades = {r["grade"] for r in rows}
    assert {"A", "B", "C", "D", "T"} <= grades
    assert any(
        r["scale_group"] == "below_scale" and r["score"] == r["tax_per_mu"] for r in rows if r["score"] is not None
    )


def test_the_chinese_page_has_the_same_files_and_commands(reader: Reader, page: str, checkout: Path) -> None:
    """What is followed above is what the Chinese page says too; its one output is that of the command in Chinese."""
    zh = (checkout / "docs" / "policies.zh.md").read_text("utf-8")
    (told,) = (b[2].strip() for b in BLOCK.finditer(zh) if b[1] == "text")
    same = [[b[0] for b in BLOCK.finditer(text) if b[1] != "text"] for text in (page, zh)]
    assert same[0] == same[1]
    shown = reader.run("PERMU_LANG=zh permu policy check wrong.yaml")
    assert shown.returncode == 2 and told in shown.stderr.replace("\n", " ")


def keys_of(form: Any) -> set[str]:
    return set(form.model_fields)


@pytest.mark.parametrize("name", ["policies.md", "policies.zh.md"])
def test_the_page_names_every_pack_and_every_key(checkout: Path, name: str) -> None:
    page = (checkout / "docs" / name).read_text("utf-8")
    status = {"complete": "完整", "partial": "不完整", "illustrative": "示例"} if "zh" in name else {}
    for pack in shipped():
        line = next(x for x in page.splitlines() if x.startswith("|") and f"`{pack}`" in x)
        word = load_pack(pack).policy.status
        assert f"| {status.get(word, word)} |" in line
    keys = keys_of(Policy) | (keys_of(Score) - {"groups"}) | keys_of(Item)
    assert [k for k in sorted(keys) if not re.search(rf"[`….]{k}`", page)] == []
