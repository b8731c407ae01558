"""``check`` finds nothing wrong with what the truth itself says, and finds what was broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data.demo import check
from engine.schema.errors import PermuError

YEAR = 2024


def _of_year(written: Any, table: str) -> pl.DataFrame:
    return written.truth(table).filter(pl.col("year") == YEAR)


@pytest.fixture
def merged(written: Any, tmp_path: Path) -> Path:
    """A merge as it would be if every record were linked rightly, enterprise ids being credit codes."""
    people = _of_year(written, "enterprises")
    people.select("uscc", "org_code", "reg_no", enterprise_id="uscc").write_parquet(tmp_path / "enterprises.parquet")
    known = _of_year(written, "links").drop_nulls("uscc")
    links = known.select("source", "record_key", enterprise_id="uscc", method=pl.lit("credit_code"))
    links.write_parquet(tmp_path / "links.parquet")
    rest = _of_year(written, "links").filter(pl.col("uscc").is_null())
    rest.select("source", "record_key").write_parquet(tmp_path / "unlinked.parquet")
    _of_year(written, "land").select("dm2_days", enterprise_id="uscc").write_parquet(tmp_path / "land_use.parquet")
    facts = _of_year(written, "facts").drop_nulls("value")
    facts.select("field", "value", enterprise_id="uscc").write_parquet(tmp_path / "facts.parquet")
    return tmp_path


@pytest.fixture
def rankings(written: Any, tmp_path: Path) -> Path:
    ranks = _of_year(written, "ranks").select(
        enterprise_id="uscc", name="rank__" + pl.col("metric") + "__" + pl.col("grouping"), rank="rank"
    )
    ranks.pivot("name", index="enterprise_id", values="rank").write_parquet(tmp_path / "rankings.parquet")
    return tmp_path / "rankings.parquet"


def _check(written: Any, merged: Path, rankings: Path | None = None) -> dict[str, Any]:
    ranked = {(YEAR, "sunan-2017"): rankings} if rankings else {}
    return check({YEAR: merged}, ranked, written.folder / "truth")


def test_the_truth_measures_as_true(written: Any, merged: Path, rankings: Path) -> None:
    found = _check(written, merged, rankings)
    assert found["links"]["precision"] == 1.0 and found["links"]["recall"] == 1.0
    assert found["links"]["without_id"]["recall"] == 1.0
    assert found["land"]["max_abs_error_mu"] == 0.0 and found["land"]["enterprises_off"] == 0
    assert found["facts"]["off"] == found["facts"]["missing"] == found["facts"]["unexpected"] == 0
    for name in ("output_per_mu.all", "benefit_per_mu.industry_2"):
        assert found["ranks"][name]["equal"] == found["ranks"][name]["compared"] > 300


def test_a_wrong_link_lowers_precision(written: Any, merged: Path) -> None:
    links = pl.read_parquet(merged / "links.parquet")
    first, second = links["enterprise_id"].unique(maintain_order=True)[:2]
    wrong = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(second)).otherwise("enterprise_id")
    assert links["enterprise_id"][0] == first
    links.with_columns(enterprise_id=wrong).write_parquet(merged / "links.parquet")
    quality = _check(written, merged)["links"]
    keys = links.select("source", "record_key").n_unique()
    assert quality["precision"] == (keys - 1) / keys
    assert quality["recall"] == (keys - 1) / keys


def test_a_missing_link_lowers_recall_only(written: Any, merged: Path) -> None:
    links = pl.read_parquet(merged / "links.parquet")
    keys = links.select("source", "record_key").n_unique()
    links.filter(~((pl.col("source") == "gas") & (pl.col("record_key") == _first_gas(links)))).write_parquet(
        merged / "links.parquet"
    )
    quality = _check(written, merged)["links"]
    assert quality["precision"] == 1.0
    assert quality["recall"] == (keys - 1) / keys


def _first_gas(links: pl.DataFrame) -> str:
    return str(links.filter(pl.col("source") == "gas")["record_key"][0])


def test_land_that_is_off_is_counted_in_mu(written: Any, merged: Path) -> None:
    land = pl.read_parquet(merged / "land_use.parquet")
    used = written.truth("land_used").filter(pl.col("year") == YEAR, pl.col("all_linkable"))
    one = pl.DataFrame({"dm2_days": [366 * 200_000], "enterprise_id": [used["uscc"][0]]})
    pl.concat([land, one]).write_parquet(merged / "land_use.parquet")
    found = _check(written, merged)["land"]
    assert found["enterprises_off"] == 1
    assert found["max_abs_error_mu"] == pytest.approx(3.0)


def test_a_fact_that_is_off_is_named(written: Any, merged: Path) -> None:
    facts = pl.read_parquet(merged / "facts.parquet")
    wrong = pl.when((pl.col("field") == "vat_fen") & (pl.int_range(pl.len()).over("field") == 0)).then(1).otherwise(0)
    facts.with_columns(pl.col("value") + wrong).write_parquet(merged / "facts.parquet")
    found = _check(written, merged)["facts"]
    assert found["off"] == 1 and found["by_field"]["vat_fen"]["off"] == 1


def test_no_truth_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PermuError) as raised:
        check({}, {}, tmp_path)
    assert raised.value.code == "no_truth"
