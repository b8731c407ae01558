"""What a viewer may see of a release: columns, rows, region, actions. One place decides for every format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from api.rights.rules import ACTIONS, SWITCHES
from engine.query import Board, Selection
from engine.schema.columns import INDICATORS, ROW, column
from engine.schema.errors import PermuError

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.store import Opened

_NESTED = {"ranks": "rank", "flags": "flags", "bases": "score", "items": "score"}
DEFAULTS = frozenset(s.name for s in SWITCHES.values() if s.default)


@dataclass(frozen=True)
class Viewer:
    """Who asks: user name, role, region prefix (None: everywhere), own enterprise, switches that are on."""

    name: str
    role: str
    region: str | None = None
    enterprise: str | None = None
    switches: frozenset[str] = DEFAULTS

    @property
    def is_administrator(self) -> bool:
        """The local administrator: without users, whoever reaches the loopback address."""
        return self.role == "administrator"

    def can(self, action: str) -> bool:
        """Whether the role may do it (rows and columns are another matter)."""
        rule = ACTIONS[action]
        switched = rule.switch in self.switches and self.role in rule.also
        return self.is_administrator or self.role in rule.roles or switched

    def need(self, action: str) -> None:
        """PermuError ``forbidden`` that names the rule, unless the role may do it."""
        if not self.can(action):
            rule = ACTIONS[action]
            raise forbidden(action, rule.en, rule.zh, self)

    def sees_release(self, state: str | None) -> bool:
        """Whether a release of this state exists for the viewer at all."""
        return state in ("public", "final") or self.can("drafts")


ADMINISTRATOR = Viewer("local administrator", "administrator")


def forbidden(rule: str, en: str, zh: str, viewer: Viewer) -> PermuError:
    """403 with the rule it rests on."""
    return PermuError(
        "forbidden",
        f"not for {viewer.name} (role {viewer.role}): {en} [rule {rule}, docs/rights.md]",
        f"{viewer.name}（角色 {viewer.role}）无此权限：{zh}〔规则 {rule}，见 docs/rights.md〕",
        rule=rule,
    )


@dataclass(frozen=True)
class View:
    """A viewer's rights in one release.

    ``columns``: the columns of a ranking row, of the release's ranking table and of summaries that may be seen.
    ``rows``: a condition on ``region_code`` / ``enterprise_id`` of a table, None where every row may be seen.
    ``key``: all that makes one viewer's answer differ from another's; every cache and ETag counts it.
    """

    viewer: Viewer
    columns: frozenset[str]
    key: str
    every_column: bool
    rows: pl.Expr | None = field(default=None, compare=False)

    @property
    def whole(self) -> bool:
        """Nothing is cut: prepared answers go out as they are."""
        return self.every_column and self.rows is None

    @property
    def region(self) -> str | None:
        """The region that rows are limited to, as a prefix of digits."""
        return None if self.viewer.role == "enterprise" else self.viewer.region

    @property
    def enterprise(self) -> str | None:
        """The one enterprise that rows are limited to; "" where an enterprise's user has none (sees no row)."""
        return (self.viewer.enterprise or "") if self.viewer.role == "enterprise" else None

    @property
    def suppressed(self) -> bool:
        """Whether summaries show only groups of five and more in which no firm dominates."""
        return self.viewer.role in ("public", "enterprise")

    @property
    def statistics(self) -> bool:
        """Whether figures of a single firm that rest on statistics are shown."""
        own = self.viewer.is_administrator or self.viewer.role == "enterprise"
        return own or "statistics_figures" in self.viewer.switches

    def need(self, action: str) -> None:
        """PermuError ``forbidden`` that names the rule, unless the viewer may do it."""
        self.viewer.need(action)

    def find(self, board: Board, enterprise: str) -> int:
        """The row number of an enterprise; ``unknown_enterprise`` in the same words for one outside the rights."""
        try:
            number = board.find(enterprise)
        except PermuError as error:
            if self.rows is None:
                raise
            raise self._unknown(board, enterprise) from error
        if self.rows is not None:
            picked = board.table.select("enterprise_id", "region_code").row(number, named=True)
            if not self.admits(picked):
                raise self._unknown(board, enterprise)
        return number

    def _unknown(self, board: Board, enterprise: str) -> PermuError:
        return PermuError(
            "unknown_enterprise",
            f"no enterprise {enterprise[:60]!r} within your rights in release {board.release_id}",
            f"在您的权限内，版本 {board.release_id} 中没有企业 {enterprise[:60]!r}",
        )

    def sees(self, name: str) -> bool:
        """Whether a column may be seen, also one of a family or of another table."""
        return name in self.columns or _sees(name, self.viewer)

    def admits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row (with ``region_code`` and ``enterprise_id``) may be seen."""
        if self.enterprise is not None:
            return bool(self.enterprise) and row.get("enterprise_id") == self.enterprise
        return self.region is None or str(row.get("region_code") or "").startswith(self.region)

    def cut(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of the contract without what may not be seen; bases and items of hidden metrics go too."""
        if self.every_column:
            return dict(row)
        kept = {name: value for name, value in row.items() if self.sees(name)}
        for part in ("bases", "items"):
            if part in kept:
                kept[part] = {metric: value for metric, value in kept[part].items() if self.sees(metric)}
        return kept

    def cut_frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A table without the columns that may not be seen."""
        return frame if self.every_column else frame.select([c for c in frame.columns if self.sees(c)])

    def metric(self, board: Board, by: str | None) -> str | None:
        """What to order by. A hidden metric is refused; unasked it is the default (None) for whoever sees ranks,
        else ``grade`` (best first, then id), so that the order tells nothing that the columns do not."""
        if by is not None and by != "grade" and not self.sees(board.metric(by)):
            raise self._hidden("by", by)
        if by is None and not self.sees("rank"):
            return "grade"
        return by

    def narrow(self, selection: Selection, board: Board) -> Selection:
        """The question for rows within the viewer's rights: the own region where none was asked, the allowed order,
        an enterprise's own row only (its place is still counted in the group asked).

        Raises:
            PermuError: ``forbidden`` for a region outside the viewer's, or a metric that is hidden.
        """
        return replace(
            selection,
            region=self._region(selection.region, board),
            by=self.metric(board, selection.by),
            enterprise=self.enterprise,
        )

    def narrow_group(self, selection: Selection, board: Board) -> Selection:
        """The question for group figures: as :meth:`narrow`, but of all firms of the group."""
        if selection.by is not None and not self.suppressed and not self.sees(board.metric(selection.by)):
            raise self._hidden("by", selection.by)
        return replace(selection, region=self._region(selection.region, board))

    def _region(self, asked: str | None, board: Board) -> str | None:
        if asked is None or self.region is None:
            return asked or self.region
        if not self.covers(asked, board):
            raise self._outside(asked)
        return asked

    def covers(self, region: str, board: Board | None = None) -> bool:
        """Whether all of a region (digits, or a zone by its members) lies within the viewer's."""
        if self.region is None or region.startswith(self.region):
            return True
        if board is None or region not in board.zones:
            return False
        codes = board.table.filter(pl.col("zone_code") == region)["region_code"]
        return bool(codes.str.starts_with(self.region).fill_null(False).all())

    def _outside(self, region: str) -> PermuError:
        own = self.region
        return forbidden(
            "region",
            f"region {region[:20]} lies outside your region {own}: leave region out, or ask for a part of {own}",
            f"区划 {region[:20]} 超出您的区域 {own}：请不填 region，或选择 {own} 之内的区划",
            self.viewer,
        )

    def _hidden(self, parameter: str, name: str) -> PermuError:
        return forbidden(
            "column",
            f"{parameter}={name[:40]}: this role does not see that figure, so it can neither sort nor filter by it",
            f"{parameter}={name[:40]}：该角色不可见此数据，因此不能按其排序或筛选",
            self.viewer,
        )


