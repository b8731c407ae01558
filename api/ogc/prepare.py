"""``python -m api.ogc.prepare HOME RELEASE LAYER``: a layer's features for the viewer on stdin, then the memory is free."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from api.ogc.collections import of_release
from api.ogc.shelf import Shelf
from api.rights import Viewer, rights_of
from api.store import Store
from engine.schema.warehouse import Warehouse


def main(home: str, release: str, layer: str) -> None:
    """Write them where the worker that asked looks for them."""
    told = json.load(sys.stdin)
    viewer = Viewer(**{**told, "switches": frozenset(told["switches"])})
    warehouse = Warehouse(Path(home))
    opened = Store(warehouse).find(release)
    of_release(Shelf(warehouse.home / "cache", None), opened, rights_of(viewer, opened), here=True)[layer].features()


if __name__ == "__main__":
    main(*sys.argv[1:])
