"""OpenID Connect: tokens of the configured provider, checked by its published keys; the login of the page.

Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7519 (JWT), RFC 7636 (PKCE).
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.operations.settings import Provider
from api.rights.view import Viewer
from engine.query.parameters import read
from engine.schema.columns import ROLES
from engine.schema.errors import PermuError

TIMEOUT_SECONDS, KEYS_SECONDS, AGAIN_SECONDS, LEEWAY_SECONDS = 10, 600, 30, 60
REST_SECONDS = 5  # a provider that did not answer is not asked again
_CHECKING = 8  # tokens at once
MOST_BYTES = 1 << 20


def _refused(why: str) -> PermuError:
    return PermuError("unauthorized", f"the token is not accepted: {why}", f"令牌无效：{why}")


def _unreachable(error: Exception) -> PermuError:
    return PermuError(
        "provider_unreachable",
        f"the identity provider does not answer ({type(error).__name__}): try again, or use a key of permu",
        f"身份认证服务无响应（{type(error).__name__}）：请稍后重试，或使用 permu 密钥",
    )


def _fetch(url: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """JSON of the provider; PermuError ``provider_unreachable``."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise _unreachable(ValueError(url))
    body = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(url, body, {"Accept": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            found = json.loads(answer.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        if form is not None and 400 <= error.code < 500:
            raise _refused("the provider refused the code") from error
        raise _unreachable(error) from error
    except (OSError, ValueError) as error:
        raise _unreachable(error) from error
    return found if isinstance(found, dict) else {}


def _name(claims: dict[str, Any]) -> str:
    """Who it is: ``sub`` alone is of one person for ever (OpenID Connect Core 2), what they call themselves stands before."""
    subject, called = str(claims["sub"])[:120], str(claims.get("preferred_username") or "")[:60]
    name = f"{called} {subject}" if called and called != subject else subject
    return name.encode("utf-8", "replace").decode()


def _region(claim: object) -> str | None:
    """The code of a region claim; None where it is none."""
    try:
        return read("region", str(claim)) if claim else None
    except PermuError:
        return None


@dataclass(frozen=True)
class Begun:
    """A login on its way: where to send the browser, and what must come back unchanged."""

    address: str
    state: str
    nonce: str
    verifier: str


class Tokens:
    """Checks tokens of one provider and takes people through its login."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._about: dict[str, Any] | None = None
        self._keys: KeySet | None = None
        self._keys_at = self._failed_at = float("-inf")
        self._lock = threading.Lock()
        # threads of its own: a provider that hangs keeps nobody else waiting
        self._checking = ThreadPoolExecutor(_CHECKING, "permu-tokens")

    def about(self) -> dict[str, Any]:
        """The provider's discovery document, read once; its issuer must be the one configured."""
        if self._about is None:
            found = self._read(f"{self.provider.issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self.provider.issuer:
                raise _unreachable(ValueError("another issuer"))
            self._about = found
        return self._about

    def _read(self, url: str) -> dict[str, Any]:
        """What the provider publishes; where it did not answer just now it is not asked."""
        if time.monotonic() - self._failed_at < REST_SECONDS:
            raise _unreachable(TimeoutError())
        try:
            return _fetch(url)
        except PermuError:
            self._failed_at = time.monotonic()
            raise

    def keys(self, older_than: float = KEYS_SECONDS) -> KeySet:
        """The provider's keys, at most ten minutes old."""
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys_at > older_than:
                self._keys = KeySet.import_key_set(self._read(str(self.about()["jwks_uri"])))  # type: ignore[arg-type]
                self._keys_at = time.monotonic()
            return self._keys

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token: signature by an asymmetric algorithm, issuer, audience, times."""
        try:
            decoded = self._decoded(token)
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "values": [self.provider.issuer, f"{self.provider.issuer}/"]},
                aud={"essential": True, "value": self.provider.audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(decoded)
        except (JoseError, ValueError, TypeError) as error:
            raise _refused(f"{type(error).__name__}: {str(error)[:120]}") from error
        return decoded

    def _decoded(self, token: str) -> dict[str, Any]:
        algorithms = list(self.provider.algorithms)
        try:
            return jwt.decode(token, self.keys(), algorithms=algorithms).claims
        except (JoseError, ValueError):  # perhaps the provider has new keys
            return jwt.decode(token, self.keys(AGAIN_SECONDS), algorithms=algorithms).claims

    def viewer_of(self, claims: dict[str, Any], switches: frozenset[str]) -> Viewer:
        """Role, region and enterprise from the configured claims; ``forbidden`` without a role that permu knows."""
        provider = self.provider
        role, region = claims.get(provider.role_claim), claims.get(provider.region_claim)
        enterprise = claims.get(provider.enterprise_claim)
        name = _name(claims)
        known = role in ROLES
        code = _region(region)
        complete = (role != "land_bureau" or code is not None) and (role != "enterprise" or bool(enterprise))
        if not known or not complete or (code is not None and not code.isdigit()):
            raise PermuError(
                "forbidden",
                f"{name}: the token's claims {provider.role_claim}, {provider.region_claim} and "
                f"{provider.enterprise_claim} give no role with what it needs [rule claims, docs/rights.md]",
                f"{name}：令牌中的 {provider.role_claim}、{provider.region_claim}、{provider.enterprise_claim} "
                "未给出可用的角色〔规则 claims，见 docs/rights.md〕",
                rule="claims",
            )
        return Viewer(f"oidc:{name}", str(role), code, str(enterprise) if enterprise else None, switches)

    async def viewer(self, token: str, switches: frozenset[str]) -> Viewer:
        """Who a bearer token speaks for."""
        claims = await asyncio.get_running_loop().run_in_executor(self._checking, self.claims, token)
        return self.viewer_of(claims, switches)

    # --- the login of the page ---------------------------------------------------------------------------------

    def begin(self, callback: str, state: str, nonce: str, verifier: str) -> Begun:
        """The provider's login address, with state, nonce and PKCE."""
        address = prepare_grant_uri(
            str(self.about()["authorization_endpoint"]), self.provider.audience, "code", callback,
            scope="openid profile", state=state, nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256",
        )  # fmt: skip
        return Begun(address, state, nonce, verifier)

    def finish(self, code: str, callback: str, begun: Begun) -> dict[str, Any]:
        """The claims of the ID token that a code is exchanged for."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
        form |= {"client_id": self.provider.audience, "code_verifier": begun.verifier}
        headers = {}
        if self.provider.secret:
            pair = f"{urllib.parse.quote(self.provider.audience)}:{urllib.parse.quote(self.provider.secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answer = _fetch(str(self.about()["token_endpoint"]), form, headers)
        claims = self.claims(str(answer.get("id_token", "")))
        try:
            told = CodeIDToken(claims, {}, params={"nonce": begun.nonce, "client_id": self.provider.audience})
            told.validate_nonce()
            told.validate_azp()
        except (AuthlibBaseError, JoseError) as error:
            raise _refused(f"{type(error).__name__}") from error
        return claims
