"""Rows of the refused table: where a row stands, which value, why, and its mapped cells; never an unmapped column."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ingest.ids import hide_personal
from ingest.map import Plan
from ingest.reasons import reason

REFUSED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "load_id": pl.String, "source": pl.String, "table": pl.String, "file": pl.String, "sheet": pl.String,
    "row": pl.Int32, "column": pl.String, "header": pl.String, "field": pl.String, "value": pl.String,
    "code": pl.String, "zh": pl.String, "en": pl.String, "raw": pl.String,
}  # fmt: skip
# What could be a resident's number: looked at one by one.
_PERSONAL = r"^\d{17}[0-9Xx]"


class Refusals:
    """Writes the refused rows of one sheet; ``load_id`` is asked for when there is one."""

    def __init__(self, plan: Plan, load_id: Callable[[], str], source: str, file: str) -> None:
        self.plan, self.load_id = plan, load_id
        self.place = {
            "source": source, "table": plan.name, "file": file, "sheet": plan.sheet.name,
        }  # fmt: skip

    def of_cells(self, cells: pl.DataFrame, codes: list[str], fields: list[str]) -> pl.DataFrame:
        """The refused rows for ``cells`` (row and c0 …), each with its reason and the field at fault."""
        told = pl.DataFrame({"row": cells["row"], "code": codes, "field": fields, "raw": self._raw(cells)})
        value = pl.lit(None, dtype=pl.String)
        for name in dict.fromkeys(fields):
            use = self.plan.uses.get(name)
            if use and use.index >= 0:
                value = pl.when(pl.col("field") == name).then(pl.col(f"c{use.index}")).otherwise(value)
        return self._told(pl.concat([told, cells.drop("row")], how="horizontal").with_columns(value=value))

    def of_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The refused rows for canonical ``rows`` with a ``code``: typed rows that turned out to repeat a key."""
        unique = self.plan.table.unique
        name = next((n for n in unique if n in self.plan.uses), next(iter(self.plan.uses)))
        shown = [n for n in self.plan.uses if n != "geometry"]
        told = rows.select(
            "row", "code", pl.lit(name).alias("field"), pl.struct(shown).struct.json_encode().alias("raw"),
            pl.col(name).cast(pl.String, strict=False).alias("value"),
        )  # fmt: skip
        return self._told(told)

    def _told(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``row field value code raw`` with place, column and the two sentences."""
        fields, codes = rows["field"].unique().to_list(), rows["code"].unique().to_list()
        header = {n: self.plan.uses[n].header if n in self.plan.uses else "" for n in fields}
        why = {code: reason(code) for code in codes}
        told = rows.with_columns(
            pl.lit(self.load_id()).alias("load_id"),
            *(pl.lit(text).alias(name) for name, text in self.place.items()),
            pl.col("field")
            .replace_strict({n: self._letter(n) for n in fields}, return_dtype=pl.String)
            .alias("column"),
            pl.col("field").replace_strict(header, return_dtype=pl.String).alias("header"),
            _masked(rows["value"]),
            pl.col("code").replace_strict({c: w[0] for c, w in why.items()}, return_dtype=pl.String).alias("why_en"),
            pl.col("code").replace_strict({c: w[1] for c, w in why.items()}, return_dtype=pl.String).alias("why_zh"),
        )
        return told.with_columns(self._sentences()).select([pl.col(n).cast(kind) for n, kind in REFUSED_SCHEMA.items()])

    def _letter(self, name: str) -> str:
        use = self.plan.uses.get(name)
        if use:
            return use.letter
        return self.plan.sheet.letter(int(name[1:])) if name[1:].isdigit() else ""

    def _sentences(self) -> list[pl.Expr]:
        file, sheet = self.place["file"], self.place["sheet"]
        where_zh = pl.lit(f"{file}{f'，工作表 {sheet}' if sheet else ''}")
        where_en = pl.lit(f"{file}{f', sheet {sheet}' if sheet else ''}")
        label = pl.when(pl.col("header") != "").then("header").otherwise("field")
        told = ("row", "column", label, pl.col("value").fill_null(""))
        return [
            pl.format("{}，第 {} 行 {} 列 {}：{} {}", where_zh, *told, "why_zh").alias("zh"),
            pl.format("{}, row {}, column {} {}: {} {}", where_en, *told, "why_en").alias("en"),
        ]

    def _raw(self, cells: pl.DataFrame) -> pl.Series:
        """Mapped cells as JSON by field: unmapped columns may hold personal data and never get here."""
        used = {n: u for n, u in self.plan.uses.items() if u.index >= 0}
        if not used:
            return pl.Series(["{}"], dtype=pl.String).new_from_index(0, cells.height)
        masked = pl.DataFrame([_masked(cells[f"c{u.index}"]).rename(n) for n, u in used.items()])
        return masked.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _masked(texts: pl.Series) -> pl.Series:
    """Residents' identity numbers masked."""
    at = texts.str.contains(_PERSONAL).fill_null(False).arg_true()
    if at.len() == 0:
        return texts
    hidden = pl.Series([hide_personal(t) for t in texts.gather(at)], dtype=pl.String)
    return texts.clone().scatter(at, hidden)
