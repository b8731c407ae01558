"""Load layers by QGIS's OAPIF provider, headless; prints for each what QGIS says of it as JSON.

argv: source (url='…', with users username='…' password='…'), readings as JSON [[collection, filter], …]. Run by Debian's
own Python, which holds PyQGIS.
"""

import json
import os
import sys
from importlib import import_module

qgis = import_module("qgis.core")  # Debian's, not to be had from PyPI
application = qgis.QgsApplication([], False)
application.initQgis()
told = {}
for name, filtered in json.loads(sys.argv[2]):
    layer = qgis.QgsVectorLayer(f"{sys.argv[1]} typename='{name}'", name, "OAPIF")
    if not layer.isValid():
        told[name] = {"valid": False, "why": layer.error().message()}
        continue
    ids = [feature["id"] for feature in layer.getFeatures()]
    box = layer.extent()
    quarter = qgis.QgsRectangle(box.xMinimum(), box.yMinimum(), box.center().x(), box.center().y())
    part = {feature["id"] for feature in layer.getFeatures(qgis.QgsFeatureRequest(quarter))}
    told[name] = {
        "valid": True,
        "count": layer.featureCount(),
        "ids": sorted(ids),
        "part": sorted(part),
        "box": quarter.toString(7),
        "crs": layer.crs().authid(),
        "fields": layer.fields().names(),
    }
    if filtered:
        told[name]["taken"] = layer.setSubsetString(filtered)
        told[name]["filtered"] = sorted(feature["id"] for feature in layer.getFeatures())
print(json.dumps(told), flush=True)
os._exit(0)  # the layers would outlive the application, which QGIS does not bear
