"""A server over a copy of the demo with users of every role, and the header that signs a window in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from api.rights import users
from engine.releases import find
from engine.schema.warehouse import Warehouse

ROLES = ("land_bureau", "regulator", "gis", "enterprise", "public")


@dataclass(frozen=True)
class Offices:
    """The server's address, the keys of its users by role, its warehouse."""

    base: str
    keys: dict[str, str]
    warehouse: Warehouse

    def signed_in(self, role: str) -> dict[str, object]:
        """What ``visit`` takes for a window of this role."""
        return {"base": self.base, "extra_http_headers": {"Authorization": f"Bearer {self.keys[role]}"}}


def peopled(demo: Path, place: Path) -> tuple[Warehouse, dict[str, str]]:
    """A copy of a demo's warehouse with a user of every role; the enterprise is :func:`someone`."""
    home = Warehouse(Path(shutil.copytree(demo, place)))
    more = {"land_bureau": {"region": "32"}, "enterprise": {"enterprise": someone(home)}}
    return home, {role: users.add(home, f"a-{role}", role, **more.get(role, {}))[1] for role in ROLES}


def someone(home: Warehouse) -> str:
    """The enterprise of grade B that stands best: it has land, figures and a next grade."""
    table = find(home, year=2024, policy="huaian-2024").rankings
    return str(table.filter(pl.col("grade") == "B").sort("rank__score__all", "enterprise_id")["enterprise_id"][0])
