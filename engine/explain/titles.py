"""Titles of an explanation's steps: their kinds, and each step's own name, in both languages."""

from __future__ import annotations

from engine.explain.identity import IDENTITY_KINDS
from engine.schema.columns import COLUMNS, GROUPINGS, column
from engine.schema.facts import FACTS

STEP_KINDS = {
    "record": ("部门记录", "Records of the departments"),
    "identity": ("名称、地址、代码的变化", "Changes of name, address and code"),
    "meter": ("共用表分摊", "Shared meters, part by part"),
    "coverage": ("月度数据是否齐全", "Months of data"),
    "land": ("用地明细", "Land, line by line"),
    "parcel": ("同宗地的其他用户", "Other users of its parcels"),
    "dispute": ("面积争议", "Disputed areas"),
    "finding": ("核查提示", "Findings to look into"),
    "fact": ("采用的数据", "Facts taken"),
    "correction": ("人工更正", "Corrections by hand"),
    "amount": ("产出与效益", "Output and benefit"),
    "indicator": ("指标", "Indicators"),
    "base": ("基准与得分", "Bases and points"),
    "item": ("各项得分", "Points"),
    "event": ("计分事项", "Events that count"),
    "bonus": ("加分", "Bonus"),
    "deduction": ("扣分", "Deduction"),
    "total": ("总分", "Total"),
    "quota": ("等级线", "Grade lines"),
    "adjustment": ("等级调整", "Adjustments of the grade"),
    "grade": ("等级", "Grade"),
    "next": ("升一等所需", "What the next grade would take"),
}
LAND_KINDS = {
    "own": ("自有用地", "own land"),
    "rented_in": ("租入用地", "land rented in"),
    "rented_out": ("租出用地", "land rented out"),
}


def step_title(lang: str, name: str, kind: str = "") -> str:
    """A step's name in words: facts, columns, land lines and ``metric/grouping``; anything else as it is."""

    def of(pair: tuple[str, str]) -> str:
        return pair[0 if lang == "zh" else 1]

    metric, slash, grouping = name.partition("/")
    if slash:
        return f"{column(metric).title(lang)} · {of(GROUPINGS.get(grouping, (grouping, grouping)))}"
    if name in FACTS:
        return of((FACTS[name].zh, FACTS[name].en))
    amount = name.removesuffix("_fen") + "_wan_yuan"
    if kind == "identity":
        return of(IDENTITY_KINDS[name])
    if name in LAND_KINDS:
        return of(LAND_KINDS[name])
    return column(amount if amount in COLUMNS else name).title(lang)
