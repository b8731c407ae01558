"""The application: routes, guard and error answers around one warehouse."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from api import desk, errors
from api.door import Door
from api.first import First, Views
from api.fresh import Fresh
from api.guard import LOOPBACK, Guard
from api.ogc import make_router
from api.ogc.quick import QuickItems, QuickTiles
from api.ogc.shelf import Shelf
from api.openapi import describe
from api.operations import metrics
from api.operations.audit import Audit
from api.operations.limits import Limits
from api.operations.settings import Settings
from api.operations.watch import Watch
from api.pages import routes as pages
from api.pages.assets import STATIC, Assets
from api.query import once
from api.quick import QuickPages
from api.rights.credentials import Directory, Identify
from api.rights.gate import Gate
from api.rights.oidc import Tokens
from api.routes import (
    account,
    catalogue,
    columns,
    enterprises,
    health,
    layers,
    overview,
    places,
    portrait,
    rankings,
    reports,
)
from api.store import Store
from api.warm import Warm
from engine.schema.warehouse import Warehouse
from ingest.declared import adopt

# How long a thread (a look at the ledger, an export) may keep the event loop from its next page.
SWITCH_SECONDS = 0.0005
# Requests make hardly a cycle, and thousands of kept pages are looked through each time: ten milliseconds at the usual 700.
COLLECT = (50_000, 20, 50)


def _version() -> str:
    try:
        return version("permu")
    except PackageNotFoundError:
        return "0"


class Application(FastAPI):
    """FastAPI behind what answers first: its own outer layers cost a fifth of a page that is a look-up."""

    first: First | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.first is None:
            await super().__call__(scope, receive, send)
        else:
            await self.first(scope, receive, send)


def create_app(warehouse: Warehouse, hosts: tuple[str, ...] = LOOPBACK, settings: Settings | None = None) -> FastAPI:
    """The application over a warehouse; ``hosts`` (and those of the settings) are the Host names that are answered.

    While there are no users, who reaches it acts as the local administrator, so it must listen on loopback only
    (:func:`api.serve.serve` sees to that).
    """
    settings = settings or Settings()
    app = Application(
        title="permu", version=_version(), docs_url=None, redoc_url=None, dependencies=[Depends(once)],
        lifespan=_lifespan,
    )  # fmt: skip
    app.state.store = Store(warehouse)
    app.state.warm = Warm(app.state.store)
    app.state.ogc_shelf = Shelf(warehouse.home / "cache")
    app.state.settings, app.state.audit = settings, Audit(warehouse)
    app.state.directory = Directory(warehouse, settings.users_required)
    app.state.tokens = Tokens(settings.provider) if settings.provider else None
    v1 = APIRouter(prefix="/api/v1")
    for part in (catalogue, columns, rankings, places, enterprises, portrait, overview, reports, desk):
        v1.include_router(part.router)
    app.include_router(v1)
    app.include_router(layers.router)
    app.include_router(health.router)
    app.include_router(account.router)
    app.include_router(make_router())
    app.include_router(pages.router)
    app.mount("/static", Assets(directory=STATIC), name="static")
    errors.install(app)
    describe(app)
    _wrap(app, hosts, settings)
    metrics.BUILD.labels(app.version).set(1)
    return app


def _wrap(app: Application, hosts: tuple[str, ...], settings: Settings) -> None:
    """The middleware, innermost first: who may → which Host → other origins → what is known of the request → answers
    that are look-ups, which ask all of that of the door."""
    identify = Identify(app.state.directory, app.state.tokens)
    limits, named = Limits(settings.rate, settings.burst), (*hosts, *settings.hosts)
    app.add_middleware(Gate, identify=identify, limits=limits, audit=app.state.audit)
    app.add_middleware(Guard, hosts=named)
    if settings.origins:
        origins, wanted = list(settings.origins), ["Authorization"]
        app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "HEAD"], allow_headers=wanted)
    app.add_middleware(Watch, access_log=settings.access_log)
    door = Door(named, identify, limits, app.state.audit, settings.access_log)
    fresh = Fresh(app.state.store, app.state.directory, settings.patience)
    store, views = app.state.store, Views()
    lookups = (QuickPages(store, views), QuickTiles(store), QuickItems(store, views, app.state.ogc_shelf))
    app.first = First(partial(FastAPI.__call__, app), door, fresh, lookups)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The newest release is opened ahead; the audit log is written while the server runs, and to its last line when it stops."""
    app.state.audit.start()
    app.state.warm.start()
    yield
    app.state.warm.stop()
    app.state.audit.stop()


def from_environment() -> FastAPI:
    """The application for ``PERMU_HOME``: what each worker process of uvicorn imports."""
    warehouse = Warehouse.locate()
    adopt(warehouse.home)
    app = create_app(warehouse, settings=Settings.from_environment())
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # what was imported is not looked through again and again
    gc.set_threshold(*COLLECT)
    return app
