"""The dictionary of columns that are served: title, unit, number format and who may see each.

One home for what the API schema, the spreadsheets, the page and the docs say about a column. A column of a
release is looked up by :func:`column`, which also knows the families (``rank__<metric>__<grouping>``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

ROLES = ("land_bureau", "regulator", "gis", "enterprise", "public")
# Who sees what: figures of money are not for map staff, the public sees grades only (rights follow in the API).
ALL = frozenset(ROLES)
NAMED = frozenset({"land_bureau", "regulator", "gis", "enterprise"})
FIGURES = frozenset({"land_bureau", "regulator", "enterprise"})


@dataclass(frozen=True)
class Column:
    """One column: name, titles, units, kind (``text``, ``code``, ``integer``, ``number``), decimals shown, roles, source."""

    name: str
    zh: str
    en: str
    unit_zh: str = ""
    unit_en: str = ""
    kind: str = "number"
    decimals: int = 2
    roles: frozenset[str] = FIGURES
    from_statistics: bool = False  # may rest on what one firm reported to the statistics department

    @property
    def is_text(self) -> bool:
        """Written as text in every export, so that a code keeps its zeros and its 18 digits."""
        return self.kind in ("text", "code")

    @property
    def number_format(self) -> str:
        """The spreadsheet's number format; full precision stays in the cell."""
        if self.kind == "integer":
            return "#,##0"
        return "#,##0." + "0" * self.decimals if self.decimals else "#,##0"

    def title(self, lang: str) -> str:
        """Title in ``zh`` or ``en``."""
        return self.zh if lang == "zh" else self.en

    def unit(self, lang: str) -> str:
        """Unit in ``zh`` or ``en``; empty where the figure has none."""
        return self.unit_zh if lang == "zh" else self.unit_en


def _text(name: str, zh: str, en: str, kind: str = "text", roles: frozenset[str] = NAMED) -> Column:
    return Column(name, zh, en, kind=kind, decimals=0, roles=roles)


def _count(name: str, zh: str, en: str, roles: frozenset[str] = NAMED) -> Column:
    return Column(name, zh, en, kind="integer", decimals=0, roles=roles)


def _figure(name: str, titles: tuple[str, str], units: tuple[str, str], decimals: int = 2) -> Column:
    return Column(name, *titles, *units, decimals=decimals, from_statistics=_rests_on_statistics(name))


def _rests_on_statistics(name: str) -> bool:
    """Revenue, value added, persons and R&D are reported there; output falls back on revenue (sunan-2017)."""
    return name.startswith(("output_", "revenue_", "value_added_", "labour_", "rd_"))


_MU = ("亩", "mu")
_WAN = ("万元", "10,000 yuan")
_WAN_MU = ("万元/亩", "10,000 yuan per mu")
_WAN_TCE = ("万元/吨标准煤", "10,000 yuan per tce")
_WAN_T = ("万元/吨", "10,000 yuan per tonne")

INDICATORS: dict[str, Column] = {
    c.name: c
    for c in (
        _figure("output_per_mu", ("亩均产出", "Output per mu"), _WAN_MU),
        _figure("benefit_per_mu", ("亩均效益", "Benefit per mu"), _WAN_MU),
        _figure("tax_per_mu", ("亩均税收", "Tax per mu"), _WAN_MU),
        _figure("sales_per_mu", ("亩均销售", "Sales per mu"), _WAN_MU),
        _figure("value_added_per_mu", ("亩均增加值", "Value added per mu"), _WAN_MU),
        _figure("revenue_per_mu", ("亩均主营业务收入", "Main revenue per mu"), _WAN_MU),
        _figure("value_added_per_tce", ("单位能耗增加值", "Value added per tce"), _WAN_TCE),
        _figure("tax_per_tce", ("单位能耗税收", "Tax per tce"), _WAN_TCE, 4),
        _figure("revenue_per_tce", ("单位能耗主营业务收入", "Main revenue per tce"), _WAN_TCE),
        _figure("tax_per_kwh", ("单位用电税收", "Tax per kWh"), ("元/千瓦时", "yuan per kWh"), 4),
        _figure("value_added_per_t_emission", ("单位排放增加值", "Value added per t of emission"), _WAN_T),
        _figure("tax_per_t_emission", ("单位排放税收", "Tax per t of emission"), _WAN_T),
        _figure("value_added_per_t_cod", ("单位COD增加值", "Value added per t of COD"), _WAN_T),
        _figure("value_added_per_t_water", ("单位用水增加值", "Value added per t of water"), _WAN_T, 4),
        _figure(
            "labour_productivity", ("全员劳动生产率", "Labour productivity"), ("万元/人", "10,000 yuan per person")
        ),
        _figure("rd_ratio", ("研发经费占比", "R&D ratio"), ("", ""), 4),
    )
}

