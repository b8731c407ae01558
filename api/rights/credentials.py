"""From a request to a viewer: key or token in Authorization, or the page's session cookie."""

from __future__ import annotations

import asyncio
import base64
import hmac
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from starlette.concurrency import run_in_threadpool

from api.rights.oidc import Tokens
from api.rights.users import Known, Session, User, digest, everything
from api.rights.view import ADMINISTRATOR, Viewer
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

COOKIE = "permu"
FRESH_SECONDS, SOONEST_SECONDS = 0.5, 0.05


class Directory:
    """Users, sessions and switches of the ledger, read again every half second: nothing else is cached, so that a
    disabled key stops at once and a new one works at once."""

    def __init__(self, warehouse: Warehouse, required: bool = False) -> None:
        self.warehouse, self.required = warehouse, required
        self.known: Known = Known({}, {}, {}, frozenset())
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    @property
    def stale(self) -> bool:
        """Whether what is known may be older than half a second."""
        return time.monotonic() - self._read_at > FRESH_SECONDS

    def read(self, older_than: float = FRESH_SECONDS) -> None:
        """Read the ledger unless that was done just now. Once there were users, users stay required."""
        with self._lock:
            begun = time.monotonic()
            if begun - self._read_at > older_than:
                try:
                    self.known = everything(self.warehouse)
                except sqlite3.Error as error:
                    raise PermuError(
                        "ledger_busy",
                        f"the ledger cannot be read ({error}), so nobody can be recognised: try again",
                        f"账本无法读取（{error}），无法识别用户：请稍后重试",
                    ) from error
                self.required = self.required or bool(self.known.users)
                self._read_at = begun

    def ahead(self) -> None:
        """:meth:`read` before it is due, so that no request waits for it."""
        self.read(FRESH_SECONDS / 2)

    async def refresh(self, older_than: float = FRESH_SECONDS) -> None:
        """:meth:`read` in a thread."""
        await run_in_threadpool(self.read, older_than)

    async def newest(self) -> None:
        """What the ledger holds now; who asks for it sooner than it is read again waits."""
        asked = time.monotonic()
        await self.refresh(SOONEST_SECONDS)
        if self._read_at < asked:
            await asyncio.sleep(SOONEST_SECONDS)
            await self.refresh(SOONEST_SECONDS)


@dataclass(frozen=True)
class Given:
    """What a request brought: key, user name of Basic, the page's cookie. Never printed."""

    key: str | None = field(default=None, repr=False)
    name: str | None = None
    cookie: str | None = field(default=None, repr=False)


def given(headers: list[tuple[bytes, bytes]]) -> Given:
    """Key and cookie of the headers; an Authorization that cannot be read counts as an unknown key."""
    authorization = cookie = None
    for name, value in headers:
        if name == b"authorization":
            authorization = value.decode("latin-1")
        elif name == b"cookie":
            cookie = _cookie(value.decode("latin-1"))
    if authorization is None:
        return Given(cookie=cookie)
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return Given(rest.strip())
    if scheme.lower() == "basic":
        try:
            user, _, key = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except ValueError:  # no base64, or no text
            return Given("")
        return Given(key, user)
    return Given("")


def _cookie(text: str) -> str | None:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def user_of(known: Known, key: str, name: str | None = None) -> User | None:
    """The active user of a key (and of this name, where Basic gave one)."""
    hashed = digest(key)
    user = known.by_key.get(hashed)
    if user is None or not hmac.compare_digest(user.key_sha256, hashed):
        return None
    return user if user.active and name in (None, user.name) else None


def viewer_of_user(user: User, switches: frozenset[str]) -> Viewer:
    """The viewer that a user is."""
    return Viewer(user.name, user.role, user.region, user.enterprise, switches)


def _of_session(session: Session | None, known: Known) -> Viewer | None:
    if session is None or session.expires_at < time.time():
        return None
    if session.role is not None:
        return Viewer(session.name, session.role, session.region, session.enterprise, known.switches)
    user = known.users.get(session.name)
    return viewer_of_user(user, known.switches) if user and user.active else None


def unauthorized(en: str, zh: str) -> PermuError:
    """401: who asks is not known."""
    return PermuError("unauthorized", en, zh)


class Identify:
    """Finds the viewer of a request by the directory, and by the provider's tokens where there is one."""

    def __init__(self, directory: Directory, tokens: Tokens | None = None) -> None:
        self.directory, self.tokens = directory, tokens

    @property
    def everybody_administers(self) -> bool:
        """Whether there are neither users nor a provider: who reaches the loopback address is the administrator."""
        return not self.directory.required and self.tokens is None

    def at_once(self, headers: list[tuple[bytes, bytes]]) -> Viewer | None:
        """The viewer of a reading request where nothing is to be read or awaited for it; None else."""
        if self.directory.stale:
            return None
        return ADMINISTRATOR if self.everybody_administers else self._known(given(headers))

    async def __call__(self, brought: Given) -> Viewer | None:
        """The viewer; None where nothing was brought. PermuError ``unauthorized`` for what is not known."""
        if brought.key is None and brought.cookie is None:
            return None
        if brought.key is not None and self.tokens and brought.key.count(".") == 2:
            return await self.tokens.viewer(brought.key, self.directory.known.switches)
        found = self._known(brought)
        if found is None:  # perhaps added a moment ago
            await self.directory.newest()
            found = self._known(brought)
        if found is None and brought.key is not None:
            raise unauthorized(
                "this key is unknown, disabled or past its last day: ask the land bureau for one "
                "(permu users add, permu users rotate)",
                "密钥未知、已停用或已过期：请向国土部门申请（permu users add、permu users rotate）",
            )
        return found

    def _known(self, brought: Given) -> Viewer | None:
        known = self.directory.known
        if brought.key is not None:
            user = user_of(known, brought.key, brought.name)
            return viewer_of_user(user, known.switches) if user else None
        return _of_session(known.sessions.get(digest(brought.cookie or "")), known)
