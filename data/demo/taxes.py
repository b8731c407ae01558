"""State tax (monthly CSV in GB18030) and local tax (monthly workbooks, January as HTML under .xls), in yuan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from data.demo import ids
from data.demo.settings import TITLE, Ints, decimal, flags
from data.demo.writers import Sheet, write_book, write_csv, write_html
from data.demo.year import DemoYear, monthly

_STATE = {
    "invoiced_sales_fen": "应税销售收入(元)",
    "vat_fen": "增值税(元)",
    "corporate_income_tax_fen": "企业所得税(元)",
    "consumption_tax_fen": "消费税(元)",
    "export_credit_fen": "免抵调额(元)",
    "vat_refund_fen": "留抵退税(元)",
}
_LOCAL = {
    "land_use_tax_fen": "城镇土地使用税",
    "property_tax_fen": "房产税",
    "stamp_tax_fen": "印花税",
    "urban_maintenance_tax_fen": "城市维护建设税",
    "land_value_added_tax_fen": "土地增值税",
    "resource_tax_fen": "资源税",
    "environment_tax_fen": "环境保护税",
    "vehicle_vessel_tax_fen": "车船税",
    "withheld_income_tax_fen": "代扣代缴个人所得税",
    "education_fee_fen": "教育费附加",
}
_REFUND_MONTH, _WIDE_MONTH, _BAD_CODE_MONTH, _BAD_NUMBER_MONTH, _MARK_MONTH = 5, 2, 8, 9, 4
_REPEATED_MONTH, _CORRECTED_MONTH = 3, 6
_MARKS = ["/", "—", "Nah"]
_TRAPS = (
    "old_taxpayer_ids",
    "bad_check_digits",
    "bad_numbers",
    "full_width_ids",
    "empty_marks",
    "missing_months",
    "duplicate_rows",
    "corrected_rows",
)


class _Payers:
    """Who pays in which month under which number, for one of the two offices."""

    def __init__(self, y: DemoYear, source: str) -> None:
        self.y, self.source, self.rng = y, source, y.rng(source)
        self.traps = y.deal(y.rng(source, "traps"), y.plain(), *_TRAPS)
        self.at, firms, size = y.active, y.world.firms, y.world.size
        self.missing_month = np.zeros(size, np.int64)
        late = self.traps["missing_months"]
        self.missing_month[late] = self.rng.integers(1, 13, len(late))
        self.start = y.world.start_month(y.year)
        old = flags(size, self.traps["old_taxpayer_ids"])
        names = firms.select("uscc", "org_code", old=pl.Series(old))
        code = names.with_columns(fifteen=pl.col("uscc").str.slice(2, 6) + pl.col("org_code"))
        self.numbers = code.select(pl.when("old").then("fifteen").otherwise("uscc")).to_series()
        key = pl.when("old").then("org_code:" + pl.col("org_code")).otherwise("uscc:" + pl.col("uscc"))
        self.keys = names.select(key).to_series()

    def rows(self, month: int) -> Ints:
        """Enterprises with a row in the month's file."""
        here = (self.start[self.at] <= month) & (self.missing_month[self.at] != month)
        return self.at[here]

    def written_numbers(self, at: Ints, month: int) -> pl.Series:
        """Taxpayer numbers as the month's file has them."""
        numbers = self.numbers.gather(at)
        if month == _WIDE_MONTH:
            numbers = ids.full_width(numbers).zip_with(_mask(at, self.traps["full_width_ids"]), numbers)
        if month == _BAD_CODE_MONTH:
            spoilt = ids.spoilt(self.numbers.gather(self.traps["bad_check_digits"]))
            where = dict(zip(self.traps["bad_check_digits"].tolist(), spoilt, strict=True))
            numbers = _replaced(numbers, at, where)
        return numbers

    def refused(self, month: int) -> Ints:
        """Enterprises whose row of the month a correct ingest refuses."""
        return {
            _BAD_CODE_MONTH: self.traps["bad_check_digits"],
            _BAD_NUMBER_MONTH: self.traps["bad_numbers"],
        }.get(month, np.array([], np.int64))

    def record(self, month: int, at: Ints, values: dict[str, Ints], absent: dict[str, Ints]) -> None:
        """Book a month's amounts; ``absent``: enterprises whose cell of a field is empty."""
        kept = ~np.isin(at, self.refused(month))
        for name, amount in values.items():
            known = kept & ~np.isin(at, absent.get(name, np.array([], np.int64)))
            self.y.truth.add(name, at[known], amount[known], self.y.code_level(at[known]))
        self.y.truth.written(self.source, len(at))
        self.y.truth.refuse(self.source, int((~kept).sum()))

    def finish(self) -> None:
        """Links and trap counts of the year."""
        y, at = self.y, self.at
        kind = pl.Series(np.where(y.world.reg_only[at], "old_id", "id"))
        y.truth.link(self.source, self.keys.gather(at), at, True, kind)
        for name, members in self.traps.items():
            if len(members):
                y.truth.trap(f"{self.source}_{name}", len(members))


