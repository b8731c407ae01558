"""Commerce: the register of enterprises, one workbook a city, with old numbers, old industry codes and zones."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.demo import ids
from data.demo.settings import STAMP, TITLE, ZONE, Ints, day_texts, decimal, flags, pick, texts
from data.demo.world import zone_members
from data.demo.writers import Sheet, write_book
from data.demo.year import DemoYear

_FOUNDING_EMPTY = "1901年01月02日"  # how an empty date looks after a trip through an old system


def write(y: DemoYear) -> None:
    """``企业登记信息_<city>.xlsx`` for each city and one more of a zone that repeats rows of its city."""
    rng, w, at = y.rng("commerce", every_year=True), y.world, y.active
    traps = y.deal(rng, y.plain(), "full_width_ids", "empty_marks")
    frame = _frame(y, rng, traps)[at]
    city = w.city[at]
    numbers = frozenset({"序号", "注册资本(万元)"})
    ghosts = _ghosts(y, frame)
    for index, code in enumerate(w.regions.cities):
        rows = frame.filter(pl.Series(city == index))
        if index == len(w.regions.cities) - 1:
            rows = pl.concat([rows, ghosts])
        title = f"{w.regions.city_names[index]}工业企业登记信息{TITLE}"
        note = f"导出日期：{STAMP:%Y-%m-%d}　本表为合成数据，不对应任何真实企业"
        sheet = Sheet(_numbered(rows), above=[[title], [note]], numbers=numbers, name="企业信息")
        write_book(y.folder("commerce") / f"企业登记信息_{code}_{y.year}.xlsx", sheet)
    _repeat(y, frame.filter(pl.Series(city == len(w.regions.cities) - 1)), numbers)
    y.truth.written("commerce", frame.height + ghosts.height)
    _record(y, traps, ghosts.height)


def _frame(y: DemoYear, rng: np.random.Generator, traps: dict[str, Ints]) -> pl.DataFrame:
    """One row an enterprise of the pool, as the department writes it."""
    w = y.world
    code, vintage = industry_codes(y)
    region = texts(w.regions.towns, w.town)
    capital = np.rint(np.exp(rng.normal(6.2, 1.2, w.size))).astype(np.int64)
    fixed = w.firms.select("uscc", "reg_no", "org_code", "name", "former_name", "address").with_columns(
        code=code,
        vintage=vintage,
        region=region,
        zone=texts(["", ZONE], zone_members(w).astype(np.int64)),
        founded=day_texts(w.founded),
        capital=decimal(capital, 0),
        person=pl.Series([f"示例人{n % 10_000:04d}" for n in range(w.size)]),
        phone=pl.Series([f"000-0000{n % 10_000:04d}" for n in range(w.size)]),
        old=pl.Series(w.founded < np.datetime64("2014-01-01")),
        org_only=pl.Series(y.old_number()[0]),
        reg_only=pl.Series(y.old_number()[1]),
        numbered_before=pl.Series(w.org_only | w.reg_only),
        renamed=pl.Series(w.renamed),
        wide=pl.Series(flags(w.size, traps["full_width_ids"])),
        marked=pl.Series(flags(w.size, traps["empty_marks"])),
        as_region=pl.Series(flags(w.size, _zone_as_region(y))),
    )
    numbered = pl.col("org_only") | pl.col("reg_only")
    uscc = pl.when("wide").then(ids.full_width(w.firms["uscc"])).otherwise("uscc")
    return fixed.select(
        序号=pl.lit(""),
        统一社会信用代码=pl.when(~numbered).then(uscc),
        注册号=pl.when(numbered | pl.col("old") | pl.col("numbered_before")).then("reg_no"),
        组织机构代码=pl.when("org_only").then(
            pl.col("org_code").str.slice(0, 8) + "-" + pl.col("org_code").str.slice(8)
        ),
        企业名称="name",
        曾用名=pl.when("renamed").then("former_name").when("marked").then(pl.lit("—")),
        法定代表人="person",
        联系电话="phone",
        行业代码="code",
        行业分类版本="vintage",
        行政区划代码=pl.when("as_region").then(pl.lit(ZONE)).otherwise("region"),
        开发区代码=pl.when(pl.col("zone") != "").then("zone"),
        住所="address",
        成立日期="founded",
        投产日期=pl.when("marked").then(pl.lit(_FOUNDING_EMPTY)).otherwise("founded"),
        登记状态=pl.lit("存续（在营、开业、在册）"),
        **{"注册资本(万元)": pl.when("marked").then(pl.lit("/")).otherwise("capital")},
    )


def _old_codes(y: DemoYear) -> tuple[Ints, Ints]:
    """Enterprises whose row still has a 2011 code: with one successor, and with several."""
    w = y.world
    plain, rng = y.plain(), y.rng("vintage", every_year=True)
    only = np.array([c != "" for c in w.industries.old_only])[w.industry]
    split = np.array([c != "" for c in w.industries.old_split])[w.industry] & ~only
    return (
        pick(rng, plain[only[plain]], y.count("vintage_2011")),
        pick(rng, plain[split[plain]], y.count("vintage_2011_one_to_many")),
    )


def industry_codes(y: DemoYear) -> tuple[pl.Series, pl.Series]:
    """Industry code and vintage of each enterprise as the register states them."""
    w = y.world
    only, split = _old_codes(y)
    old, several = flags(w.size, only), flags(w.size, split)
    frame = pl.DataFrame(
        {
            "now": texts(w.industries.classes, w.industry),
            "only": texts(w.industries.old_only, w.industry),
            "split": texts(w.industries.old_split, w.industry),
            "old": old,
            "several": several,
        }
    )
    code = pl.when("old").then("only").when("several").then("split").otherwise("now")
    out = frame.select(code=code, vintage=pl.when(pl.col("old") | pl.col("several")).then(pl.lit("2011")))
    return out["code"], out["vintage"].fill_null("2017")


def _zone_as_region(y: DemoYear) -> Ints:
    """Enterprises whose region column holds the zone's pseudo code."""
    rng = y.rng("zone", every_year=True)
    return pick(rng, np.flatnonzero(zone_members(y.world)), y.count("zone_code_as_region"))


