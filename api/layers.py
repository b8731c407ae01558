"""Layers as files: prepared once per release under the warehouse's ``cache`` folder, then sent as they are."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

from api.store import Opened, Store
from engine import layers

_VERSION = "1"  # raise when the content of a layer changes
_making = threading.Lock()


def prepared(store: Store, opened: Opened, layer: str) -> Path:
    """The layer's .geojson file (with .geojson.gz beside it); one thread makes it, later requests find it."""
    shipped = opened.release.folder / "layers" / f"{layer}.geojson"
    if shipped.is_file():
        return shipped
    folder = store.warehouse.home / "cache" / opened.board.release_id
    place = folder / f"{layer}-{_VERSION}-{opened.listed.rankings_sha256[:12]}.geojson"
    with _making:
        if not place.is_file():
            body = layers.geojson(opened.release, layer)
            folder.mkdir(parents=True, exist_ok=True)
            put(place.with_name(place.name + ".gz"), gzip.compress(body, 5, mtime=0))
            put(place, body)
    return place


def put(place: Path, body: bytes) -> None:
    """Write a file whole or not at all; another worker that writes the same bytes does no harm."""
    part = place.with_name(f".{place.name}.{os.getpid()}.{threading.get_ident()}")
    part.write_bytes(body)
    part.replace(place)
