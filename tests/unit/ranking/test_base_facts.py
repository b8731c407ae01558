"""A base year that does not state what the bases are averages of is refused before anything is computed."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from engine.policy.packs import load_pack
from engine.ranking.base_facts import facts_of, without_data
from engine.ranking.run import rank
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.unit.ranking.firms import Firm, firm, wide_of

HUAIAN = load_pack("huaian-2024").policy


def year_in(folder: Path, firms: list[Firm]) -> Path:
    wide_of(firms).write_parquet(folder / "facts_wide.parquet")
    return folder


WHOLE = {"vat_fen": 1, "invoiced_sales_fen": 1, "power_wh": 1, "land_dm2_days": 1}
GAPS: list[tuple[dict[str, int], list[str]]] = [
    (WHOLE, []),
    ({k: v for k, v in WHOLE.items() if k != "power_wh"} | {"gas_litre": 1}, []),  # one of the carriers will do
    ({k: v for k, v in WHOLE.items() if k != "power_wh"}, ["tax_per_tce"]),
    ({k: v for k, v in WHOLE.items() if k != "vat_fen"}, ["tax_per_mu", "tax_per_tce"]),
    ({k: v for k, v in WHOLE.items() if k != "land_dm2_days"}, ["tax_per_mu", "sales_per_mu"]),
    ({k: v for k, v in WHOLE.items() if k != "invoiced_sales_fen"} | {"main_revenue_fen": 1}, []),
    ({}, ["tax_per_mu", "sales_per_mu", "tax_per_tce"]),
]


@pytest.mark.parametrize(("stated", "lacking"), GAPS)
def test_what_lacks(tmp_path: Path, stated: dict[str, int], lacking: list[str]) -> None:
    assert list(without_data(HUAIAN, year_in(tmp_path, [firm(1, **stated), firm(2)]))) == lacking


def test_a_pack_without_bases_of_last_year_asks_for_nothing(tmp_path: Path) -> None:
    for name in ("illustrative-2024", "sunan-2017", "huangyan-2021"):
        assert without_data(load_pack(name).policy, year_in(tmp_path, [firm(1)])) == {}


def test_facts_are_followed_through_amounts() -> None:
    assert facts_of(HUAIAN, "benefit_fen") == facts_of(HUAIAN, "tax_fen") >= {"vat_fen", "export_credit_fen"}
    assert facts_of(HUAIAN, "land_dm2_days") == {"land_dm2_days"}


def test_rank_refuses_a_base_year_without_power_and_gas(demo_home: Warehouse, tmp_path: Path) -> None:
    home = Warehouse(Path(shutil.copytree(demo_home.home, tmp_path / "home")))
    with home.read() as db:
        (merge,) = db.execute("SELECT merge_id FROM merges WHERE year = 2023").fetchall()
    file = home.merged / merge["merge_id"] / "facts_wide.parquet"
    lost = pl.read_parquet(file).with_columns(pl.lit(None, pl.Int64).alias(c) for c in ("power_wh", "gas_litre"))
    file.unlink()  # releases hold it by a hard link
    lost.write_parquet(file)
    before = set(home.releases.iterdir())
    with pytest.raises(PermuError) as caught:
        rank(home, 2024, "huaian-2024")
    error = caught.value
    assert error.code == "no_base_year" and all(w in error.en for w in ("tax_per_tce", "2023", "gas_litre, power_wh"))
    assert set(home.releases.iterdir()) == before
