"""What differs between two packs, key by key, in words that an official reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.policy.indicators import INDICATORS
from engine.policy.model import Policy

# What the keys of a pack are called; a key that is not here stands for itself (indicators, groups, amounts).
_WORDS = {
    "id": "编号", "title": "名称", "status": "状态", "missing": "未见内容", "place": "地区", "regions": "区划代码", "replaces": "替代",
    "valid_from": "生效日期", "valid_to": "失效日期", "basis": "依据", "notes": "说明", "scope": "参评范围", "everyone": "全部企业",
    "below_scale_least_mu": "规下用地下限（亩）", "divisions": "行业大类", "tenants": "承租企业", "rule": "规则", "relations": "关系类别",
    "tax": "税收口径", "taxes": "税种", "export_credit_added": "加免抵调", "vat_refund_added_back": "加回留抵退税",
    "withheld_income_tax_counted": "计入代扣个税", "energy": "能耗口径", "electricity": "电力折算",
    "electricity_kgce_per_kwh": "电力系数", "gas_kgce_per_m3": "天然气系数", "reported_first": "优先用统计综合能耗",
    "emissions": "污染物口径", "pollutants": "污染物", "kg_per_equivalent": "污染当量值", "amounts": "数据公式",
    "own_indicators": "自定义指标", "formula": "公式", "unit": "单位", "direction": "方向", "indicators": "另算指标", "score": "综合分",
    "groups": "分组", "who": "对象", "items": "指标", "weight": "权重", "form": "计分形式", "base": "基准值", "constant": "常数",
    "average_of": "平均值年份", "times": "倍数", "average": "平均方式", "within": "层级", "source": "来源", "chosen": "自定理由",
    "floor": "下限", "cap": "上限", "penalty": "缺失扣分", "graded_within": "定级层级", "shares": "等级比例",
    "up_to_percent": "累计百分比", "small_groups": "小组规则", "fewer_than": "少于", "roll_up_to": "并入层级", "ties": "并列规则",
    "rounding": "舍入", "not_evaluated": "不参评", "extras": "加减分", "bonus_cap": "加分上限", "deduction_cap": "减分上限",
    "adjustments": "定档调档", "effect": "效果", "grade": "等级", "steps": "档数", "events": "事项", "conditions": "条件",
    "counts_for_years": "有效年数", "clause": "条款", "within_category": "同类规则", "bottom_percent": "末位百分比",
    "above_scale": "规上", "below_scale": "规下", "all": "全部", "land_3mu_up": "3 亩以上", "land_below_3mu": "不足 3 亩",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One key that differs: its path in English and Chinese, and the value of either pack (None: not there)."""

    path: str
    zh_path: str
    kind: str  # added | removed | changed
    before: Any
    after: Any

    def text(self, zh: bool) -> str:
        """One line for people."""
        path = self.zh_path if zh else self.path
        if self.kind == "changed":
            return f"{path}: {_shown(self.before)} → {_shown(self.after)}"
        word = {"added": ("新增", "added"), "removed": ("删除", "removed")}[self.kind][0 if zh else 1]
        return f"{path}: {word} {_shown(self.after if self.kind == 'added' else self.before)}"


def differences(one: Policy, other: Policy) -> list[Change]:
    """Every key whose value differs, in the order of the form."""
    before, after = (dict(_leaves((), p.model_dump(mode="json", exclude_defaults=True))) for p in (one, other))
    paths = [*before, *(p for p in after if p not in before)]
    return [_change(p, before.get(p), after.get(p)) for p in paths if before.get(p) != after.get(p)]


def _change(path: tuple[str, ...], before: Any, after: Any) -> Change:
    kind = "added" if before is None else "removed" if after is None else "changed"
    return Change(".".join(path), " · ".join(_zh(path)), kind, before, after)


def _zh(path: tuple[str, ...]) -> Iterator[str]:
    for at, key in enumerate(path):
        if key == "missing":  # the lack of a pack, and the rule of an item
            yield "未见内容" if at == 0 else "缺失规则"
        else:
            yield _WORDS.get(key) or (INDICATORS[key].zh if key in INDICATORS else key)


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Paths and values; the parts of a list go by their name or grade, plain lists are one value."""
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        value = {_name(v, n): {k: x for k, x in v.items() if k != _key(v)} for n, v in enumerate(value)}
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from _leaves((*path, str(key)), below)
    else:
        yield path, value


def _key(part: dict[str, Any]) -> str | None:
    """The key that tells the parts of a list apart: a rule goes by its name, a share by its grade."""
    return next(
        (k for k in ("name", "part") if k in part), "grade" if set(part) == {"grade", "up_to_percent"} else None
    )


def _name(part: dict[str, Any], position: int) -> str:
    key = _key(part)
    if "reason" in part:  # who is not evaluated goes by the reason
        return str(part["reason"]["zh"])
    return str(part[key]) if key else str(position + 1)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
