"""The application: routes, guard and error answers around one warehouse."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Depends, FastAPI

from api import errors
from api.guard import LOOPBACK, Guard
from api.openapi import describe
from api.pages import routes as pages
from api.pages.assets import STATIC, Assets
from api.query import once
from api.routes import catalogue, columns, enterprises, health, layers, overview, portrait, rankings
from api.store import Store
from engine.schema.warehouse import Warehouse
from ingest.declared import adopt


def _version() -> str:
    try:
        return version("permu")
    except PackageNotFoundError:
        return "0"


def create_app(warehouse: Warehouse, hosts: tuple[str, ...] = LOOPBACK) -> FastAPI:
    """The application over a warehouse; ``hosts`` are the Host names that are answered.

    There are no users: who reaches it acts as the local administrator, so it must listen on loopback only
    (:func:`api.serve.serve` sees to that).
    """
    app = FastAPI(title="permu", version=_version(), docs_url=None, redoc_url=None, dependencies=[Depends(once)])
    app.state.store = Store(warehouse)
    v1 = APIRouter(prefix="/api/v1")
    for part in (catalogue, columns, rankings, enterprises, portrait, overview):
        v1.include_router(part.router)
    app.include_router(v1)
    app.include_router(layers.router)
    app.include_router(health.router)
    app.include_router(pages.router)
    app.mount("/static", Assets(directory=STATIC), name="static")
    errors.install(app)
    describe(app)
    app.add_middleware(Guard, hosts=hosts)
    return app


def from_environment() -> FastAPI:
    """The application for ``PERMU_HOME``: what each worker process of uvicorn imports."""
    warehouse = Warehouse.locate()
    adopt(warehouse.home)
    return create_app(warehouse)
