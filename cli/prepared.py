"""The files that a server answers from are made before the command ends, so that nobody waits for them later."""

from __future__ import annotations

import time

from cli.progress import Stages
from engine.query import ahead
from engine.releases import find
from engine.schema.warehouse import Warehouse
from engine.served import ready


def prepare(warehouse: Warehouse, release_id: str, progress: Stages) -> float:
    """Make those of a release unless they are there; the seconds it took."""
    progress("prepare")
    began, release = time.monotonic(), find(warehouse, release_id)
    served = ready(release.folder, release.manifest, warehouse.home / "cache" / release_id)
    if served is not None:
        ahead.ready(release.folder, served)
    return time.monotonic() - began
