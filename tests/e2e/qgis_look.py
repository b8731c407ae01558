"""QGIS itself, without a screen: loads a layer as its user would and draws it. Run by Debian's Python, that has PyQGIS.

``python3 qgis_look.py PICTURE WIDTH HEIGHT EXTENT LAYER… [title:TITLE]``; EXTENT is west,south,east,north in degrees; a LAYER is
``file:PATH`` (OGR; a .qml beside it is its style), ``tiles:URL?zmin=..&zmax=..`` (vector tiles, styled by grade) or
``oapif:URL@COLLECTION`` (features of the OGC API, styled by grade), or ``outline:PATH`` (only its borders, with names). With TITLE the map becomes a sheet with
title, legend and scale. Prints one JSON object: what each layer says of itself.
"""

from __future__ import annotations

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFillSymbol,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendStyle,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPalLayerSettings,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
    QgsVectorTileBasicRenderer,
    QgsVectorTileBasicRendererStyle,
    QgsVectorTileLayer,
    QgsWkbTypes,
)  # fmt: skip
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QFont

COLOURS = {"A": "#0b5a8c", "B": "#7fbfe3", "C": "#f2c14e", "D": "#b8400f", "T": "#b4bcc6"}
NAMES = ("优先发展", "支持发展", "提升发展", "限制发展", "不参评")
GRADES = [(g, c, n) for (g, c), n in zip(COLOURS.items(), NAMES)] + [(None, "#e6e6e6", "未评级 not graded")]  # noqa: B905


def tiles(url):
    """A vector tile layer; one rule a grade."""
    address, _, more = url.partition("?")
    layer = QgsVectorTileLayer(f"type=xyz&url={address}&{more}", "parcels")
    styles = [_rule("", "#e6e6e6")] + [_rule(f"\"grade\" = '{g}'", colour) for g, colour in COLOURS.items()]
    renderer = QgsVectorTileBasicRenderer()
    renderer.setStyles(styles)
    layer.setRenderer(renderer)
    return layer, {"zooms": [layer.sourceMinZoom(), layer.sourceMaxZoom()]}


def _rule(filter_, colour):
    symbol = QgsSymbol.defaultSymbol(QgsWkbTypes.PolygonGeometry)
    symbol.setColor(QColor(colour))
    symbol.symbolLayer(0).setStrokeColor(QColor(80, 80, 80))
    symbol.symbolLayer(0).setStrokeWidth(0.1)
    style = QgsVectorTileBasicRendererStyle("", "parcels", QgsWkbTypes.PolygonGeometry)
    style.setFilterExpression(filter_)
    style.setSymbol(symbol)
    return style


def vectors(source, provider):
    """A layer of features."""
    layer = QgsVectorLayer(source, "parcels", provider)
    if provider == "OAPIF":
        layer.setRenderer(QgsCategorizedSymbolRenderer("grade", [_category(g, c, n) for g, c, n in GRADES]))
    told = {"features": layer.featureCount(), "crs": layer.crs().authid(), "fields": [f.name() for f in layer.fields()]}
    renderer = layer.renderer()
    if renderer is not None and renderer.type() == "categorizedSymbol":
        told["styled_by"] = renderer.classAttribute()
        told["categories"] = [c.label() for c in renderer.categories()]
    first = next(layer.getFeatures(), None)
    return layer, told | {"first": [str(v) for v in first.attributes()] if first else None}


def _category(grade, colour, name):
    outline = {"outline_color": "80,80,80,255", "outline_width": "0.1"}
    symbol = QgsFillSymbol.createSimple({"color": colour, **outline})
    return QgsRendererCategory(grade, symbol, f"{grade or ''} {name}".strip())


def outline(path):
    """Borders and names of regions."""
    layer = QgsVectorLayer(path, "行政区划 regions", "ogr")
    line = {"color": "250,250,248,255", "outline_color": "150,150,150,255", "outline_width": "0.3"}
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(line)))
    labels, text = QgsPalLayerSettings(), QgsTextFormat()
    text.setFont(QFont("Noto Sans CJK SC"))
    text.setSize(7)
    text.setColor(QColor(110, 110, 110))
    labels.fieldName = "name"
    labels.setFormat(text)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(labels))
    layer.setLabelsEnabled(True)
    return layer, {"features": layer.featureCount()}


