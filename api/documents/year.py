"""A bureau's yearly report: what happened in a release, by industry, region and size, with what fell out and why."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from api.documents.charts import against, fields, histogram
from api.documents.press import pdf, png
from api.exports.provenance import Provenance
from api.exports.words import FLAGS, SOURCES, UNLINKED, worded
from engine.overview.distribution import distribution
from engine.overview.members import Members
from engine.overview.quadrant import quadrant
from engine.query import Board, Selection, summary
from engine.query.bottom import bottom_rows
from engine.schema.codes import industry_name, region_name
from engine.schema.columns import GRADES, SIZES, column
from ingest.reasons import reason

TEMPLATE = "year.typ"
_LISTED = 20


def year_pdf(board: Board, selection: Selection, origin: Provenance, named: bool = True) -> bytes:
    """The report as PDF, the last of the bottom list named or not; PermuError no_font without a Chinese font."""
    return pdf(TEMPLATE, data(board, selection, origin, named))


def year_pages(board: Board, selection: Selection, origin: Provenance, ppi: float) -> list[bytes]:
    """The report's pages as PNG."""
    return png(TEMPLATE, data(board, selection, origin), ppi)


def data(board: Board, selection: Selection, origin: Provenance, named: bool = True) -> dict[str, Any]:
    """What the template sets: texts, tables of strings, and figures of the plots."""
    members = Members.of(board, selection)
    whole = summary(board, selection)[0]
    place = place_name(board, members.rows)
    return {
        "title": f"{place}{origin.year}年度工业企业资源集约利用评价报告",
        "place": place,
        "year": origin.year,
        "policy": origin.policy_name("zh"),
        "state": origin.state_name("zh"),
        "date": origin.exported_at[:10],
        "foot": f"{origin.release_id} · {origin.exported_at[:19]}Z · {origin.who}",
        "synthetic": origin.synthetic,
        "cards": _cards(board, whole),
        "overview": _overview(board, whole, place, origin),
        "spreads": [_spread(board, members, whole, m) for m in ("output_per_mu", "benefit_per_mu")],
        "fields": _fields(members),
        "against": _against(board, members, whole),
        "tables": [_table(board, selection, whole, *t) for t in _tables(board, members.rows)],
        "grades": _grades(board, selection, whole),
        "bottom": _bottom(board, selection, members, named),
        "fell_out": _fell_out(board),
        "loads": _loads(board),
        "provenance": _provenance(board, origin),
    }


def place_name(board: Board, rows: np.ndarray) -> str:
    """The smallest place that holds them all: a county, a city, else the province; empty where there is none."""
    codes = board.table["region_code"].gather(pl.Series(rows)).drop_nulls()
    for digits in (6, 4, 2):
        held = codes.str.slice(0, digits).unique()
        if len(held) == 1:
            return region_name(held[0]) or ""
    return ""


