"""What a user may not be told, worked out from the tables and the dictionary of columns; the rights of the server are
not asked. Only values that cannot stand in an answer by chance count: of seven digits and more, of eight if rounded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl
import polars.selectors as cs

from engine.schema.columns import Column, column
from tests.unit.rights.conftest import World, role_of
from tests.unit.rights.read import Told

DRAFTS = ("land_bureau", "regulator", "gis")  # who is shown drafts
# What the smallest unit that a name ends in is shown in: 10,000 yuan, kWh, m³, t, tce.
_SHOWN = {"fen": 1e6, "wh": 1e3, "litre": 1e3, "gram": 1e6, "ce": 1e10}
_DECIMALS = (1, 2, 3, 4, 6)


@dataclass(frozen=True)
class Hidden:
    """Figures of single firms, in smallest and shown units, whole and rounded; ids, codes and names of firms."""

    figures: frozenset[float]
    firms: frozenset[str]

    def found_in(self, answer: Told, asked: str = "") -> list[float | str]:
        """What of it an answer tells, apart from what was asked."""
        named = {firm for firm in self.firms & answer.words if firm not in asked}
        return [*sorted(self.figures & answer.numbers)[:5], *sorted(named)[:5]]


@lru_cache(maxsize=8)
def _amounts(folder: Path) -> pl.DataFrame:
    """Every number that a release states of a firm: its id, region, column, value, and whether statistics told it."""
    table = pl.read_parquet(folder / "rankings.parquet")
    ranked = table.select("enterprise_id", cs.numeric().cast(pl.Float64)).unpivot(
        index="enterprise_id", variable_name="column"
    )
    statistical = [c for c in table.columns if column(c).from_statistics]
    ranked = ranked.with_columns(statistics=pl.col("column").is_in(statistical))
    facts = pl.read_parquet(folder / "facts.parquet").select(
        "enterprise_id",
        pl.col("field").alias("column"),
        pl.col("value").cast(pl.Float64),
        (pl.col("source") == "statistics").alias("statistics"),
    )
    whole = pl.concat([ranked, facts]).drop_nulls("value")
    return whole.join(table.select("enterprise_id", "region_code"), on="enterprise_id")


def telling(column: str, values: Iterable[float]) -> set[float]:
    """The values as an answer may show them, as far as they have digits enough."""
    by = _SHOWN.get(column.rsplit("_", 1)[-1], 1.0)
    shown = {s for v in values for s in (v, v / by)}
    rounded = {round(s, n) for s in shown for n in _DECIMALS}
    return {s for s in shown if _digits(s) >= 7} | {s for s in rounded if _digits(s) >= 8}


def _digits(value: float) -> int:
    return len(f"{abs(value):.15g}".split("e")[0].replace(".", "").strip("0"))


def _column(name: str) -> Column:
    return column("land_mu" if name == "land_dm2_days" else name)  # whoever sees the land sees it in its unit


def _rows(world: World, who: str) -> pl.Expr:
    if role_of(who) == "enterprise":
        return pl.col("enterprise_id") == world.firm
    region = world.region_of(who)
    return pl.col("region_code").str.starts_with(region).fill_null(False) if region else pl.lit(True)


def _partners(world: World, name: str, seen: pl.DataFrame) -> pl.Series:
    """With whom the firms have leases: that is their own affair, too."""
    uses = pl.read_parquet(world.warehouse.releases / world.releases[name] / "land_use.parquet")
    return uses.filter(pl.col("enterprise_id").is_in(seen["enterprise_id"].implode()))["counterpart_id"].drop_nulls()


def hidden_from(world: World, who: str, statistics: bool = True) -> Hidden:
    """What a user may not see in any release; ``statistics``: the switch of statistics figures."""
    role, unseen, seen, others, own = role_of(who), set[float](), set[float](), set[str](), set[str]()
    for name, release in world.releases.items():
        rows = _rows(world, who) if name.startswith("2024") or role in DRAFTS else pl.lit(False)
        amounts = _amounts(world.warehouse.releases / release)
        kept = pl.lit(True) if statistics or role == "enterprise" else ~pl.col("statistics")
        columns = [c for c in amounts["column"].unique() if role in _column(c).roles]
        may = rows & kept & pl.col("column").is_in(columns)
        for which, values in ((seen, amounts.filter(may)), (unseen, amounts.filter(~may))):
            for (field,), part in values.group_by("column"):
                which |= telling(str(field), part["value"])
        if role == "enterprise" or world.region_of(who):
            table = world.table(name)
            partner = pl.col("enterprise_id").is_in(_partners(world, name, table.filter(rows)).implode())
            for firms, part in ((own, table.filter(rows | partner)), (others, table.filter(~rows))):
                firms |= {str(v) for c in ("enterprise_id", "uscc", "name") for v in part[c].drop_nulls()}
    return Hidden(frozenset(unseen - seen), frozenset(others - own))
