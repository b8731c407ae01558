"""Yearly reports: environment (workbooks in two units), statistics (bilingual two-row header), insured persons."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.demo import ids, names
from data.demo.settings import BY_ID, TITLE, Flags, Ints, decimal, flags, pick
from data.demo.writers import Sheet, column_name, write_book
from data.demo.year import DemoYear

_POLLUTANTS = {
    "cod_gram": "化学需氧量",
    "ammonia_nitrogen_gram": "氨氮",
    "total_phosphorus_gram": "总磷",
    "so2_gram": "二氧化硫",
    "nox_gram": "氮氧化物",
    "vocs_gram": "挥发性有机物",
    "particulate_gram": "颗粒物",
    "approved_quota_gram": "核定排污权",
}
_CREDIT = np.array(["绿", "蓝", "黄", "红"])
_NONE = pl.Series([None], dtype=pl.String)


def _where(cells: pl.Series, shown: Flags) -> pl.Series:
    """The cells where ``shown``, else empty."""
    return cells.zip_with(pl.Series(shown), _NONE)


def write_environment(y: DemoYear) -> None:
    """Discharges of permit holders: the western cities report tonnes, the eastern ones kilograms."""
    w, rng = y.world, y.rng("environment")
    steady = y.rng("environment", every_year=True)
    holders = (y.amounts.discharges["approved_quota_gram"] > 0) & (steady.random(w.size) < 0.5)
    holders &= ~(w.org_only | w.reg_only)
    how = steady.choice(3, w.size, p=[0.85, 0.1, 0.05])  # by permit, by credit code, by name alone
    at = y.active[holders[y.active]]
    grams = {f: np.rint(y.amounts.discharges[f][at] * 0.3).astype(np.int64) for f in _POLLUTANTS}
    named = names.levels(w.firms["name"].gather(at), w.firms[at], w.shared_names())
    level = np.where(how[at] == 2, named, BY_ID)
    for field, values in grams.items():
        y.truth.add(field, at, values, level)
    uscc = w.firms["uscc"].gather(at)
    permit = ids.permits(uscc)
    head = {
        "排污许可证编号": _where(permit, how[at] == 0),
        "单位名称": w.firms["name"].gather(at),
        "统一社会信用代码": _where(uscc, how[at] == 1),
        "年度": pl.repeat(str(y.year), len(at), eager=True),
    }
    tail = {"环境信用等级": pl.Series(rng.choice(_CREDIT, len(at), p=[0.4, 0.45, 0.1, 0.05]))}
    tail["行政处罚"] = pl.Series(np.where(rng.random(len(at)) < 0.03, "有", "无"))
    for east, (unit, digits) in enumerate((("吨", 6), ("千克", 3))):
        rows = pl.Series((w.city[at] >= 3) == bool(east))
        columns = {f"{zh}({unit})": decimal(grams[f], digits) for f, zh in _POLLUTANTS.items()}
        frame = pl.DataFrame(head | columns | tail).filter(rows)
        sheet = Sheet(frame, above=[[f"{y.year}年污染物排放{TITLE}"]], numbers=frozenset(columns), name="排放")
        write_book(y.folder("environment") / f"污染物排放{y.year}_{'东片' if east else '西片'}.xlsx", sheet)
    key = pl.DataFrame({"p": permit, "u": uscc, "n": names.keys(w.firms["name"].gather(at)), "h": how[at]}).select(
        pl.when(pl.col("h") == 0).then("permit:" + pl.col("p")).when(pl.col("h") == 1).then("uscc:" + pl.col("u"))
        .otherwise("name:" + pl.col("n"))
    )  # fmt: skip
    y.truth.link("environment", key.to_series(), at, how[at] < 2, "reported")
    y.truth.written("environment", len(at))
    y.truth.trap("environment_permits", int((how[at] == 0).sum()))
    y.truth.trap("environment_files_in_kilograms", 1)


_STATISTICS = {
    "main_revenue_fen": ("主营业务收入", "Main revenue"),
    "output_value_fen": ("工业总产值", "Output value"),
    "value_added_fen": ("工业增加值", "Value added"),
    "profit_fen": ("利润总额", "Profit"),
    "rd_fen": ("研发经费", "R&D"),
}
_STEP = 10_000  # fen: two decimals of 万元


def write_statistics(y: DemoYear) -> None:
    """Above-scale enterprises and a tenth of the others, with sub-totals by city and a total."""
    w, a = y.world, y.amounts
    sampled = y.rng("statistics", every_year=True).random(w.size) < 0.1
    at = y.active[(a.above_scale | sampled)[y.active]]
    at = at[np.argsort(w.city[at], kind="stable")]
    old = flags(w.size, pick(y.rng("statistics", "old"), y.plain(), y.count("old_taxpayer_ids")))[at]
    level = y.code_level(at)
    values = {f: np.rint(a.money[f][at] / _STEP).astype(np.int64) * _STEP for f in _STATISTICS}
    energy = np.rint(a.energy_tce[at] * 100).astype(np.int64)
    persons, above = a.employees[at], a.above_scale[at].astype(np.int64)
    facts = values | {"energy_ce": energy * 10**8, "employees": persons, "is_above_scale": above}
    for field, amounts in facts.items():
        y.truth.add(field, at, amounts, level)
    frame = _statistics_frame(y, at, old, values, energy)
    _save_statistics(y, frame, at)
    keys = pl.DataFrame({"u": w.firms["uscc"].gather(at), "o": w.firms["org_code"].gather(at), "old": old})
    key = pl.when("old").then("org_code:" + pl.col("o")).otherwise("uscc:" + pl.col("u"))
    y.truth.link(
        "statistics", keys.select(key).to_series(), at, True, pl.Series(np.where(level == BY_ID, "id", "old_id"))
    )
    y.truth.written("statistics", len(at))
    y.truth.trap("statistics_organisation_codes", int(old.sum()))


def _statistics_frame(y: DemoYear, at: Ints, old: Flags, values: dict[str, Ints], energy: Ints) -> pl.DataFrame:
    firms, a = y.world.firms, y.amounts
    organisation = firms["org_code"].gather(at)
    head = {
        "统一社会信用代码": _where(firms["uscc"].gather(at), ~old),
        "组织机构代码": _where(organisation.str.slice(0, 8) + "-" + organisation.str.slice(8), old),
        "企业名称": firms["name"].gather(at),
        "是否规上": pl.Series(np.where(a.above_scale[at], "是", "否")),
    }
    money = {zh: decimal(values[f] // _STEP, 2) for f, (zh, _) in _STATISTICS.items()}
    tail = {"年平均从业人数(人)": decimal(a.employees[at], 0), "综合能源消费量(吨标准煤)": decimal(energy, 2)}
    return pl.DataFrame(head | money | tail)


def _save_statistics(y: DemoYear, frame: pl.DataFrame, at: Ints) -> None:
    """Sub-totals stand under each city's rows; the header is two rows, Chinese over English, some cells merged."""
    w = y.world
    money = [zh for zh, _ in _STATISTICS.values()]
    parts = []
    for index in range(len(w.regions.cities)):
        rows = frame.filter(pl.Series(w.city[at] == index))
        parts += [rows, _total(rows, "小计", money)] if rows.height else []
    table = pl.concat(parts)
    english = ["", "", "", "Above scale", *(en for _, en in _STATISTICS.values()), "Employees", "Energy (tce)"]
    merges = [f"{column_name(i)}3:{column_name(i)}4" for i in range(3)]
    merges.append(f"A1:{column_name(frame.width - 1)}1")
    numbers = frozenset(frame.columns[4:])
    sheet = Sheet(
        table,
        above=[[f"{y.year}年工业企业主要经济指标{TITLE}"], ["单位：万元"]],
        headers=[frame.columns, english],
        below=[[c or "" for c in _total(frame, "合计", money).row(0)], ["注：规上以年末在库为准"]],
        numbers=numbers,
        merges=tuple(merges),
        name="主要指标",
    )
    write_book(y.folder("statistics") / f"工业企业主要指标{y.year}.xlsx", sheet)
    y.truth.trap("statistics_total_rows", sum(p.height == 1 and p["统一社会信用代码"][0] == "小计" for p in parts) + 1)


