"""Targets set for regions, and the base figures that a bureau fills in: YAML, read strictly."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.policy.faults import found
from engine.schema.errors import PermuError
from engine.schema.facts import FACTS

TARGETS = "sunan-2017"
BASE_FILE = "targets.yaml"
_SHOWN = 5


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """A text in both languages."""

    zh: str
    en: str


class Target(_Strict):
    """One target: Σ ``above`` × ``times`` ÷ (Σ ``below`` × ``by``) in smallest units, over who has every one of them.

    ``kind`` change: value ÷ base − 1 is at most ``goal``; growth: the yearly rate since the base year is at least
    ``goal``; level: the value itself is at least ``goal``.
    """

    id: str
    zh: str
    en: str
    kind: Literal["change", "growth", "level"]
    goal: float
    above: tuple[str, ...] = Field(min_length=1)
    below: str
    times: int = 1
    by: int = 1
    scale: Literal["above_scale", "below_scale"] | None = None
    unit_zh: str
    unit_en: str
    chosen: Words | None = None

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that it needs of an enterprise."""
        return (*self.above, self.below)


class Targets(_Strict):
    """What one document asks of which regions by when."""

    id: str
    title: Words
    number: str
    source: str
    base_year: int
    until: int
    regions: tuple[str, ...]
    targets: tuple[Target, ...]


class Figure(_Strict):
    """The figure of a base year for a region (2, 4 or 6 digits), in the target's unit, with where it is published."""

    region: Annotated[str, Field(pattern=r"^(\d{2}|\d{4}|\d{6})$")]
    target: str
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    source: Annotated[str, Field(min_length=4)]


class Bases(_Strict):
    """A bureau's base figures for one document of targets; a region's figure of a target stands in it once."""

    targets: str
    figures: tuple[Figure, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Bases:
        known = {t.id for t in load_targets().targets}
        keys = [(f.region, f.target) for f in self.figures]
        if self.targets != TARGETS:
            raise ValueError(f"targets: {TARGETS} is the one document of targets there is")
        for figure in self.figures:
            if figure.target not in known:
                raise ValueError(f"target {figure.target}: one of {', '.join(sorted(known))}")
            if keys.count((figure.region, figure.target)) > 1:
                raise ValueError(f"region {figure.region}, target {figure.target} is given twice")
        return self

    def of(self, region: str, target: str) -> Figure | None:
        """The figure of a region and target; None where the bureau stated none."""
        return next((f for f in self.figures if (f.region, f.target) == (region, target)), None)


def load_targets() -> Targets:
    """The targets that come with permu."""
    text = files("data.targets").joinpath(f"{TARGETS}.yaml").read_text(encoding="utf-8")
    loaded = Targets.model_validate(yaml.safe_load(text))
    unknown = {n for t in loaded.targets for n in t.facts} - set(FACTS)
    assert not unknown, unknown
    return loaded


def load_bases(home: Path) -> Bases:
    """The base figures of a warehouse (``<home>/targets.yaml``), none where there is no such file; PermuError
    bad_targets where it is not wholly understood."""
    place = home / BASE_FILE
    if not place.is_file():
        return Bases(targets=TARGETS)
    try:
        text = place.read_text(encoding="utf-8")
        read: Any = yaml.safe_load(text)
        return Bases.model_validate(read)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _bad(place, " ".join(str(error).split()), " ".join(str(error).split())) from error
    except ValidationError as error:
        faults = found(error, text)[:_SHOWN]
        raise _bad(place, *("; ".join(f.text(zh) for f in faults) for zh in (False, True))) from error


def _bad(place: Path, en: str, zh: str) -> PermuError:
    return PermuError(
        "bad_targets",
        f"{place.name}: {en}; each figure has region, target, value and source (docs/overview.md)",
        f"{place.name}：{zh}；每条须写明 region、target、value、source（见 docs/overview.md）",
    )
