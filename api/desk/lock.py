"""Whether somebody holds the ingest lock, without taking it: a look must not make an ingest fail."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

_LOCKS = Path("/proc/locks")  # proc(5): one line a lock, with the inode of its file


def holder(warehouse: Warehouse) -> dict[str, Any] | None:
    """``{action, who, pid, since, seconds}`` of who writes now; None where nobody does, or where it cannot be told."""
    place = warehouse.home / "lock"
    try:
        inode, locks = place.stat().st_ino, _LOCKS.read_text()
    except OSError:
        return None
    held = any(" FLOCK " in line and f":{inode} " in line and "->" not in line for line in locks.splitlines())
    if not held:
        return None
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    since = told.get("since")
    return {**told, "seconds": None if since is None else int(time.time() - since)}


def free(warehouse: Warehouse) -> None:
    """PermuError ``warehouse_busy`` while an ingest, merge or ranking writes."""
    now = holder(warehouse)
    if now is None:
        return
    who = f"{now.get('action', '?')} (pid {now.get('pid', '?')}, {now.get('who', '?')}, {now.get('seconds', '?')} s)"
    raise PermuError(
        "warehouse_busy",
        f"another command is writing: {who}; nothing was changed: decide again when it has ended",
        f"另一命令正在写入：{who}；未作任何更改，请待其结束后再操作",
    )