def _mask(at: Ints, members: Ints) -> pl.Series:
    return pl.Series(np.isin(at, members))


def _replaced(cells: pl.Series, at: Ints, new: dict[int, str]) -> pl.Series:
    """The cells with those of some enterprises replaced."""
    place = pl.Series(at).cast(pl.Int64)
    found = place.replace_strict(new, default=None, return_dtype=pl.String)
    return found.zip_with(found.is_not_null(), cells)


def _marks(members: Ints) -> dict[int, str]:
    return {int(m): _MARKS[i % len(_MARKS)] for i, m in enumerate(members)}


def write_state(y: DemoYear) -> None:
    """Twelve monthly files and a supplement that repeats some rows and corrects others."""
    payers, money = _Payers(y, "state_tax"), y.amounts.money
    strangers = y.strangers("state_tax", y.count("not_in_register"))
    without = np.flatnonzero(y.amounts.without_sales)
    late: list[pl.DataFrame] = []
    for month in range(1, 13):
        at = payers.rows(month)
        values = {f: monthly(payers.rng, money[f][at], month) for f in _STATE if f != "vat_refund_fen"}
        refund = np.where(month == _REFUND_MONTH, np.rint(money["vat_refund_fen"][at]), 0).astype(np.int64)
        y.truth.trap("vat_refunds", int((refund > 0).sum()))
        values |= {"vat_refund_fen": refund, "vat_fen": values["vat_fen"] - refund}
        zero_marks = payers.traps["empty_marks"] if month == _MARK_MONTH else np.array([], np.int64)
        values["consumption_tax_fen"][np.isin(at, zero_marks)] = 0
        payers.record(month, at, values, {"invoiced_sales_fen": without, "consumption_tax_fen": zero_marks})
        frame = _state_frame(payers, at, month, values, without, zero_marks)
        if month == _REPEATED_MONTH:
            late.append(frame.filter(_mask(at, payers.traps["duplicate_rows"])))
        if month == _CORRECTED_MONTH:
            wrong = _mask(at, payers.traps["corrected_rows"])
            late.append(frame.filter(wrong))
            vat = decimal(values["vat_fen"] + 100_000, 2)
            frame = frame.with_columns(vat.zip_with(wrong, frame["增值税(元)"]).alias("增值税(元)"))
        frame = pl.concat([frame, _stranger_rows(strangers, frame, f"{y.year}-{month:02d}")])
        write_csv(y.folder("state_tax") / f"国税入库{y.year}年{month:02d}月.csv", frame, "gb18030")
    write_csv(y.folder("state_tax") / f"国税入库{y.year}年补报.csv", pl.concat(late), "gb18030")
    y.truth.link("state_tax", "uscc:" + strangers["uscc"], np.full(strangers.height, -1), True, "not_in_register")
    y.truth.written("state_tax", sum(f.height for f in late) + 12 * strangers.height)
    y.truth.refuse("state_tax", late[0].height)
    y.truth.trap("state_tax_not_in_register", strangers.height)
    _count_balances(y)
    payers.finish()


