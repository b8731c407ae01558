"""CQL2 filters: guarded, parsed by the ``cql2`` library, compiled to Polars expressions over the queryables.

guard (length, nesting) → parse (text or JSON → tree) → compile (tree → expression) → a mask of rows.
No value of a filter ever becomes part of a query's text.
"""

from api.ogc.filters.compile import mask
from api.ogc.filters.parse import LANGUAGES, parse

__all__ = ["LANGUAGES", "mask", "parse"]
