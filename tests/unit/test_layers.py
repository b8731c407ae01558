"""Who may import whom (DESIGN §1 in one table), and proof that the check finds a breach."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# Package → the project's modules it may import, besides itself. `sql` and the data packages hold files, not code.
MAY_IMPORT = {
    "engine": ("sql",),
    "ingest": ("engine.schema", "sql"),
    "api": ("engine", "ingest", "sql"),
    "cli": ("engine", "ingest", "api", "data", "sql"),
    "data": ("engine.schema",),
    "sql": (),
}


def _imported(tree: ast.AST, package: list[str]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, also relative ones and import_module("…")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield node.lineno, str(node.args[0].value)


def breaches(root: Path) -> list[str]:
    """Every import under ``root`` against the table, as "file:line imports name"."""
    found = []
    for own, allowed in MAY_IMPORT.items():
        for file in sorted((root / own).rglob("*.py")):
            inside = file.relative_to(root)
            for line, name in _imported(ast.parse(file.read_text("utf-8")), list(inside.parent.parts)):
                project = name.split(".")[0] in MAY_IMPORT
                if project and not any(f"{name}.".startswith(f"{a}.") for a in (own, *allowed)):
                    found.append(f"{inside}:{line} imports {name}")
    return found


def test_imports_follow_the_layers(checkout: Path) -> None:
    assert all((checkout / package).is_dir() for package in MAY_IMPORT)
    assert breaches(checkout) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("engine/a.py", "from ingest.load import ingest"),
        ("engine/a.py", "import api.app"),
        ("engine/deep/er/a.py", "def f():\n    from cli import main"),
        ("ingest/a.py", "from engine import ranking"),
        ("ingest/a.py", "from engine.ranking import rank"),
        ("ingest/a.py", "from data.demo import truth"),
        ("ingest/a.py", "import importlib\nimportlib.import_module('engine.policy')"),
        ("api/a.py", "from cli.main import app"),
        ("data/demo/a.py", "from engine.policy import load"),
        ("data/demo/a.py", "from ...engine import policy"),
        ("sql/a.py", "import engine.schema"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, file: str, text: str) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    place.write_text(text, "utf-8")
    assert len(breaches(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ingest/a.py", "from engine.schema import units\nfrom engine.schema.units import fold\nfrom . import b"),
        ("engine/query/a.py", "from engine.policy import load\nfrom ..policy import load\nimport polars"),
        ("api/a.py", "from engine.query import select\nfrom ingest.load import ingest"),
        ("cli/a.py", "import api.app\nimport data.demo\nimport engineering"),
    ],
)
def test_what_is_allowed_is_no_breach(tmp_path: Path, file: str, text: str) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    place.write_text(text, "utf-8")
    assert breaches(tmp_path) == []
