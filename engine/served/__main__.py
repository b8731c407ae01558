"""python -m engine.served RELEASE FOLDER: write the prepared files of a release folder."""

import sys
from pathlib import Path

from engine.served.ready import make

if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
