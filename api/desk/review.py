"""The review queue over HTTP: what ``permu review`` lists and decides, for one person at a time."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.desk.answers import holds, told
from api.desk.guard import Desk, Reviewing
from api.desk.lock import free
from api.desk.paging import Key, page
from api.desk.parameters import DeskQuery
from api.desk.places import of_region
from engine.schema.errors import PermuError
from ingest import review as queue
from ingest.match.beside import beside
from ingest.match.decide import Decision, decide, enterprise_of, find_item

router = APIRouter(prefix="/review", tags=["desk"])
Text = str | None


class QueueQuery(DeskQuery):
    """Which items of the queue."""

    year: Text = None
    source: Text = None
    kind: Text = None
    state: Text = None
    reason: Text = None
    sure_from: Text = None
    sure_to: Text = None
    q: Text = None


class QueuePage(QueueQuery):
    """A page of them."""

    limit: Text = None
    cursor: Text = None


class Verdict(BaseModel):
    """What a person decides on an item."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["accept", "reject", "reopen"] = Field(
        description="accept an enterprise, reject one or all, or undo"
    )
    enterprise: str | None = Field(
        default=None, max_length=40, description="an enterprise id, a credit code, or the number of a candidate"
    )
    reason: str | None = Field(default=None, max_length=1000, description="why; kept with the decision")


def order(item: dict[str, Any]) -> Key:
    """Proposals first, then records with the most rows, findings about land last; ends in the id."""
    return (item["kind"] == "land", item["kind"], -item["year"], -item["rows"], item["id"])


