"""The words beside an exported table: what it is, by which rules, from which files, when and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from api.exports.provenance import Provenance
from api.exports.table import Sheet
from engine.schema.columns import column

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("内容", "Content"),
    "synthetic": ("数据性质", "Nature of the data"),
    "release": ("发布版本", "Release"),
    "state": ("版本状态", "State"),
    "year": ("年份", "Year"),
    "policy": ("评价办法", "Policy"),
    "basis": ("办法依据", "Legal basis"),
    "metric": ("排名指标", "Ranked by"),
    "base": ("基准值", "Base values"),
    "question": ("查询条件", "Question"),
    "rows": ("行数", "Rows"),
    "ranked_at": ("版本生成时间（UTC）", "Release made (UTC)"),
    "exported_at": ("导出时间（UTC）", "Exported (UTC)"),
    "who": ("导出人", "Exported by"),
    "hash": ("排名数据 SHA-256", "SHA-256 of the rankings"),
    "ranks": ("名次规则", "Ranks"),
    "missing": ("空白单元格", "Empty cells"),
    "loads": ("数据来源文件", "Source files"),
}
_RANKS = (
    "并列者名次相同（1、2、2、4）；“参评数”为组内有数值的企业数；百分位 = 100×(参评数−名次)÷(参评数−1)。",
    "Ties share the better rank (1, 2, 2, 4); “of” counts the enterprises of the group that have a value; "
    "percentile = 100·(of − rank)/(of − 1).",
)
_MISSING = ("空白表示没有数据，不是零。", "Empty means no data, which is not zero.")
_SYNTHETIC = ("合成演示数据，非真实企业", "synthetic demonstration data, no real enterprises")
_REAL = ("部门报送数据", "data supplied by departments")


@dataclass(frozen=True)
class About:
    """What the notes say of a table, without its rows."""

    metric: str
    kind: str
    rows: int
    total: int
    bases: str


@dataclass(frozen=True)
class Notes:
    """Two lines above the table and the lines of the notes sheet (name, text)."""

    heading: tuple[str, str]
    lines: list[tuple[str, str]]


def _bases(sheet: Sheet, lang: str) -> str:
    """Base values that the rows were scored against; several where groups have their own."""
    told = []
    for name in (n for n in sheet.frame.columns if n.startswith("base__")):
        values = sheet.frame[name].drop_nulls().unique().sort()
        spread = f"{values[0]:g}" if len(values) == 1 else f"{values[0]:g} … {values[-1]:g}" if len(values) else "–"
        told.append(f"{column(name).title(lang)} {spread} {column(name).unit(lang)}".strip())
    return "; ".join(told)


def about(sheet: Sheet, lang: str) -> About:
    """What the notes need of a sheet."""
    return About(sheet.metric, sheet.kind, sheet.frame.height, sheet.total, _bases(sheet, lang))


def notes(sheet: About, origin: Provenance, lang: str) -> Notes:
    """The words for a table in ``zh`` or ``en``."""
    pick = 0 if lang == "zh" else 1
    metric = column(sheet.metric)
    kinds = {
        "ranking": ("排名", "ranking"),
        "bottom": ("末位名单", "bottom list"),
        "comparison": ("对比", "comparison"),
        "simulation": ("政策试算（草案，未发布）", "what-if draft, not published"),
        "robustness": ("稳健性检验", "robustness of ranks"),
    }
    what = kinds[sheet.kind][pick]
    title = (
        f"{origin.year}年工业企业{metric.zh}{what}"
        if pick == 0
        else f"Industrial enterprises {origin.year}: {what} by {metric.en.lower()}"
    )
    question = "; ".join(f"{k}={v}" for k, v in origin.question.items()) or "–"
    texts = {
        "title": title,
        "synthetic": (_SYNTHETIC if origin.synthetic else _REAL)[pick],
        "release": origin.release_id,
        "state": origin.state_name(lang),
        "year": str(origin.year),
        "policy": " ".join(
            x
            for x in (origin.policy_title.get(lang), origin.policy, f"({origin.policy_status})", origin.policy_sha256)
            if x
        ),
        "basis": "; ".join(origin.basis),
        "metric": f"{metric.title(lang)} {metric.unit(lang)}".strip(),
        "base": sheet.bases,
        "question": question,
        "rows": f"{sheet.rows} / {sheet.total}",
        "ranked_at": origin.created_at,
        "exported_at": origin.exported_at,
        "who": origin.who,
        "hash": origin.rankings_sha256,
        "ranks": _RANKS[pick],
        "missing": _MISSING[pick],
    }
    lines = [(_WORDS[k][pick], v) for k, v in texts.items() if v]
    files = [f"{x['source']}: {x['file']} ({x['load_id']})" for x in origin.loads]  # one a line: a cell holds 32,767
    lines += [("" if n else _WORDS["loads"][pick], file) for n, file in enumerate(files)]
    label = f"【{_SYNTHETIC[pick]}】" if origin.synthetic else ""
    where = f"{origin.policy_name(lang)} · {origin.release_id} · {origin.state_name(lang)}"
    second = f"{label}{where} · {sheet.rows} / {sheet.total} · {question}"
    return Notes((title, second), lines)


def origin_lines(origin: Provenance, lang: str) -> list[tuple[str, str]]:
    """Where a document comes from, for its last page or sheet: (name, text)."""
    pick = 0 if lang == "zh" else 1
    texts = {
        "synthetic": (_SYNTHETIC if origin.synthetic else _REAL)[pick],
        "release": origin.release_id,
        "state": origin.state_name(lang),
        "policy": " ".join(x for x in (origin.policy_title.get(lang), origin.policy, f"({origin.policy_status})") if x),
        "basis": "; ".join(origin.basis),
        "ranked_at": origin.created_at,
        "exported_at": origin.exported_at,
        "who": origin.who,
        "hash": origin.rankings_sha256,
        "loads": f"{len(origin.loads)} ({origin.loads_digest})",
        "missing": _MISSING[pick],
    }
    return [(_WORDS[k][pick], v) for k, v in texts.items() if v]
