"""What a request to /ogc is about: the release, who asks, where the landing page is, which collections there are."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import State
from starlette.requests import Request

from api.ogc.collections import Collection, of_release
from api.ogc.shelf import Shelf
from api.rights import View, view_of, viewer_of
from api.store import Listed, Opened, Store
from engine.schema.errors import PermuError


@dataclass(frozen=True)
class Scope:
    """``root``: the landing page's address without a slash at its end; ``base``: that of the default release.

    ``seen``: the store as the viewer sees it."""

    root: str
    base: str
    seen: Store
    opened: Opened
    view: View
    shelf: Shelf
    collections: dict[str, Collection]

    @staticmethod
    def of(request: Request) -> Scope:
        """The release that the path names, else the default one. PermuError unknown_release, release_gone …"""
        state = request.app.state
        store: Store = state.store
        named = request.path_params.get("release_id")
        seen = store.seen_by(viewer_of(request).sees_release)
        opened = seen.find(named)
        view = view_of(request, opened)
        shelf: Shelf = state.ogc_shelf
        held = {**of_release(shelf, opened, view), **further(state)}
        return Scope(*addresses(request, named), seen, opened, view, shelf, held)

    def collection(self, name: str) -> Collection:
        """PermuError unknown_layer; forbidden where the role may not see it."""
        if name in self.collections:
            return self.collections[name]
        if f"layer_{name}" in ("layer_parcels", "layer_low_efficiency", "layer_idle"):
            self.view.need(f"layer_{name}")
        known = ", ".join(self.collections) or "none"
        raise PermuError(
            "unknown_layer",
            f"no collection {name[:60]!r} in release {self.opened.board.release_id}: there are {known}",
            f"版本 {self.opened.board.release_id} 没有图层 {name[:60]!r}：现有 {known}",
        )

    def releases(self) -> tuple[Listed, ...]:
        """The releases that the viewer sees, the newest year first, without withdrawn ones."""
        return tuple(listed for listed in self.seen.index() if listed.state != "withdrawn")

    def url(self, path: str) -> str:
        """The address of a path under the landing page."""
        return self.root + path


def addresses(request: Request, named: str | None) -> tuple[str, str]:
    """Those of the landing pages of the release that is named in the path and of the default one."""
    base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/ogc"
    return base if named is None else f"{base}/releases/{quote(named, safe='')}", base


def further(state: State) -> dict[str, Collection]:
    """The collections from files that were added to the application."""
    found: dict[str, Collection] = getattr(state, "ogc_files", {})
    return found
