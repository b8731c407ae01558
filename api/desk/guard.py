"""What every route of the desk passes: the rule, and for changes the form of the body, the lock and the record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request

from api.query import store_of
from api.rights import Viewer, viewer_of
from api.store import Store
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now


class Desk:
    """One request to the desk: who asks, of which warehouse. ``viewer.need(action)`` was asked."""

    def __init__(self, viewer: Viewer, store: Store) -> None:
        self.viewer, self.store = viewer, store

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse; ``no_warehouse`` where there is none."""
        return self.store.warehouse.require()

    @property
    def region(self) -> str | None:
        """The region that everything shown and decided is limited to."""
        return self.viewer.region

    @contextmanager
    def writing(self, action: str, **detail: object) -> Iterator[None]:
        """A change: a ledger that is held too long is a 503, and what was done is recorded with who and why."""
        try:
            yield
            with self.warehouse.connect() as db:
                told = orjson.dumps(detail).decode()
                db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (now(), self.viewer.name, f"desk.{action}", told))
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and "busy" not in str(error):
                raise
            raise PermuError(
                "ledger_busy",
                "another process holds the ledger: nothing was changed by this request beyond what it reported; try again",
                "账本正被其他进程占用：除已返回的结果外未作任何更改；请稍后重试",
            ) from error


def desk_for(action: str) -> Any:
    """A dependency: the desk of whoever may do ``action`` (a rule of api.rights)."""

    def desk(request: Request, store: Annotated[Store, Depends(store_of)]) -> Desk:
        viewer = viewer_of(request)
        viewer.need(action)
        if request.method == "POST":
            json_only(request)
        return Desk(viewer, store)

    return Depends(desk)


def json_only(request: Request) -> None:
    """``not_json`` for a change whose body a form elsewhere could send; the gate looks at the origin (api.rights.gate)."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise PermuError(
            "not_json",
            f"a change is sent as JSON (Content-Type: application/json), not as {kind[:60] or 'nothing'}",
            f"更改须以 JSON 提交（Content-Type: application/json），而不是 {kind[:60] or '空'}",
        )


Reviewing = Annotated[Desk, desk_for("desk_review")]
Disputing = Annotated[Desk, desk_for("desk_disputes")]
Watching = Annotated[Desk, desk_for("desk_status")]
Trying = Annotated[Desk, desk_for("desk_simulate")]
Publishing = Annotated[Desk, desk_for("desk_publish")]
