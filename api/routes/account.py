"""Who am I, signing in to the page and out again."""

from __future__ import annotations

import html
import secrets
import time
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.query import NoQuery
from api.respond import dump
from api.rights import ACTIONS, viewer_of
from api.rights.credentials import COOKIE, Directory, unauthorized, user_of
from api.rights.oidc import Begun, Tokens
from api.rights.users import Session, digest, tables
from engine.schema.errors import PermuError

router = APIRouter(tags=["account"])
MOST_FORM = 4096
LOGIN_COOKIE, LOGIN_SECONDS = "permu_login", 600


class NextQuery(NoQuery):
    """Where to go after signing in."""

    next: str | None = None


class CallbackQuery(NoQuery):
    """What the identity provider sends back."""

    code: str | None = None
    state: str | None = None
    error: str | None = None
    error_description: str | None = None
    iss: str | None = None
    session_state: str | None = None


@router.get("/api/v1/me", summary="Who asks, and what they may do")
def me(request: Request, asked: Annotated[NoQuery, Query()]) -> Response:
    """Name, role, region, enterprise and the names of the actions that the role may do."""
    viewer = viewer_of(request)
    can = [name for name in ACTIONS if viewer.can(name)]
    about: dict[str, Any] = {"name": viewer.name, "role": viewer.role}
    about |= {"region": viewer.region, "enterprise": viewer.enterprise, "can": can}
    about["login"] = not viewer.is_administrator
    return Response(dump(about), headers={"Cache-Control": "no-store"}, media_type="application/json")


def local(path: str | None) -> str:
    """A path of this server to go to; anything else is the start page."""
    parts = urlsplit(path or "/")
    plain = not parts.scheme and not parts.netloc and parts.path.startswith("/") and "\\" not in (path or "")
    return path or "/" if plain and not (path or "/").startswith("//") else "/"


def _form(request: Request, to: str, wrong: bool = False) -> Response:
    provider = _tokens(request) is not None
    told = '<p role="alert" class="wrong">用户名或密钥不正确 · Unknown name or key</p>' if wrong else ""
    onward = html.escape(quote(to, safe="/"), quote=True)
    other = f'<p><a href="/login/oidc?next={onward}">统一身份认证 · Single sign-on</a></p>' if provider else ""
    page = (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>登录 · Sign in — permu</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/login/style.css"></head>'
        f'<body><main><h1>permu 登录 · Sign in</h1>{told}<form method="post" action="/login?next={onward}">'
        '<label>用户名 · User<input name="name" autocomplete="username" required autofocus></label>'
        '<label>密钥 · Key<input name="key" type="password" autocomplete="current-password" required></label>'
        f"<button>登录 · Sign in</button></form>{other}</main></body></html>"
    )
    headers = {"Cache-Control": "no-store"}
    return Response(page, 401 if wrong else 200, headers, "text/html; charset=utf-8")


STYLE = (
    "body{font:16px/1.6 sans-serif;background:#f5f6f7;color:#1b1f23;display:grid;place-items:center;min-height:90vh}"
    "main{background:#fff;border:1px solid #d0d5da;border-radius:8px;padding:2rem;width:min(22rem,85vw)}"
    "h1{font-size:1.2rem;margin:0 0 1rem}label{display:block;margin:.75rem 0}"
    "input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.4rem;border:1px solid #7a828a;border-radius:4px}"
    "button{font:inherit;padding:.5rem 1rem;background:#0b5cad;color:#fff;border:0;border-radius:4px}"
    ".wrong{color:#a4161a}"
)


@router.get("/login/style.css", include_in_schema=False)
def style() -> Response:
    """The few lines of style of the login form."""
    return Response(STYLE, media_type="text/css")


@router.get("/login", include_in_schema=False)
def login_form(request: Request, asked: Annotated[NextQuery, Query()]) -> Response:
    """The form for name and key."""
    return _form(request, local(asked.next))