def _total(rows: pl.DataFrame, label: str, money: list[str]) -> pl.DataFrame:
    sums = rows.select(pl.col(money).cast(pl.Decimal(38, 2)).sum().cast(pl.String))
    row: dict[str, str | None] = dict.fromkeys(rows.columns)
    return pl.DataFrame([row | {"统一社会信用代码": label} | sums.row(0, named=True)], schema=rows.schema)


_HR_TRAPS = ("bad_check_digits", "header_one_short")


def write_hr(y: DemoYear) -> None:
    """Insured persons, numbers as text; a second file whose header lacks its first column, so that values shift."""
    w = y.world
    traps = y.deal(y.rng("hr", "traps"), y.plain(), *_HR_TRAPS)
    at, rng = y.active, y.rng("hr")
    at = at[(rng.random(len(at)) < 0.95) | np.isin(at, np.concatenate(list(traps.values())))]
    by_name = (rng.random(len(at)) < 0.02) & ~np.isin(at, np.concatenate(list(traps.values())))
    persons = np.rint(y.amounts.employees[at] * rng.uniform(0.8, 1.0, len(at))).astype(np.int64)
    named = names.levels(w.firms["name"].gather(at), w.firms[at], w.shared_names())
    level = np.where(by_name, named, y.code_level(at))
    short, spoilt = np.isin(at, traps["header_one_short"]), np.isin(at, traps["bad_check_digits"])
    uscc = w.firms["uscc"].gather(at)
    frame = pl.DataFrame(
        {
            "统一社会信用代码": _where(ids.spoilt(uscc).zip_with(pl.Series(spoilt), uscc), ~by_name),
            "单位名称": w.firms["name"].gather(at),
            "年度": pl.repeat(str(y.year), len(at), eager=True),
            "参保人数(人)": decimal(persons, 0),
        }
    )
    main = Sheet(frame.filter(pl.Series(~short)), above=[[f"{y.year}年末参保人数{TITLE}"]], name="参保")
    write_book(y.folder("hr") / f"参保人数{y.year}.xlsx", main)
    late = frame.filter(pl.Series(short))
    late = late.select(pl.int_range(1, late.height + 1, eager=True).cast(pl.String).alias("序号"), *late.columns)
    shifted = Sheet(late, headers=[late.columns[1:]], name="补充")
    write_book(y.folder("hr") / f"参保人数{y.year}_补充.xlsx", shifted)
    kept = ~spoilt
    y.truth.add("insured_persons", at[kept], persons[kept], level[kept])
    _hr_links(y, at, kept, by_name)
    y.truth.written("hr", len(at))
    y.truth.refuse("hr", int(spoilt.sum()))
    y.truth.trap("hr_bad_check_digits", int(spoilt.sum()))
    y.truth.trap("hr_header_one_short_rows", int(short.sum()))
    y.truth.trap("hr_by_name_only", int(by_name.sum()))


def _hr_links(y: DemoYear, at: Ints, kept: Flags, by_name: Flags) -> None:
    firms = y.world.firms
    keys = pl.DataFrame({"u": firms["uscc"].gather(at), "n": names.keys(firms["name"].gather(at)), "by": by_name})
    key = keys.select(pl.when("by").then("name:" + pl.col("n")).otherwise("uscc:" + pl.col("u"))).to_series()
    kind = pl.Series(np.where(by_name, "name", np.where(y.code_level(at) == BY_ID, "id", "old_id")))
    known = pl.Series(kept)
    y.truth.link("hr", key.filter(known), at[kept], ~by_name[kept], kind.filter(known))
