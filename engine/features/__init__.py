"""Features prepared for serving: each row's GeoJSON bytes, its box and its columns, in files that are memory-mapped."""

from engine.features.build import build
from engine.features.prepared import Features

__all__ = ["Features", "build"]
