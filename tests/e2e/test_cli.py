"""Every command through its own process in an empty folder: JSON shapes of the contract, exit codes, exports."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from tests.e2e.tour import ENTERPRISES, Tour, inside, permu, state

pytestmark = pytest.mark.slow

ROW = {
    "rank", "of", "percentile", "enterprise_id", "uscc", "name", "industry_code", "industry_name", "region_code",
    "region_name", "size", "scale_group", "land_mu", "output_wan_yuan", "tax_wan_yuan", "output_per_mu",
    "benefit_per_mu", "score", "grade", "ranks", "flags", "release_id",
}  # fmt: skip
GROUPINGS = {
    "all", "industry_2", "industry_3", "industry_4", "region_city", "region_county", "region_town", "size",
    "scale_group", "industry_region_size",
}  # fmt: skip
BUSIEST = ["--industry", "C", "--region", "32"]


def ask(tour: Tour, *words: str, code: int = 0) -> dict[str, object]:
    done = inside(tour.folder, *words, "--json")
    assert done.code == code, done.err
    answer = done.json()
    assert isinstance(answer, dict)
    return answer


# --- making ---------------------------------------------------------------------------------------------------------


def test_demo_says_what_it_wrote(tour: Tour) -> None:
    said = tour.said["demo"]
    assert said.code == 0 and said.json().keys() >= {
        "out",
        "synthetic",
        "seed",
        "enterprises",
        "years",
        "files",
        "traps",
    }
    assert said.json()["synthetic"] is True and said.json()["enterprises"] == ENTERPRISES
    assert (tour.folder / "data/demo/drops/land").is_dir() and (tour.folder / "data/demo/truth/demo.json").is_file()


def test_ingest_conserves_rows_and_ends_with_one(tour: Tour) -> None:
    said = tour.said["ingest"]
    loads = said.json()["loads"]
    keys = {
        "load_id",
        "file",
        "sha256",
        "source",
        "year",
        "rows_in",
        "kept",
        "refused",
        "furniture",
        "duplicate",
        "reasons",
    }
    assert said.code == 1, "the demo holds bad rows: a person is needed"
    assert len(loads) > 100 and {x["source"] for x in loads} >= {"commerce", "land", "state_tax", "power", "gas"}
    for load in loads:
        assert load.keys() >= keys
        assert load["rows_in"] == load["kept"] + load["refused"] + load["furniture"]
        assert sum(load["reasons"].values()) == load["refused"]
        assert len(load["sha256"]) == 64
    assert sum(x["refused"] for x in loads) > 0


def test_ingest_again_writes_nothing(tour: Tour, tmp_path: Path) -> None:
    own = Tour(tmp_path)
    before = state(tour.copy(own.home))
    loads = ask(own, "ingest", str(tour.folder / "data/demo/drops"))["loads"]
    assert isinstance(loads, list) and all(x["duplicate"] and x["kept"] == 0 for x in loads)
    assert state(own.home) == before


def test_dry_run_makes_no_warehouse(tour: Tour, tmp_path: Path) -> None:
    drops = str(tour.folder / "data/demo/drops/gas")
    done = permu(tmp_path, "ingest", drops, "--source", "gas", "--dry-run", "--json")
    assert done.code in (0, 1) and sum(x["kept"] for x in done.json()["loads"]) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_bad_row_is_refused_with_its_cell(tmp_path: Path) -> None:
    file = tmp_path / "税.csv"
    file.write_text(
        "纳税人识别号,所属期,增值税（元）\n91110108551385082Q,202401,5\n91110108551385082X,202401,7\n", "utf-8"
    )
    done = permu(tmp_path, "ingest", str(file), "--source", "state_tax", "--json")
    (load,) = done.json()["loads"]
    assert done.code == 1 and (load["kept"], load["refused"], load["furniture"]) == (1, 1, 1)
    (refused,) = pl.read_parquet(f"{tmp_path}/data/warehouse/refused/state_tax/*.parquet").to_dicts()
    assert refused["row"] == 3 and refused["column"] and refused["value"] == "91110108551385082X"
    people = permu(tmp_path, "ingest", str(file), "--source", "state_tax", COLUMNS="200")
    assert people.code == 0 and "the same file" in people.out


def test_merge_and_rank_say_what_they_made(tour: Tour) -> None:
    merged = tour.said["merge 2024"]
    assert merged.code == 1 and merged.json().keys() >= {"merge_id", "year", "counts", "seconds"}
    assert merged.json()["counts"]["enterprises"] == ENTERPRISES
    ranked = tour.said["rank 2024"]
    answer = ranked.json()
    assert ranked.code == 0
    assert answer.keys() >= {"release_id", "year", "policy", "engine", "rows", "rankings_sha256", "seconds"}
    assert answer["seconds"].keys() >= {"merge", "rank", "publish", "prepare"}
    assert [f for f in (tour.home / "cache" / answer["release_id"]).glob("served-*") if (f / "index.json").is_file()]
    assert (answer["year"], answer["policy"], answer["engine"], answer["rows"]) == (
        2024,
        "sunan-2017",
        "polars",
        ENTERPRISES,
    )


def test_ranking_again_gives_the_same_release(tour: Tour, tmp_path: Path) -> None:
    first, own = tour.said["rank 2023"].json(), Tour(tmp_path)
    tour.copy(own.home)
    again = ask(own, "rank", "--year", "2023")
    assert (again["release_id"], again["rankings_sha256"]) == (first["release_id"], first["rankings_sha256"])


def test_demo_check_measures(tour: Tour) -> None:
    answer = ask(tour, "demo", "check")
    assert answer.keys() >= {"links", "land", "facts", "ranks"}
    links, land = answer["links"], answer["land"]
    assert isinstance(links, dict) and isinstance(land, dict)
    assert links.keys() >= {"precision", "recall", "review_share", "by_method", "without_id"}
    assert links["without_id"].keys() >= {"precision", "recall", "review_share"}
    assert land.keys() >= {"max_abs_error_mu", "enterprises_off"}
    assert links["precision"] == 1 and links["recall"] > 0.9
    assert abs(land["max_abs_error_mu"]) < 1e-9 and land["enterprises_off"] == 0


# --- reading --------------------------------------------------------------------------------------------------------


def test_status_and_sources(tour: Tour) -> None:
    status = ask(tour, "status")
    assert status.keys() >= {"coverage", "refused", "review", "disputes"} and status["coverage"]
    sources = ask(tour, "sources")["sources"]
    assert isinstance(sources, list) and len(sources) == 14
    one = ask(tour, "sources", "land")["sources"]
    assert isinstance(one, list) and "parcel" in {t["table"] for t in one[0]["tables"]}


def test_releases_are_listed_newest_first(tour: Tour) -> None:
    known = ask(tour, "releases")["releases"]
    assert isinstance(known, list) and len(known) == 3
    assert [r["year"] for r in known] == [2024, 2024, 2023] and {r["state"] for r in known} == {"draft"}


def test_rankings_rows_are_those_of_the_contract(tour: Tour) -> None:
    answer = ask(tour, "rankings", "--year", "2024", *BUSIEST, "--top", "7")
    assert answer.keys() >= {"release_id", "year", "policy", "by", "of", "rows"}
    rows = answer["rows"]
    assert isinstance(rows, list) and len(rows) == 7 and answer["by"] == "output_per_mu"
    for row in rows:
        assert row.keys() >= ROW
        assert row["ranks"].keys() == {"output_per_mu", "benefit_per_mu"}
        assert all(r.keys() == GROUPINGS for r in row["ranks"].values())
        assert row["ranks"]["output_per_mu"]["all"].keys() == {"rank", "of"}
    values = [r["output_per_mu"] for r in rows]
    assert rows[0]["rank"] == 1 and values == sorted(values, reverse=True)


def test_rankings_of_the_composite_show_score_and_grade(tour: Tour) -> None:
    answer = ask(tour, "rankings", "--policy", "huaian-2024", "--top", "400")
    rows = answer["rows"]
    assert isinstance(rows, list) and answer["by"] == "score" and len(rows) == ENTERPRISES
    assert {r["grade"] for r in rows} == {"A", "B", "C", "D", "T", None}
    assert rows[0]["score"] >= rows[1]["score"] > 0 and rows[-1]["rank"] is None


def test_bottom_lists(tour: Tour) -> None:
    percent = ask(tour, "rankings", "--year", "2024", "--bottom-percent", "5")
    rows, of = percent["rows"], percent["of"]
    assert isinstance(rows, list) and isinstance(of, int) and rows
    assert all(r["rank"] * 100 > 95 * of for r in rows)
    last = ask(tour, "rankings", "--year", "2024", "--bottom", "3")["rows"]
    assert isinstance(last, list) and len(last) >= 3 and last[0]["rank"] == max(r["rank"] for r in rows)


def test_issue_command_opens_in_a_spreadsheet(tour: Tour) -> None:
    words = "rankings --year 2024 --bottom-percent 5 --industry 26 --region 3205 --format xlsx --out bottom.xlsx"
    done = permu(tour.folder, *words.split())
    assert done.code == 0 and done.err == "", done.err
    book = openpyxl.load_workbook(tour.folder / "bottom.xlsx")
    cells = [[c.value for c in row] for row in book.worksheets[0].iter_rows()]
    expected = ask(tour, *words.split()[:9])["rows"]
    assert isinstance(expected, list)
    ids = {r["enterprise_id"] for r in expected}
    assert ids <= {c for row in cells for c in row} and len(cells) > len(ids)


@pytest.mark.parametrize("form", ["table", "csv", "xlsx", "json", "parquet"])
def test_rankings_in_every_format(tour: Tour, form: str) -> None:
    place = tour.folder / f"all.{form}"
    done = permu(tour.folder, "rankings", "--year", "2024", "--format", form, "--out", place.name)
    assert done.code == 0 and done.out == ""
    if form == "parquet":
        assert pl.read_parquet(place).height == ENTERPRISES
    elif form == "json":
        assert json.loads(place.read_text("utf-8")).keys() >= {"release_id", "rows"}
    elif form == "table":
        assert place.read_text("utf-8").count("E") >= ENTERPRISES
    else:
        assert place.read_bytes()[:3] == (b"\xef\xbb\xbf" if form == "csv" else b"PK\x03")
    assert not list(tour.folder.glob(".*.part"))


def test_json_goes_to_stdout_beside_a_file_in_its_own_format(tour: Tour) -> None:
    done = permu(tour.folder, "rankings", "--top", "3", "--format", "csv", "--out", "best.csv", "--json")
    assert len(done.json()["rows"]) == 3
    assert (tour.folder / "best.csv").read_bytes().count(b"\n") >= 3


def test_explain_goes_down_to_file_sheet_and_row(tour: Tour) -> None:
    rows = ask(tour, "rankings", "--policy", "huaian-2024", "--top", "1")["rows"]
    assert isinstance(rows, list)
    told = ask(tour, "explain", rows[0]["enterprise_id"], "--policy", "huaian-2024")
    assert told.keys() >= {"enterprise_id", "year", "policy", "score", "grade", "steps"}
    steps = told["steps"]
    assert isinstance(steps, list) and told["grade"] == rows[0]["grade"]
    assert all(s.keys() - {"source"} == {"kind", "name", "value", "unit", "note"} for s in steps)
    placed = [s["source"] for s in steps if "source" in s]
    assert placed and all(
        p.keys() == {"load_id", "file", "sheet", "row"} and p["file"] and p["row"] > 0 for p in placed
    )
    kinds = {s["kind"] for s in steps}
    told_where_there_is_one = {"meter", "coverage", "parcel", "dispute", "finding", "correction"}
    assert kinds - told_where_there_is_one == {
        "record", "land", "fact", "amount", "indicator", "base", "item", "total", "rank", "quota", "grade",
    }  # fmt: skip
    parts = sum(s["value"] for s in steps if s["kind"] == "item")
    assert parts == pytest.approx(told["score"], abs=1e-9)


def test_explain_by_credit_code_is_the_same(tour: Tour) -> None:
    rows = ask(tour, "rankings", "--year", "2024", "--top", "50")["rows"]
    assert isinstance(rows, list)
    row = next(r for r in rows if r["uscc"])
    assert ask(tour, "explain", row["uscc"], "--year", "2024") == ask(
        tour, "explain", row["enterprise_id"], "--year", "2024"
    )


def test_replay_is_the_same(tour: Tour) -> None:
    for name in ("rank 2023", "rank huaian"):
        release = tour.said[name].json()["release_id"]
        answer = ask(tour, "replay", release)
        assert answer.keys() >= {"release_id", "expected_sha256", "actual_sha256", "same"}
        assert answer["same"] is True and answer["actual_sha256"] == tour.said[name].json()["rankings_sha256"]


def test_policies(tour: Tour) -> None:
    packs = ask(tour, "policy", "list")["policies"]
    assert isinstance(packs, list) and {"sunan-2017", "huaian-2024"} <= {p["id"] for p in packs}
    assert ask(tour, "policy", "show", "huaian-2024")["id"] == "huaian-2024"
    text = permu(tour.folder, "policy", "show", "huaian-2024").out
    (tour.folder / "own.yaml").write_text(text, "utf-8")
    assert ask(tour, "policy", "check", "own.yaml")["ok"] is True


def test_a_layer_is_exported(tour: Tour) -> None:
    answer = ask(tour, "layers", "export", "--year", "2024", "--out", "parcels.geojson")
    layer = json.loads((tour.folder / "parcels.geojson").read_text("utf-8"))
    assert len(layer["features"]) == answer["features"] > 0


EVERY = ["demo", "demo check", "ingest", "sources", "status", "merge", "rank", "releases", "replay", "rankings",
         "explain", "serve", "policy list", "policy show", "policy check",
         "policy diff", "policy try", "policy schema", "layers export", "correct", "simulate", "robustness",
         "compare", "publish", "withdraw", "purge", "disputes", "findings list", "findings export"]  # fmt: skip


@pytest.mark.parametrize("command", EVERY)
def test_every_command_takes_home_and_json(tmp_path: Path, command: str) -> None:
    shown = inside(tmp_path, *command.split(), "--help", COLUMNS="200")
    assert shown.code == 0 and "--home" in shown.out and "--json" in shown.out
