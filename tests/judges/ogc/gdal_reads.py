"""Read collections by GDAL's OAPIF driver, as a GIS does; prints the ids of each reading as JSON.

argv: address, readings as JSON [[collection, options of pyogrio.read_dataframe], …]. A process of its own: GDAL blocks.
"""

from __future__ import annotations

import json
import sys

import pyogrio

for name, options in json.loads(sys.argv[2]):
    if "bbox" in options:
        options["bbox"] = tuple(options["bbox"])
    read = pyogrio.read_dataframe(f"OAPIF:{sys.argv[1]}", layer=name, **options)
    print(json.dumps(sorted(read["id"].astype(str))))
