"""What is prepared of a release so that serving is a look-up: orders, rows as text and columns, as files.

:func:`ready` makes them when a release is first opened (docs/decisions/0030-serving-speed.md). All of it is derived
from ``rankings.parquet`` and can be thrown away.
"""

from engine.served.index import Served
from engine.served.listing import Listing
from engine.served.prepare import prepare
from engine.served.ready import ready
from engine.served.records import Records

__all__ = ["Listing", "Records", "Served", "prepare", "ready"]
