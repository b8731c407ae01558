"""The check-up sheet for printing: the same figures as the spreadsheet, set on paper."""

from __future__ import annotations

from typing import Any

from api.documents.checkup import Amount, CheckUp, Scored
from api.documents.press import pdf, png
from api.exports.provenance import Provenance
from engine.explain.telling import exact
from engine.schema.codes import industry_name, region_name
from engine.schema.columns import GRADES, SCALE_GROUPS, SIZES

TEMPLATE = "checkup.typ"


def checkup_pdf(found: CheckUp, origin: Provenance, notes: list[tuple[str, str]]) -> bytes:
    """The sheet as PDF; PermuError no_font without a Chinese font."""
    return pdf(TEMPLATE, data(found, origin, notes))


def checkup_pages(found: CheckUp, origin: Provenance, notes: list[tuple[str, str]], ppi: float) -> list[bytes]:
    """The pages as PNG."""
    return png(TEMPLATE, data(found, origin, notes), ppi)


def data(found: CheckUp, origin: Provenance, notes: list[tuple[str, str]]) -> dict[str, Any]:
    """What the template sets."""
    say, row = found.told.say, found.row
    lang = "zh" if found.told.zh else "en"
    parts = [_facts(found), _amounts(found), *([_items(found)] if found.scored else []), _ranks(found)]
    return {
        "title": say(f"{origin.year}年工业企业资源集约利用体检表", f"Check-up sheet of an industrial enterprise, {origin.year}"),
        "subtitle": f"{origin.policy_name(lang)} · {origin.release_id} · {origin.state_name(lang)}",
        "foot": f"{row['name']} · {origin.release_id} · {origin.exported_at[:19]}Z · {origin.who}",
        "synthetic": origin.synthetic,
        "identity": _identity(found),
        "summary": _summary(found),
        "parts": parts,
        "provenance": {"title": say("来源与依据", "Provenance"), "rows": notes},
    }  # fmt: skip


