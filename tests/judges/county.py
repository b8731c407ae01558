"""A small county by hand: 16 firms, the files of seven departments as messy as they come, and its figures worked out apart.

Nothing here uses permu: what is expected comes from the table below by :class:`fractions.Fraction`. Names and codes are made
up; 320804 and 320812 are real counties.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import xlsxwriter

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DAYS = {2023: 365, 2024: 366}
UTILITY, YOUNG, EXEMPT = "4411", "2023-06-01", "on the list"


def credit_code(number: int, county: str = "320804") -> str:
    """A valid credit code by GB 32100 and GB 11714, both check digits worked out here."""
    body = f"{number:08d}"
    c = 11 - sum(int(d) * w for d, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    stem = f"91{county}{body}{'X' if c == 10 else '0' if c == 11 else c}"
    total = sum(ALPHABET.index(d) * 3**i for i, d in enumerate(stem))
    return stem + ALPHABET[(31 - total % 31) % 31]


@dataclass(frozen=True)
class Firm:
    """One firm: money in yuan and energy of 2023 and 2024, own land in m²; leases and shares stand in the tables below."""

    key: str
    name: str
    land: float
    sales: tuple[int, int]
    taxes: tuple[int, int]  # VAT and corporate income tax of the state, all of it
    land_tax: tuple[int, int]
    kwh: tuple[int, int]
    gas: tuple[int, int] = (0, 0)
    above: bool = True
    industry: str = "3311"
    county: str = "320804"
    since: str = "2005-03-01"
    refund: tuple[int, int] = (0, 0)
    number: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def uscc(self) -> str:
        return credit_code(self.number, self.county)


FIRMS = [
    Firm("a", "淮阴示例甲机械有限公司", 30010, (90_000_000, 96_000_000), (3_000_000, 3_600_000), (120_000, 130_000), (1_200_000, 1_300_000), (50_000, 60_000), refund=(0, 100_000), number=71000001),
    Firm("a2", "淮阴示例甲机械有限公司第二分公司", 8000, (12_000_000, 11_000_000), (200_000, 210_000), (30_000, 30_000), (300_000, 310_000), number=71000002),
    Firm("b", "淮阴示例乙化工有限公司", 20000, (60_000_000, 66_000_000), (1_800_000, 2_100_000), (80_000, 90_000), (2_400_000, 2_500_000), (200_000, 210_000), industry="2614", number=71000003),
    Firm("c", "淮阴示例丙纺织有限公司", 0, (15_000_000, 16_500_000), (450_000, 480_000), (0, 0), (400_000, 420_000), industry="1711", number=71000004),
    Firm("d", "淮阴示例丁电子（淮安）有限公司", 0, (40_000_000, 44_000_000), (900_000, 1_000_000), (60_000, 60_000), (500_000, 520_000), industry="3982", number=71000005),
    Firm("e", "淮阴示例戊电子有限公司", 0, (80_000_000, 88_000_000), (1_800_000, 2_000_000), (120_000, 120_000), (1_000_000, 1_040_000), industry="3982", number=71000006),
    Firm("e2", "淮阴示例己电子有限公司", 26666.67, (80_000_000, 88_000_000), (1_800_000, 2_000_000), (120_000, 120_000), (1_000_000, 1_040_000), industry="3982", number=71000007),
    Firm("f", "淮阴示例庚食品有限公司", 15000, (0, 18_000_000), (0, 300_000), (0, 20_000), (0, 150_000), industry="1432", number=71000008),
    Firm("g", "淮阴示例辛五金厂", 1900, (3_000_000, 3_300_000), (60_000, 66_000), (5_000, 5_000), (40_000, 42_000), above=False, number=71000009),
    Firm("h", "淮阴示例壬五金有限公司", 2100, (4_000_000, 4_400_000), (90_000, 99_000), (6_000, 6_000), (50_000, 52_000), above=False, number=71000010),
    Firm("i", "淮阴示例热电有限公司", 60000, (200_000_000, 210_000_000), (9_000_000, 9_900_000), (300_000, 300_000), (5_000_000, 5_100_000), industry=UTILITY, number=71000011),
    Firm("j", "淮阴示例癸新材料有限公司", 25000, (10_000_000, 30_000_000), (100_000, 500_000), (50_000, 90_000), (300_000, 800_000), since=YOUNG, industry="2651", number=71000012),
    Firm("k", "淮阴示例子环保有限公司", 9000, (20_000_000, 21_000_000), (500_000, 520_000), (30_000, 30_000), (200_000, 210_000), industry="3591", number=71000013, notes=(EXEMPT,)),
    Firm("l", "淮阴示例丑玻璃有限公司", 50000, (30_000_000, 28_000_000), (300_000, -450_000), (150_000, 150_000), (4_000_000, 3_900_000), (300_000, 310_000), industry="3041", number=71000014),
    Firm("m", "淮阴示例寅贸易加工有限公司", 0, (5_000_000, 5_500_000), (90_000, 95_000), (0, 0), (10_000, 11_000), above=False, number=71000015),
    Firm("n", "清江浦示例卯机电有限公司", 12000, (25_000_000, 27_000_000), (700_000, 800_000), (40_000, 40_000), (300_000, 310_000), county="320812", industry="3812", number=71000016),
]  # fmt: skip
BY_KEY = {firm.key: firm for firm in FIRMS}
SHARED = {"d": Fraction(1, 3), "e": Fraction(2, 3)}  # of a parcel of 40,000 m²
LEASE_M2, LEASE_DAYS = 8000, {2023: 365, 2024: 306}  # b lets 12 mu to c; from 1 March 2024 anew


def dm2_days(key: str, year: int) -> int:
    """Own + rented in − rented out, area × days, by hand."""
    days, firm = DAYS[year], BY_KEY[key]
    if key == "f":  # bought on 1 July 2024
        return 1_500_000 * 184 if year == 2024 else 0
    own = round(firm.land * 100) * days
    if key in SHARED:  # largest remainder of 4,000,000 dm²: 1,333,333 + 2,666,667
        own = {"d": 1_333_333, "e": 2_666_667}[key] * days
    leased = LEASE_M2 * 100 * LEASE_DAYS[year]
    return own + {"b": -leased, "c": leased}.get(key, 0)


@dataclass(frozen=True)
class Figures:
    """What a firm must show for a year: exact, in 万元, mu and tce; None without a value."""

    land_mu: Fraction
    output: Fraction
    tax: Fraction
    tce: Fraction
    evaluated: bool

    def per_mu(self, amount: Fraction) -> Fraction | None:
        return amount / self.land_mu if self.land_mu > 0 else None

    @property
    def items(self) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
        return self.per_mu(self.tax), self.per_mu(self.output), self.tax / self.tce if self.tce > 0 else None


def figures(key: str, year: int) -> Figures:
    firm, at = BY_KEY[key], year - 2023
    mu = Fraction(dm2_days(key, year), DAYS[year]) * 3 / 200_000  # one mu is 2000/3 m²
    tax = Fraction(firm.taxes[at] + firm.land_tax[at] + firm.refund[at], 10_000)
    tce = Fraction(firm.kwh[at] * 1229, 10_000_000) + Fraction(firm.gas[at] * 133, 100_000)
    out = firm.industry == UTILITY or EXEMPT in firm.notes or firm.since == YOUNG
    small = not firm.above and mu < 3
    return Figures(mu, Fraction(firm.sales[at], 10_000), tax, tce, mu > 0 and not out and not small)


def competition(values: Mapping[str, Fraction | None]) -> dict[str, tuple[int | None, int]]:
    """Rank (1, 2, 2, 4; None without a value) and how many have one."""
    known = [v for v in values.values() if v is not None]
    return {k: (None if v is None else 1 + sum(w > v for w in known), len(known)) for k, v in values.items()}


def scores(year: int = 2024) -> dict[str, Fraction]:
    """Total of those whom huaian-2024 evaluates: 45, 35 and 20 points at twice last year's county average."""
    found = {}
    for county in {firm.county for firm in FIRMS}:
        before = [figures(f.key, year - 1) for f in FIRMS if f.county == county]
        before = [f for f in before if f.evaluated]
        bases = [
            2 * sum(f.tax for f in before) / sum(f.land_mu for f in before),
            2 * sum(f.output for f in before) / sum(f.land_mu for f in before),
            2 * sum(f.tax for f in before if f.tce > 0) / sum(f.tce for f in before),
        ]
        for firm in FIRMS:
            now = figures(firm.key, year)
            if firm.county == county and now.evaluated:
                parts = zip((45, 35, 20), now.items, bases, strict=True)  # no floor: a refund costs points
                found[firm.key] = sum((w * x / b for w, x, b in parts if x is not None), Fraction(0))
    return found