def _ghosts(y: DemoYear, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows whose credit code has a wrong check digit: no enterprise, to be refused."""
    strangers = y.strangers("commerce", y.count("bad_check_digits"))
    like = frame.head(1)[np.zeros(strangers.height, np.int64)]
    return like.with_columns(
        统一社会信用代码=ids.spoilt(strangers["uscc"]),
        企业名称=strangers["name"],
        注册号=pl.lit(None, dtype=pl.String),
        组织机构代码=pl.lit(None, dtype=pl.String),
        曾用名=pl.lit(None, dtype=pl.String),
    )


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(序号=pl.int_range(1, rows.height + 1, eager=True).cast(pl.String))


def _repeat(y: DemoYear, rows: pl.DataFrame, numbers: frozenset[str]) -> None:
    """A second file that repeats rows of the city's: the same record in two files."""
    again = rows.filter(pl.col("统一社会信用代码").is_not_null()).head(y.count("duplicate_rows"))
    sheet = Sheet(_numbered(again), above=[[f"开发区企业登记信息{TITLE}"]], numbers=numbers, name="开发区")
    write_book(y.folder("commerce") / f"企业登记信息_开发区_{y.year}.xlsx", sheet)
    y.truth.trap("commerce_duplicate_rows", again.height)
    y.truth.refuse("commerce", again.height)
    y.truth.written("commerce", again.height)


def _record(y: DemoYear, traps: dict[str, Ints], ghosts: int) -> None:
    w, at, truth = y.world, y.active, y.truth
    old, several = _old_codes(y)
    org_only, reg_only = y.old_number()
    numbered = (org_only | reg_only)[at]
    had = (w.org_only | w.reg_only)[at] & ~numbered
    keys = pl.DataFrame({"u": w.firms["uscc"].gather(at), "r": w.firms["reg_no"].gather(at), "n": numbered})
    key = pl.when("n").then("reg_no:" + pl.col("r")).otherwise("uscc:" + pl.col("u"))
    truth.link("commerce", keys.select(key).to_series(), at, True, "id")
    truth.refuse("commerce", ghosts)
    counts = {
        "old_id_org_only": org_only[at].sum(),
        "old_id_reg_only": reg_only[at].sum(),
        "credit_code_new_this_year": had.sum(),
        "same_name_pairs": w.twin[at].sum() // 2,
        "branches": w.branch[at].sum(),
        "sole_traders": w.sole[at].sum(),
        "former_names": w.renamed[at].sum(),
        "vintage_2011": len(old),
        "vintage_2011_one_to_many": len(several),
        "zone_members": zone_members(w)[at].sum(),
        "zone_code_as_region": np.isin(_zone_as_region(y), at).sum(),
        "utilities": sum(w.industries.classes[i] >= "44" for i in w.industry[at]),
        "commerce_full_width_ids": len(traps["full_width_ids"]),
        "commerce_empty_marks": len(traps["empty_marks"]),
        "commerce_bad_check_digits": ghosts,
    }
    for name, count in counts.items():
        truth.trap(name, int(count))
