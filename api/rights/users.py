"""Users, their keys and the bureau's switches in the ledger; a key is shown once and kept as its hash only.

A key is 256 random bits, so one SHA-256 is a sufficient hash: there is nothing to guess from, and checking it costs
a microsecond (slow hashes are for passwords that people choose).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from api.rights.rules import SWITCHES
from engine.query.parameters import read
from engine.schema.columns import ROLES
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now, who

TABLES = (
    "CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, role TEXT NOT NULL, region TEXT, enterprise TEXT,"
    " key_sha256 TEXT NOT NULL, created_at TEXT NOT NULL, expires_on TEXT, disabled_at TEXT, last_used_on TEXT)",
    "CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY, state INTEGER NOT NULL, at TEXT NOT NULL,"
    " who TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sessions (token_sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT, region TEXT,"
    " enterprise TEXT, expires_at REAL NOT NULL)",
)
_NAME = re.compile(r"[\w.@-]{1,60}")  # no colon: Basic separates name and key by it


@dataclass(frozen=True)
class User:
    """A user as the ledger keeps it; ``key_sha256`` is never printed."""

    name: str
    role: str
    region: str | None
    enterprise: str | None
    key_sha256: str
    created_at: str
    expires_on: str | None
    disabled_at: str | None
    last_used_on: str | None

    @property
    def active(self) -> bool:
        """Neither disabled nor past the last day of its key (UTC)."""
        return self.disabled_at is None and (self.expires_on is None or today() <= self.expires_on)

    def shown(self) -> dict[str, Any]:
        """For people and programs: everything but the hash."""
        return {k: v for k, v in asdict(self).items() if k != "key_sha256"} | {"active": self.active}


def today() -> str:
    """The day in UTC."""
    return datetime.now(UTC).date().isoformat()


def digest(secret: str) -> str:
    """What is kept of a key or a session's token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_key() -> str:
    return f"permu_{secrets.token_urlsafe(32)}"


def _bad(en: str, zh: str) -> PermuError:
    return PermuError("bad_user", en, zh)


def _checked(name: str, role: str, region: str | None, enterprise: str | None, expires: str | None) -> str | None:
    """The region as a prefix of digits; PermuError ``bad_user`` says what a user of this role needs."""
    if not _NAME.fullmatch(name):
        raise _bad(
            f"user name {name[:60]!r}: 1 to 60 letters, digits, . _ - @",
            f"用户名 {name[:60]!r}：1 至 60 个字母、数字或 . _ - @",
        )
    if role not in ROLES:
        raise _bad(f"role {role!r}: one of {', '.join(ROLES)}", f"角色 {role!r}：可选 {'、'.join(ROLES)}")
    if role == "land_bureau" and region is None:
        raise _bad(
            "a land_bureau user needs --region: the region whose figures it sees", "land_bureau 用户需要 --region"
        )
    if (role == "enterprise") != (enterprise is not None):
        raise _bad(
            "--enterprise ID names the firm of an enterprise user: needed for that role and for no other",
            "--enterprise 指明企业用户所属企业：仅该角色需要且必须给出",
        )
    if expires is not None:
        try:
            date.fromisoformat(expires)
        except ValueError:
            raise _bad(
                f"--expires {expires!r}: a date as 2025-12-31", f"--expires {expires!r}：请用 2025-12-31 形式"
            ) from None
    code = read("region", region)
    if code is not None and not code.isdigit():
        raise _bad(f"region {code!r}: digits of a city, county or town", f"区划 {code!r}：请使用市、县或乡镇的数字代码")
    return None if code is None else str(code)


def tables(db: sqlite3.Connection) -> None:
    """Make the tables in a ledger that was made before there were users."""
    for statement in TABLES:
        db.execute(statement)


def add(
    warehouse: Warehouse,
    name: str,
    role: str,
    region: str | None = None,
    enterprise: str | None = None,
    expires: str | None = None,
) -> tuple[User, str]:
    """A new user and its key, which nothing keeps; PermuError ``bad_user``, ``user_exists``."""
    code = _checked(name, role, region, enterprise, expires)
    key = _new_key()
    user = User(name, role, code, enterprise and enterprise.strip(), digest(key), now(), expires, None, None)
    warehouse.create()
    with warehouse.connect() as db:
        tables(db)
        if db.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone():
            raise PermuError(
                "user_exists",
                f"user {name} exists: names are never given twice; `permu users rotate {name}` makes a new key",
                f"用户 {name} 已存在，用户名不重复使用；permu users rotate {name} 可更换密钥",
            )
        db.execute(f"INSERT INTO users VALUES ({', '.join('?' * 9)})", tuple(asdict(user).values()))
        _note(db, "user added", f"{name} {role} {code or ''} {enterprise or ''}")
    return user, key


