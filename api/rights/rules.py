"""The rules as data: which role may do what, and the switches of a bureau. Columns: engine.schema.columns.

Nothing else decides. ``docs/rights.md`` is made from these tables, and a denial names the line that it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.schema.columns import ALL, FIGURES, NAMED

_BUREAU = frozenset({"land_bureau", "regulator", "gis"})
_OVERSIGHT = frozenset({"land_bureau", "regulator"})
_DECIDERS = frozenset({"land_bureau"})


@dataclass(frozen=True)
class Action:
    """Something one may do: its name, the roles that may, and the rule in words."""

    name: str
    roles: frozenset[str]
    en: str
    zh: str
    switch: str = ""  # a switch that also lets `also` do it
    also: frozenset[str] = frozenset()


def _any(name: str, en: str, zh: str) -> Action:
    return Action(name, ALL, en, zh)


ACTIONS: dict[str, Action] = {
    a.name: a
    for a in (
        _any("catalogue", "everyone sees which releases, industries, regions, sizes and policies there are",
             "人人可见发布版本、行业、区划、规模和办法目录"),
        _any("rankings", "everyone asks rankings, each in the columns and rows of the role",
             "人人可查排名，列与行按角色限定"),
        _any("summary", "everyone asks group figures; the public and enterprises of groups of 5 and more without a dominant firm",
             "人人可查汇总；公众与企业只见不少于 5 户且无一户独大的分组"),
        _any("enterprise", "everyone opens an enterprise, in the columns of the role", "人人可查企业，列按角色限定"),
        Action("bottom", _BUREAU, "bottom lists are for the land bureau, the regulator and GIS staff",
               "末位名单仅供国土部门、监管部门和 GIS 人员查看"),
        Action("export", NAMED, "files of rankings are for named users: the public reads them on the page",
               "排名文件仅供登记用户导出；公众请在页面查看"),
        Action("export_bottom", frozenset({"regulator"}), "files of bottom lists are exported by the regulator",
               "末位名单文件由监管部门导出", "bureau_exports_bottom", frozenset({"land_bureau"})),
        Action("explain", FIGURES, "explanations show figures: for the land bureau, the regulator and the enterprise itself",
               "解释含有数据：仅供国土部门、监管部门和企业本身"),
        Action("report", _OVERSIGHT, "the yearly report is for the land bureau and the regulator",
               "年度报告仅供国土部门和监管部门"),
        Action("check_up", FIGURES, "check-up sheets are for the land bureau, the regulator and the enterprise itself",
               "体检表仅供国土部门、监管部门和企业本身"),
        Action("layer_parcels", NAMED, "the parcels layer is for named users", "宗地图层仅供登记用户"),
        _any("layer_enterprises", "everyone sees the enterprises layer, in the columns of the role", "人人可见企业图层，列按角色限定"),
        _any("layer_regions", "everyone sees the regions layer, in the columns of the role", "人人可见区划图层，列按角色限定"),
        Action("layer_low_efficiency", _BUREAU, "low-efficiency parcels are for the land bureau, the regulator and GIS staff",
               "低效用地图层仅供国土部门、监管部门和 GIS 人员"),
        Action("layer_idle", _BUREAU, "idle parcels are for the land bureau, the regulator and GIS staff",
               "疑似闲置图层仅供国土部门、监管部门和 GIS 人员"),
        Action("drafts", _BUREAU, "drafts and withdrawn releases are for the land bureau, the regulator and GIS staff",
               "草稿与撤回版本仅供国土部门、监管部门和 GIS 人员"),
        Action("desk_simulate", _OVERSIGHT, "what-if runs are for the land bureau and the regulator", "试算仅供国土部门和监管部门"),
        Action("desk_status", _OVERSIGHT, "the state of the data is for the land bureau and the regulator", "数据状态仅供国土部门和监管部门"),
        Action("desk_disputes", _OVERSIGHT, "disputes between departments are for the land bureau and the regulator",
               "部门间数据争议仅供国土部门和监管部门"),
        Action("desk_review", _DECIDERS, "review, refused rows and corrections are the land bureau's", "审核、退回行与更正由国土部门处理"),
        Action("desk_publish", _DECIDERS, "publishing and withdrawing are the land bureau's", "发布与撤回由国土部门决定"),
        Action("metrics", _OVERSIGHT, "metrics of operation are for the land bureau and the regulator",
               "运行指标仅供国土部门和监管部门"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Switch:
    """A setting of the bureau, kept in the ledger: name, default, what it does."""

    name: str
    default: bool
    en: str
    zh: str


SWITCHES: dict[str, Switch] = {
    s.name: s
    for s in (
        Switch("statistics_figures", True,
               "figures of a single firm that rest on statistics are shown to those who see figures; off: to the firm itself only",
               "向可见数据的角色显示单个企业的统计数据；关闭后仅企业本身可见"),
        Switch("bureau_exports_bottom", False, "the land bureau also exports files of bottom lists (of its region)",
               "国土部门也可导出（本区域）末位名单文件"),
        Switch("anonymous_public", False, "requests without a key act as the public", "无密钥的请求按公众处理"),
    )
}  # fmt: skip

LEAST_GROUP = 5  # firms of a group whose figures the public sees
LARGEST_SHARE = (85, 100)  # of a sum, that one firm may hold
