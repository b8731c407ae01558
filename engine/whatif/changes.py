"""Changes of a pack by path (``weights.tax_per_mu=35``): the changed pack is a pack like any other, read by the same loader.

::

    weights.ITEM=35            weights.GROUP.ITEM=35       one group of several
    bases.ITEM=16              a constant                  bases.ITEM.times=1.5   bases.ITEM.within=region_city
    caps.ITEM=1.5   floors.ITEM=0   (null takes them away)  missing.ITEM=zero_score
    shares.A=25                shares.GROUP.A=25           cumulative per cent
    thresholds.RULE=60 亿元     thresholds.RULE.AMOUNT=…    of an adjustment's condition
    scope.below_scale_least_mu=5
    any other path of the file, as bottom_percent=10 or score.ties=share_worse_rank

ITEM may be shortened to a beginning that names one item (``tax`` for ``tax_per_mu`` where no other item begins so).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from engine.policy.packs import Pack, read_pack
from engine.schema.errors import PermuError

Raw = dict[str, Any]
_DIGITS = Decimal("0.0001")


def changed(pack: Pack, changes: list[str], *, rescale: bool = False) -> Pack:
    """``pack`` with ``changes`` (PATH=VALUE) as a draft of its own id; ``rescale`` brings the other weights to 100.

    Raises bad_change (a path that the pack does not have), weights_not_100, bad_policy (what the loader refuses).
    """
    if not changes:
        raise _bad("", "nothing to change; give PATH=VALUE, as weights.tax_per_mu=35", "没有修改；请给出 路径=值")
    raw = _unshared(yaml.safe_load(pack.text))
    weighed: set[tuple[str, str]] = set()
    for change in changes:
        path, value = _parsed(change)
        head, *rest = path
        one = _KINDS.get(head, _anything)
        weighed |= one(raw, change, rest if head in _KINDS else path, value) or set()
    for group, items in _items(raw):
        _to_100(group, items, {name for g, name in weighed if g == group}, rescale)
    text = yaml.safe_dump(_drafted(raw, changes), allow_unicode=True, sort_keys=False, width=120)
    try:
        return read_pack(text, pack.policy.id)
    except PermuError as error:
        why_en, why_zh = error.en.partition("; correct the file")[0], error.zh.partition("；请修改后")[0]
        raise PermuError(
            error.code,
            f"with {', '.join(changes)} the pack would not be one: {why_en}; change other values as well, or another way",
            f"按 {'、'.join(changes)} 修改后不成为有效的办法：{why_zh}；请同时修改其他值或改用其他修改",
        ) from error


def _parsed(change: str) -> tuple[list[str], Any]:
    path, equals, value = change.partition("=")
    if not equals or not all(path.strip().split(".")):
        raise _bad(change, "write PATH=VALUE, as weights.tax_per_mu=35", "请写作 路径=值，如 weights.tax_per_mu=35")
    try:
        return path.strip().split("."), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise _bad(change, f"`{value}` is no value", f"“{value}”不是有效的值") from error


def _drafted(raw: Raw, changes: list[str]) -> Raw:
    """Marked as nobody's rule: an id, a title and a basis that say what it is."""
    raw["id"] = f"{str(raw['id'])[:58]}-draft"
    raw["title"] = {"zh": f"{raw['title']['zh']}（试算草案）", "en": f"{raw['title']['en']} (what-if draft)"}
    raw["status"] = "partial" if raw["status"] == "partial" else "illustrative"
    said = {
        "title": f"changed from the pack before: {', '.join(changes)}",
        "source": "what-if draft, not a published rule",
    }
    raw["basis"] = [*raw["basis"], said]
    return raw


# --- kinds of paths ------------------------------------------------------------------------------------------------


def _weight(raw: Raw, change: str, path: list[str], value: Any) -> set[tuple[str, str]]:
    found = list(_named_items(raw, change, path))
    for _, _, item in found:
        item["weight"] = value
    return {(group, name) for group, name, _ in found}


def _base(raw: Raw, change: str, path: list[str], value: Any) -> None:
    parts = ("constant", "times", "average_of", "average", "within")
    part = path.pop() if path and path[-1] in parts else "constant"
    for _, _, item in _named_items(raw, change, path):
        before = {k: v for k, v in (item.get("base") or {}).items() if k != "constant"}
        item["base"] = {"constant": value} if part == "constant" else before | {part: value}


def _of_item(key: str) -> Callable[[Raw, str, list[str], Any], None]:
    def put(raw: Raw, change: str, path: list[str], value: Any) -> None:
        for _, _, item in _named_items(raw, change, path):
            item[key] = value

    return put


def _share(raw: Raw, change: str, path: list[str], value: Any) -> None:
    if not 1 <= len(path) <= 2:
        raise _bad(change, "write shares.GRADE=PERCENT", "请写作 shares.等级=百分比")
    *group, grade = path
    score = _score(raw, change)
    tables = [g["shares"] for n, g in score.get("groups", {}).items() if "shares" in g and n in (group or [n])]
    if group and not tables and group[0] in score.get("groups", {}):
        own = score["groups"][group[0]]
        own["shares"] = _unshared(score.get("shares", []))
        tables = [own["shares"]]
    found = [s for t in tables + ([] if group else [score.get("shares", [])]) for s in t if str(s["grade"]) == grade]
    for share in found:
        share["up_to_percent"] = value
    if not found:
        raise _bad(change, f"no share of a grade {grade}", f"没有等级 {grade} 的比例")


