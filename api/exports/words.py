"""Chinese words for the codes that people read: sources, flags of enterprises, why a record was not linked."""

from __future__ import annotations

SOURCES = {
    "commerce": "工商（市场监管）", "land": "国土（自然资源）", "state_tax": "国税", "local_tax": "地税", "power": "供电", "gas": "燃气",
    "environment": "环保", "statistics": "统计", "water": "供水", "hr": "人社", "regions": "区划与开发区名录", "relations": "关联与租赁",
    "exemptions": "免评名单", "events": "企业事项",
}  # fmt: skip
FLAGS = {
    "landless": "没有用地记录", "negative_land": "租出超过自有，用地为负", "no_output": "没有产出数据", "no_tax": "没有税收数据",
    "size_unknown": "规模不能判定", "industry_unknown": "行业不详", "industry_ambiguous": "行业代码换算不唯一", "region_unknown": "地区不详",
    "months_missing": "部分月份无数据", "deregistered": "已注销或吊销", "tenant": "承租企业", "out_of_scope": "不在评价范围",
    "not_evaluated": "按办法不参评", "no_base": "没有基准值", "small_group": "同组企业过少", "adjusted": "等级经调整",
}  # fmt: skip
UNLINKED = {
    "code_not_in_register": "代码不在企业名册中", "needs_review": "名称相近，待人工核对", "no_enterprise_of_this_name": "没有此名称的企业",
    "several_enterprises_of_this_name": "多家企业同名", "no_name": "没有代码也没有名称", "rejected_in_review": "人工核对后否定",
    "decided_enterprise_not_in_register": "人工指定的企业不在名册中",
}  # fmt: skip


def worded(words: dict[str, str], code: str) -> str:
    """The words for a code; the code itself where there are none."""
    return words.get(code, code)
