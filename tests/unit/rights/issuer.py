"""An OpenID Connect provider on loopback: discovery, keys, authorization code with PKCE, ID tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

AUDIENCE, SECRET = "permu-page", "for-the-test-only"


class Issuer:
    """Signs what a test wants; people who come to /authorize are who ``person`` says."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
        self.person: dict[str, Any] = {"sub": "77", "preferred_username": "zhao", "role": "gis"}
        self.codes: dict[str, dict[str, str]] = {}
        self.nonce: str | None = None
        self.url = ""

    def token(self, key: RSAKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed token; a claim of None is left out."""
        now = int(time.time())
        about = {"iss": self.url, "aud": AUDIENCE, "exp": now + 300, "iat": now, **self.person, **claims}
        used = key or self.key
        head = header or {"alg": "RS256", "kid": used.kid or "first"}
        return jwt.encode(head, {k: v for k, v in about.items() if v is not None}, used, algorithms=[head["alg"]])

    def turn_key(self) -> None:
        """A new signing key, published at once."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    def answer(self, path: str) -> dict[str, Any]:
        """The documents of the provider."""
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return {"issuer": self.url, **{name: f"{self.url}/{end}" for name, end in ends.items()}}
        return KeySet([self.key]).as_dict(private=False)  # type: ignore[return-value]

    def grant(self, asked: dict[str, str]) -> str:
        """Where /authorize sends the browser back to."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The ID token for a code: once, for its client, its address and its verifier."""
        asked = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(f"{AUDIENCE}:{SECRET}".encode()).decode()
        if asked is None or authorization != f"Basic {pair}" or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(hashed).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        return {"id_token": self.token(nonce=self.nonce or asked["nonce"]), "token_type": "Bearer", "access_token": "x"}


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", issuer.grant({k: v[0] for k, v in parse_qs(parts.query).items()}))
                self.end_headers()
                return
            self._json(issuer.answer(parts.path))

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {k: v[0] for k, v in parse_qs(text).items()}
            found = issuer.exchange(form, self.headers.get("Authorization", ""))
            self._json(found or {"error": "invalid_grant"}, 200 if found else 400)

        def _json(self, value: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@contextmanager
def running() -> Iterator[Issuer]:
    """A provider at an address of its own."""
    issuer = Issuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(issuer))
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
