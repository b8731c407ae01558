"""The page's words in Chinese and English."""

from __future__ import annotations

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("工业用地亩均排名", "Industrial land: output per mu"),
    "tagline": ("按行业、地区、规模比较每亩土地的产出与效益", "What enterprises produce and contribute per mu of land"),
    "skip": ("跳到结果", "Skip to the results"),
    "language": ("English", "中文"),
    "filters": ("筛选", "Filters"),
    "year": ("年份", "Year"),
    "policy": ("评价办法", "Policy"),
    "industry": ("行业", "Industry"),
    "region": ("地区", "Region"),
    "size": ("规模", "Size"),
    "group": ("企业分组", "Group"),
    "by": ("指标", "Metric"),
    "q": ("查找企业", "Find an enterprise"),
    "q_hint": ("名称或信用代码", "name or credit code"),
    "all_industries": ("全部行业", "all industries"),
    "all_regions": ("全部地区", "all regions"),
    "all_sizes": ("全部规模", "all sizes"),
    "show": ("查看", "Show"),
    "top": ("前 20 名", "Top 20"),
    "bottom": ("后 20 名", "Bottom 20"),
    "to_bottom": ("↓ 后 20 名", "↓ Bottom 20"),
    "found": ("查找结果", "Found"),
    "rank": ("名次", "Rank"),
    "name": ("企业", "Enterprise"),
    "of": ("共", "of"),
    "nobody": ("该组没有可排名的企业。", "No enterprise of this group can be ranked."),
    "no_match": ("没有符合的企业。", "No enterprise matches."),
    "enterprises": ("企业数", "Enterprises"),
    "ranked": ("参评", "ranked"),
    "without": ("未参评", "not ranked"),
    "land": ("用地合计", "Land in all"),
    "ratio": ("合计 ÷ 合计", "sum ÷ sum"),
    "synthetic": ("合成演示数据：非真实企业", "Synthetic demonstration data: no real enterprises"),
    "draft": ("草稿", "draft"),
    "public": ("公示", "public"),
    "final": ("最终", "final"),
    "withdrawn": ("已撤回", "withdrawn"),
    "release": ("版本", "Release"),
    "export": ("导出本组排名", "Export this ranking"),
    "export_bottom": ("导出末位 5%", "Export the bottom 5 %"),
    "explain": ("逐项说明", "Explanation"),
    "missing": (
        "“–”表示没有数据，不是零。并列者名次相同（1、2、2、4）。",
        "“–” means no data, not zero. Ties share the better rank (1, 2, 2, 4).",
    ),
    "api": ("接口说明", "API"),
    "back": ("返回排名", "Back to the ranking"),
    "figures": ("主要数据", "Figures"),
    "ranks": ("各分组名次", "Rank in each grouping"),
    "grouping": ("分组", "Grouping"),
    "steps": ("逐项说明", "Line by line"),
    "step": ("项目", "Item"),
    "value": ("数值", "Value"),
    "unit": ("单位", "Unit"),
    "note": ("说明", "Note"),
    "source": ("来源", "Source"),
    "credit_code": ("统一社会信用代码", "Credit code"),
    "grade": ("等级", "Grade"),
    "flags": ("标记", "Flags"),
    "error": ("无法显示", "This cannot be shown"),
    "home": ("返回首页", "Back to the start"),
    "loading": ("正在更新…", "Updating…"),
    "updated": ("结果已更新", "Results updated"),
    "unnamed": ("（无名称）", "(no name)"),
}


class Words:
    """The words of one language: ``words["title"]``."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._pick = 0 if lang == "zh" else 1

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._pick]

    def of(self, pair: tuple[str, str]) -> str:
        """One of a (zh, en) pair."""
        return pair[self._pick]
