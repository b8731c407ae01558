"""A server over a copy of the demo with users of every role, and the header that signs a window in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from api.rights import users
from engine.schema.warehouse import Warehouse

ROLES = ("land_bureau", "regulator", "gis", "public")


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
    """A copy of a demo's warehouse with a user of every role."""
    home = Warehouse(Path(shutil.copytree(demo, place)))
    return home, {
        role: users.add(home, f"a-{role}", role, "32" if role == "land_bureau" else None)[1] for role in ROLES
    }
