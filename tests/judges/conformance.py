"""``make conformance``: the tests of outside standards' requirements, requirement by requirement, and
docs/conformance.md written from the run."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from api.ogc.documents import CONFORMANCE, tiles

CHECKOUT = Path(__file__).resolve().parents[2]
PLACE = CHECKOUT / "docs" / "conformance.md"
_MARK = re.compile(r'requirement\(\s*"([^"]+)"')
_HEAD = """# Conformance

Written by `make conformance`, which runs the tests that carry a standard's requirement
(`@pytest.mark.requirement`) and prints the same. The judges are the standards' own abstract tests and data
(OGC API Features parts 1 and 2, CQL2); for part 3, Common, Tiles and Tile Matrix Sets, which are not among them, the
requirements of those standards. A name that begins with a slash is one of Features or CQL2; any other begins with its
standard: `tms/2.0/req/x/y` is `http://www.opengis.net/spec/tms/2.0/req/x/y`.
Notes that belong to it are in [decisions/0032-ogc.md](decisions/0032-ogc.md).

## Classes that `/ogc/conformance` claims

"""


class Outcomes:
    """A plugin of pytest: the outcome of each test under every requirement that it carries."""

    def __init__(self) -> None:
        self.carried: dict[str, list[str]] = {}
        self.results: dict[str, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note what each test is about."""
        self.carried = {i.nodeid: [str(m.args[0]) for m in i.iter_markers("requirement")] for i in items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test counts by its call; one that fails or is skipped before counts so."""
        if report.when == "call" or report.outcome != "passed":
            for requirement in self.carried.get(report.nodeid, []):
                self.results[requirement].append(report.outcome)


def files() -> list[Path]:
    """The test files that hold a requirement."""
    return [p for p in sorted((CHECKOUT / "tests").rglob("test_*.py")) if _MARK.search(p.read_text("utf-8"))]


def declared() -> set[str]:
    """The requirements that the tests carry, as they are written there."""
    return {name for place in files() for name in _MARK.findall(place.read_text("utf-8"))}


def verdict(outcomes: list[str]) -> str:
    """``pass`` where every test passed."""
    if "failed" in outcomes:
        return "FAIL"
    return "skipped" if "skipped" in outcomes else "pass"


def table(results: dict[str, list[str]]) -> str:
    """The text of docs/conformance.md."""
    part = tiles()
    classes = "\n".join(f"- <{uri}>" for uri in (*CONFORMANCE, *(part.CONFORMANCE if part else ())))
    rows = [f"| `{name}` | {verdict(held)} | {len(held)} |" for name, held in sorted(results.items())]
    return (
        f"{_HEAD}{classes}\n\n## Requirements\n\n| requirement | result | tests |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def main() -> int:
    """Run, print, write; 0 where all hold, 1 where one fails, 2 where the judges are not there."""
    outcomes = Outcomes()
    held = [str(place) for place in files()]
    code = pytest.main(["-m", "requirement", "-q", "--no-header", "-p", "no:cacheprovider", *held], plugins=[outcomes])
    for name, found in sorted(outcomes.results.items()):
        print(f"{name:70} {verdict(found)}")
    if any(verdict(found) == "skipped" for found in outcomes.results.values()):
        print("conformance: the judges of ../shared are not there; docs/conformance.md stays as it is", file=sys.stderr)
        return 2
    PLACE.write_text(table(outcomes.results), encoding="utf-8")
    return 1 if code else 0


if __name__ == "__main__":
    raise SystemExit(main())
