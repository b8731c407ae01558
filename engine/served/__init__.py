"""What is prepared of a release so that serving is a look-up: orders, rows as text and columns, as files.

:func:`ready` makes them: ``permu rank`` when the release is there, else a server beside its work
(docs/decisions/0030-serving-speed.md). All of it is derived
from ``rankings.parquet`` and can be thrown away.
"""

from engine.served.index import Served
from engine.served.listing import Listing
from engine.served.prepare import prepare
from engine.served.ready import FEW, found, is_ready, ready
from engine.served.records import Records

__all__ = ["FEW", "Listing", "Records", "Served", "found", "is_ready", "prepare", "ready"]