def grades(year: int = 2024) -> dict[str, str]:
    """A to 20 %, B to 60, C to 95, D the rest, by the rank in the county; T those that the pack exempts."""
    total = scores(year)
    found = {f.key: "T" for f in FIRMS if f.industry == UTILITY or EXEMPT in f.notes or f.since == YOUNG}
    for county in {firm.county for firm in FIRMS}:
        ranks = competition({k: v for k, v in total.items() if BY_KEY[k].county == county})
        for key, (rank, of) in ranks.items():
            assert rank is not None
            found[key] = next(g for g, share in zip("ABCD", (20, 60, 95, 100), strict=True) if rank * 100 <= share * of)
    return found


def months(amount: int, first: int = 1) -> Iterable[tuple[int, int]]:
    """The year's amount in whole yuan over the months from ``first`` on, the rest in December."""
    each = int(amount / (13 - first))
    for month in range(first, 13):
        yield month, each if month < 12 else amount - each * (12 - first)


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _sheet(book: xlsxwriter.Workbook, name: str, rows: list[list[object]], merged: Iterable[str] = ()) -> None:
    sheet = book.add_worksheet(name)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value)
    for area in merged:
        sheet.merge_range(area, rows[int(area[1]) - 1][ord(area[0]) - ord("A")])


def _html(file: Path, title: str, rows: list[list[object]]) -> None:
    cells = "".join("<tr>" + "".join(f"<td>{'' if v is None else v}</td>" for v in row) + "</tr>" for row in rows)
    file.write_text(f'<html><head><meta charset="utf-8"></head><body><table><tr><td colspan="{len(rows[0])}">{title}</td></tr>{cells}</table></body></html>', "utf-8")  # fmt: skip