def figure(value: float | int | None, digits: int = 2) -> str:
    """A figure for paper; missing is a dash, never 0."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"


def _ratio(line: dict[str, Any], metric: str) -> float | None:
    found: float | None = line["metrics"].get(metric, {}).get("ratio")
    return found


def _cards(board: Board, whole: dict[str, Any]) -> list[dict[str, str]]:
    """The figures at the head of the report."""
    output, tax = whole["output_wan_yuan"], whole["tax_wan_yuan"]
    return [
        {"name": "企业", "value": figure(whole["enterprises"]), "unit": "家"},
        {"name": "用地", "value": figure(whole["land_mu"], 0), "unit": "亩"},
        {"name": "产出", "value": figure(None if output is None else output / 10_000), "unit": "亿元"},
        {"name": "税收", "value": figure(None if tax is None else tax / 10_000), "unit": "亿元"},
        {"name": "亩均产出", "value": figure(_ratio(whole, "output_per_mu")), "unit": "万元/亩"},
        {"name": "亩均效益", "value": figure(_ratio(whole, "benefit_per_mu")), "unit": "万元/亩"},
    ]


def _overview(board: Board, whole: dict[str, Any], place: str, origin: Provenance) -> list[str]:
    ranked = "、".join(f"{column(m).zh} {n:,} 家" for m, n in board.manifest["counts"]["ranked"].items())
    evaluated = whole["enterprises"]
    lines = [
        f"本报告依据“{origin.policy_name('zh')}”（{origin.policy}），对{place}{origin.year}年工业企业 "
        f"{evaluated:,} 家的土地资源集约利用情况进行评价。全部版本中有数值参加排名的企业：{ranked}。",
    ]
    for metric in ("output_per_mu", "benefit_per_mu"):
        found = whole["metrics"].get(metric)
        if found and found["of"]:
            unit = column(metric).unit_zh
            lines.append(
                f"{column(metric).zh}：有数值企业 {found['of']:,} 家，总量之比（Σ/Σ）为 {figure(found['ratio'])} {unit}，企业简单平均 "
                f"{figure(found['mean'])} {unit}，中位数 {figure(found['p50'])} {unit}；四分之一的企业低于 {figure(found['p25'])} "
                f"{unit}，四分之一高于 {figure(found['p75'])} {unit}。"
            )
    return lines


def _spread(board: Board, members: Members, whole: dict[str, Any], metric: str) -> dict[str, Any]:
    """A metric's distribution with its median and the ratio of the sums."""
    found, told = distribution(members, metric), whole["metrics"][metric]
    title = column(metric)
    plot = None
    if found["of"]:
        marks = [(f"中位数 {figure(told['p50'])}", told["p50"]), (f"总量之比 {figure(told['ratio'])}", told["ratio"])]
        plot = histogram(found, marks, f"{title.zh}（{title.unit_zh}），两端浅色为界外企业；纵轴为企业数")
    caption = f"{title.zh}的分布（{found['of']:,} 家有数值，{found['missing']:,} 家无数值）"
    return {"title": title.zh, "plot": plot, "caption": caption}


def _fields(members: Members) -> dict[str, Any] | None:
    found = quadrant(members, "output_per_mu", "benefit_per_mu")
    if not found["of"]:
        return None
    names = ("高产出高效益", "高产出低效益", "低产出高效益", "低产出低效益")
    return {
        "plot": fields(found, "亩均产出（万元/亩）", "亩均效益（万元/亩）", names),
        "told": f"以中位数（亩均产出 {figure(found['cross']['median']['x'])} 万元/亩、亩均效益 {figure(found['cross']['median']['y'])} "
        f"万元/亩）为界，{found['of']:,} 家两项均有数值的企业分为四类。颜色越深企业越多。",
    }


def _against(board: Board, members: Members, whole: dict[str, Any]) -> dict[str, Any]:
    """Each scored indicator against the base of its enterprise; without bases, against the ratio of the sums."""
    based = [n.removeprefix("base__") for n in board.table.columns if n.startswith("base__")]
    rows = []
    for metric in based or [m for m in board.metrics if _ratio(whole, m)]:
        values = board.table[metric].gather(pl.Series(members.rows)).cast(pl.Float64).to_numpy()
        base = np.full(len(values), _ratio(whole, metric)) if not based else _bases(board, members, metric)
        parts = against(values, base.astype(np.float64))
        rows.append({"name": column(metric).zh, "parts": parts, "told": f"{sum(parts[2:4]):,} 家达到"})
    what = "企业各自的基准值" if based else "全部企业的总量之比（本办法不设基准值）"
    return {
        "rows": rows,
        "told": f"各项指标与{what}之比。",
        "legend": ["不足一半", "不足基准", "达到至1.5倍", "1.5倍以上", "无数值"],
    }


def _bases(board: Board, members: Members, metric: str) -> np.ndarray:
    return board.table[f"base__{metric}"].gather(pl.Series(members.rows)).cast(pl.Float64).to_numpy()


