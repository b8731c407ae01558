"""The portable SQL: one statement a file, in the subset that DuckDB and Spark both run."""

from importlib.resources import files


def statement(name: str) -> str:
    """The text of ``<name>.sql``, e.g. ``merge/facts``."""
    return files("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