@router.post("/login", include_in_schema=False)
async def login(request: Request, asked: Annotated[NextQuery, Query()]) -> Response:
    """Sign in with name and key; the page then holds a session cookie, never the key."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_FORM:
            raise PermuError("bad_parameter", "the form is too long", "表单过长", parameter="form")
    given = parse_qs(body.decode("utf-8", "replace"))
    name, key = ((given.get(field) or [""])[0].strip() for field in ("name", "key"))
    directory: Directory = request.app.state.directory
    await directory.newest()
    user = user_of(directory.known, key, name)
    if user is None:
        return _form(request, local(asked.next), wrong=True)
    return await _signed_in(request, Session("", user.name, None, None, None, 0), local(asked.next))


async def _signed_in(request: Request, about: Session, to: str) -> Response:
    token = secrets.token_urlsafe(32)
    hours = request.app.state.settings.session_hours
    until = time.time() + 3600 * hours
    session = Session(digest(token), about.name, about.role, about.region, about.enterprise, until)
    await run_in_threadpool(_keep, request.app.state.directory, session)
    answer = RedirectResponse(to, 303, {"Cache-Control": "no-store"})
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, int(3600 * hours), path="/", secure=secure, httponly=True, samesite="lax")
    return answer


def _keep(directory: Directory, session: Session) -> None:
    row = (session.token_sha256, session.name, session.role, session.region, session.enterprise, session.expires_at)
    with directory.warehouse.require().connect() as db:
        tables(db)
        db.execute("DELETE FROM sessions WHERE expires_at < ?", (time.time(),))
        db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", row)
    directory.read(-1)


@router.post("/logout", include_in_schema=False)
def logout(request: Request, asked: Annotated[NoQuery, Query()]) -> Response:
    """End the session, in every worker."""
    directory: Directory = request.app.state.directory
    token = request.cookies.get(COOKIE)
    if token:
        with directory.warehouse.require().connect() as db:
            tables(db)
            db.execute("DELETE FROM sessions WHERE token_sha256 = ?", (digest(token),))
        directory.read(-1)
    answer = RedirectResponse("/login", 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


# --- the identity provider's login -----------------------------------------------------------------------------


def _tokens(request: Request) -> Tokens | None:
    found: Tokens | None = request.app.state.tokens
    return found


def _provider(request: Request) -> Tokens:
    found = _tokens(request)
    if found is None:
        raise PermuError("not_found", "no identity provider is configured", "未配置统一身份认证")
    return found


def _callback(request: Request) -> str:
    return str(request.url.replace(path="/login/callback", query=""))


@router.get("/login/oidc", include_in_schema=False)
def oidc_login(request: Request, asked: Annotated[NextQuery, Query()]) -> Response:
    """To the identity provider, with state, nonce and PKCE kept in a short-lived cookie."""
    tokens = _provider(request)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    begun = tokens.begin(_callback(request), state, nonce, verifier)
    answer = RedirectResponse(begun.address, 303, {"Cache-Control": "no-store"})
    kept = "~".join((state, nonce, verifier, quote(local(asked.next), safe="")))
    secure = request.url.scheme == "https"
    answer.set_cookie(LOGIN_COOKIE, kept, LOGIN_SECONDS, "/login", secure=secure, httponly=True, samesite="lax")
    return answer


@router.get("/login/callback", include_in_schema=False)
async def oidc_callback(request: Request, asked: Annotated[CallbackQuery, Query()]) -> Response:
    """Back from the identity provider: the code is exchanged, the ID token checked, a session begun."""
    tokens = _provider(request)
    parts = request.cookies.get(LOGIN_COOKIE, "").split("~", 3)
    if len(parts) != 4 or not asked.code or not secrets.compare_digest(parts[0], asked.state or ""):
        raise unauthorized(
            f"the login was not begun here or was refused ({(asked.error or 'state')[:40]}): begin again at /login",
            f"登录未在此发起或被拒绝（{(asked.error or 'state')[:40]}）：请从 /login 重新开始",
        )
    begun = Begun("", parts[0], parts[1], parts[2])
    claims = await run_in_threadpool(tokens.finish, asked.code, _callback(request), begun)
    viewer = tokens.viewer_of(claims, request.app.state.directory.known.switches)
    about = Session("", viewer.name, viewer.role, viewer.region, viewer.enterprise, 0)
    answer = await _signed_in(request, about, local(unquote(parts[3])))
    answer.delete_cookie(LOGIN_COOKIE, path="/login")
    return answer
