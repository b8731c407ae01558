"""Map layers of a release: parcels, enterprises, regions, low_efficiency and idle, as tables, files and tiles."""

from engine.layers.catalogue import LAYERS, Layer, layer_of, table
from engine.layers.features import features, geojson
from engine.layers.limits import EVERYTHING, Limits

__all__ = ["EVERYTHING", "LAYERS", "Layer", "Limits", "features", "geojson", "layer_of", "table"]
