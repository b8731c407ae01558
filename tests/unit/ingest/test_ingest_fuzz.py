"""Broken files of every kind: always a reasoned refusal or rows, never a traceback, a crash, a hang or a gigabyte.

Each file is opened to its end in a process of its own (tests/fuzzing.py), so that a crash or a hang of a C library is seen.
"""

from __future__ import annotations

import random
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from ingest.read import batches, open_file
from tests.fuzzing import Opener, Verdict
from tests.unit.ingest import seeds

SECONDS, MEGABYTES = 45, 1000
_EDGES = [
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\n",
    b'"',
    b"\xef\xbb\xbf",
    b"<",
    b"{",
]


def mutated(data: bytes, luck: random.Random) -> bytes:
    """A few bytes changed, put in, taken out, set to an edge value, copied elsewhere, or the end cut off."""
    out = bytearray(data)
    for _ in range(luck.choice([1, 1, 2, 4, 16, 64])):
        at = luck.randrange(len(out) + 1)
        match luck.randrange(7):
            case 0 | 1:
                out[at : at + 1] = luck.randbytes(1)
            case 2:
                out[at:at] = luck.randbytes(luck.randrange(1, 9))
            case 3:
                del out[at : at + luck.randrange(1, 64)]
            case 4:
                edge = luck.choice(_EDGES)
                out[at : at + len(edge)] = edge
            case 5:
                other = luck.randrange(len(out) + 1)
                out[at : at + 32] = out[other : other + 32]
            case 6 if luck.random() < 0.15:
                del out[at:]
    return bytes(out)


def mutants(seed: Path, folder: Path, count: int, luck: random.Random) -> list[Path]:
    """``count`` broken copies; of a shapefile with all its parts, one of them broken; of a workbook also one part inside."""
    made = []
    for i in range(count):
        target = folder / f"{seed.stem}-{i}{seed.suffix}"
        if seed.suffix == ".shp":
            parts = [
                p for p in sorted(seed.parent.glob(f"{seed.stem}.*")) if p.suffix in (".shp", ".shx", ".dbf", ".prj")
            ]
            broken = luck.choice(parts)
            for part in parts:
                content = part.read_bytes()
                target.with_suffix(part.suffix).write_bytes(mutated(content, luck) if part == broken else content)
        elif seed.suffix == ".xlsx" and i % 2:
            _inside(seed, target, luck)
        else:
            target.write_bytes(mutated(seed.read_bytes(), luck))
        made.append(target)
    return made


def _inside(seed: Path, target: Path, luck: random.Random) -> None:
    """A workbook whose zip is whole and one of its XML parts is not."""
    with zipfile.ZipFile(seed) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        broken = luck.choice([n for n in old.namelist() if n.endswith((".xml", ".rels"))])
        for name in old.namelist():
            new.writestr(name, mutated(old.read(name), luck) if name == broken else old.read(name))


def judged(paths: list[Path], seconds: float = SECONDS) -> list[Verdict]:
    with Opener(seconds) as opener:
        verdicts = opener.open_all(paths)
    assert [v for v in verdicts if not v.reasoned or v.seconds > seconds or v.peak_mb > MEGABYTES] == []
    return verdicts


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return seeds.write(tmp_path_factory.mktemp("seeds"))


def test_every_seed_is_read_whole(files: dict[str, Path]) -> None:
    assert {v.what for v in judged(list(files.values()))} == {"ok"}


@pytest.mark.parametrize("name", list(seeds.SEEDS))
def test_mutants(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    verdicts = judged(mutants(files[name], tmp_path, 16, random.Random(2017)))
    assert len(verdicts) == 16


@pytest.mark.slow
@pytest.mark.parametrize("name", list(seeds.SEEDS))
def test_many_mutants(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    verdicts = judged(mutants(files[name], tmp_path, 150, random.Random(44)))
    assert Counter(v.what for v in verdicts)["unreadable_file"] > 0 or name.endswith((".csv", ".txt", ".xls"))


REAL = [
    "yearbook/raw-01-operation/raw-2010.xls", "yearbook/raw-01-operation/raw-2020.xls",
    "yearbook/raw-01-operation/raw-2020-soshu.xls", "yearbook/raw-01-operation/raw-2022.xlsx",
    "land_landchina/HEAD_2007年01月.xls", "power/weather_GBK.csv",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_yearbook_landchina_power_mutants_of_real_files(shared: Path, tmp_path: Path, name: str) -> None:
    assert len(judged(mutants(shared / "real" / name, tmp_path, 60, random.Random(7)))) == 60


@pytest.mark.parametrize("name", list(seeds.SEEDS))
def test_mutants_through_the_whole_ingest(files: dict[str, Path], tmp_path: Path, home: Warehouse, name: str) -> None:
    source = "land" if files[name].suffix in (".shp", ".gpkg", ".fgb", ".geojson") else "power"
    for path in mutants(files[name], tmp_path, 8, random.Random(320)):
        try:
            (report,) = ingest(home, [path], source=source, year=2024, dry_run=True)
        except PermuError as error:
            assert error.code in (
                "unreadable_file",
                "no_table",
                "missing_column",
                "ambiguous_unit",
                "no_crs",
                "ambiguous_column",
            )
        else:
            assert report.rows_in == report.kept + report.refused + report.furniture


def test_a_file_cut_off_anywhere(files: dict[str, Path], tmp_path: Path) -> None:
    made = []
    for name, path in files.items():
        data = path.read_bytes()
        for share in (0.02, 0.3, 0.7, 0.99):
            target = tmp_path / f"{share}-{name}"
            target.write_bytes(data[: int(len(data) * share)])
            made.append(target)
    assert len(judged(made)) == 4 * len(files) > 0


def test_every_kind_under_every_name(files: dict[str, Path], tmp_path: Path) -> None:
    whole = [n for n in files if n != "a.shp"]
    made = [shutil.copy(files[n], tmp_path / f"{n}.as{Path(o).suffix}") for n in whole for o in files]
    assert len(judged([Path(m) for m in made])) == len(whole) * len(files) > 0


# --- text: hypothesis in this process ----------------------------------------------------------------------------

_CELLS = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
_TABLES = st.lists(st.lists(_CELLS, min_size=1, max_size=6), min_size=1, max_size=12)


def opened(path: Path) -> int | str:
    """Rows, or the code of the refusal."""
    try:
        return sum(cells.height for sheet in open_file(path) for cells in batches(sheet, path))
    except PermuError as error:
        assert "\n" not in error.en
        return error.code


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_TABLES, st.sampled_from(["utf-8", "gb18030", "utf-16", "cp1252"]), st.sampled_from([",", "\t", ";", "|"]))
def test_any_text(tmp_path: Path, table: list[list[str]], encoding: str, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(separator.join(row) for row in table).encode(encoding, "replace"))
    assert opened(path) == "unreadable_file" or isinstance(opened(path), int)


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300), st.sampled_from(["a.csv", "a.xls", "a.xlsx", "a.geojson", "a.zip", "a.parquet", "a.dbf"])
)
def test_any_bytes(tmp_path: Path, data: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(data)
    opened(tmp_path / name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            ["<table>", "</table>", "<tr>", "<td colspan=3>", "<td rowspan=99999>", "x", "<th>", "&#0;", "<!--"]
        )
    )
)
def test_any_page(tmp_path: Path, pieces: list[str]) -> None:
    (tmp_path / "a.xls").write_text("<html>" + "".join(pieces), "utf-8")
    opened(tmp_path / "a.xls")
