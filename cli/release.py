"""``permu publish | withdraw | purge``: the states of releases, and what nothing stands on any more."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from cli.options import Home, Json, out, say, show_json, warehouse
from cli.prepared import prepare
from cli.progress import Stages
from engine.purge import Unused, unused
from engine.purge import purge as removed
from engine.states import Change, change_state

Release = Annotated[str, typer.Argument(help="A release id (`permu releases`).")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the change.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")]


class Target(StrEnum):
    """States that a release is published in."""

    public = "public"
    final = "final"


def publish(
    release: Release,
    state: Annotated[Target, typer.Option(help="public: open to objections; final: in force.")],
    reason: Reason,
    dry_run: DryRun = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Publish a release. 公示或公布。"""
    house = warehouse(home).require()
    change = change_state(house, release, state.value, reason, dry_run=dry_run)
    if not dry_run:
        with Stages() as progress:
            prepare(house, change.release_id, progress)
    _told(change, dry_run, json)


def withdraw(release: Release, reason: Reason, dry_run: DryRun = False, home: Home = None, json: Json = False) -> None:
    """Withdraw a release: it is kept, and no longer answers where none is named. 撤回。"""
    _told(change_state(warehouse(home).require(), release, "withdrawn", reason, dry_run=dry_run), dry_run, json)


def purge(
    loads: Annotated[bool, typer.Option("--loads", help="Also files that newer ones replaced.")] = False,
    dry_run: DryRun = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Remove merges (and, if asked, replaced files) that no release stands on. 清理不再使用的数据。"""
    house = warehouse(home).require()
    found = unused(house, loads) if dry_run else removed(house, loads)
    if json:
        show_json({"dry_run": dry_run, "removed": [_item(one) for one in found], "bytes": sum(o.bytes for o in found)})
        return
    for one in found:
        out.print(f"{one.kind} {one.id}  {one.bytes / 1e6:.1f} MB", highlight=False)
    size = sum(o.bytes for o in found) / 1e6
    verb = say("可清理" if dry_run else "已清理", "would remove" if dry_run else "removed")
    out.print(say(f"{verb} {len(found)} 项，{size:.1f} MB", f"{verb} {len(found)}, {size:.1f} MB"), highlight=False)


def _item(one: Unused) -> dict[str, object]:
    return {"kind": one.kind, "id": one.id, "year": one.year, "bytes": one.bytes}


def _told(change: Change, dry_run: bool, json: bool) -> None:
    if json:
        show_json(asdict(change) | {"dry_run": dry_run})
        return
    note = say("（试运行，未更改）", " (dry run, nothing changed)") if dry_run else ""
    out.print(f"{change.release_id}: {change.before} → {change.state}{note}", highlight=False)
