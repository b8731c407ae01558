"""States of a release over HTTP: a preview that says what would change, then the change with its reason."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.desk.answers import told
from api.desk.guard import Desk, Publishing
from api.desk.parameters import DeskQuery
from engine.publishing import difference, effect
from engine.releases import find
from engine.schema.errors import PermuError
from engine.states import NEXT, change_state, events

router = APIRouter(prefix="/publish", tags=["desk"])
Text = str | None


class TargetQuery(DeskQuery):
    """Which state is asked about."""

    target: Text = None


class StateChange(BaseModel):
    """A change of state, confirmed."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["public", "final", "withdrawn"] = Field(description="public: open to objections; final: in force")
    reason: str = Field(max_length=1000, description="why; kept with the change")
    expected: Literal["draft", "public", "final"] | None = Field(
        default=None, description="the state that the preview showed; another one now is a 409"
    )


@router.get("/{release_id}", summary="What publishing or withdrawing a release would change")
def preview(release_id: str, asked: Annotated[TargetQuery, Query()], desk: Publishing) -> Response:
    """The states it went through and may go to; with `target`, which release would answer for its year and policy before
    and after, how many grades differ between the two, and who gets in or out of the worst."""
    target = asked.value("target")
    find(desk.warehouse, release_id)
    past = events(desk.warehouse, release_id)
    state = past[-1]["state"] if past else "draft"
    about: dict[str, Any] = {
        "release_id": release_id,
        "state": state,
        "may_become": list(NEXT.get(state, ())),
        "events": past,
    }
    if target is None:
        return told(about)
    change = effect(desk.warehouse, release_id, target)
    sides = {
        "public": _side(desk, *change.public),
        "bureau": _side(desk, *change.bureau),
    }
    return told(
        {
            **about,
            "target": target,
            "year": change.year,
            "policy": change.policy,
            **_counts(desk, release_id),
            **sides,
            "outside": outside(desk, release_id),
        }
    )


def _counts(desk: Desk, release_id: str) -> dict[str, Any]:
    """How many enterprises the release holds, by grade (none where its policy grades nobody)."""
    grades = find(desk.warehouse, release_id).rankings["grade"]
    counts = grades.drop_nulls().value_counts().sort("grade")
    return {"enterprises": len(grades), "grades": dict(counts.iter_rows())}


def _side(desk: Desk, before: str | None, after: str | None) -> dict[str, Any]:
    return {"before": before, "after": after, "difference": difference(desk.warehouse, before, after)}


def outside(desk: Desk, release_id: str) -> int:
    """Enterprises of the release beyond the viewer's region: whoever has some of them does not decide alone."""
    if desk.region is None:
        return 0
    codes = find(desk.warehouse, release_id).rankings["region_code"].drop_nulls()
    return int((~codes.str.starts_with(desk.region)).sum())


@router.post("/{release_id}", summary="Publish or withdraw a release")
def publish(release_id: str, change: StateChange, desk: Publishing) -> Response:
    """draft → public → final, or withdrawn; the change is a dated event with its reason, and nothing is rewritten."""
    if not change.reason.strip():
        raise PermuError(
            "no_reason",
            "reason is empty: say why; it is kept with the change",
            "请填写理由，理由将随记录保存",
            parameter="reason",
            allowed="a text",
        )
    if far := outside(desk, release_id):
        raise PermuError(
            "forbidden",
            f"release {release_id} holds {far} enterprises outside your region {desk.region} [rule region, docs/rights.md]",
            f"发布 {release_id} 含有您区域 {desk.region} 之外的 {far} 家企业〔规则 region，见 docs/rights.md〕",
            rule="region",
        )
    now = change_state(desk.warehouse, release_id, change.state, change.reason, dry_run=True)
    if change.expected not in (None, now.before):
        raise PermuError(
            "wrong_state",
            f"{release_id} is {now.before} now, not {change.expected}: look at what would change, and confirm again",
            f"{release_id} 当前为 {now.before}，不再是 {change.expected}：请重新查看影响后再确认",
        )
    with desk.writing("publish", release=release_id, state=change.state, why=change.reason):
        done = change_state(desk.warehouse, release_id, change.state, change.reason, by=desk.viewer.name)
    return told(asdict(done))
