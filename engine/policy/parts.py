"""What every part of a pack is made of: strict forms, titles with two languages, exact decimals, and place levels."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

NOT_EVALUATED = "T"

Level = Literal["region_city", "region_county", "region_town", "industry_2", "scale_group", "all"]
Grade = Annotated[str, Field(min_length=1, max_length=8)]
Division = Annotated[str, Field(pattern=r"^\d\d$")]
# Section (C), division (17), group (171) or class (1711) of GB/T 4754.
Industry = Annotated[str, Field(pattern=r"^([A-T]|\d{2,4})$")]
# Province, city, county or town: 2, 4, 6 or 9 digits of GB/T 2260.
Region = Annotated[str, Field(pattern=r"^(\d{2}|\d{4}|\d{6}|\d{9})$")]


def _decimal(value: Any) -> Any:
    """A number as it was written: 0.1229 stays 0.1229, and yes/no is no number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def plain(value: Decimal) -> int | float:
    """The number as people write it: 105, not 105.0."""
    return int(value) if value == value.to_integral_value() else float(value)


# A decimal number, exact as written; JSON shows it as a number.
Exact = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(allow_inf_nan=False),
    PlainSerializer(plain, when_used="json"),
    WithJsonSchema({"type": "number"}),
]


class Form(BaseModel):
    """Base of every part: frozen, no unknown keys (a rule that nobody reads must not look as if it counted)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Form):
    """A name in Chinese and English."""

    zh: str
    en: str


class Basis(Form):
    """A legal basis or the source of a figure: document, number, article, how and where it was seen."""

    title: str
    number: str | None = None
    article: str | None = None
    source: str
    seen_at: str | None = None  # where the copy was read
