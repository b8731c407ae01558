"""What the desk's sliders cost: a question over HTTP against the release made ready, beside the command's whole ranking.

python -m tests.bench.desk permu|whole HOME    → one JSON line
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.measure import Line, in_turn, lines, process

POLICY, QUESTIONS, ENTERPRISES = "illustrative-2024", 9, 20_000
ALLOWED = 1.0  # seconds from the slider to the list


def simulate_20k() -> list[Line]:
    """One change of weights for 20,000 enterprises, the whole list of changes as JSON: at most a second."""
    with tempfile.TemporaryDirectory() as folder:
        process(sys.executable, "-m", "tests.bench.desk", "make", folder)
        home = f"{folder}/home"
        commands = {way: [sys.executable, "-m", "tests.bench.desk", way, home] for way in ("permu", "whole")}
        return lines("simulate_20k", ENTERPRISES, in_turn(commands), allowed=ALLOWED)


def _make(folder: Path) -> dict[str, Any]:
    from data.demo import generate
    from engine.ranking.run import rank
    from engine.schema.warehouse import Warehouse
    from ingest.load import ingest
    from ingest.merge import merge

    generate(folder, enterprises=ENTERPRISES, years=(2024,))
    home = Warehouse(folder / "home").create()
    ingest(home, [folder / "drops"], year=2024)
    merge(home, 2024)
    return {"release": rank(home, 2024, POLICY).release_id}


def _changes(n: int) -> str:
    """Another set of weights for every question: none is answered from what was kept of the one before."""
    group = "weights.above_scale"
    return f"{group}.tax_per_mu={30 + n};{group}.sales_per_mu={35 - n};shares.A={20 + n}"


def _permu(home: Path) -> list[Any]:
    """The route of the page, in one process; the first question makes the release ready and is not timed."""
    from fastapi.testclient import TestClient

    from api.app import create_app
    from engine.schema.warehouse import Warehouse

    client = TestClient(create_app(Warehouse(home)), base_url="http://127.0.0.1")

    def asked(n: int) -> Any:
        given = {"policy": POLICY, "changes": _changes(n), "limit": "10000"}
        answer = client.get("/api/v1/desk/simulate", params=given)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        return [told["matrix"], [r["enterprise_id"] for r in told["rows"]]]

    return _timed(asked)


def _whole(home: Path) -> list[Any]:
    """The ranking's own code from the release's files, every time: what the command does."""
    from engine.releases import find
    from engine.schema.warehouse import Warehouse
    from engine.whatif.simulate import simulate

    warehouse = Warehouse(home)

    def asked(n: int) -> Any:
        found = simulate(warehouse, find(warehouse, year=2024, policy=POLICY), _changes(n).split(";"))
        return [found.matrix, found.moved["enterprise_id"].head(10_000).to_list()]

    return _timed(asked)


def _timed(asked: Any) -> list[Any]:
    asked(0)
    answers, seconds = [], []
    for n in range(1, QUESTIONS + 1):
        begun = time.monotonic()
        answers.append(asked(n))
        seconds.append(time.monotonic() - begun)
    return [statistics.median(seconds), answers]


def main(way: str, place: str) -> None:
    """Answer as one of the two ways, or make the world."""
    if way == "make":
        print(json.dumps(_make(Path(place))))
        return
    seconds, answers = {"permu": _permu, "whole": _whole}[way](Path(place))
    told = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()
    print(json.dumps({"seconds": seconds, "answer_sha256": told}))


if __name__ == "__main__":
    main(*sys.argv[1:])