def _count_balances(y: DemoYear) -> None:
    active = flags(y.world.size, y.active)
    losses = y.amounts.money["vat_fen"] + y.amounts.money["corporate_income_tax_fen"] <= 0
    y.truth.trap("enterprises_without_positive_tax", int(losses[active].sum()))
    y.truth.trap("no_invoiced_sales", int(y.amounts.without_sales[active].sum()))


def _state_frame(
    payers: _Payers, at: Ints, month: int, values: dict[str, Ints], without: Ints, zero_marks: Ints
) -> pl.DataFrame:
    columns = {_STATE[f]: decimal(values[f], 2) for f in _STATE}
    sales = _STATE["invoiced_sales_fen"]
    columns[sales] = _replaced(columns[sales], at, _marks(without))
    spoilt = dict.fromkeys(payers.refused(_BAD_NUMBER_MONTH).tolist(), "待核实")
    if month == _BAD_NUMBER_MONTH:
        columns[_STATE["vat_fen"]] = _replaced(columns[_STATE["vat_fen"]], at, spoilt)
    columns[_STATE["consumption_tax_fen"]] = _replaced(columns[_STATE["consumption_tax_fen"]], at, _marks(zero_marks))
    head = {
        "纳税人识别号": payers.written_numbers(at, month),
        "纳税人名称": payers.y.world.firms["name"].gather(at),
        "所属期": pl.repeat(f"{payers.y.year}-{month:02d}", len(at), eager=True),
    }
    return pl.DataFrame(head | columns)


def _stranger_rows(strangers: pl.DataFrame, like: pl.DataFrame, period: str) -> pl.DataFrame:
    refund = _STATE["vat_refund_fen"]
    amounts = [pl.lit("0.00" if c == refund else "100.00").alias(c) for c in like.columns[3:]]
    return strangers.select(
        pl.col("uscc").alias(like.columns[0]),
        pl.col("name").alias(like.columns[1]),
        pl.lit(period).alias(like.columns[2]),
        *amounts,
    )


def write_local(y: DemoYear) -> None:
    """Twelve monthly files with a title, a unit line and a total; January as HTML under the name .xls."""
    payers, money = _Payers(y, "local_tax"), y.amounts.money
    payers.traps |= dict.fromkeys(("duplicate_rows", "corrected_rows"), np.array([], np.int64))
    for month in range(1, 13):
        at = payers.rows(month)
        values = {f: monthly(payers.rng, money[f][at], month) for f in _LOCAL}
        zero_marks = payers.traps["empty_marks"] if month == _MARK_MONTH else np.array([], np.int64)
        values["resource_tax_fen"][np.isin(at, zero_marks)] = 0
        payers.record(month, at, values, {"resource_tax_fen": zero_marks})
        columns = {_LOCAL[f]: decimal(values[f], 2) for f in _LOCAL}
        columns["资源税"] = _replaced(columns["资源税"], at, _marks(zero_marks))
        if month == _BAD_NUMBER_MONTH:
            spoilt = dict.fromkeys(payers.refused(month).tolist(), "待核实")
            columns["房产税"] = _replaced(columns["房产税"], at, spoilt)
        head = {
            "纳税人识别号": payers.written_numbers(at, month),
            "纳税人名称": y.world.firms["name"].gather(at),
            "所属期": pl.repeat(f"{y.year}年{month:02d}月", len(at), eager=True),
        }
        _save_local(y, pl.DataFrame(head | columns), month, [int(values[f].sum()) for f in _LOCAL])
    y.truth.trap("local_tax_total_rows", 12)
    y.truth.trap("local_tax_unit_rows", 12)
    payers.finish()


def _save_local(y: DemoYear, frame: pl.DataFrame, month: int, totals: list[int]) -> None:
    below = [["合计", "", "", *decimal(np.array(totals, dtype=np.int64), 2)]]
    above = [[f"{y.year}年{month:02d}月地方税费入库明细{TITLE}"], ["单位：元"]]
    sheet = Sheet(frame, above=above, below=below, numbers=frozenset(_LOCAL.values()), name="入库明细")
    save: Callable[..., object] = write_html if month == 1 else write_book
    save(y.folder("local_tax") / f"地税入库{y.year}年{month:02d}月.{'xls' if month == 1 else 'xlsx'}", sheet)
