"""Files to hand on: one table and one provenance, written as CSV, XLSX, Parquet or Arrow, whole or not at all."""

from api.exports.formats import FORMATS, filename, write
from api.exports.provenance import Provenance
from api.exports.table import Sheet, bottom_sheet, ranking_sheet

__all__ = ["FORMATS", "Provenance", "Sheet", "bottom_sheet", "filename", "ranking_sheet", "write"]
