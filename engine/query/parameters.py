"""What may be asked: one entry per parameter with what it allows, read by the parser, OpenAPI, the docs and errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NoReturn

from engine.schema.columns import GRADES, SCALE_GROUPS, SIZES
from engine.schema.errors import PermuError

MAX_LIMIT = 10_000
DIMENSIONS = {
    "industry": "industry_2",
    "region": "region_county",
    "size": "size",
    "scale_group": "scale_group",
    "industry_section": "industry_section",
    "industry_2": "industry_2",
    "industry_3": "industry_3",
    "industry_4": "industry_4",
    "region_city": "region_city",
    "region_county": "region_county",
    "region_town": "region_town",
    "zone": "zone_code",
    "grade": "grade",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter: what is allowed in words of both languages, its JSON schema and an example."""

    name: str
    en: str
    zh: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    example: Any = None


def _one_of(values: list[str]) -> dict[str, Any]:
    return {"type": "string", "enum": values}


_DIMENSION_LIST = ", ".join(DIMENSIONS)

PARAMETERS: dict[str, Parameter] = {
    p.name: p
    for p in (
        Parameter("release", "a release id; see /api/v1/releases", "发布版本编号，见 /api/v1/releases"),
        Parameter("year", "a year of four digits", "四位年份", {"type": "string", "pattern": r"^\d{4}$"}, "2024"),
        Parameter(
            "policy", "a policy id; see /api/v1/policies", "评价办法编号，见 /api/v1/policies", example="sunan-2017"
        ),
        Parameter(
            "industry",
            "1 to 4 characters of GB/T 4754: section C, division 26, group 261, class 2614",
            "GB/T 4754 的 1 至 4 位：门类 C、大类 26、中类 261、小类 2614",
            {"type": "string", "pattern": r"^([A-Za-z]|[0-9A-Za-z]{2,4})$"},
            "26",
        ),
        Parameter(
            "region",
            "2, 4, 6 or 9 digits (320500 means 3205), or a development zone's own code",
            "2、4、6 或 9 位数字（320500 即 3205），或开发区代码",
            {"type": "string", "pattern": r"^[0-9A-Za-z_-]{2,20}$"},
            "3205",
        ),
        Parameter("size", "one of " + ", ".join(SIZES), "取值 " + "、".join(SIZES), _one_of(list(SIZES)), "small"),
        Parameter(
            "group",
            "one of " + ", ".join(SCALE_GROUPS),
            "取值 " + "、".join(SCALE_GROUPS),
            {**_one_of(list(SCALE_GROUPS)), "default": "all"},
            "above_scale",
        ),
        Parameter(
            "grade",
            "grades to show, separated by commas: " + ", ".join(GRADES) + "; filters rows, changes no rank",
            "要显示的等级，逗号分隔：" + "、".join(GRADES) + "；只筛选行，不影响名次",
            {"type": "string", "pattern": "^[ABCDTabcdt](,[ABCDTabcdt])*$"},
            "D",
        ),
        Parameter(
            "by",
            "a metric or indicator of the release, or grade; without it the release's own default metric",
            "该版本的指标；不填则用该版本的默认指标",
            example="benefit_per_mu",
        ),
        Parameter("order", "best or worst", "best 或 worst", {**_one_of(["best", "worst"]), "default": "best"}, "best"),
        Parameter(
            "limit",
            f"a whole number from 1 to {MAX_LIMIT}",
            f"1 至 {MAX_LIMIT} 的整数",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
            20,
        ),
        Parameter("cursor", "the value of `next` of the page before, unchanged", "上一页返回的 next，原样传回"),
        Parameter(
            "q",
            "part of a name, of its pinyin initials, of a credit code or enterprise id, 1 to 100 characters; filters rows, changes no rank",
            "企业名称、名称拼音首字母、信用代码或编号的一部分，1 至 100 字；只筛选行，不影响名次",
            {"type": "string", "minLength": 1, "maxLength": 100},
        ),
        Parameter(
            "percent",
            "a number above 0 and up to 100, decimals allowed (2.5); not together with count; 5 if neither is given",
            "大于 0、不超过 100 的数，可带小数（2.5）；不可与 count 同用；都不填则为 5",
            {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,9})?$"},
            "5",
        ),
        Parameter(
            "count",
            f"a whole number from 1 to {MAX_LIMIT}; ties at the cut are included; not together with percent",
            f"1 至 {MAX_LIMIT} 的整数，末位并列者一并列入；不可与 percent 同用",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
            10,
        ),
        Parameter(
            "within",
            "one list for each member of these, separated by commas: " + _DIMENSION_LIST,
            "按下列维度分别列出，逗号分隔：" + _DIMENSION_LIST,
            example="industry,region,size",
        ),
        Parameter(
            "group_by",
            "one line for each member of these, separated by commas: " + _DIMENSION_LIST,
            "按下列维度汇总，逗号分隔：" + _DIMENSION_LIST,
            example="industry,region,size",
        ),
        Parameter(
            "format",
            "one of json, csv, xlsx, parquet, arrow",
            "取值 json、csv、xlsx、parquet、arrow",
            {**_one_of(["json", "csv", "xlsx", "parquet", "arrow"]), "default": "json"},
            "json",
        ),
        Parameter(
            "sheets",
            "group: in a spreadsheet, one sheet for each bottom list",
            "取值 group：电子表格中每个末位名单一个工作表",
            _one_of(["group"]),
            "group",
        ),
        Parameter(
            "against",
            "the release to compare with, of the same policy; without it the newest of the year before",
            "用于比较的版本，须为同一办法；不填则为上一年的最新版本",
        ),
        Parameter("x", "a metric of the release", "该版本的指标", example="output_per_mu"),
        Parameter("y", "a metric of the release", "该版本的指标", example="benefit_per_mu"),
        Parameter("lang", "zh or en", "zh 或 en", {**_one_of(["zh", "en"]), "default": "zh"}, "zh"),
    )
}


