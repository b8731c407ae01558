"""The wheel, installed into a clean environment, works from an empty folder and finds its own files."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("engine", "ingest", "api", "cli", "sql", "data")
# What the packages hold beside code must travel: (folder, ending).
CARRIED = [
    ("sql", ".sql"),
    ("data/codes", ".csv"),
    ("data/policies", ".yaml"),
    ("ingest/sources", ".yaml"),
    ("api/pages", ".svg"),
    ("api/pages", ".js"),
    ("api/pages", ".css"),
]
MADE_BY_PERMU = ("data/warehouse/", "data/demo/drops/", "data/demo/truth/")


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
    ]
    subprocess.run([*pip, str(checkout)], check=True, timeout=300)
    (built,) = out.glob("permu-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel; the libraries are borrowed from this one, the checkout is not."""
    place = tmp_path_factory.mktemp("clean") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=120)
    python = place / "bin" / "python"
    site = next(place.glob("lib/python*/site-packages"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, timeout=300)
    # A .pth adds the folder, but not the .pth files inside it: the editable checkout stays out of reach.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python


def _run(command: list[str], cwd: Path, **environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PERMU_", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=clean | environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_wheel_carries_every_file_of_the_packages_and_nothing_else(wheel: Path, checkout: Path) -> None:
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    expected = {
        f.relative_to(checkout).as_posix()
        for package in PACKAGES
        for f in (checkout / package).rglob("*")
        if f.is_file() and "__pycache__" not in f.parts
    }
    assert names == {n for n in expected if not n.startswith(MADE_BY_PERMU)}


@pytest.mark.parametrize(("folder", "ending"), CARRIED)
def test_files_beside_code_are_found_from_an_empty_folder(
    installed: Path, checkout: Path, tmp_path: Path, folder: str, ending: str
) -> None:
    """Walked through importlib.resources, as the code does, in the installed copy."""
    listing = (
        "import sys; from importlib import resources\n"
        "def walk(at):\n"
        "    for e in at.iterdir():\n"
        "        yield from walk(e) if e.is_dir() else [e.name]\n"
        f"top, *rest = {folder!r}.split('/')\n"
        f"at = resources.files(top).joinpath(*rest)\n"
        f"assert {str(checkout)!r} not in str(at), at\n"
        f"print(*sorted(n for n in walk(at) if n.endswith({ending!r})), sep='\\n')"
    )
    found = _run([str(installed), "-c", listing], tmp_path).split()
    assert found and found == sorted(f.name for f in (checkout / folder).rglob(f"*{ending}"))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--help"], ["demo", "ingest", "merge", "rank", "rankings", "explain", "serve"]),
        (["sources"], ["commerce", "land", "state_tax", "local_tax", "power", "gas", "environment"]),
        (["policy", "list"], ["sunan-2017", "huaian-2024"]),
    ],
)
def test_commands_work_from_an_empty_folder(
    installed: Path, tmp_path: Path, arguments: list[str], shown: list[str]
) -> None:
    text = _run([str(installed.parent / "permu"), *arguments], tmp_path, COLUMNS="120")
    assert [word for word in shown if word not in text] == []


def test_codes_have_names_there(installed: Path, tmp_path: Path) -> None:
    ask = "from engine.schema import codes; print(codes.industry_name('26'), codes.region_name('320500'))"
    assert _run([str(installed), "-c", ask], tmp_path).split() == ["化学原料和化学制品制造业", "苏州市"]
    assert list(tmp_path.iterdir()) == []