def figure(value: float | int | None, digits: int = 4) -> str:
    """A figure for paper; missing is a dash, never 0."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"


def _identity(found: CheckUp) -> list[list[str]]:
    say, row, pick = found.told.say, found.row, 0 if found.told.zh else 1
    size, scale = SIZES.get(row["size"] or "", ("–", "–")), SCALE_GROUPS.get(row["scale_group"] or "", ("–", "–"))
    return [
        [say("企业名称", "Enterprise"), row["name"] or "–", say("统一社会信用代码", "Credit code"), row["uscc"] or "–"],
        [say("行业", "Industry"), _named(row["industry_code"], industry_name), say("企业编号", "Enterprise id"), row["enterprise_id"]],
        [say("地区", "Region"), _named(row["region_code"], region_name), say("规模", "Size"), f"{size[pick]} · {scale[pick]}"],
    ]  # fmt: skip


def _named(code: str | None, name: Any) -> str:
    return " ".join(x for x in (code, name(code)) if x) if code else "–"


def _summary(found: CheckUp) -> list[dict[str, str]]:
    """The figures at the head: score, place, grade; else the first ranks."""
    say, row = found.told.say, found.row
    if not found.scored:
        places = [r for r in found.ranks if r[1] == say("全部", "all")]
        return [{"name": m, "value": figure(rank), "told": f"/ {of:,}"} for m, _, rank, of in places]
    grade = GRADES.get(row["grade"] or "", ("", ""))
    lines = [{"name": say("综合得分", "Score"), "value": figure(row["score"], 2), "told": say("分", "points")}]
    if row.get("grade_rank") is not None:
        lines.append(
            {
                "name": say("定级名次", "Rank that grades"),
                "value": figure(row["grade_rank"]),
                "told": f"/ {row['grade_of']:,}",
            }
        )
    lines.append({"name": say("等级", "Grade"), "value": row["grade"] or "–", "told": say(*grade)})
    return lines  # fmt: skip


def _part(
    title: str, head: list[str], rows: list[list[str]], widths: list[float], left: int = 1, notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {"title": title, "head": head, "rows": rows, "widths": widths, "left": left, "notes": notes}


def _facts(found: CheckUp) -> dict[str, Any]:
    say = found.told.say
    head = [say("数据", "Fact"), say("取数", "How"), say("来源", "Source"), say("数值", "Value"), say("单位", "Unit")]
    rows = [[f.title, f.how, f.note or say("没有数据", "no data"), *_shown(f)] for f in found.facts]
    return _part(say("一、采用的数据", "1. Facts"), head, rows, [1.7, 1.0, 3.5, 1.3, 0.7], 3)


def _shown(one: Amount) -> list[str]:
    value = None if one.value is None else one.value * one.times / one.by if one.unit else one.value
    return [figure(value), one.unit]


def _amounts(found: CheckUp) -> dict[str, Any]:
    say, told = found.told.say, found.told
    head = [say("口径与指标", "Amount or indicator"), say("算法", "How"), say("数值", "Value"), say("单位", "Unit")]
    rows = [[a.title, a.note, *_shown(a)] for a in found.amounts]
    rows += [
        [told.title(i.name), f"{i.numerator} ÷ {i.denominator}", figure(value), told.unit(i.unit)]
        for i, value in found.indicators
    ]
    return _part(say("二、办法口径与指标", "2. Amounts and indicators"), head, rows, [1.1, 4.2, 1.1, 1.1], 2)


def _items(found: CheckUp) -> dict[str, Any]:
    say, row = found.told.say, found.row
    head = [
        say("指标", "Item"),
        say("计分方式", "How"),
        say("企业值", "Value"),
        say("基准值", "Base"),
        say("权重", "Weight"),
        say("得分", "Points"),
    ]
    rows = [[i.title, i.note, figure(i.value), _base(i), exact(i.weight), figure(i.points)] for i in found.items]
    for kind, zh in (("bonus", "加分"), ("deduction", "扣分")):
        if row.get(kind):
            rows.append([say(zh, kind), "", "", "", "", figure(row[kind])])
    rows.append([say("综合得分", "Score"), "", "", "", "", figure(row["score"])])
    return _part(
        say("三、得分与等级", "3. Score and grade"), head, rows, [1.1, 4.4, 0.9, 1, 0.5, 0.8], 2, tuple(_grade(found))
    )


def _base(one: Scored) -> str:
    if one.item.form == "minmax_20_80":
        return f"{figure(one.low)} – {figure(one.high)}"
    return figure(one.base)


def _grade(found: CheckUp) -> list[str]:
    say, row = found.told.say, found.row
    lines = [
        say(f"{s.grade} 级至累计 {exact(s.up_to_percent)}%，即第 {int(row['grade_of'] * s.up_to_percent // 100):,} 名",
            f"{s.grade} up to {exact(s.up_to_percent)} %, rank {int(row['grade_of'] * s.up_to_percent // 100):,}")
        for s in found.shares
    ]  # fmt: skip
    where = (
        [say(f"定级范围：{found.told.peers(row['grade_within'])}", f"among {found.told.peers(row['grade_within'])}")]
        if found.shares
        else []
    )
    return [say("；", "; ").join([*where, *lines]), *found.adjustments]


def _ranks(found: CheckUp) -> dict[str, Any]:
    say = found.told.say
    metrics = list(dict.fromkeys(m for m, *_ in found.ranks))
    places = {(m, g): f"{figure(rank)} / {of:,}" for m, g, rank, of in found.ranks}
    rows = [[g, *(places.get((m, g), "–") for m in metrics)] for g in dict.fromkeys(g for _, g, *_ in found.ranks)]
    title = say("四、名次（名次 / 参评数）" if found.scored else "三、名次（名次 / 参评数）", "Ranks (rank / of)")
    return _part(title, [say("范围", "Among"), *metrics], rows, [1.4, *([1] * len(metrics))])