def _parts(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def write(folder: Path, year: int) -> None:
    """Every department's files of ``year`` under ``folder``, as departments hand them in."""
    at = year - 2023
    for write_one in (_commerce, _land, _state_tax, _local_tax, _power, _gas, _statistics, _exemptions):
        write_one(folder / str(year), year, at)


def registration_number(stem: str = "32080410000123") -> str:
    """15 digits by ISO 7064 mod 11,10."""
    p = 10
    for digit in stem:
        s = (p + int(digit)) % 10 or 10
        p = s * 2 % 11
    return stem + str((11 - p) % 10)


def _commerce(folder: Path, year: int, at: int) -> None:
    shown = {
        "b": full_width(BY_KEY["b"].uscc),
        "l": BY_KEY["l"].uscc.lower(),
        "g": "/",
        "e": f" {BY_KEY['e'].uscc[:8]} {BY_KEY['e'].uscc[8:]}",
    }
    rows: list[list[object]] = [
        [f"{year}年工业企业名册"],
        ["序号", "企业信息", None, None, None, "登记信息", None, None],
        [None, "统一社会信用代码", "注册号", "企业名称", "行业代码", "行政区划代码", "投产日期", "注册资本（万元）"],
        [
            "No.",
            "Credit code",
            "Registration no",
            "Enterprise name",
            "Industry code",
            "Region code",
            "Production on",
            "Capital",
        ],
    ]
    for number, f in enumerate(FIRMS, 1):
        reg_no = registration_number() if f.key == "g" else "—"
        name = f"{f.name[:2]} {f.name[2:]}" if f.key == "h" else f.name
        since = "1901年01月02日" if f.key == "m" else f"{f.since[:4]}年{int(f.since[5:7])}月{int(f.since[8:])}日"
        rows.append([number, shown.get(f.key, f.uscc), reg_no, name, f.industry, f.county, since, "1,000.50"])
    rows.append(["合计", None, None, None, None, None, None, f"{1000.5 * len(FIRMS):,.2f}"])
    with xlsxwriter.Workbook(_parts(folder / "工商" / f"名册{year}.xlsx")) as book:
        _sheet(book, "填表说明", [["一、本表由市场监管局填报。"], ["二、注册资本以万元计。"]])
        _sheet(book, "名册", rows, ["A1:H1", "B2:E2", "F2:H2"])


def _parcel(key: str) -> str:
    return f"{BY_KEY[key].county}001001GB{[f.key for f in FIRMS].index(key) + 1:05d}"


def _land(folder: Path, year: int, at: int) -> None:
    _html(_parts(folder / "国土" / f"宗地{year}.xls"), f"{year}年宗地清单", [
        ["宗地代码", "土地使用权人", "统一社会信用代码", "使用权面积（平方米）", "份额", "起始日期", "终止日期"],
        [_parcel("a"), BY_KEY["a"].name, BY_KEY["a"].uscc, "20,000", "", "2006年05月01日", "1901年01月02日"],
        [_parcel("a")[:-5] + "00090", BY_KEY["a"].name, BY_KEY["a"].uscc, "10,010.00", "", "2006-05-01", "/"],
        [_parcel("d"), BY_KEY["d"].name.replace("（", "(").replace("）", ")"), "", "４００００", "1/3", "2008/1/1", "Nah"],
        [_parcel("d"), BY_KEY["e"].name, BY_KEY["e"].uscc, "40000", "2/3", "2008.1.1", "—"],
        [_parcel("e2"), BY_KEY["e2"].name, BY_KEY["e2"].uscc, "26666.67", "100%", "2008-01-01", ""],
        *([[_parcel("f"), BY_KEY["f"].name, BY_KEY["f"].uscc, 15000, "", "2024年7月1日", "2074-06-30"]] if year == 2024 else []),
        *([_parcel(k), BY_KEY[k].name, BY_KEY[k].uscc, f"{BY_KEY[k].land:,.1f}", "", "2005-01-01", ""] for k in ("a2", "l", "n")),
        ["合计", "", "", "", "", "", ""],
    ])  # fmt: skip
    rows = ["宗地代码,使用权人,证件号,面积（公顷）,用途"]
    rows += [
        f"{_parcel(k)},{BY_KEY[k].name},{BY_KEY[k].uscc if k != 'g' else ''},{BY_KEY[k].land / 10_000},工业用地"
        for k in ("b", "g", "h", "i", "j", "k")
    ]
    for name in ("宗地补充.csv", "宗地补充（副本）.csv"):  # the same bytes under two names
        _parts(folder / "国土" / name).write_bytes("\r\n".join(rows).encode("gb18030"))
    lease = [BY_KEY["b"].name, BY_KEY["b"].uscc, BY_KEY["c"].name, BY_KEY["c"].uscc, _parcel("b"), 12]
    leases = [["2022-01-01", "2023-12-31"], ["2024-03-01", "2026-12-31"]]
    with xlsxwriter.Workbook(folder / "国土" / f"租赁{year}.xlsx") as book:
        _sheet(book, "租赁", [
            ["出租方", None, "承租方", None, "宗地代码", "出租面积", "租期", None],
            ["名称", "信用代码", "名称", "信用代码", None, "（亩）", "起", "止"],
            *([*lease, *dates] for dates in leases),
        ], ["A1:B1", "C1:D1", "G1:H1"])  # fmt: skip


def _state_tax(folder: Path, year: int, at: int) -> None:
    lines = [
        f"{year}年度入库税款,,,,,",
        "纳税人识别号,纳税人名称,税款所属期,增值税,留抵退税,应税销售收入",
        ",,,单位：元,元,元",
    ]
    sums = [0, 0, 0]
    for f in FIRMS:
        code = {"b": f.county + f.uscc[8:17], "g": ""}.get(f.key, f.uscc)
        first = 7 if f.key == "f" else 1
        if f.key == "f" and year == 2023:
            continue
        for (month, tax), (_, sale) in zip(months(f.taxes[at], first), months(f.sales[at], first), strict=True):
            back = f.refund[at] if month == 12 else 0
            sums = [sums[0] + tax, sums[1] + back, sums[2] + sale]
            lines.append(f'{code},{f.name},{year}{month:02d},"{tax:,}",{back or "—"},"{sale:,}.00"')
    lines.append(f'合计,,,"{sums[0]:,}","{sums[1]:,}","{sums[2]:,}"')
    _parts(folder / "国税" / f"入库{year}.csv").write_bytes("\n".join(lines).encode("gb18030"))


def _local_tax(folder: Path, year: int, at: int) -> None:
    rows: list[list[object]] = [["纳税人识别号", "纳税人名称", "所属期", "城镇土地使用税", "代扣个税", "教育费附加"]]
    rows += [
        [f.uscc if f.key != "g" else "", f.name, f"{year}年", f"{f.land_tax[at] / 10_000:.4f}", "88.8", "9.9"]
        for f in FIRMS
        if f.land_tax[at]
    ]
    total = sum(f.land_tax[at] for f in FIRMS) / 10_000
    rows.append(["总计", "", "", f"{total:.4f}", f"{88.8 * (len(rows) - 1):.1f}", f"{9.9 * (len(rows) - 1):.1f}"])
    _html(_parts(folder / "地税" / f"地税{year}.xls"), "单位：万元", rows)


def _power(folder: Path, year: int, at: int) -> None:
    names = ["户号", "户名", *[f"{m}月" for m in range(1, 13)]]
    rows: list[list[object]] = [["户号", "户名", f"{year}年用电量（万千瓦时）", *[None] * 11], [None, None, *names[2:]]]
    for number, f in enumerate(FIRMS):
        if f.kwh[at]:
            used = dict(months(f.kwh[at], 7 if f.key == "f" else 1))
            name = full_width(f.name) if f.key == "d" else f" {f.name}"
            rows.append([f"32080{number:05d}", name, *[used[m] / 10_000 if m in used else "-" for m in range(1, 13)]])
    with xlsxwriter.Workbook(_parts(folder / "供电" / f"用电{year}.xlsx")) as book:
        _sheet(book, "用电", rows, ["A1:A2", "B1:B2", "C1:N1"])


def _gas(folder: Path, year: int, at: int) -> None:
    rows = ["用户号\t用户名称\t月份\t用气量(m³)"]
    for f in FIRMS:
        rows += [f"RQ-{f.number}\t{f.name}\t{year}年{m}月\t{v}" for m, v in months(f.gas[at]) if f.gas[at]]
    _parts(folder / "燃气" / f"用气{year}.txt").write_text("\n".join(rows), "utf-16")


def _statistics(folder: Path, year: int, at: int) -> None:
    rows: list[list[object]] = [
        ["统一社会信用代码", "单位详细名称", "是否规上", "主营业务收入", "年平均从业人数"],
        ["Credit code", "Name", "Above scale", "Main revenue", "Employees"],
        [None, None, None, "千元", "人"],
        *([f.uscc, f.name, "是" if f.above else "否", f.sales[at] / 1000, 120] for f in FIRMS if f.key != "g" and (f.key != "f" or year == 2024)),
        ["注：规上以年末名录为准。"],
    ]  # fmt: skip
    with xlsxwriter.Workbook(_parts(folder / "统计" / f"统计{year}.xlsx")) as book:
        _sheet(book, "目录", [["表一", "主要指标"]])
        _sheet(book, "主要指标", rows)


def _exemptions(folder: Path, year: int, at: int) -> None:
    rows = ["统一社会信用代码,企业名称,豁免原因,起始日期,终止日期"]
    rows += [f"{f.uscc},{f.name},政策性搬迁,2022-01-01,2025-12-31" for f in FIRMS if EXEMPT in f.notes]
    _parts(folder / "exemptions" / f"豁免{year}.csv").write_text("\n".join(rows), "utf-8-sig")