def listed(desk: Desk, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The items that fit the question and lie in the viewer's region, in :func:`order`."""
    state, low, high = asked.get("state", "open"), asked.get("sure_from"), asked.get("sure_to")
    found = of_region(queue.items(desk.warehouse, asked.get("year"), asked.get("source")), desk.region)
    if asked.get("kind"):
        found = [i for i in found if i["kind"] == asked["kind"]]
    if asked.get("reason"):
        found = [i for i in found if i["reason"] == asked["reason"]]
    if state != "all":
        found = [i for i in found if i["state"] == state]
    if low is not None or high is not None:
        found = [i for i in found if (s := sure(i)) is not None and (low or 0) <= s <= (100 if high is None else high)]
    if asked.get("q"):
        found = [i for i in found if holds(_texts(i), asked["q"])]
    return sorted(found, key=order)


def sure(item: dict[str, Any]) -> float | None:
    """How sure the surest candidate is in per cent; an exact name is 100."""
    if not item["candidates"]:
        return None
    ppb = item["candidates"][0].get("sure_ppb")
    return 100.0 if ppb is None else float(ppb) / 10**7


def _texts(item: dict[str, Any]) -> list[str]:
    own = [item["name"], item["value"], item["record_key"]]
    return [str(t) for t in (*own, *(c["name"] for c in item["candidates"])) if t]


@router.get("", summary="The review queue")
def items(asked: Annotated[QueuePage, Query()], desk: Reviewing) -> Response:
    """Records without an enterprise, refused codes whose firm is known by name, and findings about land."""
    question = asked.values()
    found = listed(desk, question)
    shown, more = page(found, order, question)
    counts = {n: dict(Counter(i[n] for i in found)) for n in ("kind", "source", "reason", "state")}
    lines = [{**i, "sure_percent": sure(i), "candidates": len(i["candidates"])} for i in shown]
    return told({"total": len(found), "counts": counts, "items": lines, "next": more})


@router.get("/{item_id}", summary="One item: record and candidates side by side")
def item(item_id: str, asked: Annotated[QueueQuery, Query()], desk: Reviewing) -> Response:
    """With its decisions so far, and the items before and after it in the list that the question gives."""
    inside = listed(desk, asked.values())
    found = next((i for i in inside if i["id"] == item_id), None) or _mine(desk, item_id)
    around = [i["id"] for i in inside]
    at = around.index(item_id) if item_id in around else None
    nearby = {
        "position": None if at is None else at + 1,
        "total": len(around),
        "previous": around[at - 1] if at else None,
        "next": (around[0] if around else None) if at is None else around[at + 1] if at + 1 < len(around) else None,
    }
    sides = (
        beside(desk.warehouse, found)
        if found["kind"] in ("proposal", "unlinked", "land") and "load_id" in found
        else {}
    )
    return told(
        {
            "item": {**found, "candidates": len(found["candidates"])},
            **sides,
            "decisions": decisions(desk, item_id),
            **nearby,
        }
    )


def _mine(desk: Desk, item_id: str) -> dict[str, Any]:
    """The item, if it lies in the viewer's region; else it is as if it were not there."""
    found = find_item(desk.warehouse, item_id)
    if desk.region is None:
        return found
    kept = of_region([found], desk.region) if "name" in found else []
    if not kept and not _decided_here(desk, found):
        raise PermuError(
            "unknown_item",
            f"{item_id}: no such item of your region {desk.region} waits for review",
            f"{item_id}：您的区域 {desk.region} 内没有此待审项",
        )
    return kept[0] if kept else found


def _decided_here(desk: Desk, found: dict[str, Any]) -> bool:
    """Whether an item that waits no more was decided by this viewer: then it may be opened again."""
    return any(d["who"] == desk.viewer.name for d in decisions(desk, found["id"]))


def decisions(desk: Desk, item_id: str) -> list[dict[str, Any]]:
    """What was decided on an item, oldest first: at, who, verdict, enterprise, reason."""
    with desk.warehouse.read() as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'review_decisions'").fetchone() is None:
            return []
        rows = db.execute(
            "SELECT at, who, verdict, enterprise_id, reason FROM review_decisions WHERE item_id = ? ORDER BY decision_id",
            (item_id,),
        ).fetchall()
    return [dict(row) for row in rows]


@router.post("/{item_id}", summary="Decide on an item: accept, reject, reopen")
def decided(item_id: str, verdict: Verdict, desk: Reviewing) -> Response:
    """The decision that `permu review` would keep. Of several candidates one must be named; it applies at the next merge."""
    found = _mine(desk, item_id)
    decision = _decision(desk, found, verdict)
    if decision.verdict == "accept" and found["kind"] == "proposal":
        free(desk.warehouse)  # the row is taken again at once, which needs the ingest lock
    with desk.writing(
        "review", item=item_id, verdict=verdict.verdict, enterprise=decision.enterprise_id, why=verdict.reason
    ):
        counts = decide(desk.warehouse, [decision], by=desk.viewer.name, wait=False)
    about = {
        "item_id": item_id,
        "verdict": decision.verdict,
        "enterprise_id": decision.enterprise_id,
        "reason": decision.reason,
    }
    return told({**about, **counts, "decisions": decisions(desk, item_id)})


def _decision(desk: Desk, found: dict[str, Any], verdict: Verdict) -> Decision:
    named = (verdict.enterprise or "").strip() or None
    if verdict.verdict == "reopen":
        return Decision(found, "open", None, verdict.reason)
    if verdict.verdict == "reject" and named is None:
        _all_seen(desk, found)
        return Decision(found, "none", None, verdict.reason)
    if named is None and len(found["candidates"]) > 1:
        raise PermuError(
            "which_enterprise",
            f"item {found['id']} has {len(found['candidates'])} candidates: say which (enterprise: its id, code or number)",
            f"项 {found['id']} 有 {len(found['candidates'])} 个候选：请用 enterprise 指明（编号、信用代码或序号）",
            parameter="enterprise",
            allowed="1 to " + str(len(found["candidates"])),
        )
    one = enterprise_of(desk.warehouse, found, named)
    _within(desk, found, one)
    return Decision(found, verdict.verdict, one, verdict.reason)


def _within(desk: Desk, found: dict[str, Any], enterprise: str) -> None:
    """PermuError forbidden for an enterprise outside the viewer's region."""
    if desk.region is None or any(c["enterprise_id"] == enterprise for c in found["candidates"]):
        return
    told_region = (
        beside(desk.warehouse, {**found, "candidates": [{"enterprise_id": enterprise}]}) if "load_id" in found else None
    )
    code = told_region["candidates"][0]["region_code"] if told_region else None
    if not str(code or "").startswith(desk.region):
        raise PermuError(
            "forbidden",
            f"enterprise {enterprise} lies outside your region {desk.region} [rule region, docs/rights.md]",
            f"企业 {enterprise} 不在您的区域 {desk.region} 内〔规则 region，见 docs/rights.md〕",
            rule="region",
        )


def _all_seen(desk: Desk, found: dict[str, Any]) -> None:
    """PermuError forbidden where "none of them" would also speak of candidates that the viewer does not see."""
    if found.get("candidates_elsewhere"):
        raise PermuError(
            "forbidden",
            f"item {found['id']} has {found['candidates_elsewhere']} candidates in other regions: reject those of yours one by "
            "one [rule region, docs/rights.md]",
            f"项 {found['id']} 另有 {found['candidates_elsewhere']} 个候选在其他区域：请逐个否定本区域的候选〔规则 region，见 docs/rights.md〕",
            rule="region",
        )