COLUMNS: dict[str, Column] = {
    c.name: c
    for c in (
        _count("rank", "名次", "Rank"),
        _count("of", "参评数", "Of"),
        Column("percentile", "百分位", "Percentile", decimals=1, roles=NAMED),
        # the credit code stands in the public register of firms
        _text("enterprise_id", "企业编号", "Enterprise id", "code", ALL),
        _text("uscc", "统一社会信用代码", "Credit code", "code", ALL),
        _text("name", "企业名称", "Enterprise", roles=ALL),
        _text("industry_code", "行业代码", "Industry code", "code", ALL),
        _text("industry_name", "行业", "Industry", roles=ALL),
        _text("region_code", "区划代码", "Region code", "code", ALL),
        _text("region_name", "地区", "Region", roles=ALL),
        _text("zone_code", "开发区代码", "Zone code", "code", ALL),
        _text("size", "规模", "Size", "code", ALL),
        _text("scale_group", "规上/规下", "Scale group", "code", ALL),
        _text("land_group", "用地分组", "Land group", "code", ALL),
        Column("land_mu", "用地面积", "Land", *_MU, roles=NAMED),
        _figure("output_wan_yuan", ("产出", "Output"), _WAN),
        _figure("tax_wan_yuan", ("税收", "Tax"), _WAN),
        *INDICATORS.values(),
        Column("score", "综合得分", "Score", "分", "points"),
        _text("grade_initial", "初评等级", "Initial grade", "code"),
        _text("grade", "等级", "Grade", "code", ALL),
        _text("flags", "标记", "Flags", "code", FIGURES),  # some say that tax or output is missing
        _text("release_id", "发布版本", "Release", "code", ALL),
        # comparisons of two releases
        _count("rank_a", "原名次", "Rank in A"),
        _count("of_a", "原参评数", "Of in A"),
        _text("grade_a", "原等级", "Grade in A", "code"),
        _count("rank_b", "现名次", "Rank in B"),
        _count("of_b", "现参评数", "Of in B"),
        _text("grade_b", "现等级", "Grade in B", "code"),
        _count("places", "位次变动", "Places up"),
        _count("by_policy", "办法所致", "Places by policy"),
        _count("by_correction", "更正所致", "Places by correction"),
        _count("by_data_own", "自身数据所致", "Places by own figures"),
        _count("by_data_peers", "他人数据与基准所致", "Places by others' figures and bases"),
        _count("by_code", "程序所致", "Places by code"),
        _text("cause", "主要原因", "Main cause", "code"),
        _text("policy_part", "办法中的原因", "Part of the policy", "code"),
        _count("rank_c", "对照名次", "Rank in C"),
        _count("of_c", "对照参评数", "Of in C"),
        _text("band_c", "对照名次段", "Rank band in C"),
        _count("years_in_bottom", "连续居末年数", "Years in the bottom"),
        # what-if and robustness
        _text("grade_before", "原等级", "Grade before", "code"),
        _text("grade_after", "改后等级", "Grade after", "code"),
        Column("score_before", "原得分", "Score before", "分", "points"),
        Column("score_after", "改后得分", "Score after", "分", "points"),
        _count("rank_before", "原名次", "Rank before"),
        _count("rank_after", "改后名次", "Rank after"),
        _count("of_before", "原参评数", "Of before"),
        _count("of_after", "改后参评数", "Of after"),
        _text("line_of", "等级线", "Line of grade", "code"),
        Column("line_before", "原等级线", "Line before", "分", "points"),
        Column("line_after", "改后等级线", "Line after", "分", "points"),
        _text("why", "变动原因代码", "Codes of why", "code"),
        _text("reason", "变动原因", "Why"),
        _count("rank_low", "名次5%分位", "Rank, 5th per cent"),
        _count("rank_high", "名次95%分位", "Rank, 95th per cent"),
        _count("rank_least", "最前名次", "Best rank"),
        _count("rank_most", "最后名次", "Worst rank"),
        Column("other_grade_share", "等级不同的试算比例", "Share of draws with another grade"),
        Column("borderline", "临界", "Borderline", kind="text", decimals=0),
        _text("score_group", "评价组别", "Group of the pack", "code"),
        # the way from items to the grade
        Column("score_items", "各项得分之和", "Sum of the items", "分", "points"),
        Column("bonus", "加分", "Bonus", "分", "points"),
        Column("deduction", "扣分", "Deduction", "分", "points"),
        _count("grade_rank", "定级名次", "Rank that grades"),
        _count("grade_of", "定级参评数", "Of those graded together"),
        _text("grade_within", "定级范围", "Level of the quota", "code"),
        _text("adjustment", "等级调整", "Adjustments of the grade", "code"),
    )
}

