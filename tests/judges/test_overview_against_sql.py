"""The overview's figures of the demo, asked again of DuckDB in SQL over the release's own Parquet files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.overview import Members, concentration, distribution, movement, progress, quadrant
from engine.overview.target_files import Bases
from engine.query import Board, Selection
from engine.query.selection import Group
from engine.releases import find
from engine.schema.warehouse import Warehouse


@pytest.fixture(scope="module")
def board(demo_home: Warehouse) -> Board:
    return Board(find(demo_home, year=2024, policy="sunan-2017"))


def sql(board: Board, query: str) -> list[Any]:
    """Rows of a query in which ``r`` is the rankings and ``f`` the facts of the release."""
    folder: Path = board.release.folder  # type: ignore[attr-defined]
    tables = {"r": "rankings", "f": "facts_wide"}
    with duckdb.connect() as db:
        for name, table in tables.items():
            db.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder / table}.parquet')")
        return db.execute(query).fetchall()


@pytest.mark.parametrize("region", [None, "3205"])
def test_distribution(board: Board, region: str | None) -> None:
    found = distribution(Members.of(board, Selection(region=region)), "benefit_per_mu")
    edges = [float("-inf"), *found["edges"], float("inf")]
    where = f"region_code LIKE '{region or ''}%' AND isfinite(benefit_per_mu)"
    counts = [
        sql(board, f"SELECT count(*) FROM r WHERE {where} AND benefit_per_mu >= '{a}' AND benefit_per_mu < '{b}'")[0][0]
        for a, b in pairwise(edges)
    ]
    assert found["counts"] == counts and sum(counts) == found["of"] > 50


def test_concentration(board: Board) -> None:
    found = concentration(Members.of(board, Selection()), "benefit_per_mu")
    rows = sql(
        board,
        """WITH own AS (SELECT benefit_per_mu v, enterprise_id, r.land_dm2_days land, tax_fen tax FROM r
                        WHERE isfinite(benefit_per_mu)),
           run AS (SELECT sum(land) OVER w::DOUBLE / sum(land) OVER () x, sum(tax) OVER w::DOUBLE / sum(tax) OVER () y
                   FROM own WINDOW w AS (ORDER BY v, enterprise_id)),
           step AS (SELECT x, y, x - lag(x, 1, 0) OVER (ORDER BY x) dx, y + lag(y, 1, 0) OVER (ORDER BY x) sy FROM run)
           SELECT 1 - sum(dx * sy), count(*) FROM step""",
    )
    assert found["gini"] == pytest.approx(rows[0][0], abs=1e-9) and found["of"] == rows[0][1]


def test_quadrant(board: Board) -> None:
    found = quadrant(Members.of(board, Selection()), "output_per_mu", "benefit_per_mu")
    (x, y, of), *_ = sql(
        board,
        "SELECT median(output_per_mu), median(benefit_per_mu), count(*) FROM r WHERE isfinite(output_per_mu)"
        " AND isfinite(benefit_per_mu)",
    )
    assert found["cross"]["median"] == {"x": pytest.approx(x), "y": pytest.approx(y)} and found["of"] == of
    (high,), *_ = sql(board, f"SELECT count(*) FROM r WHERE output_per_mu >= {x!r} AND benefit_per_mu >= {y!r}")
    assert found["counts"]["high_high"] == high


def test_movement_has_the_counts_of_both_releases(demo_home: Warehouse, board: Board) -> None:
    before = Board(find(demo_home, year=2023, policy="sunan-2017"))
    found = movement(before, board, Group())
    for side, one in (("before", before), ("after", board)):
        (ranked, unranked), *_ = sql(
            one, "SELECT count(rank__output_per_mu__all), count(*) - count(rank__output_per_mu__all) FROM r"
        )
        told = {s["state"]: s[side] for s in found["states"]}
        assert told["ungraded"] == unranked
        assert sum(n for s, n in told.items() if s.endswith("%")) == ranked
        (top,), *_ = sql(
            one, "SELECT count(*) FROM r WHERE rank__output_per_mu__all * 100 <= 20 * of__output_per_mu__all"
        )
        assert told["0–20 %"] == top


def test_targets(board: Board) -> None:
    found = progress(Members.of(board, Selection()), Bases(targets="sunan-2017"))
    lines = {(x["region"], x["target"]): x for x in found["lines"]}
    rows = sql(
        board,
        """SELECT region_city, sum(energy_ce)::DOUBLE / (sum(value_added_fen)::DOUBLE * 10000), count(*)
           FROM r JOIN f USING (enterprise_id) WHERE energy_ce IS NOT NULL AND value_added_fen IS NOT NULL
           GROUP BY region_city""",
    )
    assert len(rows) == 5
    for city, value, of in rows:
        line = lines[city, "energy_per_value_added"]
        assert (line["value"], line["of"], line["reason"]) == (pytest.approx(value), of, "no_base")
