"""Documents that people sign and file: an enterprise's check-up sheet (XLSX, PDF) and a bureau's yearly report (PDF)."""
