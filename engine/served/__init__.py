"""What publishing prepares so that serving is a look-up: orders, row records and columns as files that are mapped.

A release holds them under ``served/``; for one that was made without them, :func:`engine.served.ready.ready` makes
them beside it. Everything here is derived from ``rankings.parquet`` and can be thrown away.
"""

from engine.served.index import Served
from engine.served.listing import Listing
from engine.served.prepare import prepare
from engine.served.ready import ready

__all__ = ["Listing", "Served", "prepare", "ready"]