# Levels of codes, and what layers and lists show beside the ranking row.
BESIDE: dict[str, Column] = {
    c.name: c
    for c in (
        _text("industry_section", "行业门类代码", "Industry section", "code", ALL),
        _text("industry_2", "行业大类代码", "Industry division", "code", ALL),
        _text("industry_3", "行业中类代码", "Industry group", "code", ALL),
        _text("industry_4", "行业小类代码", "Industry class", "code", ALL),
        _text("region_city", "市代码", "City code", "code", ALL),
        _text("region_county", "县代码", "County code", "code", ALL),
        _text("region_town", "乡镇代码", "Town code", "code", ALL),
        _text("parcel_code", "宗地代码", "Parcel code", "code"),
        Column("area_mu", "登记面积", "Registered area", *_MU, roles=NAMED),
        Column("drawn_mu", "图形面积", "Drawn area", *_MU, roles=NAMED),
        _text("enterprise_ids", "用地企业编号", "Enterprises that use it", "code"),
        _count("enterprises", "企业数", "Enterprises", ALL),
        _count("ranked", "参评企业数", "Ranked enterprises", ALL),
        *(_count(f"grade_{g}", f"{g}级企业数", f"Enterprises of grade {g}", ALL) for g in "ABCDT"),
        _text("region", "区划或开发区代码", "Region or zone code", "code", ALL),
        _text("level", "层级", "Level", "code", ALL),
        _text("note_zh", "说明", "Note (Chinese)"),
        _text("note_en", "说明（英文）", "Note (English)"),
        _text("geometry", "图形", "Geometry", roles=ALL),
        Column("year", "年份", "Year", kind="integer", decimals=0, roles=ALL),
        _text("policy", "评价办法", "Policy", "code", ALL),
        _text("by", "排序指标", "Ordered by", "code", ALL),
    )
}

GROUPINGS: dict[str, tuple[str, str]] = {
    "all": ("全部", "all"),
    "industry_2": ("行业大类", "industry division"),
    "industry_3": ("行业中类", "industry group"),
    "industry_4": ("行业小类", "industry class"),
    "region_city": ("市", "city"),
    "region_county": ("县（市、区）", "county"),
    "region_town": ("乡镇（街道）", "town"),
    "size": ("规模", "size"),
    "scale_group": ("规上/规下", "scale group"),
    "industry_region_size": ("行业×县×规模", "industry × county × size"),
}

DIMENSION_TITLES: dict[str, tuple[str, str]] = GROUPINGS | {
    "industry": GROUPINGS["industry_2"],
    "region": GROUPINGS["region_county"],
    "industry_section": ("行业门类", "industry section"),
    "zone": ("开发区", "zone"),
    "grade": ("等级", "grade"),
}

