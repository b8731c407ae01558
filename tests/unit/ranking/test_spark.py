"""Spark gives the tables that Polars gives, to the bit: truth table of ranks, the demo under its packs, every rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from engine.fingerprint import table_sha256
from engine.policy.packs import load_pack, read_pack
from engine.ranking import run, spark
from engine.ranking.bounds import END
from engine.ranking.merged import Merged
from engine.ranking.pipeline import columns
from engine.ranking.ranks import GROUPINGS, with_ranks
from engine.releases import open_release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.spark import needs_java, settings_in
from tests.unit.ranking.crowds import write_year
from tests.unit.ranking.test_ranks import RANKS

pytestmark = needs_java


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(settings_in(folder / "conf")))
        with spark.session(folder / "spark.log") as session:
            yield session


def test_competition_ranks(session: Any, tmp_path: Path) -> None:
    """The rows of the truth table of test_ranks, each table a group of its own."""
    rows = [(name, n, v) for name, values, _, _ in RANKS for n, v in enumerate(values)]
    table = pl.DataFrame(rows, schema={"industry_2": pl.String, "n": pl.Int64, "m": pl.Float64}, orient="row")
    keys = {k for keys in GROUPINGS.values() for k in keys} - {"industry_2", "everyone"}
    table.with_columns(**{k: pl.lit("x") for k in keys}).write_parquet(tmp_path / "in.parquet")
    frame = nw.from_native(session.read.parquet(str(tmp_path / "in.parquet")))
    found = with_ranks(frame, ["m"]).select("industry_2", "n", "rank__m__industry_2", "of__m__industry_2")
    ranked = pl.DataFrame(found.to_native().toArrow()).sort("n")
    for name, _, ranks, of in RANKS:
        own = ranked.filter(pl.col("industry_2") == name)
        assert own["rank__m__industry_2"].to_list() == ranks, name
        assert own["of__m__industry_2"].to_list() == [of] * len(ranks), name


@pytest.mark.slow
def test_the_demo_has_one_hash(session: Any, demo_home: Warehouse, tmp_path: Path) -> None:
    """Under the composite pack; under sunan-2017 it is tests/e2e/test_spark_commands.py that says so."""
    release = open_release(next(demo_home.releases.glob("2024-huaian-2024-*")))
    this, last = run.own_year(release), run.own_base_year(demo_home, release)
    table = spark.computed(session, release.pack, this, last, tmp_path / "out")
    assert table_sha256(table) == release.manifest["rankings_sha256"]
    assert table.height == 400


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["illustrative-2024", "all-forms"])
def test_every_rule_has_one_hash(session: Any, tmp_path: Path, policy: str) -> None:
    """A crowd dense in ties and gaps, with events, relations and every form, missing rule and adjustment."""
    own = Path(__file__).parent / f"{policy}.yaml"
    pack = read_pack(own.read_text("utf-8"), policy) if own.is_file() else load_pack(policy)
    last, this = (
        Merged(year, "", write_year(tmp_path / str(year), seed=year, size=300), [], {}, 0.0) for year in (2023, 2024)
    )
    expected = run.compute(pack, this, last)
    found = spark.computed(session, pack, this, last, tmp_path / "out")
    different = [c for c in columns(pack.policy) if not found[c].equals(expected[c], null_equal=True)]
    assert different == []
    assert table_sha256(found) == table_sha256(expected)
    assert expected["score"].n_unique() > 50


@pytest.mark.slow
def test_what_is_beyond_exact_numbers_is_refused_with_the_same_line(session: Any, tmp_path: Path) -> None:
    folder = write_year(tmp_path / "2024", seed=2024, size=40)
    wide = pl.read_parquet(folder / "facts_wide.parquet")
    absurd = pl.when(pl.col("enterprise_id") == "E000007").then(END).otherwise("vat_fen").alias("vat_fen")
    wide.with_columns(absurd.cast(pl.Int64)).write_parquet(folder / "facts_wide.parquet")
    pack, merged = load_pack("sunan-2017"), Merged(2024, "m", folder, [], {}, 0.0)
    lines = []
    for ranking in (
        lambda: spark.computed(session, pack, merged, None, tmp_path / "spark"),
        lambda: run.compute(pack, merged, None),
    ):
        with pytest.raises(PermuError) as refused:
            ranking()
        lines.append((refused.value.code, refused.value.en, refused.value.zh))
    assert lines[0] == lines[1] and "E000007" in lines[0][1]