def _tables(board: Board, rows: np.ndarray) -> list[tuple[str, str]]:
    """(dimension, title): by industry, by the regions below the place, by size."""
    cities = board.table["region_city"].gather(pl.Series(rows)).drop_nulls().n_unique()
    regions = (
        [("region_city", "分市情况"), ("region_county", "分县（市、区）情况")]
        if cities > 1
        else [("region_county", "分县（市、区）情况")]
    )
    if cities == 1 and board.table["region_county"].gather(pl.Series(rows)).drop_nulls().n_unique() == 1:
        regions = [("region_town", "分乡镇（街道）情况")]
    return [("industry", "分行业情况"), *regions, ("size", "分规模情况")]


def _name(dimension: str, code: str | None) -> str:
    if code is None:
        return "（不详）"
    if dimension == "size":
        return SIZES[code][0]
    named = industry_name(code) if dimension == "industry" else region_name(code)
    return f"{code} {named or ''}".strip()


def _table(board: Board, selection: Selection, whole: dict[str, Any], dimension: str, title: str) -> dict[str, Any]:
    lines = summary(board, selection, (dimension,))
    grades = [g for g in GRADES if g in whole["grades"]]
    head = [
        "分组",
        "企业",
        "用地（亩）",
        "产出（亿元）",
        "税收（亿元）",
        "亩均产出",
        "亩均效益",
        *(["得分均值"] if grades else []),
        *grades,
    ]
    return {"title": title, "head": head, "rows": [_row(one, dimension, grades) for one in [*lines, whole]]}


def _row(line: dict[str, Any], dimension: str, grades: list[str]) -> list[str]:
    name = _name(dimension, line["key"][dimension]) if line["key"] else "合计"
    hundred = [None if v is None else v / 10_000 for v in (line["output_wan_yuan"], line["tax_wan_yuan"])]
    score = [figure(line["metrics"]["score"]["mean"])] if grades else []
    ratios = [figure(_ratio(line, m)) for m in ("output_per_mu", "benefit_per_mu")]
    counts = [figure(line["grades"].get(g, 0)) for g in grades]
    return [
        name,
        figure(line["enterprises"]),
        figure(line["land_mu"], 0),
        *map(figure, hundred),
        *ratios,
        *score,
        *counts,
    ]


def _grades(board: Board, selection: Selection, whole: dict[str, Any]) -> dict[str, Any] | None:
    """Shares of the grades in all and by county or city; None where the policy grades nobody."""
    if not whole["grades"]:
        return None
    dimension = _tables(board, Members.of(board, selection).rows)[1][0]
    lines = [whole, *summary(board, selection, (dimension,))]
    rows = [
        {"name": _name(dimension, x["key"][dimension]) if x["key"] else "合计", "parts": [x["grades"].get(g, 0) for g in GRADES],
         "told": f"{sum(x['grades'].values()):,} 家"}
        for x in lines if x["grades"]
    ]  # fmt: skip
    counted = "，".join(f"{g} 级（{GRADES[g][0]}）{n:,} 家" for g, n in whole["grades"].items())
    return {"rows": rows, "told": f"评价结果：{counted}。", "legend": [f"{g} {zh}" for g, (zh, _) in GRADES.items()]}


def _bottom(board: Board, selection: Selection, members: Members, named: bool) -> dict[str, Any]:
    """The policy's bottom per cent by each metric: how many, on how much land, where, and the last of the first metric."""
    percent = Fraction(board.manifest.get("bottom_percent") or 5)
    lists = {m: _listed(board, selection, m, percent) for m in board.manifest["metrics"]}
    rows = [_bottom_row(board, members, m, found) for m, found in lists.items()]
    first = next(iter(lists))
    return {
        "percent": f"{float(percent):g}",
        "head": ["指标", "名单企业", "占地（亩）", "占全部用地", "企业最多的行业", "企业最多的地区"],
        "rows": rows,
        "title": f"{column(first).zh}末位 {_LISTED} 家",
        "list": _last(board, first, lists[first]) if named else None,
    }


