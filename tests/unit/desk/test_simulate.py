"""What-if over HTTP: the release itself without changes, the command's own answer with them, and a draft that is a pack."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import application
from engine.policy.packs import read_pack
from engine.releases import find
from tests.unit.desk.conftest import Asking


def _command(desk: Asking, release: str, changes: list[str], *more: str) -> Any:
    """What `permu simulate --json` says of the same change."""
    words = [w for change in changes for w in ("--change", change)]
    asked = ["simulate", "--release", release, *words, *more, "--json", "--home", str(desk.warehouse.home)]
    ran = CliRunner().invoke(application([]), asked)
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def test_without_changes_it_is_the_release_bit_for_bit(desk: Asking) -> None:
    told = desk.get("simulate", limit=10000)
    release = find(desk.warehouse, told["release_id"])
    grades = release.rankings["grade"].fill_null("-").value_counts()
    assert told["moved"] == 0 and told["rows"] == [] and told["changes"] == []
    assert {g: row[g] for g, row in told["matrix"].items()} == dict(grades.iter_rows())
    assert all(n == 0 for a, row in told["matrix"].items() for b, n in row.items() if a != b)
    assert all(i["before"] == i["after"] for g in told["groups"] for i in g["items"])


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tax=st.integers(1, 98), share=st.integers(5, 55), region=st.sampled_from([None, "3205"]))
def test_the_sliders_give_what_the_command_gives(desk: Asking, tax: int, share: int, region: str | None) -> None:
    changes = [
        f"weights.tax_per_mu={tax}",
        f"weights.sales_per_mu={99 - tax}",
        "weights.tax_per_tce=1",
        f"shares.A={share}",
    ]
    mine = desk.get("simulate", changes=";".join(changes), region=region, limit=10000)
    theirs = _command(desk, mine["release_id"], changes, *(["--region", region] if region else []))
    for name in ("release_id", "year", "policy", "changes", "of", "moved", "matrix"):
        assert mine[name] == theirs[name], name
    own = [{k: v for k, v in row.items() if k not in ("reason", "reason_en")} for row in mine["rows"]]
    assert own == [{k: v for k, v in row.items() if k != "reason"} for row in theirs["rows"]]


def test_changes_that_a_pack_does_not_take_are_400(desk: Asking) -> None:
    for changes, code in (
        ("weights.tax_per_mu=40", "weights_not_100"),
        ("weights.nothing=3", "bad_change"),
        ("nonsense", "bad_change"),
        ("shares.A=70", "bad_policy"),
    ):
        assert desk.get("simulate", status=400, changes=changes)["code"] == code
    assert desk.get("simulate", changes="weights.tax_per_mu=40", rescale="true")["moved"] > 0
    assert desk.get("simulate", status=400, policy="sunan-2017")["code"] == "no_composite"
    assert desk.get("simulate", status=404, release="nothing")["code"] == "unknown_release"
    assert desk.get("simulate", status=400, changes="x" * 5000)["parameter"] == "changes"


def test_the_draft_is_a_pack_that_says_where_it_comes_from(desk: Asking) -> None:
    changes = "weights.tax_per_mu=40;weights.sales_per_mu=40"
    text = desk.get("simulate/draft", changes=changes).decode()
    pack = read_pack(text, "draft")
    assert pack.policy.id == "huaian-2024-draft" and pack.policy.status == "illustrative"
    assert (
        "weights.tax_per_mu=40" in pack.policy.basis[-1].title
        and "not a published rule" in pack.policy.basis[-1].source
    )
    assert desk.get("simulate/draft", status=400)["code"] == "bad_change"


def test_permu_policy_check_takes_the_draft(desk: Asking, tmp_path: Any) -> None:
    file = tmp_path / "draft.yaml"
    file.write_bytes(desk.get("simulate/draft", changes="shares.A=25"))
    ran = CliRunner().invoke(application([]), ["policy", "check", str(file), "--home", str(desk.warehouse.home)])
    assert ran.exit_code == 0, ran.output


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_list_of_changes_as_a_file_is_whole(desk: Asking, form: str) -> None:
    changes = "weights.tax_per_mu=20;weights.sales_per_mu=60"
    moved = desk.get("simulate", changes=changes)["moved"]
    body = desk.get("simulate", changes=changes, format=form)
    if form == "csv":
        assert body.startswith(b"\xef\xbb\xbf") and len(body.decode("utf-8-sig").splitlines()) == moved + 1
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
        assert sum(1 for row in sheet.iter_rows(values_only=True) if any("→" in str(v) for v in row)) >= moved