def opened(word):
    """The layer that a word names, and what it says of itself."""
    kind, _, rest = word.partition(":")
    if kind == "tiles":
        return tiles(rest)
    if kind == "oapif":
        url, _, name = rest.rpartition("@")
        return vectors(f"url='{url}' typename='{name}'", "OAPIF")
    return outline(rest) if kind == "outline" else vectors(rest, "ogr")


def _area(extent):
    """Degrees → Web Mercator."""
    mercator, degrees = QgsCoordinateReferenceSystem("EPSG:3857"), QgsCoordinateReferenceSystem("EPSG:4326")
    move = QgsCoordinateTransform(degrees, mercator, QgsProject.instance())
    return mercator, move.transformBoundingBox(QgsRectangle(*extent))


def sheet(layers, extent, title, place):
    """A printed sheet: map, title, legend of the last layer, scale."""
    project = QgsProject.instance()
    crs, area = _area(extent)
    project.setCrs(crs)
    project.addMapLayers(layers)
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    shown = QgsLayoutItemMap(layout)
    shown.setRect(0, 0, 222, 180)  # without a size of its own it has no scale
    shown.setCrs(crs)
    shown.setExtent(area)
    shown.setLayers(layers)
    shown.setFrameEnabled(True)
    _put(layout, shown, 8, 20, 222, 180)
    legend = QgsLayoutItemLegend(layout)
    legend.setAutoUpdateModel(False)
    for layer in layers[1:]:
        legend.model().rootGroup().removeLayer(layer)
    for part in ("Title", "Group", "Subgroup", "SymbolLabel"):
        legend.setStyleFont(getattr(QgsLegendStyle, part), QFont("Noto Sans CJK SC", 9))
    _put(layout, legend, 234, 20, 58, 80)
    words = QgsLayoutItemLabel(layout)
    words.setText(title)
    words.setFont(QFont("Noto Sans CJK SC", 12))
    _put(layout, words, 8, 6, 280, 10)
    bar = QgsLayoutItemScaleBar(layout)
    bar.setLinkedMap(shown)
    bar.setUnits(QgsUnitTypes.DistanceMeters)
    bar.setUnitsPerSegment(1000)
    bar.setNumberOfSegments(2)
    bar.setUnitLabel("m")
    bar.setFont(QFont("Noto Sans CJK SC", 9))
    _put(layout, bar, 234, 180, 58, 14)
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 130
    done = QgsLayoutExporter(layout).exportToImage(place, settings)
    return [] if done == QgsLayoutExporter.Success else [f"export ended with {done}"]


def _put(layout, item, x, y, width, height):
    layout.addLayoutItem(item)
    item.attemptMove(QgsLayoutPoint(x, y))
    item.attemptResize(QgsLayoutSize(width, height))


def draw(layers, extent, size, place):
    """The map as PNG, in Web Mercator."""
    settings = QgsMapSettings()
    crs, area = _area(extent)
    settings.setLayers(layers)
    settings.setDestinationCrs(crs)
    settings.setTransformContext(QgsProject.instance().transformContext())
    settings.setExtent(area)
    settings.setOutputSize(QSize(*size))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(place)
    return [error.message for error in job.errors()]


def main(place, width, height, extent, *words):
    application = QgsApplication([], True)
    application.initQgis()
    title = "".join(w.partition(":")[2] for w in words if w.startswith("title:"))
    found = [opened(word) for word in words if not word.startswith("title:")]
    layers, degrees = [layer for layer, _ in found], [float(n) for n in extent.split(",")]
    told = [{"valid": layer.isValid(), **more} for layer, more in found]
    size = (int(width), int(height))
    errors = sheet(layers, degrees, title, place) if title else draw(layers, degrees, size, place)
    print(json.dumps({"layers": told, "errors": errors}, ensure_ascii=False), flush=True)
    QgsProject.instance().clear()
    application.exitQgis()


if __name__ == "__main__":
    main(*sys.argv[1:])