def _note(db: sqlite3.Connection, action: str, detail: str) -> None:
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (now(), who(), action, " ".join(detail.split())))


def _of(db: sqlite3.Connection, name: str) -> User:
    row = db.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise PermuError(
            "unknown_user",
            f"no user {name[:60]!r}: see permu users list",
            f"没有用户 {name[:60]!r}：见 permu users list",
        )
    return User(**dict(row))


def disable(warehouse: Warehouse, name: str) -> User:
    """Its key and sessions stop working, in running servers within a second; PermuError ``unknown_user``."""
    with warehouse.require().connect() as db:
        tables(db)
        if _of(db, name).disabled_at is None:
            db.execute("UPDATE users SET disabled_at = ? WHERE name = ?", (now(), name))
            db.execute("DELETE FROM sessions WHERE name = ?", (name,))
            _note(db, "user disabled", name)
        return _of(db, name)


def rotate(warehouse: Warehouse, name: str, expires: str | None = None) -> tuple[User, str]:
    """A new key in place of the old one, which stops working; a disabled user works again."""
    key = _new_key()
    with warehouse.require().connect() as db:
        tables(db)
        old = _of(db, name)
        _checked(name, old.role, old.region, old.enterprise, expires)
        change = (digest(key), expires or None, name)
        db.execute("UPDATE users SET key_sha256 = ?, expires_on = ?, disabled_at = NULL WHERE name = ?", change)
        db.execute("DELETE FROM sessions WHERE name = ?", (name,))
        _note(db, "user key rotated", name)
        return _of(db, name), key


def set_switch(warehouse: Warehouse, name: str, on: bool) -> None:
    """Set a switch of api.rights.rules; PermuError ``unknown_switch``."""
    if name not in SWITCHES:
        raise PermuError(
            "unknown_switch",
            f"no switch {name[:60]!r}: there are {', '.join(SWITCHES)}",
            f"没有开关 {name[:60]!r}：现有 {'、'.join(SWITCHES)}",
        )
    warehouse.create()
    with warehouse.connect() as db:
        tables(db)
        db.execute("INSERT OR REPLACE INTO switches VALUES (?, ?, ?, ?)", (name, int(on), now(), who()))
        _note(db, "switch set", f"{name} {'on' if on else 'off'}")


def _rows(db: sqlite3.Connection, table: str) -> list[sqlite3.Row]:
    known = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    return db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() if known else []


def listed(warehouse: Warehouse) -> list[User]:
    """Every user by name, disabled ones too; none where the ledger has no users."""
    with warehouse.read() as db:
        return [User(**dict(row)) for row in _rows(db, "users")]


def has_users(warehouse: Warehouse) -> bool:
    """Whether there ever was a user: from then on nobody is an administrator for being local."""
    return warehouse.ledger.is_file() and bool(listed(warehouse))


def switches(warehouse: Warehouse) -> dict[str, bool]:
    """Every switch with its state."""
    found = {s.name: s.default for s in SWITCHES.values()}
    with warehouse.read() as db:
        return found | {row["name"]: bool(row["state"]) for row in _rows(db, "switches") if row["name"] in found}


@dataclass(frozen=True)
class Session:
    """A login of the page: a user of the ledger (role None), or what an identity provider said of a person."""

    token_sha256: str
    name: str
    role: str | None
    region: str | None
    enterprise: str | None
    expires_at: float


@dataclass(frozen=True)
class Known:
    """Users, sessions and switches at one moment."""

    users: dict[str, User]
    by_key: dict[str, User]
    sessions: dict[str, Session]
    switches: frozenset[str]


def everything(warehouse: Warehouse) -> Known:
    """All of it in one read of the ledger; empty where there is no ledger."""
    on = {s.name: s.default for s in SWITCHES.values()}
    if not warehouse.ledger.is_file():
        return Known({}, {}, {}, frozenset(n for n, s in on.items() if s))
    with warehouse.read() as db:
        users = [User(**dict(row)) for row in _rows(db, "users")]
        sessions = [Session(**dict(row)) for row in _rows(db, "sessions")]
        on |= {row["name"]: bool(row["state"]) for row in _rows(db, "switches")}
    return Known(
        {u.name: u for u in users},
        {u.key_sha256: u for u in users},
        {s.token_sha256: s for s in sessions},
        frozenset(n for n, s in on.items() if s),
    )
