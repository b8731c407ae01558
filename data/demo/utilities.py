"""Power (monthly CSV with a byte order mark), gas (monthly workbooks in two units) and water (one CSV a year)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from data.demo.holdings import NOBODY
from data.demo.names import SPELLINGS, written_addresses
from data.demo.settings import BY_ID, BY_NAME, NOT_LINKABLE, TITLE, Ints, decimal, flags, pick, texts
from data.demo.writers import Sheet, write_book, write_csv
from data.demo.year import DemoYear, monthly

_WITH_CODE = 0.7  # share of accounts whose holder's credit code the company knows
_POWER_STEP = 10  # kWh: every declared share of a meter gives whole Wh
_FIRST_ACCOUNT = 3_200_000_000
# Declared shares of a meter in tenths: the lessor first.
_SHARES = {2: (5, 5), 3: (5, 3, 2), 4: (4, 3, 2, 1)}
_WATER_LITRE, _GAS_LITRE, _KWH = 1000, 1000, 1000


@dataclass(frozen=True)
class _Accounts:
    """Accounts of one company: number, true user, holder as written, code where known, level and kind of the link."""

    number: pl.Series
    user: Ints
    name: pl.Series
    uscc: pl.Series
    level: Ints
    kind: pl.Series
    county: Ints
    address: pl.Series

    @property
    def keys(self) -> pl.Series:
        return "account:" + self.number


def _accounts(y: DemoYear, source: str, users: Ints, numbers: pl.Series, with_code: float) -> _Accounts:
    """Accounts of ``users``; those without code are known by a name that may be misspelt."""
    rng, firms = y.rng(source, "accounts", every_year=True), y.world.firms
    coded = rng.random(len(users)) < with_code
    spelled = y.spell(rng, users)
    code_level = y.code_level(users)
    kind = texts([f"name_{s}" for s in SPELLINGS], spelled.kind)
    own = firms["name"].gather(users)
    uscc = firms["uscc"].gather(users).zip_with(pl.Series(coded), pl.Series([None], dtype=pl.String))
    return _Accounts(
        numbers,
        users,
        own.zip_with(pl.Series(coded), spelled.names),
        uscc,
        np.where(coded, code_level, spelled.level),
        pl.Series(np.where(code_level == BY_ID, "id", "old_id")).zip_with(pl.Series(coded), kind),
        y.world.county[users],
        written_addresses(rng, firms[users], texts(y.world.regions.county_names, y.world.county[users])),
    )


def _numbers(start: int, count: int) -> pl.Series:
    return pl.Series(start + np.arange(count)).cast(pl.String)


def write_power(y: DemoYear) -> None:
    """Twelve monthly files, one file of rows sent twice, and the table of declared shares of meters."""
    w = y.world
    rng = y.rng("power", every_year=True)
    twice = rng.random(w.size) < 0.08
    users = np.concatenate([np.arange(w.size), np.flatnonzero(twice)])
    users = users[rng.random(len(users)) > 0.02]
    all_accounts = _accounts(y, "power", users, _numbers(_FIRST_ACCOUNT, len(users)), _WITH_CODE)
    annual = (y.amounts.power_kwh / np.maximum(np.bincount(users, minlength=w.size), 1))[users]
    alive = np.flatnonzero(flags(w.size, y.active)[users])
    book = _PowerBook(y, _taken(all_accounts, alive), annual[alive])
    book.write()
    y.truth.trap("power_accounts_without_code", int(book.accounts.uscc.null_count()))


def _taken(a: _Accounts, at: Ints) -> _Accounts:
    return _Accounts(
        a.number.gather(at),
        a.user[at],
        a.name.gather(at),
        a.uscc.gather(at),
        a.level[at],
        a.kind.gather(at),
        a.county[at],
        a.address.gather(at),
    )


class _PowerBook:
    """The year's power records: own meters, shared meters (declared or not) and meters of others."""

    def __init__(self, y: DemoYear, accounts: _Accounts, annual_kwh: np.ndarray) -> None:
        self.y, self.accounts, self.annual = y, accounts, annual_kwh
        self.rng = y.rng("power")
        self.groups = _sharing(y)
        self.others = y.count("meters_without_counterpart")
        self.undeclared = y.count("meters_without_share")
        self.near = y.near_names("power")
        self.traps = {
            name: pick(self.rng, np.arange(len(accounts.user)), y.count(name))
            for name in ("bad_numbers", "period_outside_year", "duplicate_rows")
        }

    def write(self) -> None:
        y = self.y
        meters = pl.concat([self._own(), self._shared(), self._unknown()])
        own, shared = len(self.accounts.user), len(self.groups)
        totals = np.zeros(own + shared, np.int64)
        annual = np.concatenate(
            [self.annual, np.full(shared + self.others + self.undeclared + self.near.height, 60_000.0)]
        )
        for month in range(1, 13):
            kwh = monthly(self.rng, annual, month, _POWER_STEP)
            self._save(meters, kwh, month, totals)
        y.truth.add("power_wh", self.accounts.user, totals[:own] * _KWH, self.accounts.level)
        self._book_shares(totals[own:])
        y.truth.link("power", self.accounts.keys, self.accounts.user, pl_flags(self.accounts.uscc), self.accounts.kind)
        y.truth.trap("power_meters_without_counterpart", self.others)
        y.truth.trap("power_meters_without_share", self.undeclared)
        y.truth.trap("power_near_names_without_counterpart", self.near.height)
        for name, members in self.traps.items():
            y.truth.trap(f"power_{name}", len(members))

    def _own(self) -> pl.DataFrame:
        a, w = self.accounts, self.y.world
        return pl.DataFrame(
            {
                "户号": a.number,
                "户名": a.name,
                "统一社会信用代码": a.uscc,
                "用电地址": a.address,
                "行政区划代码": texts(w.regions.counties, a.county),
            }
        )

    def _shared(self) -> pl.DataFrame:
        w = self.y.world
        lessor = np.array([g[0] for g in self.groups], dtype=np.int64)
        return pl.DataFrame(
            {
                "户号": _numbers(_FIRST_ACCOUNT + 50_000_000, len(lessor)),
                "户名": w.firms["name"].gather(lessor),
                "统一社会信用代码": w.firms["uscc"].gather(lessor),
                "用电地址": w.firms["address"].gather(lessor),
                "行政区划代码": texts(w.regions.counties, w.county[lessor]),
            }
        )

    def _unknown(self) -> pl.DataFrame:
        """Meters of nobody in the register, and meters of two firms for which no share was declared."""
        y, w = self.y, self.y.world
        pairs = self.rng.choice(y.plain(), (2, self.undeclared))
        both = w.firms["name"].gather(pairs[0]) + "、" + w.firms["name"].gather(pairs[1])
        near = self.near
        names = [f"示例社区居民委员会{n:05d}" for n in range(self.others)] + both.to_list() + near["name"].to_list()
        count = len(names)
        numbers = _numbers(_FIRST_ACCOUNT + 90_000_000, count)
        kind = pl.Series(["none"] * self.others + ["no_share"] * self.undeclared + ["near_name"] * near.height)
        y.truth.link("power", "account:" + numbers, np.full(count, NOBODY), False, kind)
        somewhere = self.rng.integers(0, len(w.regions.counties), self.others + self.undeclared)
        county = np.concatenate([somewhere, near["county"].to_numpy()])
        address = pl.concat([texts(w.regions.county_names, somewhere) + "示例路1号", near["address"]])
        return pl.DataFrame(
            {
                "户号": numbers,
                "户名": names,
                "统一社会信用代码": pl.Series([None] * count, dtype=pl.String),
                "用电地址": address,
                "行政区划代码": texts(w.regions.counties, county),
            }
        )

    def _save(self, meters: pl.DataFrame, kwh: Ints, month: int, totals: Ints) -> None:
        y = self.y
        period = f"{y.year}{month:02d}"
        frame = meters.with_columns(pl.lit(period).alias("月份"), decimal(kwh, 0).alias("用电量(千瓦时)"))
        bad = self.traps["bad_numbers"] if month == 10 else self.traps["bad_numbers"][:0]
        mask = pl.Series(flags(meters.height, bad))
        cell = frame["用电量(千瓦时)"]
        frame = frame.with_columns(pl.repeat("换表", frame.height, eager=True).zip_with(mask, cell).alias(cell.name))
        totals += np.where(flags(meters.height, bad), 0, kwh)[: len(totals)]
        y.truth.refuse("power", len(bad))
        if month == 1:
            early = frame[self.traps["period_outside_year"]].with_columns(pl.lit(f"{y.year - 1}12").alias("月份"))
            frame = pl.concat([frame, early])
            y.truth.refuse("power", early.height)
        if month == 6:
            again = frame[self.traps["duplicate_rows"]]
            write_csv(y.folder("power") / f"用电量{y.year}年06月_重发.csv", again)
            y.truth.refuse("power", again.height)
            y.truth.written("power", again.height)
        y.truth.written("power", frame.height)
        write_csv(y.folder("power") / f"用电量{y.year}年{month:02d}月.csv", frame)

    def _book_shares(self, kwh: Ints) -> None:
        """The table of declared shares: every other group by code, the others by name; shares in three spellings."""
        y, firms = self.y, self.y.world.firms
        rows = []
        for n, group in enumerate(self.groups):
            rows += [(n, who, tenth) for who, tenth in zip(group, _SHARES[len(group)], strict=True)]
        number, member, tenths = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        by_code = number % 2 == 0
        account = _numbers(_FIRST_ACCOUNT + 50_000_000, len(self.groups)).gather(number)
        level = np.where(by_code, BY_ID, BY_NAME)
        y.truth.add("power_wh", member, kwh[number] * _KWH // 10 * tenths, level)
        y.truth.link("power", "account:" + account, member, by_code, "shared")
        written = [
            (f"{t}0%", f"0.{t}", f"{t}/10")[i % 3] for i, t in zip(number.tolist(), tenths.tolist(), strict=True)
        ]
        code = firms["uscc"].gather(member).zip_with(pl.Series(by_code), pl.Series([None], dtype=pl.String))
        frame = pl.DataFrame(
            {"户号": account, "企业名称": firms["name"].gather(member), "统一社会信用代码": code, "分摊比例": written}
        )
        sheet = Sheet(frame, above=[[f"{y.year}年合用电表分摊表{TITLE}"]], name="分摊")
        write_book(y.folder("power") / f"合用电表分摊{y.year}.xlsx", sheet)
        y.truth.trap("power_shared_meters", len(self.groups))
        y.truth.written("power", frame.height)


def pl_flags(codes: pl.Series) -> np.ndarray:
    """Where a code is present."""
    return codes.is_not_null().to_numpy()


def _sharing(y: DemoYear) -> list[Ints]:
    """Lessors that pass power on, each with up to three of its tenants; all without a trap of identity."""
    leases = y.holdings.leases
    plain = flags(y.world.size, y.plain())
    good = (leases.lessor != NOBODY) & plain[leases.lessor] & plain[leases.lessee]
    frame = pl.DataFrame({"lessor": leases.lessor[good], "lessee": leases.lessee[good]})
    grouped = frame.group_by("lessor", maintain_order=True).agg(pl.col("lessee").head(3)).head(y.count("shared_meters"))
    return [np.array([lessor, *lessees]) for lessor, lessees in grouped.iter_rows()]


def write_gas(y: DemoYear) -> None:
    """Twelve monthly workbooks by name only; even months in 万m³ with numbers as text."""
    w = y.world
    users = np.flatnonzero((y.amounts.gas_m3 > 0) & (y.rng("gas", every_year=True).random(w.size) < 0.6))
    numbers = "苏示例燃" + pl.Series(users).cast(pl.String).str.zfill(7)
    accounts = _accounts(y, "gas", users, numbers, 0.0)
    accounts = _taken(accounts, np.flatnonzero(flags(w.size, y.active)[users]))
    rng, total = y.rng("gas"), np.zeros(len(accounts.user), np.int64)
    near = y.near_names("gas")
    holders = _holders(accounts, near, "苏示例燃N", "用气地址")
    annual = np.concatenate([y.amounts.gas_m3[accounts.user], np.full(near.height, 5_000.0)])
    for month in range(1, 13):
        used = monthly(rng, annual, month)
        total += used[: len(total)]
        large = month % 2 == 0
        header = "用气量(万立方米)" if large else "用气量(立方米)"
        period = pl.repeat(f"{y.year}.{month:02d}", len(used), eager=True)
        frame = holders.with_columns(period.alias("月份"), decimal(used, 4 if large else 0).alias(header))
        figures = frozenset() if large else frozenset({header})
        sheet = Sheet(frame, above=[[f"天然气用量{TITLE}"]], numbers=figures, name="用气")
        write_book(y.folder("gas") / f"用气量{y.year}年{month:02d}月.xlsx", sheet)
    y.truth.add("gas_litre", accounts.user, total * _GAS_LITRE, accounts.level)
    y.truth.link("gas", accounts.keys, accounts.user, False, accounts.kind)
    _record_near(y, "gas", holders, near)
    y.truth.written("gas", 12 * holders.height)
    y.truth.trap("gas_files_in_ten_thousand_m3", 6)
    y.truth.trap("gas_numbers_as_text", 6 * holders.height)
    y.truth.trap("gas_names_not_linkable", int((accounts.level == NOT_LINKABLE).sum()))


def _holders(accounts: _Accounts, near: pl.DataFrame, prefix: str, address: str) -> pl.DataFrame:
    """户号, 户名 and address of a company's accounts, those of firms that only have a near name last."""
    extra = prefix + pl.int_range(near.height, eager=True).cast(pl.String).str.zfill(7)
    return pl.DataFrame(
        {
            "户号": pl.concat([accounts.number, extra]),
            "户名": pl.concat([accounts.name, near["name"]]),
            address: pl.concat([accounts.address, near["address"]]),
        }
    )


def _record_near(y: DemoYear, source: str, holders: pl.DataFrame, near: pl.DataFrame) -> None:
    keys = "account:" + holders["户号"].tail(near.height)
    y.truth.link(source, keys, np.full(near.height, NOBODY), False, "near_name")
    y.truth.trap(f"{source}_near_names_without_counterpart", near.height)


def write_water(y: DemoYear) -> None:
    """One file a year, one row an account."""
    w = y.world
    users = np.flatnonzero(y.rng("water", every_year=True).random(w.size) < 0.6)
    accounts = _accounts(y, "water", users, "W" + pl.Series(users).cast(pl.String).str.zfill(8), 0.6)
    accounts = _taken(accounts, np.flatnonzero(flags(w.size, y.active)[users]))
    cubic_metres = np.rint(y.amounts.water_m3[accounts.user]).astype(np.int64)
    near = y.near_names("water")
    holders = _holders(accounts, near, "WN", "用水地址")
    code = pl.concat([accounts.uscc, pl.Series([None] * near.height, dtype=pl.String)])
    every = np.concatenate([cubic_metres, np.full(near.height, 700)])
    frame = holders.select(
        "户号", "户名", code.alias("统一社会信用代码"), "用水地址", pl.lit(str(y.year)).alias("年度"),
        decimal(every, 0).alias("用水量(立方米)"),
    )  # fmt: skip
    write_csv(y.folder("water") / f"工业用水{y.year}.csv", frame, "utf-8")
    y.truth.add("water_litre", accounts.user, cubic_metres * _WATER_LITRE, accounts.level)
    y.truth.link("water", accounts.keys, accounts.user, pl_flags(accounts.uscc), accounts.kind)
    _record_near(y, "water", holders, near)
    y.truth.written("water", frame.height)
