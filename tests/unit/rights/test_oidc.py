"""OpenID Connect against a real provider on loopback: tokens that count, tokens that do not, the page's login."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey

from api.operations.settings import Provider, Settings
from api.rights import oidc
from engine.schema.errors import PermuError
from tests.unit.rights.issuer import AUDIENCE, SECRET, Issuer, running


@pytest.fixture(scope="module")
def provider() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def client(provider: Issuer, own: Callable[..., TestClient]) -> TestClient:
    provider.person, provider.nonce = {"sub": "77", "preferred_username": "zhao", "role": "gis"}, None
    return own(provider=Provider(provider.url, AUDIENCE, SECRET))


def ask(client: TestClient, token: str) -> Any:
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def test_a_token_gives_the_role_and_region_of_its_claims(client: TestClient, provider: Issuer) -> None:
    me = ask(client, provider.token()).json()
    assert (me["name"], me["role"], me["region"]) == ("oidc:zhao 77", "gis", None)
    me = ask(client, provider.token(role="land_bureau", region="320500")).json()
    assert (me["role"], me["region"]) == ("land_bureau", "3205")
    assert client.get("/api/v1/me").status_code == 401  # with a provider nobody is the local administrator


def _unsigned(claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in ({"alg": "none"}, claims)]
    return ".".join([*parts, ""])


def _with_public_key(claims: dict[str, Any], public: bytes) -> str:
    """HS256 with the public key taken as the shared secret: what careless libraries accept."""
    start = _unsigned(claims).split(".")
    start[0] = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').rstrip(b"=").decode()
    signed = hmac.new(public, ".".join(start[:2]).encode(), "sha256").digest()
    return ".".join([*start[:2], base64.urlsafe_b64encode(signed).rstrip(b"=").decode()])


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"exp": 1_000_000_000},  # 2001
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},  # 2096
        {"sub": None},
    ],
    ids=lambda claims: "-".join(f"{k}={str(v)[:12]}" for k, v in claims.items()),
)
def test_a_wrong_token_is_401(client: TestClient, provider: Issuer, claims: dict[str, Any]) -> None:
    answer = ask(client, provider.token(**claims))
    assert answer.status_code == 401 and answer.json()["code"] == "unauthorized", answer.text


def test_forged_tokens_are_401(client: TestClient, provider: Issuer) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "first"})
    about = {"iss": provider.url, "aud": AUDIENCE, "exp": int(time.time()) + 99, "sub": "1", "role": "regulator"}
    forged = [
        provider.token(stranger),
        _unsigned(about),
        _with_public_key(about, provider.key.as_pem(private=False)),
        provider.token()[:-4] + "AAAA",
        "a.b.c",
        "..",
    ]
    assert [ask(client, token).status_code for token in forged] == [401] * len(forged)


@pytest.mark.parametrize(
    "claims",
    [
        {"role": "administrator"},
        {"role": None},
        {"role": ["gis"]},
        {"role": "land_bureau"},
        {"role": "enterprise"},
        {"role": "land_bureau", "region": "x"},
        {"role": "gis", "region": "no"},
    ],
    ids=str,
)
def test_a_token_without_a_usable_role_is_403(client: TestClient, provider: Issuer, claims: dict[str, Any]) -> None:
    answer = ask(client, provider.token(**claims))
    assert answer.status_code == 403 and answer.json()["rule"] == "claims"


def test_a_new_key_of_the_provider_is_fetched(
    client: TestClient, provider: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(client, provider.token()).status_code == 200
    provider.turn_key()
    assert ask(client, provider.token()).status_code == 401  # asked for keys a moment ago: not for every stranger again
    monkeypatch.setattr(oidc, "AGAIN_SECONDS", 0)
    assert ask(client, provider.token()).status_code == 200


def test_a_provider_that_is_away_is_503(own: Callable[..., TestClient], provider: Issuer) -> None:
    away = own(provider=Provider("http://127.0.0.1:9", AUDIENCE))
    answer = ask(away, provider.token())
    assert answer.status_code == 503 and answer.json()["code"] == "provider_unreachable"


def test_two_people_of_one_name_are_two_and_a_name_cut_within_a_letter_is_one(
    client: TestClient, provider: Issuer
) -> None:
    names = {ask(client, provider.token(sub=sub)).json()["name"] for sub in ("77", "78")}
    assert len(names) == 2
    claims = {"sub": "77", "preferred_username": "li\ud83d", "role": "gis", "region": "3205\ud83d"}
    tokens = oidc.Tokens(Provider(provider.url, AUDIENCE))
    assert tokens.viewer_of(claims, frozenset()).name == "oidc:li? 77"


@pytest.fixture
def silent() -> Iterator[str]:
    """A provider that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_provider_that_hangs_keeps_only_its_tokens_waiting(
    own: Callable[..., TestClient], provider: Issuer, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 3)
    with own(provider=Provider(silent, AUDIENCE)) as hanging:
        token = provider.token()
        with ThreadPoolExecutor(60) as many:
            begun = time.monotonic()
            asked = [many.submit(ask, hanging, token) for _ in range(60)]
            time.sleep(0.5)
            assert many.submit(hanging.get, "/healthz") and hanging.get("/healthz").status_code == 200
            assert time.monotonic() - begun < 2.5
            assert {one.result().status_code for one in asked} <= {503, 429}
        assert time.monotonic() - begun < 6  # one waits in vain, the others are told at once
        assert ask(hanging, token).json()["code"] == "provider_unreachable"


