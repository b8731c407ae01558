"""The query parameters of the desk's routes beside those of the rankings: what each allows, in words of both languages."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from engine.query.parameters import PARAMETERS, Parameter
from engine.query.parameters import read as read_common
from engine.schema.errors import PermuError

KINDS = ("proposal", "unlinked", "land")
STATES = ("open", "accepted", "all")
TARGETS = ("public", "final", "withdrawn")


def _one_of(name: str, values: tuple[str, ...], default: str | None = None) -> Parameter:
    schema = {"type": "string", "enum": list(values)} | ({"default": default} if default else {})
    return Parameter(name, "one of " + ", ".join(values), "取值 " + "、".join(values), schema, values[0])


def _code(name: str, en: str, zh: str, example: str) -> Parameter:
    return Parameter(name, en, zh, {"type": "string", "pattern": r"^[A-Za-z0-9_.:-]{1,80}$"}, example)


def _percent(name: str, en: str, zh: str) -> Parameter:
    return Parameter(name, en, zh, {"type": "string", "pattern": r"^(100|\d{1,2}(\.\d{1,3})?)$"})


DESK: dict[str, Parameter] = {
    p.name: p
    for p in (
        _code("source", "a source, as power; see /api/v1/desk/status", "数据来源，如 power；见 /api/v1/desk/status", "power"),
        _one_of("kind", KINDS),
        _one_of("state", STATES, "open"),
        _code("reason", "a stable code of why it waits or was refused", "待审或退回原因的代码", "needs_review"),
        _code("load", "a load id", "导入批次编号", "power-2024-0a1b2c3d4e5f"),
        _code("field", "a fact, as employees", "数据项，如 employees", "employees"),
        _percent("sure_from", "least per cent that the surest candidate is sure, 0 to 100", "首位候选把握的下限（百分比，0 至 100）"),
        _percent("sure_to", "most per cent that the surest candidate is sure, 0 to 100", "首位候选把握的上限（百分比，0 至 100）"),
        Parameter(
            "changes",
            "changes of the pack, PATH=VALUE separated by semicolons; none: the release as it is",
            "对办法的修改：路径=值，以分号分隔；不填为原办法",
            {"type": "string", "maxLength": 4000},
            "weights.tax_per_mu=40;weights.sales_per_mu=40",
        ),
        Parameter(
            "rescale",
            "true brings the weights that were not named to what is left of 100; false refuses another sum",
            "true 将未指定的权重按比例调整至合计 100；false 则不接受其他合计",
            {"type": "boolean", "default": False},
        ),
        _one_of("target", TARGETS),
    )
}  # fmt: skip


def known(name: str) -> Parameter:
    """What is said of a parameter; the desk's own words go before those of the rankings."""
    return DESK.get(name) or PARAMETERS[name]


def refuse(name: str, value: object) -> NoReturn:
    """Raise ``bad_parameter``: the parameter, what was given, what is allowed."""
    told = known(name)
    raise PermuError(
        "bad_parameter",
        f"{name}={str(value)[:60]!r} is not allowed: {told.en}",
        f"参数 {name}={str(value)[:60]!r} 无效：{told.zh}",
        parameter=name,
        allowed=told.en,
    )


def read(name: str, text: str | None) -> Any:
    """The value of a parameter; None where it was not asked."""
    if text is None or name not in DESK:
        return read_common(name, text)
    schema = DESK[name].schema
    if "enum" in schema:
        return text if text in schema["enum"] else refuse(name, text)
    if schema["type"] == "boolean":
        return text == "true" if text in ("true", "false") else refuse(name, text)
    if len(text) > schema.get("maxLength", 80) or not re.fullmatch(schema.get("pattern", ".*"), text, re.DOTALL):
        refuse(name, text)
    return float(text) if name.startswith("sure_") else text


class DeskQuery(BaseModel):
    """A desk's question: every value is text, read by :func:`read`."""

    model_config = ConfigDict(extra="forbid")

    def value(self, name: str) -> Any:
        """The parsed value; None where it was not asked."""
        return read(name, getattr(self, name, None))

    def values(self) -> dict[str, Any]:
        """Every parsed value that was asked."""
        return {name: self.value(name) for name in type(self).model_fields if getattr(self, name) is not None}
