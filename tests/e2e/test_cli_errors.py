"""What goes wrong is one clear line and exit 2: no traceback, nothing half-written."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.e2e.tour import Tour, inside, permu, state

pytestmark = pytest.mark.slow

# arguments → the error's code and words that its line must hold; {made} is a folder of bad files
BAD = {
    "missing folder": ("ingest {made}/nowhere", "missing_folder", ["nowhere", "no such file or folder"]),
    "unreadable file": ("ingest {made}/land/garbage.xlsx --source land", "unreadable_file", ["garbage.xlsx"]),
    "unreadable among good ones": ("ingest {made}/mixed --year 2024", "unreadable_file", ["garbage.xlsx"]),
    "missing column": (
        "ingest {made}/land/short.csv --source land --year 2024",
        "missing_column",
        ["short.csv", "宗地面积"],
    ),
    "unknown source": ("ingest {made}/land --source lands", "unknown_source", ["lands", "land"]),
    "no mapping file": ("ingest {made}/land --mapping {made}/none.yaml", "bad_mapping", ["none.yaml"]),
    "year without data": ("merge --year 2019", "no_data_for_year", ["2019", "permu ingest"]),
    "merge rules absent": ("merge --year 2024 --rules {made}/none.yaml", "bad_rules", ["none.yaml"]),
    "merge rules wrong": ("merge --year 2024 --rules {made}/rules.yaml", "bad_rules", ["rules.yaml", "nothing_fen"]),
    "rank a year without data": ("rank --year 2019", "no_merge", ["2019", "permu ingest"]),
    "rank without the base year": ("rank --year 2023 --policy huaian-2024", "no_base_year", ["2022", "huaian-2024"]),
    "unknown policy": ("rank --year 2024 --policy sunan-2018", "unknown_policy", ["sunan-2018", "sunan-2017"]),
    "broken policy": ("rank --year 2024 --policy {made}/policy.yaml", "bad_policy", ["policy.yaml"]),
    "policy that is no text": ("policy check {made}/binary.yaml", "bad_policy", ["binary.yaml"]),
    "no release of a year": ("rankings --year 2019", "no_release", ["2019", "permu rank"]),
    "no release of a policy": ("rankings --policy huangyan-2021", "no_release", ["huangyan-2021"]),
    "unknown release": ("rankings --release 2024-x", "unknown_release", ["2024-x", "permu releases"]),
    "unknown release to replay": ("replay 2024-x", "unknown_release", ["2024-x"]),
    "unknown enterprise": ("explain 91110108551385082Q", "unknown_enterprise", ["91110108551385082Q"]),
    "bad industry": ("rankings --industry 26x45", "bad_parameter", ["industry", "26x45"]),
    "bad region": ("rankings --region Suzhou", "bad_parameter", ["region", "Suzhou"]),
    "bad size": ("rankings --size huge", "bad_parameter", ["size", "huge"]),
    "bad metric": ("rankings --by profit", "bad_parameter", ["profit", "output_per_mu"]),
    "bad per cent": ("rankings --bottom-percent 0", "bad_parameter", ["percent", "0"]),
    "two cuts": ("rankings --top 3 --bottom 3", "bad_parameter", ["--top", "--bottom"]),
    "no folder to write to": ("rankings --format csv --out {made}/none/x.csv", "cannot_write", ["none/x.csv"]),
    "bad years": ("demo --years 2024-2022", "bad_years", ["2024-2022"]),
    "no truth": ("demo check --truth {made}", "no_truth", ["permu demo"]),
    "home is a file": ("ingest {made}/land --source land --home {made}/policy.yaml", "write_failed", ["policy.yaml"]),
    "no warehouse": ("status --home {made}", "no_warehouse", ["permu ingest"]),
    "demo into a file": ("demo --enterprises 60 --out {made}/policy.yaml", "cannot_access", ["policy.yaml"]),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that cannot be used."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "land").mkdir()
    (folder / "land" / "garbage.xlsx").write_bytes(b"PK\x03\x04 this is no workbook")
    (folder / "land" / "short.csv").write_text("宗地代码,土地使用权人\n320583001001GB00001,甲公司\n", "utf-8")
    (folder / "mixed" / "land").mkdir(parents=True)
    (folder / "mixed" / "land" / "garbage.xlsx").write_bytes(b"PK\x03\x04 this is no workbook")
    (folder / "mixed" / "gas").mkdir()
    gas = "户号,户名,月份,用气量（立方米）\n1,甲公司,2024-01,5\n"
    (folder / "mixed" / "gas" / "2024.csv").write_text(gas, "utf-8")
    (folder / "policy.yaml").write_text("id: mine\n", "utf-8")
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01\xd8")
    (folder / "rules.yaml").write_text('trust: {nothing_fen: [power]}\narea_dispute: {percent: 10, least_mu: "0.5"}\n')
    return folder


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(tour: Tour, made: Path, case: str) -> None:
    line, code, words = BAD[case]
    before = state(tour.home), state(made)
    done = inside(tour.folder, *line.format(made=made).split(), "--json")
    assert done.code == 2, (done.code, done.out, done.err)
    shown = done.err.strip()
    assert "Traceback" not in done.err and shown.startswith("permu: ") and len(shown.splitlines()) == 1, done.err
    assert all(w in shown for w in words), shown
    error = done.json()["error"]
    assert error["code"] == code and error["en"] and error["zh"] and error["en"] != error["zh"]
    assert (state(tour.home), state(made)) == before, "something was written"


USAGE = {
    "no such command": ("rnak --year 2024", "rnak"),
    "no such option": ("rank --yaer 2024", "--yaer"),
    "missing option": ("merge", "--year"),
    "missing argument": ("explain", "enterprise"),
    "not a number": ("merge --year abc", "--year"),
    "out of range": ("merge --year 1066", "1949"),
    "no such format": ("rankings --format pdf", "pdf"),
    "no such engine": ("rank --year 2024 --engine dask", "dask"),
    "too few enterprises": ("demo --enterprises 1", "50"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage_is_one_line(tmp_path: Path, case: str) -> None:
    line, word = USAGE[case]
    done = inside(tmp_path, *line.split())
    assert done.code == 2 and done.out == ""
    assert word in done.err and len(done.err.strip().splitlines()) == 1, done.err
    assert list(tmp_path.iterdir()) == []


def test_port_in_use(tour: Tour) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = permu(tour.folder, "serve", "--port", port)
    assert done.code == 2 and "Traceback" not in done.err
    assert port in done.err and "--port" in done.err.splitlines()[-1]


def test_only_this_machine_is_served_without_users(tour: Tour) -> None:
    done = permu(tour.folder, "serve", "--host", "0.0.0.0")
    assert done.code == 2 and "--host 0.0.0.0" in done.err


def test_an_error_speaks_the_language_of_the_user(tour: Tour) -> None:
    said = permu(tour.folder, "rankings", "--year", "2019", PERMU_LANG="zh").err
    assert "2019 年" in said and "请运行" in said and "no release" not in said


def test_a_failed_first_ingest_leaves_no_file(tmp_path: Path, made: Path) -> None:
    done = permu(tmp_path, "ingest", str(made / "mixed"))
    assert done.code == 2
    home = tmp_path / "data" / "warehouse"
    assert [f.name for f in home.rglob("*") if f.is_file() and f.name != "lock"] == []
    assert "nothing was ingested" in permu(tmp_path, "status").err


def test_a_merge_that_is_out_of_date_is_not_ranked(tour: Tour, tmp_path: Path) -> None:
    home = tmp_path / "copy"
    tour.copy(home)
    more = tmp_path / "2024.csv"
    more.write_text("户号,户名,月份,用气量（立方米）\n1,甲公司,2024-01,5\n", "utf-8")
    assert permu(tmp_path, "ingest", str(more), "--source", "gas", "--home", str(home)).code == 0
    done = permu(tmp_path, "rank", "--year", "2024", "--home", str(home))
    assert done.code == 2 and "permu merge --year 2024" in done.err