SCALE_GROUPS: dict[str, tuple[str, str]] = {
    "above_scale": ("规上", "above scale"),
    "below_scale": ("规下", "below scale"),
    "land_3mu_up": ("用地3亩及以上", "3 mu and more"),
    "land_below_3mu": ("用地不足3亩", "below 3 mu"),
    "all": ("全部", "all"),
}

SIZES: dict[str, tuple[str, str]] = {
    "large": ("大型", "large"),
    "medium": ("中型", "medium"),
    "small": ("小型", "small"),
    "micro": ("微型", "micro"),
}

GRADES: dict[str, tuple[str, str]] = {
    "A": ("优先发展", "develop first"),
    "B": ("支持发展", "support"),
    "C": ("提升发展", "improve"),
    "D": ("限制发展", "restrict"),
    "T": ("不参评", "not evaluated"),
}

# The columns of a ranking row in the contract's order; metric, indicators and ranks follow by release.
ROW = (
    "rank", "of", "percentile", "enterprise_id", "uscc", "name", "industry_code", "industry_name", "region_code",
    "region_name", "size", "scale_group", "land_mu", "output_wan_yuan", "tax_wan_yuan", "output_per_mu",
    "benefit_per_mu", "score", "grade",
)  # fmt: skip


_KNOWN_AMOUNTS = ("land_dm2_days", "tax_fen", "score_e10")


def _rank(name: str) -> Column:
    kind, metric, grouping = name.split("__")
    what, base = COLUMNS[kind], column(metric)
    zh, en = GROUPINGS.get(grouping, (grouping, grouping))
    return _count(name, f"{base.zh}·{zh}{what.zh}", f"{base.en}: {what.en.lower()} in {en}")


def _part(name: str) -> Column:
    kind, metric = name.split("__")
    base = column(metric)
    if kind == "base":
        return replace(base, name=name, zh=f"{base.zh}·基准值", en=f"{base.en}: base")
    if kind in ("low", "high"):
        zh, en = ("最低值", "lowest") if kind == "low" else ("最高值", "highest")
        return replace(base, name=name, zh=f"{base.zh}·{zh}", en=f"{base.en}: {en}")
    points = Column(name, f"{base.zh}·得分", f"{base.en}: points", "分", "points")
    return replace(points, from_statistics=base.from_statistics)


def _varied(name: str) -> Column:
    kind, what = name.split("__")
    base = column(what)
    if kind == "delta":
        return Column(name, f"{base.zh}·得分变动", f"{base.en}: points more or less", "分", "points")
    if kind == "rank_without":
        return _count(name, f"去掉{base.zh}的名次", f"Rank without {base.en.lower()}")
    return Column(name, f"{what}级试算比例", f"Share of draws in grade {what}")


def _within(name: str) -> Column:
    zh, en = DIMENSION_TITLES.get(name.removeprefix("within_"), (name, name))
    return _text(name, f"分组·{zh}", f"Group: {en}", "code")


def column(name: str) -> Column:
    """What the dictionary says about a column; families by their parts, anything else under its own name."""
    if name in COLUMNS:
        return COLUMNS[name]
    if name in BESIDE:
        return BESIDE[name]
    if name.startswith("rank_") and name.removeprefix("rank_") in (*INDICATORS, "score"):  # of a layer
        base = column(name.removeprefix("rank_"))
        return _count(name, f"{base.zh}·名次", f"{base.en}: rank")
    if name.startswith(("rank__", "of__")) and name.count("__") == 2:
        return _rank(name)
    if name.startswith(("base__", "item__", "low__", "high__")) and name.count("__") == 1:
        return _part(name)
    if name.startswith(("delta__", "rank_without__", "grade_share__")):
        return _varied(name)
    if name.startswith("within_"):
        return _within(name)
    # A column that nobody described: its source is unknown, so the switch of statistics figures covers it.
    return Column(name, name, name, from_statistics=name not in _KNOWN_AMOUNTS)
