"""Deciding what waits in the review queue: accept, reject, reopen. Decisions are added, never edited, and apply at the
next merge; a refused code is corrected at once (its row is taken again with the right code)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now, who
from ingest import review
from ingest.land_review import SOURCE
from ingest.load import LoadReport
from ingest.match import store
from ingest.refused import NOW
from ingest.replay import replay

VERDICTS = ("accept", "reject", "none", "open")


@dataclass(frozen=True)
class Decision:
    """One decision to be taken: on an item, ``accept`` an enterprise, ``reject`` one, ``none`` of them, or ``open``."""

    item: dict[str, Any]
    verdict: str
    enterprise_id: str | None
    reason: str | None = None


def find_item(warehouse: Warehouse, wanted: str) -> dict[str, Any]:
    """The item of an id: one that waits, else one that was decided; raises unknown_item."""
    with warehouse.read() as db:
        known = store.exists(db)
        queued = db.execute("SELECT year FROM review_items WHERE item_id = ?", (wanted,)).fetchone() if known else None
        old = (
            "SELECT item_id AS id, year, source, record_key, enterprise_id AS decided FROM review_decisions "
            "WHERE item_id = ? ORDER BY decision_id DESC LIMIT 1"
        )
        decided = db.execute(old, (wanted,)).fetchone() if known else None
    if decided is not None and queued is None and not wanted.startswith("P"):
        kind = "land" if decided["source"] == SOURCE and wanted.startswith("L") else "unlinked"
        return {"kind": kind, "candidates": [], **dict(decided)}
    for item in review.items(warehouse, None if queued is None else queued["year"]):
        if item["id"] == wanted:
            return item
    if decided is not None:
        return {"kind": "decided", "candidates": [], **dict(decided)}
    raise PermuError(
        "unknown_item",
        f"{wanted}: no such item waits for review (a newer merge or load may have settled it); see `permu review list`",
        f"{wanted}：待审核列表中没有此项（可能已由较新的合并或导入处理）；请查看 permu review list",
    )


def enterprise_of(warehouse: Warehouse, item: dict[str, Any], told: str | None) -> str:
    """The enterprise that is meant: by id, by credit code, by number of the candidate (1 is the first); none told means
    the first candidate. Raises unknown_enterprise, only_settled."""
    _has_parties(item)
    candidates = item["candidates"]
    if not candidates and item.get("decided") and (told is None or told.isdigit()):
        return str(item["decided"])  # settled already: the same again changes nothing
    if told is None and candidates:
        return str(candidates[0]["enterprise_id"])
    if told and told.isdigit() and 1 <= int(told) <= len(candidates):
        return str(candidates[int(told) - 1]["enterprise_id"])
    with warehouse.read() as db:
        row = db.execute(
            "SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (item["year"],)
        ).fetchone()
    if told and row is not None:
        rows = pl.scan_parquet(warehouse.merged / row["merge_id"] / "enterprises.parquet", glob=False)
        asked = told.strip().upper()
        meant = (pl.col("enterprise_id") == asked) | (pl.col("uscc") == asked).fill_null(False)
        found = rows.filter(meant).select("enterprise_id").collect()["enterprise_id"]
        if len(found) == 1:
            return str(found[0])
    raise PermuError(
        "unknown_enterprise",
        f"item {item['id']}: {told or 'no enterprise'} is neither an enterprise id nor a credit code of the register of "
        f"{item['year']}, nor the number of one of its {len(candidates)} candidates",
        f"项 {item['id']}：{told or '未指定企业'} 既不是 {item['year']} 年名录中的企业编号或统一社会信用代码，"
        f"也不是其 {len(candidates)} 个候选的序号",
    )


def _has_parties(item: dict[str, Any]) -> None:
    """Raise only_settled for a finding: no enterprise is asked for, so none can be accepted or rejected."""
    if item["kind"] == "land":
        raise PermuError(
            "only_settled",
            f"item {item['id']} is a finding, not a record without an enterprise: correct the data, or settle it as right "
            f"as it stands with `permu review reject {item['id']}`",
            f"项 {item['id']} 是核查发现，不是待关联的记录：请更正数据；确认无误则用 permu review reject {item['id']} 结案",
        )


def decide(
    warehouse: Warehouse, decisions: list[Decision], *, by: str | None = None, wait: bool = True
) -> dict[str, int]:
    """Store decisions in one transaction: ``{decided, unchanged, corrected}``; one that already holds is not repeated.
    ``by``: who decided, else the account; ``wait`` for another command that writes, or raise warehouse_busy.

    An accepted proposal has its refused rows taken again with the enterprise's code (``corrected`` rows). Raises
    only_settled for an enterprise decided on a finding: nothing is stored then.
    """
    for d in decisions:
        if d.enterprise_id is not None or d.verdict == "accept":
            _has_parties(d.item)
    new: list[Decision] = []
    with warehouse.connect() as db:
        store.ensure(db)
        held = {(s, k, e): v for s, k, v, e in store.decisions(db).iter_rows()}
        decided = {(s, k) for s, k, _ in held}
        for d in decisions:
            key = (d.item["source"], d.item["record_key"])
            same = key not in decided if d.verdict == "open" else held.get((*key, d.enterprise_id)) == d.verdict
            if not same:
                new.append(d)
        rows = [
            (now(), by or who(), d.item["id"], d.item["year"], d.item["source"], d.item["record_key"], d.verdict, d.enterprise_id, d.reason)
            for d in new
        ]  # fmt: skip
        db.executemany(
            "INSERT INTO review_decisions (at, who, item_id, year, source, record_key, verdict, enterprise_id, reason) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    proposals = [d for d in decisions if d.item["kind"] == "proposal" and d.verdict == "accept"]
    corrected = sum(load.kept for load in _correct(warehouse, proposals, wait))
    return {"decided": len(new), "unchanged": len(decisions) - len(new), "corrected": corrected}


def take_again(warehouse: Warehouse) -> list[LoadReport]:
    """Loads of refused rows whose wrong code beside the same name was decided before: each is taken with the code of the
    enterprise that was accepted then, so that nobody decides twice on a file that comes again.

    Left waiting where the name is no longer that of the enterprise accepted, or the register holds no code of it.
    """
    with warehouse.read() as db:
        decided = store.decisions(db).filter(pl.col("record_key").str.starts_with(review.REFUSED), verdict="accept")
    if decided.is_empty():
        return []
    held = [i for i in review.proposals(warehouse) if i["state"] == "accepted" and i["candidates"][0]["uscc"]]
    return _correct(warehouse, [Decision(item, "accept", item["decided"]) for item in held])


def _correct(warehouse: Warehouse, accepted: list[Decision], wait: bool = True) -> list[LoadReport]:
    """Take the refused rows again with the code of the enterprise that was accepted."""
    if not accepted:
        return []
    fields = sorted({str(d.item["field"]) for d in accepted})
    keys = ["load_id", "sheet", "row", *(NOW + f for f in fields)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "review.xlsx"
        with xlsxwriter.Workbook(str(file)) as book:
            sheet = book.add_worksheet("review")
            for at, key in enumerate(keys):
                sheet.write_string(0, at, key)
                sheet.write_string(1, at, key)
            for line, d in enumerate(accepted, 2):
                for at, key in enumerate(("load_id", "sheet", "row")):
                    sheet.write_string(line, at, str(d.item[key] if d.item[key] is not None else ""))
                sheet.write_string(line, 3 + fields.index(str(d.item["field"])), _code(d))
        return replay(warehouse, file, wait=wait).loads


def _code(d: Decision) -> str:
    """The right code for the field that was wrong: the credit code, or the organisation code inside it."""
    uscc = next((c["uscc"] for c in d.item["candidates"] if c["enterprise_id"] == d.enterprise_id), None)
    if uscc is None:
        raise PermuError(
            "no_code",
            f"item {d.item['id']}: the register holds no credit code of {d.enterprise_id}, so the row cannot be corrected "
            "by it; use `permu refused export` and correct the row by hand",
            f"项 {d.item['id']}：名录中没有 {d.enterprise_id} 的统一社会信用代码，无法据此更正；请用 permu refused export 手工更正",
        )
    return str(uscc[8:17] if d.item["field"] == "org_code" else uscc)