def _threshold(raw: Raw, change: str, path: list[str], value: Any) -> None:
    rules = _score(raw, change).get("adjustments", [])
    conditions = [
        c for r in rules if r["name"] == path[0] for c in r.get("conditions", []) if path[1:] in ([], [c["of"]])
    ]
    if len(conditions) != 1:
        known = [f"{r['name']}.{c['of']}" for r in rules for c in r.get("conditions", [])]
        raise _bad(change, f"name one condition of {known}", f"请指明其中一个条件：{known}")
    (condition,) = conditions
    condition[next(k for k in condition if k != "of")] = value


def _anything(raw: Raw, change: str, path: list[str], value: Any) -> None:
    place: Any = raw
    for key in path[:-1]:
        place = place.get(key) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        kinds = ", ".join(_KINDS)
        raise _bad(
            change,
            f"the pack has no such path; there are {kinds} and the file's own",
            f"办法中没有该路径；可用 {kinds} 或文件自身的路径",
        )
    place[path[-1]] = value


_KINDS: dict[str, Callable[[Raw, str, list[str], Any], set[tuple[str, str]] | None]] = {
    "weights": _weight,
    "bases": _base,
    "caps": _of_item("cap"),
    "floors": _of_item("floor"),
    "missing": _of_item("missing"),
    "shares": _share,
    "thresholds": _threshold,
}


# --- finding items -------------------------------------------------------------------------------------------------


def _score(raw: Raw, change: str) -> Raw:
    score = raw.get("score")
    if not isinstance(score, dict):
        raise _bad(change, "the pack has no composite score", "该办法不设综合分")
    return score


def _items(raw: Raw) -> Iterator[tuple[str, Raw]]:
    """Group and its items by name."""
    score = raw.get("score") or {}
    groups = score.get("groups") or {"all": {"items": score.get("items", {})}}
    for name, group in groups.items():
        yield name, group.get("items", {})


def _named_items(raw: Raw, change: str, path: list[str]) -> Iterator[tuple[str, str, Raw]]:
    """(group, name, item) of ``ITEM`` in every group that has it, or of ``GROUP.ITEM``."""
    _score(raw, change)
    *group, asked = path or [""]
    known = [(g, name, item) for g, items in _items(raw) for name, item in items.items() if group in ([], [g])]
    names = {name for _, name, _ in known}
    fits = {asked} & names or {n for n in names if n.startswith(f"{asked}_")}
    if len(fits) != 1:
        listed = ", ".join(dict.fromkeys(name if not group else f"{g}.{name}" for g, name, _ in known)) or ", ".join(
            g for g, _ in _items(raw)
        )
        raise _bad(
            change,
            f"no single item `{'.'.join(path)}`; there are {listed}",
            f"没有唯一的指标“{'.'.join(path)}”；现有 {listed}",
        )
    yield from (one for one in known if one[1] in fits)


# --- weights -------------------------------------------------------------------------------------------------------


def _to_100(group: str, items: Raw, set_now: set[str], rescale: bool) -> None:
    """The weights that were not set now brought to what is left of 100, in proportion; refused where nobody asked so."""
    try:
        weights = {n: Decimal(str(i["weight"])) for n, i in items.items() if i.get("weight") is not None}
    except InvalidOperation:
        return  # no number: the loader says so
    total = sum(weights.values(), Decimal(0))
    if not set_now or total == 100:
        return
    others = {n: w for n, w in weights.items() if n not in set_now}
    left = 100 - (total - sum(others.values(), Decimal(0)))
    if rescale and others and left > 0:
        for name, weight in _in_proportion(others, left).items():
            items[name]["weight"] = int(weight) if weight == int(weight) else float(weight)
        return
    raise PermuError(
        "weights_not_100",
        f"the weights of group {group} would sum to {total:f}, not to 100: change another weight too, "
        "or add --rescale to bring the others to what is left",
        f"组 {group} 的权重之和为 {total:f}，不等于 100：请同时修改其他权重，或加 --rescale 按比例调整其余权重",
    )


def _in_proportion(weights: dict[str, Decimal], total: Decimal) -> dict[str, Decimal]:
    """``total`` in the proportion of ``weights``, to 4 digits, by largest remainder: the parts sum exactly."""
    whole = sum(weights.values(), Decimal(0))
    exact = {n: w * total / whole for n, w in weights.items()}
    parts = {n: (x / _DIGITS).to_integral_value("ROUND_FLOOR") * _DIGITS for n, x in exact.items()}
    short = int((total - sum(parts.values())) / _DIGITS)
    for name in sorted(parts, key=lambda n: parts[n] - exact[n])[:short]:
        parts[name] += _DIGITS
    return parts


def _unshared(value: Any) -> Any:
    """A copy in which nothing is there twice: an alias of the file must not change with its anchor."""
    if isinstance(value, dict):
        return {k: _unshared(v) for k, v in value.items()}
    return [_unshared(v) for v in value] if isinstance(value, list) else value


def _bad(change: str, en: str, zh: str) -> PermuError:
    return PermuError("bad_change", f"--change {change}: {en}", f"--change {change}：{zh}")