def _through(client: TestClient, to: str = "/docs") -> Any:
    """Through the provider's login as a browser goes, up to the answer of the callback."""
    begun = client.get("/login/oidc", params={"next": to})
    assert begun.status_code == 303 and "code_challenge_method=S256" in begun.headers["location"]

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(begun.headers["location"])
    except urllib.error.HTTPError as sent:
        back = urlsplit(sent.headers["Location"])
    assert back.path == "/login/callback"
    return client.get(f"{back.path}?{back.query}"), f"{back.path}?{back.query}"


def test_the_page_signs_in_at_the_provider(client: TestClient, provider: Issuer) -> None:
    assert "/login/oidc" in client.get("/login").text
    answer, address = _through(client)
    assert answer.status_code == 303 and answer.headers["location"] == "/docs"
    assert client.get("/api/v1/me").json()["name"] == "oidc:zhao 77"
    assert client.get(address).status_code == 401  # neither state nor code count twice


@pytest.mark.parametrize("change", [("state=", "state=x"), ("code=", "code=x")])
def test_a_login_that_was_tampered_with_begins_no_session(client: TestClient, change: tuple[str, str]) -> None:
    begun = client.get("/login/oidc")
    state = dict(p.split("=") for p in urlsplit(begun.headers["location"]).query.split("&"))["state"]
    answer = client.get(f"/login/callback?code=unknown&state={state}".replace(*change))
    assert answer.status_code == 401 and "permu=" not in answer.headers.get("set-cookie", "")


def test_an_id_token_of_another_login_begins_no_session(client: TestClient, provider: Issuer) -> None:
    provider.nonce = "of another login"
    answer, _ = _through(client)
    assert answer.status_code == 401


def test_settings_of_the_provider_come_from_the_environment() -> None:
    given = {"PERMU_OIDC_ISSUER": "https://id.example/", "PERMU_OIDC_CLIENT_ID": "permu", "PERMU_OIDC_ROLE_CLAIM": "r"}
    found = Settings.from_environment(given).provider
    assert found == Provider("https://id.example", "permu", None, "r")
    with pytest.raises(PermuError):
        Settings.from_environment({"PERMU_OIDC_ISSUER": "https://id.example"})
    for name in ("PERMU_RATE", "PERMU_BURST", "PERMU_SESSION_HOURS"):
        with pytest.raises(PermuError):
            Settings.from_environment({name: "-1"})
