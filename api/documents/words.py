"""Chinese words for the codes that a report shows: sources, flags of enterprises, why a record was not linked."""

from __future__ import annotations

SOURCES = {
    "commerce": "工商（市场监管）", "land": "国土（自然资源）", "state_tax": "国税", "local_tax": "地税", "power": "供电", "gas": "燃气",
    "environment": "环保", "statistics": "统计", "water": "供水", "hr": "人社", "regions": "区划与开发区名录", "relations": "关联与租赁",
    "exemptions": "免评名单", "events": "企业事项",
}  # fmt: skip
FLAGS = {
    "industry_ambiguous": "行业代码换算不唯一", "landless": "没有用地记录", "negative_land": "租出超过自有，用地为负",
    "months_missing": "部分月份无数据", "no_output": "没有产出数据", "no_tax": "没有税收数据", "not_evaluated": "按办法不参评",
    "out_of_scope": "不在评价范围", "size_unknown": "规模不能判定", "few_peers": "同组企业过少", "no_base": "没有基准值",
    "deregistered": "已注销", "zero_land": "用地为零",
}  # fmt: skip
UNLINKED = {
    "code_not_in_register": "代码不在企业名册中", "needs_review": "名称相近，待人工核对", "no_enterprise_of_this_name": "没有此名称的企业",
    "several_enterprises_of_this_name": "多家企业同名", "rejected": "人工核对后否定", "no_key": "没有可关联的代码或名称",
}  # fmt: skip


def worded(words: dict[str, str], code: str) -> str:
    """The words for a code; the code itself where there are none."""
    return words.get(code, code)
