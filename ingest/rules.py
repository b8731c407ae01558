"""Rules of merging that are policy data: whom to believe, and when two areas disagree."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from engine.schema.errors import PermuError
from engine.schema.facts import FACTS
from engine.schema.units import DM2_PER_MU
from ingest.declared import sources


class Limits(BaseModel):
    """Two limits that an area must pass to be found: ``percent`` of another and ``least_mu`` (decimal or fraction)."""

    model_config = ConfigDict(extra="forbid")
    percent: int = Field(ge=0, le=100)
    least_mu: str

    @field_validator("least_mu")
    @classmethod
    def _a_number(cls, text: str) -> str:
        try:
            least = Fraction(text)
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError(f"{text!r} is no decimal and no fraction") from error
        if least < 0:
            raise ValueError(f"{text} is negative")
        return text

    @property
    def least_dm2(self) -> int:
        """``least_mu`` in dm², rounded down: a difference is an integer of dm²."""
        return int(Fraction(self.least_mu) * DM2_PER_MU)


class Rules(BaseModel):
    """The file of merge rules: trust order per field and the limits of what is found about parcels."""

    model_config = ConfigDict(extra="forbid")
    trust: dict[str, list[str]]
    area_dispute: Limits
    parcel_overlap: Limits = Limits(percent=1, least_mu="0.05")
    outside_region: Limits = Limits(percent=10, least_mu="0.5")

    @field_validator("trust")
    @classmethod
    def _known_fields(cls, trust: dict[str, list[str]]) -> dict[str, list[str]]:
        unknown = sorted(set(trust) - set(FACTS))
        if unknown:
            raise ValueError(f"unknown fields {unknown}")
        for field, order in trust.items():
            if strange := sorted(set(order) - set(sources())):
                raise ValueError(f"{field}: unknown sources {strange}; known are {sorted(sources())}")
            if len(set(order)) < len(order):
                raise ValueError(f"{field}: a source stands twice in {order}")
        return trust

    def order(self, field: str, sources: list[str]) -> list[str]:
        """``sources`` from the most to the least trusted for ``field``."""
        named = self.trust.get(field, [])
        return sorted(sources, key=lambda s: (named.index(s) if s in named else len(named), s))


def load_rules(path: Path | None = None) -> Rules:
    """The rules of ``path``, else the shipped ones; PermuError bad_rules names the line's field."""
    try:
        text = path.read_text("utf-8") if path else files("ingest").joinpath("rules.yaml").read_text("utf-8")
        return Rules.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _bad(path, " ".join(str(error).split())) from error
    except ValidationError as error:
        raise _bad(path, "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())) from error


def _bad(path: Path | None, why: str) -> PermuError:
    return PermuError(
        "bad_rules",
        f"{path}: not a file of merge rules: {why}; compare it with ingest/rules.yaml",
        f"{path}：不是有效的合并规则文件：{why}；请对照 ingest/rules.yaml 修改",
    )
