"""Pages and bottom lists against a truth table that was worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from api.store import Store
from engine.query import Board, Selection, bottom, select, summary
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from engine.served.orders import competition_ranks
from tests.unit.api.release_builder import Firm, build

YI = 10_000_000_000


@pytest.fixture(scope="module")
def board(warehouse: Warehouse) -> Board:
    return Store(warehouse).find(year="2024", policy="sunan-2017").board


@pytest.fixture(scope="module")
def graded(warehouse: Warehouse) -> Board:
    return Store(warehouse).find(year="2024", policy="huaian-2024").board


def places(board: Board, **asked: Any) -> list[tuple[str, int | None]]:
    """What a test reads of a page: who, which rank."""
    return [(r["enterprise_id"], r["rank"]) for r in select(board, Selection.parse(**asked)).rows]


# By output per mu: E02 and E03 tie, E10 to E12 tie; E05 has no output and E06 no land.
BY_OUTPUT = [
    ("E01", 1), ("E02", 2), ("E03", 2), ("E09", 4), ("E10", 5), ("E11", 5), ("E12", 5), ("E04", 8), ("E07", 9),
    ("E08", 10), ("E05", None), ("E06", None),
]  # fmt: skip
# By tax per mu: E04 has 0, E10 less than 0: both are values; E03 has none.
BY_TAX = [
    ("E09", 1), ("E01", 2), ("E02", 3), ("E05", 4), ("E07", 5), ("E08", 5), ("E11", 7), ("E12", 7), ("E04", 9),
    ("E10", 10), ("E03", None), ("E06", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, BY_OUTPUT),
        ({"by": "benefit_per_mu"}, BY_TAX),
        ({"limit": 3}, BY_OUTPUT[:3]),
        ({"industry": "27"}, [("E08", 1)]),
        ({"industry": "271"}, [("E08", 1)]),
        ({"industry": "2710"}, [("E08", 1)]),
        ({"industry": "c", "size": "micro"}, [("E07", 1)]),
        ({"industry": "99"}, []),
        ({"region": "320200"}, [("E09", 1), ("E08", 2)]),
        ({"region": "3205830"}, "refused"),
        ({"region": "320583000"}, [("E03", 1), ("E04", 2)]),
        ({"region": "320583002"}, [("E03", 1), ("E04", 2)]),
        ({"region": "320000", "limit": 1}, [("E01", 1)]),
        ({"region": "320571"}, [("E02", 1)]),  # a zone by its own code
        ({"group": "below_scale"}, [("E02", 1)]),
        ({"group": "land_below_3mu"}, [("E09", 1), ("E06", None)]),
        ({"q": "昆山"}, [("E01", 1)]),
        ({"q": "e07"}, [("E07", 9)]),
        ({"q": "９１３２００Ｅ０７"}, []),
        ({"order": "worst", "limit": 4}, [("E08", 10), ("E07", 9), ("E04", 8), ("E10", 5)]),
        ({"order": "worst"}, [*[(n, r) for n, r in sorted(BY_OUTPUT[:10], key=lambda x: (-(x[1] or 0), x[0]))], *BY_OUTPUT[10:]]),
    ],
)  # fmt: skip
def test_places(board: Board, asked: dict[str, Any], expected: Any) -> None:
    if expected == "refused":
        with pytest.raises(PermuError, match="region"):
            places(board, **asked)
    else:
        assert places(board, **asked) == expected


def test_of_and_percentile(board: Board) -> None:
    page = select(board, Selection.parse(by="benefit_per_mu"))
    assert (page.of, page.total, page.next) == (10, 12, None)
    assert [r["of"] for r in page.rows] == [10] * 12
    shown = {r["enterprise_id"]: r["percentile"] for r in page.rows}
    assert shown["E09"] == 100 and shown["E10"] == 0 and shown["E07"] == 100 * 5 / 9 and shown["E03"] is None


def test_percentile_of_one_is_null(board: Board) -> None:
    page = select(board, Selection.parse(industry="27"))
    assert page.of == 1 and page.rows[0]["rank"] == 1 and page.rows[0]["percentile"] is None


def test_grade_and_q_filter_rows_and_change_no_rank(graded: Board) -> None:
    whole = dict(places(graded))
    page = select(graded, Selection.parse(grade="D,c"))
    assert {r["enterprise_id"]: r["rank"] for r in page.rows} == {
        n: whole[n] for n in ("E08", "E09", "E10", "E11", "E12")
    }
    assert page.of == 10 and page.total == 5 and all(r["grade"] in "CD" for r in page.rows)


def test_score_ranks_on_the_integer_total(graded: Board) -> None:
    """E02 and E03 differ by 1e-10 of a point: float64 of the score would still tell them apart, text would not."""
    assert places(graded, limit=4) == [("E01", 1), ("E03", 2), ("E02", 3), ("E04", 4)]
    assert select(graded, Selection.parse(limit=1)).rows[0]["bases"] == {
        "tax_per_mu": 10.0,
        "sales_per_mu": 100.0,
        "tax_per_tce": None,
    }


def test_row_has_every_field_of_the_contract(board: Board) -> None:
    row = next(r for r in select(board, Selection.parse()).rows if r["enterprise_id"] == "E11")
    wanted = (
        "rank of percentile enterprise_id uscc name industry_code industry_name region_code region_name size "
        "scale_group land_mu output_wan_yuan tax_wan_yuan output_per_mu benefit_per_mu score grade ranks flags release_id"
    )
    assert set(wanted.split()) <= set(row)
    assert row["flags"] == ["no_size", "dispute"] and row["size"] is None and row["grade"] is None
    assert row["industry_name"] == "有机化学原料制造" and row["output_per_mu"] == 4000.0 and row["land_mu"] == 15.0
    assert row["ranks"]["output_per_mu"]["all"] == {"rank": 5, "of": 10}
    assert row["ranks"]["output_per_mu"]["size"] == {"rank": None, "of": None}
    assert list(row["ranks"]["benefit_per_mu"]) == list(board.manifest["groupings"])


@pytest.mark.parametrize("metric", ["output_per_mu", "benefit_per_mu"])
@pytest.mark.parametrize(
    ("grouping", "parameter"),
    [("industry_2", "industry"), ("industry_4", "industry"), ("region_county", "region"), ("size", "size")],
)
def test_asked_groups_agree_with_the_stored_ranks(board: Board, metric: str, grouping: str, parameter: str) -> None:
    codes = board.table[grouping].drop_nulls().unique().to_list()
    assert codes
    for code in codes:
        for row in select(board, Selection.parse(by=metric, **{parameter: code})).rows:
            stored = row["ranks"][metric][grouping]
            assert (row["rank"], row["of"]) == (stored["rank"], stored["of"])


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        ([3.0, 1.0, 2.0], [1, 3, 2]),
        ([5.0, 5.0, 1.0], [1, 1, 3]),
        ([1.0, 5.0, 5.0, 0.0], [3, 1, 1, 4]),
        ([0.0, -0.0], [1, 1]),
        ([0.1 + 0.2, 0.3], [1, 2]),
        ([-1.0], [1]),
        ([], []),
    ],
)
def test_competition_ranks(values: list[float], ranks: list[int]) -> None:
    assert competition_ranks(pl.Series(values, dtype=pl.Float64).to_numpy()).tolist() == ranks


def test_nan_and_infinite_values_never_rank() -> None:
    values = [1.0, float("nan"), float("inf"), None, 2.0, float("-inf")]
    board = loose(values)
    assert places(board) == [("F4", 1), ("F0", 2), ("F1", None), ("F2", None), ("F3", None), ("F5", None)]
    assert [r["enterprise_id"] for r in bottom(board, Selection(), count=9)[0].rows] == ["F0", "F4"]


def loose(values: list[float | None]) -> Board:
    """A board of one metric without a folder: as little as a release can hold."""
    names = ("uscc", "name", "industry_code", "region_code", "size", "scale_group", "grade", "flags")
    frame = pl.DataFrame(
        {"enterprise_id": [f"F{i}" for i in range(len(values))], "m": values}, schema_overrides={"m": pl.Float64}
    )
    frame = frame.with_columns(**dict.fromkeys(names, pl.lit(None, pl.String)))
    manifest = {"release_id": "r", "year": 2024, "policy": "p", "metrics": ["m"], "default_metric": "m"}
    return Board(SimpleNamespace(manifest=manifest, rankings=frame))


def lists(board: Board, asked: dict[str, Any], **how: Any) -> list[tuple[Any, int, list[str]]]:
    return [(g.key, g.of, [r["enterprise_id"] for r in g.rows]) for g in bottom(board, Selection.parse(**asked), **how)]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"count": 1}, ["E08"]),
        ({"count": 3}, ["E08", "E07", "E04"]),
        ({"count": 4}, ["E08", "E07", "E04", "E10", "E11", "E12"]),  # the cut falls among ties: all of them
        ({"count": 6}, ["E08", "E07", "E04", "E10", "E11", "E12"]),
        ({"count": 500}, ["E08", "E07", "E04", "E10", "E11", "E12", "E09", "E02", "E03", "E01"]),
        ({"percent": Fraction(5)}, ["E08"]),  # 10·100 > 95·10
        ({"percent": Fraction(10)}, ["E08"]),  # 9·100 > 90·10 does not hold
        ({"percent": Fraction("10.000000001")}, ["E08", "E07"]),
        ({"percent": Fraction(50)}, ["E08", "E07", "E04"]),  # rank 5: 500 > 500 does not hold
        ({"percent": Fraction(51)}, ["E08", "E07", "E04", "E10", "E11", "E12"]),
        ({"percent": Fraction(100)}, ["E08", "E07", "E04", "E10", "E11", "E12", "E09", "E02", "E03", "E01"]),
        ({}, ["E08"]),  # 5 per cent where nothing is said
    ],
)
def test_bottom_of_all(board: Board, how: dict[str, Any], expected: list[str]) -> None:
    assert lists(board, {}, **how) == [({}, 10, expected)]


def test_bottom_within(board: Board) -> None:
    found = lists(board, {}, count=1, within=("industry",))
    assert found == [
        ({"industry": "26"}, 8, ["E07"]),
        ({"industry": "27"}, 1, ["E08"]),
        ({"industry": "30"}, 1, ["E09"]),
    ]
    by_size = lists(board, {"by": "benefit_per_mu"}, count=1, within=("size", "industry"))
    assert ({"size": None, "industry": "26"}, 1, ["E11"]) in by_size
    assert sum(of for _, of, _ in by_size) == 10


def test_bottom_lists_a_group_without_values_as_empty() -> None:
    assert lists(loose([None, float("nan")]), {}) == [({}, 0, [])]


def test_bottom_filters_rows_only(graded: Board) -> None:
    assert lists(graded, {"grade": "D"}, percent=Fraction(100)) == [({}, 10, ["E12", "E11", "E10"])]


def test_bottom_rank_and_percentile_are_those_of_the_subgroup(board: Board) -> None:
    group = bottom(board, Selection(), count=1, within=("industry",))[0]
    assert (group.rows[0]["rank"], group.rows[0]["of"], group.rows[0]["percentile"]) == (8, 8, 0.0)


def test_summary_divides_sums(board: Board) -> None:
    line = summary(board, Selection())[0]
    with_output = Fraction(9 + 7 + 7 + 5 + 3 + 2 + 1 + 6 + 6 + 6) * YI
    land = 9 * 1_000_000 + 150_000  # those that have an output per mu; E05 and E06 do not
    assert line["metrics"]["output_per_mu"]["ratio"] == float(with_output / (15 * land))
    assert line["metrics"]["output_per_mu"]["of"] == 10 and line["enterprises"] == 12
    assert line["metrics"]["benefit_per_mu"]["mean"] != line["metrics"]["benefit_per_mu"]["ratio"]
    assert line["land_mu"] == float(Fraction((10 * 1_000_000 + 150_000) * 3, 200_000))
    assert line["output_wan_yuan"] == float((with_output + 4 * YI) / 10**6)


def test_summary_by_group_and_grades(graded: Board) -> None:
    lines = summary(graded, Selection(), ("size", "grade"))
    assert sum(line["enterprises"] for line in lines) == 12
    assert summary(graded, Selection())[0]["grades"] == {"A": 3, "B": 2, "C": 2, "D": 3, "T": 1}
    assert [line["key"] for line in lines][-1] == {"size": "small", "grade": None}


def test_summary_of_nobody(board: Board) -> None:
    line = summary(board, Selection.parse(industry="99"))[0]
    assert line["enterprises"] == 0 and line["land_mu"] is None and line["metrics"]["output_per_mu"]["ratio"] is None
    assert summary(board, Selection.parse(industry="99"), ("industry",)) == []


def test_a_place_s_own_industry_codes(empty: Warehouse) -> None:
    build(empty, [Firm("L1", 5 * YI, YI, industry="R1"), Firm("L2", 4 * YI, YI)])
    assert places(Store(empty).find().board, industry="r1") == [("L1", 1)]
