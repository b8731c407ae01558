"""States of a release: draft → public → final, or withdrawn. Each change is a dated event; the folder never changes."""

from __future__ import annotations

from dataclasses import dataclass

from engine.releases import find, list_releases
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now, who

TITLES = {
    "draft": ("草稿", "draft"),
    "public": ("公示", "public"),
    "final": ("正式", "final"),
    "withdrawn": ("已撤回", "withdrawn"),
}
NEXT = {"draft": ("public", "final", "withdrawn"), "public": ("final", "withdrawn"), "final": ("withdrawn",)}


@dataclass(frozen=True)
class Change:
    """One event: the release, its state before and after, when, by whom and why."""

    release_id: str
    before: str
    state: str
    at: str
    who: str
    reason: str


def change_state(
    warehouse: Warehouse, release_id: str, state: str, reason: str, *, by: str | None = None, dry_run: bool = False
) -> Change:
    """Enter ``state`` for a release, with the reason and who decided; nothing is entered in a dry run.

    Raises:
        PermuError: ``unknown_release``; ``release_gone``; ``no_reason``; ``wrong_state`` where the state does not
            follow on the present one; ``already_final`` where another release of the year and policy is final.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise PermuError(
            "no_reason",
            f"say why {release_id} becomes {state}: --reason is kept with the change",
            f"请用 --reason 说明 {release_id} 变更为 {state} 的理由，理由将随记录保存",
        )
    find(warehouse, release_id)
    known = list_releases(warehouse)
    one = next(r for r in known if r["release_id"] == release_id)
    if state not in NEXT.get(one["state"], ()):
        raise _wrong(release_id, one["state"], state)
    if state == "final":
        _only_final(known, one)
    change = Change(release_id, one["state"], state, now(), by or who(), reason)
    if not dry_run:
        with warehouse.connect() as db:
            row = (change.release_id, change.at, change.who, change.state, change.reason)
            db.execute("INSERT INTO release_events VALUES (?, ?, ?, ?, ?)", row)
    return change


def events(warehouse: Warehouse, release_id: str) -> list[dict[str, str]]:
    """The states that a release went through, oldest first: at, who, state, reason."""
    with warehouse.read() as db:
        rows = db.execute(
            "SELECT at, who, state, reason FROM release_events WHERE release_id = ? ORDER BY at", (release_id,)
        ).fetchall()
    return [dict(row) for row in rows]


def _only_final(known: list[dict[str, str]], one: dict[str, str]) -> None:
    for other in known:
        same = other["year"] == one["year"] and other["policy"] == one["policy"]
        if same and other["state"] == "final" and other["release_id"] != one["release_id"]:
            raise PermuError(
                "already_final",
                f"{other['release_id']} is the final release of {one['year']} under {one['policy']}: withdraw it first "
                f"(permu withdraw {other['release_id']} --reason TEXT)",
                f"{one['year']} 年 {one['policy']} 的最终版本已是 {other['release_id']}；请先撤回"
                f"（permu withdraw {other['release_id']} --reason 理由）",
            )


def _wrong(release_id: str, before: str, state: str) -> PermuError:
    allowed = ", ".join(NEXT.get(before, ())) or "-"
    return PermuError(
        "wrong_state",
        f"{release_id} is {before}: it cannot become {state} (possible: {allowed}); rank again for a new draft",
        f"{release_id} 当前为 {before}，不能变更为 {state}（可选：{allowed}）；如需新的草稿请重新排名",
    )
