"""Names and addresses taken apart, so that what distinguishes two firms is compared by itself.

A name's key (engine.schema.names) is cut into stem, legal form, unit (branch, works, trade union … of a firm) and
marks (numbers, 甲乙丙, compass points, 新老): two names whose units or marks differ are two firms however alike they
look, and are never linked without a person.
"""

from __future__ import annotations

import polars as pl

from engine.schema.names import name_key

_FORMS = "股份合作公司|有限合伙|股份有限公司|有限公司|总公司|公司|加工厂|总厂|厂|专业合作社|合作社|合伙企业|经营部|工作室|商行"
_NUMBER = "[一二三四五六七八九十0-9]"
# What may follow a firm's name and make it another unit of the same firm.
_UNIT = (
    rf"((?:第?{_NUMBER}+|[甲乙丙丁新老东南西北中])?(?:分公司|分厂|分部|分店|营业部|办事处|车间)"
    rf"|(?:第?{_NUMBER}+|[新老东南西北])厂(?:区)?"
    r"|工会(?:委员会)?|食堂|招待所|职工医院|党委|(?:技术)?服务中心|开发中心|检测中心|研究中心|研究院|门市部)$"
)
_OWNER = rf"(?:{_FORMS}|大学|学院|研究所|研究院|医院|场|社|院|所)$"
_MARKS = rf"[{_NUMBER[1:-1]}甲乙丙丁]|[东南西北新老]$"


def name_parts(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` with ``key stem form unit marks group`` of its ``name`` as written; key null for an empty name.

    The stem is the key without legal form, unit, 集团 and brackets; all of the key where nothing would be left. Step by
    step, because an expression that is used twice is computed twice.
    """
    key, body, bare = pl.col("key"), pl.col("_body"), pl.col("_bare")
    unit = pl.when(key.str.len_chars() > 4).then(key.str.extract(_UNIT, 1)).fill_null("")
    parts = frame.with_columns(key=name_key(pl.col("name"))).with_columns(unit=unit)
    parts = parts.with_columns(_body=_without(key, "unit"))
    # A unit that is the whole of the organisation's kind (… 研究中心) is no unit of another: it needs a form before it.
    owned = body.str.contains(_OWNER) & (pl.col("unit") != "")
    parts = parts.with_columns(
        unit=pl.when(owned).then("unit").otherwise(pl.lit("")), _body=pl.when(owned).then(body).otherwise(key)
    )
    parts = parts.with_columns(form=body.str.extract(rf"({_FORMS})$", 1).fill_null(""))
    parts = parts.with_columns(_bare=_without(body, "form").str.replace_all(r"[()]", ""))
    parts = parts.with_columns(stem=bare.str.replace(r"集团$", ""))
    return parts.with_columns(
        stem=pl.when(pl.col("stem").str.len_chars() >= 2).then("stem").otherwise("key"),
        marks=bare.str.replace_all("五金", "").str.extract_all(_MARKS).list.join(""),
        group=bare.str.contains("集团", literal=True),
    ).drop("_body", "_bare")


def _without(text: pl.Expr, end: str) -> pl.Expr:
    """``text`` without as many characters at its end as the column ``end`` has."""
    return text.str.slice(0, text.str.len_chars().cast(pl.Int64) - pl.col(end).str.len_chars().cast(pl.Int64))


_BEFORE = r"^(?:中国)?(?:[^\d区县市]{2,3}省)?(?:[^\d省区县]{2,4}市)?(?:[^\d省市]{1,4}[区县])?"


# The road is what stands between the last administrative unit and the number.
_ROAD = r"^(?:.*(?:省|市|区|县|镇|乡|街道))?(.*?[^\d])(\d+)号"


def address_parts(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` with ``place`` (town, road and number, without province, city, county and what follows the number),
    ``street`` (the road alone) and ``number`` of its ``address``; null where nothing is told."""
    folded = pl.col("address").str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[\s()（）,，。·-]", "")
    parts = frame.with_columns(_folded=folded).with_columns(
        _rest=pl.col("_folded").str.replace(_BEFORE, ""), _road=pl.col("_folded").str.extract_groups(_ROAD)
    )
    told, rest = pl.col("_folded"), pl.col("_rest")
    parts = parts.with_columns(_rest=pl.when(rest.str.len_chars() >= 3).then(rest).otherwise(told))
    parts = parts.with_columns(_end=rest.str.find("号", literal=True))
    place = pl.when(pl.col("_end") > 0).then(_head(rest, pl.col("_end") + len("号".encode()))).otherwise(rest)
    parts = parts.with_columns(
        place=place, street=pl.col("_road").struct.field("1"), number=pl.col("_road").struct.field("2")
    )
    return parts.with_columns(place=pl.when(pl.col("place").str.len_chars() >= 3).then("place")).drop(
        "_folded", "_rest", "_road", "_end"
    )


def _head(text: pl.Expr, size: pl.Expr) -> pl.Expr:
    """The first ``size`` bytes of ``text``, which end with a character."""
    return text.cast(pl.Binary).bin.slice(0, size).cast(pl.String)
