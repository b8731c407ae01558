"""House rules a machine can hold: short parts, no machine paths, no index addresses, libraries declared and locked."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PACKAGES = ("engine", "ingest", "api", "cli", "data", "sql")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
# Folders of one machine: they mean nothing on another. (/tmp and /usr/bin/env are everywhere.)
MACHINE_PATH = re.compile(r"/(?:work|home|root|Users|opt|mnt)/[\w.-]+")
INDEX_ADDRESS = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|^-[if]\b|\bfile:/", re.MULTILINE)


def _sources(root: Path, *tops: str) -> Iterator[Path]:
    for top in tops:
        yield from sorted((root / top).rglob("*.py"))


def long_parts(file: Path) -> list[str]:
    """What of ``file`` is too long to read at once."""
    text = file.read_text("utf-8")
    lines = text.count("\n")
    found = [f"{file}: {lines} lines"] if lines > LONGEST_FILE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > LONGEST_FUNCTION:
                found.append(f"{file}:{node.lineno} {node.name}: {size} lines")
    return found


def test_files_and_functions_are_short(checkout: Path) -> None:
    files = list(_sources(checkout, *PACKAGES, "tests"))
    assert len(files) > 20
    assert [part for file in files for part in long_parts(file)] == []


def test_a_long_file_and_a_long_function_are_found(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text("def f():\n" + "    x = 1\n" * 401, "utf-8")
    assert len(long_parts(file)) == 2


def test_no_index_address_where_packages_are_named(checkout: Path) -> None:
    names = ("pyproject.toml", "Makefile", "package.json", "package-lock.json", ".npmrc")
    files = [*(checkout / name for name in names), *(checkout / "requirements").glob("*.txt")]
    assert len(files) == 9
    for file in files:
        text = file.read_text("utf-8").replace("http://127.0.0.1", "")
        assert INDEX_ADDRESS.search(text) is None, file.name


@pytest.mark.parametrize(
    "line", ["--index-url x", "-i x", "-f wheels", "a @ https://host/a.whl", "a @ file:///a.whl", "--find-links x"]
)
def test_an_index_address_is_found(line: str) -> None:
    assert INDEX_ADDRESS.search(f"a==1\n{line}\n")


def test_no_path_of_a_machine(checkout: Path) -> None:
    own = Path(__file__).resolve()
    tops = [checkout / t for t in (*PACKAGES, "tests", "docs", "requirements", ".ci")]
    files = [
        f for top in tops for f in top.rglob("*") if f.is_file() and f.suffix in (".py", ".sql", ".yaml", ".md", ".txt")
    ]
    files += [checkout / "Makefile", checkout / "pyproject.toml", *checkout.glob("*.md"), checkout / ".ci" / "run"]
    made_by_permu = [
        checkout / "data" / "warehouse",
        checkout / "data" / "demo" / "drops",
        checkout / "data" / "demo" / "truth",
    ]
    for file in files:
        if file != own and not any(file.is_relative_to(m) for m in made_by_permu):
            found = MACHINE_PATH.search(file.read_text("utf-8"))
            assert found is None, f"{file}: {found and found.group()}"


# --- requirements ------------------------------------------------------------------------------------------------


def _project(checkout: Path) -> dict[str, list[Requirement]]:
    """Requirements by lock file: run, dev and spark each hold the dependencies, the latter two their extra."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = {"run": [], "dev": extras["dev"], "spark": extras["spark"]}
    return {lock: [Requirement(r) for r in [*project["dependencies"], *extra]] for lock, extra in named.items()}


@pytest.mark.parametrize("lock", ["run", "dev", "spark"])
def test_lock_holds_every_requirement_in_an_allowed_version(checkout: Path, lock: str) -> None:
    text = (checkout / "requirements" / f"{lock}.txt").read_text("utf-8")
    pins: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.!+-]+)", text, re.MULTILINE):
        pins.setdefault(canonicalize_name(name), []).append(Version(version))
    for needed in _project(checkout)[lock]:
        versions = pins.get(canonicalize_name(needed.name), [])
        assert versions, f"{needed} is not locked: run `make lock`"
        assert all(v in needed.specifier for v in versions), f"{needed} is locked as {versions}: run `make lock`"
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def _libraries(checkout: Path, *tops: str) -> set[str]:
    """Top-level names imported under ``tops`` that are neither Python's own nor the project's."""
    found = set()
    for file in _sources(checkout, *tops):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= {n.split(".")[0] for n in names}
    return found - set(sys.stdlib_module_names) - {*PACKAGES, "tests", "qgis"}  # PyQGIS: Debian's, run by its Python


def _distributions(checkout: Path, *tops: str) -> dict[str, set[str]]:
    """Imported name → the distributions that could bring it."""
    owners = packages_distributions()
    return {n: {canonicalize_name(d) for d in owners.get(n, [n])} for n in _libraries(checkout, *tops)}


@pytest.mark.parametrize(("lock", "tops"), [("run", PACKAGES), ("dev", ("tests",))])
def test_every_imported_library_is_declared(checkout: Path, lock: str, tops: tuple[str, ...]) -> None:
    """A library that only happens to be installed is missing on the next machine."""
    allowed = {canonicalize_name(r.name) for part in (lock, "spark") for r in _project(checkout)[part]}
    imported = _distributions(checkout, *tops)
    assert {name: owners for name, owners in imported.items() if not owners & allowed} == {}


def test_every_declared_library_is_imported_and_has_its_reason(checkout: Path) -> None:
    imported = set().union(*_distributions(checkout, *PACKAGES).values())
    reasons = (checkout / "docs" / "decisions" / "0001-dependencies.md").read_text("utf-8")
    # uvicorn takes its loop by name, and imports the parser for the protocol that is handed to it
    server, protocol = ((checkout / "api" / name).read_text("utf-8") for name in ("serve.py", "protocol.py"))
    imported |= {"uvloop"} if '="uvloop"' in server else set()
    imported |= {"httptools"} if ".httptools_impl import" in protocol and "http=Protocol" in server else set()
    for needed in _project(checkout)["run"]:
        assert canonicalize_name(needed.name) in imported, f"{needed.name}: nothing imports it"
        assert needed.name in reasons, f"{needed.name}: no reason in docs/decisions/0001-dependencies.md"
