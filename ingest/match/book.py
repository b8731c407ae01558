"""The review queue as a workbook: a record and its candidates side by side, one column to decide in; and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xlsxwriter

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest import review
from ingest.match.decide import Decision, decide, enterprise_of
from ingest.match.find import KEPT
from ingest.read import batches, open_file

_RECORD = (
    ("item", "项 item"), ("source", "来源 source"), ("year", "年度 year"), ("record_key", "记录 record"),
    ("name", "名称 name"), ("reason", "原因 reason"), ("rows", "行数 rows"), ("file", "文件 file"),
    ("sheet", "工作表 sheet"), ("row", "行号 row"),
)  # fmt: skip
_DECISION, _REASON = "decision", "because"
_NONE = frozenset({"0", "NONE", "无", "都不是", "否", "X"})
_SHOWN = (("name", "候选{n} candidate"), ("uscc", "代码 code"), ("address", "地址 address"), ("sure", "把握 sure %"))
_HELP = "填候选序号、统一社会信用代码或企业编号；都不是填 无 | number of the candidate, a credit code or id; none of them: 无"


def export(warehouse: Warehouse, out: Path, year: int | None = None, source: str | None = None) -> dict[str, Any]:
    """Write every item that has candidates to ``out`` (.xlsx): ``{file, items, waiting}``, of how many that wait."""
    waiting = review.items(warehouse.require(), year, source)
    items = [i for i in waiting if i["candidates"]]
    part = out.with_name(f".{out.name}.part")
    out.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(part), {"constant_memory": True}) as book:
        text, yellow = (
            book.add_format({"num_format": "@", "bg_color": c} if c else {"num_format": "@"}) for c in ("", "#FFF7CC")
        )
        head = book.add_format({"bold": True, "bg_color": "#DDDDDD", "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("review")
        sheet.freeze_panes(2, 7)
        sheet.set_column(0, 60, 18)
        sheet.set_row(0, None, None, {"hidden": True})
        columns = [(_DECISION, f"决定 decision（{_HELP}）"), (_REASON, "理由 reason"), *_RECORD, *_candidate_columns()]
        for at, (key, _) in enumerate(columns):
            sheet.write_string(0, at, key)
        for at, (_, title) in enumerate(columns):
            sheet.write_string(1, at, title, head)
        for line, item in enumerate(items, 2):
            told = _cells(item)
            for at, (key, _) in enumerate(columns):
                sheet.write_string(line, at, told.get(key, ""), yellow if key in (_DECISION, _REASON) else text)
    part.replace(out)
    return {"file": str(out), "items": len(items), "waiting": len(waiting)}


def _candidate_columns() -> list[tuple[str, str]]:
    return [(f"{key}{n}", title.format(n=n)) for n in range(1, KEPT + 1) for key, title in _SHOWN]


def _cells(item: dict[str, Any]) -> dict[str, str]:
    told = {key: item.get("id" if key == "item" else key) for key, _ in _RECORD}
    told["record_key"] = item["value"] if item["kind"] == "proposal" else item["record_key"]
    for n, one in enumerate(item["candidates"][:KEPT], 1):
        sure = one.get("sure_ppb")
        told |= {
            f"name{n}": one["name"],
            f"uscc{n}": one["uscc"] or one["enterprise_id"],
            f"address{n}": one.get("address"),
        }
        told[f"sure{n}"] = None if sure is None else f"{sure / 10**7:.1f}"
    if item["state"] == "accepted":
        told[_DECISION] = item["decided"]
    return {key: "" if value is None else str(value) for key, value in told.items()}


def take(warehouse: Warehouse, workbook: Path, dry_run: bool = False) -> dict[str, Any]:
    """Take a filled workbook back, wholly or not at all: ``{decided, unchanged, corrected, empty, dry_run}``.

    Raises:
        PermuError: ``not_a_review``, ``bad_decisions`` (every line that is not understood), ``unreadable_file``.
    """
    items = {item["id"]: item for item in review.items(warehouse.require())}
    decisions, wrong, empty, seen = [], [], 0, False
    for number, told in _lines(workbook):
        seen = True
        text = (told.get(_DECISION) or "").strip()
        item = items.get(told.get("item") or "")
        if not text:
            empty += 1
        elif item is None:
            wrong.append((number, f"{told.get('item')}: no such item waits", f"{told.get('item')}：不在待审核之列"))
        else:
            try:
                decisions.append(_decision(warehouse, item, text, told.get(_REASON)))
            except PermuError as error:
                wrong.append((number, error.en, error.zh))
    if not seen:
        raise _not_a_review(workbook)
    if wrong:
        raise _bad(workbook, wrong)
    done = (
        {"decided": 0, "unchanged": 0, "corrected": 0, "would_decide": len(decisions)}
        if dry_run
        else decide(warehouse, decisions)
    )
    return {**done, "empty": empty, "dry_run": dry_run}


def _decision(warehouse: Warehouse, item: dict[str, Any], text: str, reason: str | None) -> Decision:
    if text.upper() in _NONE:
        return Decision(item, "none", None, reason)
    return Decision(item, "accept", enterprise_of(warehouse, item, text.removesuffix(".0")), reason)


def _lines(workbook: Path) -> list[tuple[int, dict[str, str | None]]]:
    found = []
    for sheet in open_file(workbook):
        keys = [str(k) for k in sheet.sample.drop("row").row(0)] if sheet.sample.height else []
        if _DECISION not in keys or "item" not in keys:
            continue
        for cells in batches(sheet, workbook):
            for number, *values in cells.select("row", *sheet.columns).iter_rows():
                told = dict(zip(keys, values, strict=True))
                if number > 2 and told.get("item"):
                    found.append((number, told))
    return found


def _not_a_review(workbook: Path) -> PermuError:
    return PermuError(
        "not_a_review",
        f"{workbook}: not a workbook of permu review export (its first row holds no item and decision); export again and "
        "fill the yellow column",
        f"{workbook}：不是 permu review export 导出的表（首行没有 item 与 decision）；请重新导出，并填写黄色列",
    )


def _bad(workbook: Path, wrong: list[tuple[int, str, str]]) -> PermuError:
    shown = wrong[:5]
    more = len(wrong) - len(shown)
    return PermuError(
        "bad_decisions",
        f"{workbook}: {len(wrong)} decisions are not understood, nothing was taken: "
        + "; ".join(f"row {n}: {en}" for n, en, _ in shown)
        + (f" … and {more} more" if more else ""),
        f"{workbook}：{len(wrong)} 项决定无法识别，未做任何更改：" + "；".join(f"第 {n} 行：{zh}" for n, _, zh in shown)
        + (f" … 另有 {more} 项" if more else ""),
    )  # fmt: skip