def _sees(name: str, viewer: Viewer) -> bool:
    if viewer.is_administrator:
        return True
    name = _NESTED.get(name, name)
    held = column(name)
    if viewer.role not in held.roles:
        return False
    own = viewer.role == "enterprise"
    return own or "statistics_figures" in viewer.switches or not held.from_statistics


@lru_cache(maxsize=256)
def _columns(names: tuple[str, ...], viewer: Viewer) -> frozenset[str]:
    return frozenset(n for n in names if _sees(n, viewer))


def _rows(viewer: Viewer) -> pl.Expr | None:
    if viewer.role == "enterprise":
        return (pl.col("enterprise_id") == (viewer.enterprise or "")).fill_null(False)
    if viewer.region is None:
        return None
    return pl.col("region_code").str.starts_with(viewer.region).fill_null(False)


def rights_of(viewer: Viewer, opened: Opened) -> View:
    """The view of a viewer on an open release; ``unknown_release`` where its state is not for the viewer."""
    if not viewer.sees_release(opened.listed.state):
        raise no_such_release(opened.listed.release_id)
    names = (*dict.fromkeys([*ROW, *_NESTED, *INDICATORS, *opened.board.table.columns]),)
    anyone = Viewer("", viewer.role, switches=viewer.switches)  # columns do not depend on the name or the place
    seen = _columns(names, anyone)
    rows = _rows(viewer)
    every = len(seen) == len(names)
    role = "all" if every else f"{viewer.role}{'' if 'statistics_figures' in viewer.switches else '-s'}"
    if viewer.role in ("public", "enterprise"):  # their summaries differ, whatever the columns
        role = viewer.role
    place = f"@{viewer.enterprise}" if viewer.role == "enterprise" else f"/{viewer.region}" if viewer.region else ""
    return View(viewer, seen, role + place, every, rows)


def viewer_of(request: Request) -> Viewer:
    """Who asks; the gate (api.rights.gate) has put it there."""
    viewer: Viewer = getattr(request.state, "viewer", ADMINISTRATOR)
    return viewer


def view_of(request: Request, opened: Opened) -> View:
    """The view of who asks on an open release; the audit log will name that release."""
    view = rights_of(viewer_of(request), opened)
    request.state.audit_release = opened.listed.release_id
    return view


def no_such_release(release: str) -> PermuError:
    """Of a release that is not for the viewer nothing is said, not even that it exists."""
    return PermuError(
        "unknown_release",
        f"no release {release[:80]!r}: see /api/v1/releases",
        f"没有发布版本 {release[:80]!r}：见 /api/v1/releases",
    )
