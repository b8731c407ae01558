"""datasette over a release's rows, in an environment of its own: how others serve a ranking page."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from engine.query import Board

_PLACE = Path("build/datasette")
_SHOWN = (
    "enterprise_id", "uscc", "name", "industry_code", "industry_2", "region_code", "region_county", "size", "scale_group",
    "land_mu", "output_wan_yuan", "tax_wan_yuan", "output_per_mu", "benefit_per_mu",
)  # fmt: skip
_GROUPS = ("industry_2", "region_county")
_METRICS = ("output_per_mu", "benefit_per_mu")


def command(board: Board, file: Path) -> list[str] | None:
    """The words that start it over a new file of the rows; None, with the reason printed, where it cannot be had."""
    program = _PLACE / "bin" / "datasette"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_PLACE)], check=True)
        got = subprocess.run(
            [str(_PLACE / "bin" / "pip"), "install", "-q", "datasette"], capture_output=True, text=True
        )
        if got.returncode:
            print(f"serve_page: datasette is left out, pip cannot get it: {got.stderr.strip()[-120:]}", flush=True)
            return None
    with sqlite3.connect(file) as db:
        db.execute(f"CREATE TABLE rankings ({', '.join(_SHOWN)}, PRIMARY KEY (enterprise_id))")
        rows = board.table.select(_SHOWN).iter_rows()
        db.executemany(f"INSERT INTO rankings VALUES ({', '.join('?' * len(_SHOWN))})", rows)
        for group in _GROUPS:
            for metric in _METRICS:
                db.execute(f"CREATE INDEX {group}_{metric} ON rankings ({group}, {metric})")
    db.close()
    return [str(program), "serve", str(file), "--port", "{port}"]


def asked(board: Board, count: int) -> list[str]:
    """Pages of 20 of one industry or county by a metric, without the counts and facets that it would add."""
    draw = random.Random(5)
    codes = {group: board.table[group].drop_nulls().unique().sort().to_list() for group in _GROUPS}
    found = []
    for _ in range(count):
        group, metric = draw.choice(_GROUPS), draw.choice(_METRICS)
        question = {
            group: draw.choice(codes[group]),
            "_sort_desc": metric,
            "_size": "20",
            "_nocount": "1",
            "_nosuggest": "1",
        }
        found.append("/rankings/rankings.json?" + urlencode(question))
    return found
