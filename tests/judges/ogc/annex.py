"""The annex of CQL2 as it is written: its tables of predicates with the number of features that each must find."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ANNEX = "judges/ogcapi-features/cql2/standard"
_CELL = re.compile(r"`((?:[^`])+)`")


@dataclass(frozen=True)
class Case:
    """A predicate over a data source and how many features it finds."""

    source: str
    predicate: str
    count: int


def plain(text: str) -> str:
    """A cell without the escapes of AsciiDoc."""
    return text.replace("\\<", "<").replace("\\((", "((").replace("\\(", "(")


def expected(shared: Path, name: str) -> list[Case]:
    """The rows of the table `Predicates and expected results` of a conformance class."""
    found = []
    for line in (shared / ANNEX / f"annex_ats_{name}.adoc").read_text(encoding="utf-8").splitlines():
        match = re.match(r"^\|(?:[^|`]*\|)?\s*(ne_110m_\w+)\s*\|`(.+)`\s*\|(\d+)$", line)
        if match:
            found.append(Case(match[1], plain(match[2]), int(match[3])))
    assert found, f"no table in annex_ats_{name}.adoc"
    return found


def combinations(shared: Path) -> list[tuple[list[str], int]]:
    """The table of four predicates and the number that their combination finds (basic-cql2, logical)."""
    found = []
    for line in (shared / ANNEX / "annex_ats_basic-cql2.adoc").read_text(encoding="utf-8").splitlines():
        cells = _CELL.findall(line)
        if line.startswith("|`") and len(cells) == 4:
            found.append(([plain(cell) for cell in cells], int(line.rsplit("|", 1)[1])))
    assert found, "no table of combinations"
    return found
