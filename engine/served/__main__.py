"""python -m engine.served RELEASE FOLDER: write the prepared files of a release folder."""

import sys
from pathlib import Path

from engine.releases import open_release
from engine.served.prepare import prepare

if __name__ == "__main__":
    found = open_release(Path(sys.argv[1]))
    table = found.rankings
    prepare(
        table if table["enterprise_id"].is_sorted() else table.sort("enterprise_id"), found.manifest, Path(sys.argv[2])
    )
