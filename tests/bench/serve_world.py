"""A release of N enterprises to serve, and thousands of different questions to it, with what a query says to some."""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb

from engine.query import Board, Selection, ahead, cursor
from engine.ranking.run import rank
from engine.releases import find
from engine.schema.warehouse import Warehouse
from engine.served import ready
from tests.bench import facts
from tests.bench.measure import SIZE

METRICS = ("output_per_mu", "benefit_per_mu")
_SIZES = ("large", "medium", "small", "micro")
_GROUPS = ("above_scale", "below_scale", "land_3mu_up", "land_below_3mu")
_TEXTS = ("公司", "示例0001", "99", "slyxgs", "9100000", "nobody at all")
Question = dict[str, str]


@cache
def world(policy: str = "sunan-2017") -> tuple[Warehouse, Board]:
    """A release of :data:`SIZE` enterprises ranked by a policy, prepared; made once a run and removed at its end."""
    home = Path(tempfile.mkdtemp(prefix="permu-bench-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    warehouse = facts.build(home / "home", SIZE)
    rank(warehouse, facts.YEAR, policy)
    release = find(warehouse)
    served = ready(release.folder, release.manifest, warehouse.home / "cache" / release.id)
    assert served is not None
    ahead.ready(release.folder, served)  # as `permu rank` leaves it
    return warehouse, Board(release, served)


def pages(board: Board, count: int) -> list[Question]:
    """One group of one grouping by a ranked metric, best or worst, half of them somewhere in its middle."""
    draw = random.Random(5)
    industries, regions = _codes(board)
    found = []
    for _ in range(count):
        asked = {"by": draw.choice(METRICS), "order": draw.choice(("best", "worst"))}
        kind = draw.choice(("industry",) * 9 + ("region",) * 9 + ("size", "group", "all"))
        if kind != "all":
            values = {"industry": industries, "region": regions, "size": _SIZES, "group": _GROUPS}[kind]
            asked[kind] = draw.choice(values)
        selection = Selection.parse(**asked)
        places = len(board.listing(selection.members, asked["by"]).rows)
        if places > 40 and draw.random() < 0.5:
            asked["cursor"] = cursor.write(board, selection, draw.randrange(1, places - 20))
        found.append(asked)
    return found


def filters(board: Board, count: int) -> list[Question]:
    """Any combination of groupings, filters (grades where there are some), metrics, orders and limits."""
    draw = random.Random(7)
    industries, regions = _codes(board)
    values = {"industry": industries, "region": regions, "size": _SIZES, "group": _GROUPS, "q": _TEXTS}
    chances = {"industry": 0.6, "region": 0.6, "size": 0.4, "group": 0.4, "q": 0.3}
    values, chances = values | {"limit": ("1", "100", "200")}, chances | {"limit": 0.15}
    if not board.table["grade"].is_null().all():
        values, chances = values | {"grade": ("A", "D", "B,C", "A,B,C,D")}, chances | {"grade": 0.5}
    found = []
    for _ in range(count):
        asked = {"by": draw.choice(board.metrics), "order": draw.choice(("best", "worst"))}
        asked |= {name: draw.choice(values[name]) for name, chance in chances.items() if draw.random() < chance}
        if asked.get("q", "").isdigit() or draw.random() < 0.1:
            asked["q"] = str(draw.randrange(10_000, 1_000_000))
        found.append(asked)
    return found


def _codes(board: Board) -> tuple[list[str], list[str]]:
    assert board.served is not None
    held = board.served.combinations
    industries = {c for n in ("industry_2", "industry_3", "industry_4") for c in held["industry"][n].drop_nulls()}
    regions = {c[:n] for c in held["region"]["region_code"].drop_nulls() for n in (2, 4, 6, 9)}
    return sorted(industries), sorted(regions)


def address(asked: Question) -> str:
    """The question as a path."""
    return "/api/v1/rankings?" + urlencode(asked)


def ids_by_query(board: Board, asked: Question) -> list[str]:
    """The ids of a page that DuckDB finds in the release's own table for a question without a cursor."""
    code, digits = asked.get("industry", ""), asked.get("region", "")
    where: dict[str, Any] = {"size = ?": asked.get("size")}
    group = asked.get("group", "")
    where |= {f"{'land' if group.startswith('land') else 'scale'}_group = ?": group or None}
    where |= {f"industry_{len(code) or 2} = ?": code or None, "starts_with(region_code, ?)": digits or None}
    if q := asked.get("q"):
        where |= {
            "contains(concat_ws(chr(10), lower(name), lower(uscc), lower(enterprise_id), 'sl' || substr(enterprise_id, 2) || 'yxgs'), ?)": q.lower()
        }
    if grades := asked.get("grade"):
        where |= {"list_contains(string_split(?, ','), grade)": grades}
    kept = {text: value for text, value in where.items() if value is not None}
    way = "DESC" if asked["order"] == "best" else "ASC"
    rows = duckdb.execute(
        f"SELECT enterprise_id FROM read_parquet(?) WHERE {' AND '.join(kept) or 'true'} "
        f"ORDER BY {asked['by']} {way} NULLS LAST, enterprise_id LIMIT {asked.get('limit', 20)}",
        [str(board.release.folder / "rankings.parquet"), *kept.values()],  # type: ignore[attr-defined]
    ).fetchall()
    return [row[0] for row in rows]
