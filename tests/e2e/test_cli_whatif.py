"""``permu simulate`` and ``permu robustness`` as a person and a program meet them."""

from __future__ import annotations

import io
import re
from pathlib import Path

import polars as pl
import pytest

from engine.policy.packs import load_pack
from engine.schema.warehouse import Warehouse
from tests.e2e.tour import Done, inside, state

SIMULATE = "simulate --policy huaian-2024 --change weights.tax_per_mu=35 --rescale"
ROBUST = "robustness --draws 50 --seed 3"


@pytest.fixture
def run(demo_home: Warehouse, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs a command line on the small demo, which must be afterwards as it was before."""
    before = state(demo_home.home)
    yield lambda line, **more: inside(tmp_path, *line.split(), PERMU_HOME=str(demo_home.home), **more)
    assert state(demo_home.home) == before, "something was written"


def done(result: Done) -> Done:
    assert result.code == 0, result.err
    return result


def test_simulate_says_who_changes_grade_and_why(run) -> None:  # type: ignore[no-untyped-def]
    found = done(run(f"{SIMULATE} --json")).json()
    assert found["policy"] == "huaian-2024" and found["year"] == 2024 and found["changes"] == ["weights.tax_per_mu=35"]
    assert sum(found["weights"]["all"].values()) == pytest.approx(100) and found["weights"]["all"]["tax_per_mu"] == 35
    assert found["moved"] == len(found["rows"]) > 0
    assert sum(n for row in found["matrix"].values() for n in row.values()) == found["of"]
    for row in found["rows"]:
        assert row["grade_before"] != row["grade_after"] and row["reason"] and set(row["why"]) & {"score", "line"}
        assert set(row["items"]) == {"tax_per_mu", "sales_per_mu", "tax_per_tce"}


def test_several_changes_may_follow_the_option(run) -> None:  # type: ignore[no-untyped-def]
    changes = ["weights.tax_per_mu=35", "weights.sales_per_mu=45"]
    one = done(run(f"simulate --policy huaian-2024 --change {' '.join(changes)} --json")).json()
    two = done(run(f"simulate --policy huaian-2024 --change {' --change '.join(changes)} --json")).json()
    assert one == two and one["changes"] == changes


def test_json_beside_a_file(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for line in (SIMULATE, "robustness --policy huaian-2024 --draws 5", "compare sunan-2017 huaian-2024"):
        told = done(run(f"{line} --json --format csv --out rows.csv")).json()
        rows = (tmp_path / "rows.csv").read_text("utf-8-sig")
        assert rows.count("\n") >= len(told["rows"]) > 0
        (tmp_path / "rows.csv").unlink()


def test_simulate_for_people_in_both_languages(run) -> None:  # type: ignore[no-untyped-def]
    english, chinese = done(run(f"{SIMULATE} --top 2")).out, done(run(f"{SIMULATE} --top 2", PERMU_LANG="zh")).out
    assert "change grade" in english and "more rows" in english and "line of" in english
    assert "等级变动" in chinese and "级线" in chinese and "亩均税收" in chinese


def test_a_saved_draft_is_a_policy_file(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done(run(f"{SIMULATE} --save draft.yaml --json"))
    draft = load_pack(str(tmp_path / "draft.yaml")).policy
    assert draft.id == "huaian-2024-draft" and draft.status == "illustrative"
    done(run("policy check draft.yaml"))
    assert run(f"{SIMULATE} --save none/draft.yaml").code == 2


def test_a_place_is_shown_alone(run) -> None:  # type: ignore[no-untyped-def]
    whole, part = (done(run(f"{SIMULATE} --json{more}")).json() for more in ("", " --region 3205 --industry C"))
    assert part["of"] < whole["of"] and part["moved"] <= whole["moved"]
    assert all(r["region_code"].startswith("3205") for r in part["rows"])
    by_id = {r["enterprise_id"]: r for r in whole["rows"]}
    assert all(by_id[r["enterprise_id"]] == r for r in part["rows"])


@pytest.mark.parametrize("line", [SIMULATE, ROBUST])
def test_exports_carry_their_origin(run, tmp_path: Path, line: str) -> None:  # type: ignore[no-untyped-def]
    rows = done(run(f"{line} --json")).json()["rows"]
    done(run(f"{line} --format csv --out rows.csv"))
    text = (tmp_path / "rows.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    table = pl.read_csv(io.BytesIO(text), infer_schema=False)
    assert table["enterprise_id"].to_list() == [r["enterprise_id"] for r in rows]
    assert {"release_id", "policy", "exported_by", "exported_rows"} <= set(table.columns)
    done(run(f"{line} --format xlsx --out rows.xlsx"))
    book = pl.read_excel(tmp_path / "rows.xlsx", sheet_id=0, read_options={"header_row": None})
    sheet, notes = book.values()
    assert sheet.height == len(rows) + 5  # title, origin, where the units stand, titles, units
    said = " ".join(str(v) for v in notes.to_series(1))
    assert "huaian-2024" in said and ("what-if" in said or "robustness" in said)


def test_robustness_is_the_same_again(run) -> None:  # type: ignore[no-untyped-def]
    one, same, other = (done(run(f"robustness --draws 50 --seed {s} --json")).json() for s in (3, 3, 4))
    assert one == same and one["rows"] != other["rows"]
    assert one["policy"] == "huaian-2024" and one["draws"] == 50 and one["seed"] == 3
    assert one["of"] == len(one["rows"]) and one["borderline"] == sum(r["borderline"] for r in one["rows"]) > 0
    for row in one["rows"]:
        assert row["rank_least"] <= row["rank_low"] <= row["rank_high"] <= row["rank_most"] <= row["of"]
        assert 0 <= row["other_grade_share"] <= 1 and row["borderline"] == (row["other_grade_share"] >= 0.05)
    assert [x["without"] for x in one["left_out"]] == ["tax_per_mu", "sales_per_mu", "tax_per_tce"]


def test_borderline_cases_alone(run) -> None:  # type: ignore[no-untyped-def]
    whole, near = (done(run(f"{ROBUST} --json{more}")).json() for more in ("", " --borderline"))
    assert near["rows"] == [r for r in whole["rows"] if r["borderline"]] and near["of"] == whole["of"]
    wide = done(run(f"{ROBUST} --weights 60 --bases 40 --json")).json()
    assert wide["borderline"] > whole["borderline"]


def test_robustness_for_people(run) -> None:  # type: ignore[no-untyped-def]
    english, chinese = done(run(ROBUST)).out, done(run(ROBUST, PERMU_LANG="zh")).out
    assert "borderline" in english and "left out" in english and "50 draws" in english
    assert "临界" in chinese and "去掉指标" in chinese


REFUSED = {
    "weights": ("simulate --change weights.tax_per_mu=35", "weights_not_100", ["90", "--rescale"]),
    "path": ("simulate --change wieght.tax_per_mu=35", "bad_change", ["wieght", "weights"]),
    "value": ("simulate --change shares.A=99", "bad_policy", ["shares.A=99", "rise"]),
    "no score": (
        "simulate --policy sunan-2017 --change weights.tax_per_mu=35",
        "no_composite",
        ["sunan-2017", "--policy"],
    ),
    "no score to vary": ("robustness --policy sunan-2017 --draws 5 --seed 1", "no_composite", ["sunan-2017"]),
    "no draws": ("robustness --draws 0 --seed 1", "bad_parameter", ["draws", "1 to"]),
    "negative seed": ("robustness --draws 5 --seed -1", "bad_parameter", ["seed"]),
    "spread": ("robustness --weights 120", "bad_parameter", ["weight spread"]),
    "no year": ("simulate --year 2019 --change bottom_percent=3", "no_release", ["2019"]),
    "no region": ("robustness --region Suzhou", "bad_parameter", ["region"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_one_line(run, case: str) -> None:  # type: ignore[no-untyped-def]
    line, code, words = REFUSED[case]
    result = run(f"{line} --json")
    assert result.code == 2 and result.json()["error"]["code"] == code
    assert "Traceback" not in result.err and len(result.err.strip().splitlines()) == 1, result.err
    assert all(word in result.err for word in words), result.err


def test_the_page_of_the_docs_runs(run, checkout: Path) -> None:  # type: ignore[no-untyped-def]
    blocks = re.findall(r"```sh\n(.*?)```", (checkout / "docs" / "whatif.md").read_text("utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 7
    for line in lines:
        done(run(line.removeprefix("permu ")))


def test_every_column_and_option_is_in_the_docs(run, checkout: Path) -> None:  # type: ignore[no-untyped-def]
    text = (checkout / "docs" / "whatif.md").read_text("utf-8")
    for line in (SIMULATE, ROBUST):
        found = done(run(f"{line} --json")).json()
        names = {*found, *found["rows"][0]}
        stems = {n.removesuffix("_before").removesuffix("_after").partition("__")[0] for n in names}
        assert {n for n in stems if n not in text} == set()


def test_simulate_needs_a_change(run) -> None:  # type: ignore[no-untyped-def]
    result = run("simulate")
    assert result.code == 2 and "--change" in result.err