def refuse(name: str, value: object, en: str | None = None, zh: str | None = None) -> NoReturn:
    """Raise ``bad_parameter``: the parameter, what was given, what is allowed."""
    known = PARAMETERS[name]
    shown = str(value)[:60]
    raise PermuError(
        "bad_parameter",
        f"{name}={shown!r} is not allowed: {en or known.en}",
        f"参数 {name}={shown!r} 无效：{zh or known.zh}",
        parameter=name,
        allowed=en or known.en,
    )


def _choice(name: str, values: dict[str, Any] | tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        return text if text in values else refuse(name, text)

    return read


def _matching(name: str, fold: Callable[[str], str] = str) -> Callable[[str], str]:
    pattern = re.compile(PARAMETERS[name].schema["pattern"], re.ASCII)

    def read(text: str) -> str:
        return fold(text) if pattern.fullmatch(text) else refuse(name, text)

    return read


def _whole(name: str) -> Callable[[str], int]:
    most = PARAMETERS[name].schema["maximum"]

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            refuse(name, text)
        return int(text)

    return read


def _region(text: str) -> str:
    """Trailing pairs of zeros go (320500 → 3205, 320000 → 32, 320505000 → 320505); zones stay as they are."""
    code = _matching("region")(text)
    if not code.isdigit():
        return code
    if len(code) not in (2, 4, 6, 9):
        refuse("region", text)
    if len(code) == 9 and code.endswith("000"):
        code = code[:6]
    while len(code) in (4, 6) and code.endswith("00"):
        code = code[:-2]
    return code


def _industry(text: str) -> str:
    """A section letter written before the digits goes, as departments write it: C26 → 26, C2614 → 2614."""
    code = re.sub(r"^[A-Ta-t](?=\d{2,4}$)", "", text)
    return _matching("industry", str.upper)(code)


def _percent(text: str) -> Fraction:
    value = Fraction(_matching("percent")(text))
    return value if 0 < value <= 100 else refuse("percent", text)


def _search(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).strip()
    return folded if 1 <= len(folded) <= 100 else refuse("q", text)


def _grades(text: str) -> tuple[str, ...]:
    return tuple(sorted(set(_matching("grade", str.upper)(text).split(","))))


def _dimensions(name: str) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        names = tuple(part.strip() for part in text.split(","))
        if len(set(names)) != len(names) or any(n not in DIMENSIONS for n in names):
            refuse(name, text)
        return names

    return read


def _filled(name: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        return text if text.strip() and len(text) <= 200 else refuse(name, text)

    return read


READERS: dict[str, Callable[[str], Any]] = {
    "release": _filled("release"),
    "policy": _filled("policy"),
    "by": _filled("by"),
    "x": _filled("x"),
    "y": _filled("y"),
    "against": _filled("against"),
    "year": lambda text: int(_matching("year")(text)),
    "industry": _industry,
    "region": _region,
    "size": _choice("size", SIZES),
    "group": _choice("group", SCALE_GROUPS),
    "grade": _grades,
    "order": _choice("order", ("best", "worst")),
    "limit": _whole("limit"),
    "q": _search,
    "percent": _percent,
    "count": _whole("count"),
    "within": _dimensions("within"),
    "group_by": _dimensions("group_by"),
    "format": _choice("format", ("json", "csv", "xlsx", "parquet", "arrow")),
    "lang": _choice("lang", ("zh", "en")),
    "sheets": _choice("sheets", ("group",)),
}


def read(name: str, text: str | int | float | None) -> Any:
    """The value of one parameter; None where it was not asked; ``bad_parameter`` where it is malformed."""
    if text is None:
        return None
    return READERS[name](str(text)) if name in READERS else str(text)