def _listed(board: Board, selection: Selection, metric: str, percent: Fraction) -> Any:
    asked = Selection.parse(region=selection.region, by=metric)
    ((_, found),) = bottom_rows(board, asked, percent=percent)
    return found


def _bottom_row(board: Board, members: Members, metric: str, found: Any) -> list[str]:
    part = board.table.select(pl.col("land_mu", "industry_2", "region_county").gather(pl.Series(found.rows)))
    land, whole = (
        float(x.fill_null(0).sum()) for x in (part["land_mu"], board.table["land_mu"].gather(pl.Series(members.rows)))
    )
    most = [_most(part[c].to_list(), d) for c, d in (("industry_2", "industry"), ("region_county", "region_county"))]
    share = f"{100 * land / whole:.1f}%" if whole else "–"
    return [column(metric).zh, f"{part.height:,} / {found.of:,}", figure(land, 0), share, *most]


def _most(codes: list[str | None], dimension: str) -> str:
    counted = Counter(c for c in codes if c)
    if not counted:
        return "–"
    code, count = min(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return f"{_name(dimension, code)}（{count:,}）"


def _last(board: Board, metric: str, found: Any) -> dict[str, Any]:
    names = [
        "name",
        "uscc",
        "region_county",
        "land_mu",
        "output_per_mu",
        "benefit_per_mu",
        *([metric] if metric == "score" else []),
    ]
    rows = board.table.select(pl.col(names).gather(pl.Series(found.rows[:_LISTED]))).rows()
    head = [
        "名次",
        "企业名称",
        "统一社会信用代码",
        "地区",
        "用地（亩）",
        "亩均产出",
        "亩均效益",
        *(["得分"] if metric == "score" else []),
    ]
    told = [
        [figure(int(rank)), name or "–", uscc or "–", region_name(place) or "–", *map(figure, figures)]
        for rank, (name, uscc, place, *figures) in zip(found.ranks()[:_LISTED], rows, strict=True)
    ]
    return {"head": head, "rows": told}


def _fell_out(board: Board) -> dict[str, Any]:
    """Rows refused, records not linked, enterprises marked; each with its reason in words."""
    held = board.manifest["fell_out"]
    refused = [[reason(code)[1].split("；")[0], code, figure(n)] for code, n in held["refused"].items()]
    unlinked = [[worded(UNLINKED, code), code, figure(n)] for code, n in held["unlinked"].items()]
    marked = [[worded(FLAGS, code), code, figure(n)] for code, n in held["enterprises"].items()]
    return {"refused": refused, "unlinked": unlinked, "marked": marked}


def _loads(board: Board) -> list[list[str]]:
    """A row a department: files, rows, kept, refused, furniture."""
    found: dict[str, list[int]] = {}
    for load in board.manifest["loads"]:
        counts = [1, *(int(load.get(k) or 0) for k in ("rows_in", "kept", "refused", "furniture"))]
        held = found.setdefault(str(load["source"]), [0] * 5)
        found[str(load["source"])] = [a + b for a, b in zip(held, counts, strict=True)]
    return [[worded(SOURCES, source), *map(figure, counts)] for source, counts in found.items()]


def _provenance(board: Board, origin: Provenance) -> list[list[str]]:
    return [
        ["发布版本", f"{origin.release_id}（{origin.state_name('zh')}）"],
        ["评价办法", f"{origin.policy_title.get('zh', '')} {origin.policy}（{origin.policy_status}）"],
        ["办法依据", "；".join(origin.basis) or "–"],
        ["办法 SHA-256", origin.policy_sha256],
        ["排名数据 SHA-256", origin.rankings_sha256],
        ["版本生成时间", f"{origin.created_at[:19]}Z"],
        ["报告生成", f"{origin.exported_at[:19]}Z，{origin.who}"],
        ["数据文件", f"{len(origin.loads)} 个，摘要 {origin.loads_digest}（清单见版本 manifest.json）"],
        ["查询条件", "；".join(f"{k}={v}" for k, v in origin.question.items()) or "–"],
    ]
