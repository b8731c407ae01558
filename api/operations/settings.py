"""Settings of a server, from the environment: what `permu serve` hands to its worker processes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.schema.errors import PermuError


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider: whose tokens count, and which claims hold role, region and enterprise."""

    issuer: str
    audience: str
    secret: str | None = field(default=None, repr=False)
    role_claim: str = "role"
    region_claim: str = "region"
    enterprise_claim: str = "enterprise"
    algorithms: tuple[str, ...] = ("RS256", "ES256")


@dataclass(frozen=True)
class Basemap:
    """Tiles of elsewhere under the page's map: their address with {z}, {x}, {y}, and whose they are."""

    address: str
    credit: str = ""

    @property
    def origin(self) -> str:
        """What the page may ask besides this server."""
        scheme, rest = self.address.split("://", 1)
        return f"{scheme}://{rest.split('/', 1)[0]}"


@dataclass(frozen=True)
class Settings:
    """``rate`` requests a second and ``burst`` at once, for each user or address in each worker."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    rate: float = 200.0
    burst: int = 1000
    users_required: bool = False
    access_log: bool = False
    session_hours: float = 12.0
    provider: Provider | None = None
    basemap: Basemap | None = None
    patience: float = 0.0  # seconds between two looks for other releases, see api.fresh

    @classmethod
    def from_environment(cls, given: Mapping[str, str] = os.environ) -> Settings:
        """Read PERMU_ALLOW_HOST, PERMU_CORS, PERMU_RATE, PERMU_BURST, PERMU_USERS_REQUIRED, PERMU_ACCESS_LOG,
        PERMU_SESSION_HOURS, PERMU_BASEMAP and PERMU_OIDC_*; PermuError ``bad_setting`` names the one that is malformed."""
        return cls(
            patience=0.05,
            hosts=_list(given, "PERMU_ALLOW_HOST"),
            origins=_list(given, "PERMU_CORS"),
            rate=_number(given, "PERMU_RATE", cls.rate),
            burst=int(_number(given, "PERMU_BURST", cls.burst)),
            users_required=given.get("PERMU_USERS_REQUIRED") == "1",
            access_log=given.get("PERMU_ACCESS_LOG") == "1",
            session_hours=_number(given, "PERMU_SESSION_HOURS", cls.session_hours),
            provider=_provider(given),
            basemap=_basemap(given),
        )


def _list(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip().rstrip("/") for part in given.get(name, "").split(",") if part.strip())


def _number(given: Mapping[str, str], name: str, default: float) -> float:
    text = given.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise PermuError("bad_setting", f"{name}={text!r}: a number above 0", f"{name}={text!r}：应为大于 0 的数")
    return value


_TILES = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/[^\s;,'\"<>]*")


def _basemap(given: Mapping[str, str]) -> Basemap | None:
    address = given.get("PERMU_BASEMAP", "").strip()
    if not address:
        return None
    if not _TILES.fullmatch(address) or not all(part in address for part in ("{z}", "{x}", "{y}")):
        raise PermuError(
            "bad_setting",
            f"PERMU_BASEMAP={address[:80]!r}: an http(s) address of tiles with {{z}}, {{x}} and {{y}}",
            f"PERMU_BASEMAP={address[:80]!r}：应为含 {{z}}、{{x}}、{{y}} 的 http(s) 瓦片地址",
        )
    return Basemap(address, given.get("PERMU_BASEMAP_CREDIT", "").strip())


def _provider(given: Mapping[str, str]) -> Provider | None:
    issuer, audience = given.get("PERMU_OIDC_ISSUER", "").rstrip("/"), given.get("PERMU_OIDC_CLIENT_ID", "")
    if not issuer and not audience:
        return None
    if not issuer or not audience:
        raise PermuError(
            "bad_setting",
            "PERMU_OIDC_ISSUER and PERMU_OIDC_CLIENT_ID belong together: set both or neither",
            "PERMU_OIDC_ISSUER 与 PERMU_OIDC_CLIENT_ID 必须同时设置",
        )
    return Provider(
        issuer,
        audience,
        given.get("PERMU_OIDC_SECRET") or None,
        given.get("PERMU_OIDC_ROLE_CLAIM", Provider.role_claim),
        given.get("PERMU_OIDC_REGION_CLAIM", Provider.region_claim),
        given.get("PERMU_OIDC_ENTERPRISE_CLAIM", Provider.enterprise_claim),
    )
