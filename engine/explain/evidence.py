"""The evidence under an enterprise's figures: its records, shared meters, land, coverage, and the facts taken from them.

Every table but ``claims`` and ``facts`` may be absent from a release: what is not there is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import polars as pl

from engine.explain.telling import Step, Telling, step
from engine.schema.facts import FACTS
from engine.schema.sources import method_title, source_title

Line = dict[str, Any]

_KINDS = {
    "own": ("自有", "own"),
    "rented_in": ("租入", "rented in"),
    "rented_out": ("租出", "rented out"),
}
_HOW = {
    "only_claim": ("唯一来源", "only one source states it"),
    "agreed": ("各来源一致", "all sources agree"),
    "disputed": ("各来源不一致，取最可信来源", "sources disagree; the most trusted is taken"),
    "corrected": ("人工更正", "corrected by hand"),
}
_SPLIT = {
    "declared": ("申报份额", "declared share"),
    "floor": ("按建筑面积", "by floor area"),
    "land": ("按用地", "by land"),
    "flagged": ("无法分摊", "nothing to split it by"),
}
_OTHERS = 10  # users of a parcel that are named; the rest is counted
_PPB = 10**9


def records(told: Telling) -> Iterator[Step]:
    """Each record that states a figure the policy reads, how a shared meter was split, and the months that are missing."""
    claims = [c for c in _mine(told, "claims") if c["field"] in told.fields and c["field"] != "land_dm2_days"]
    for claim in claims:
        value, unit = told.shown(claim["field"], claim["value"])
        more = claim["rows"] - 1
        who, how = source_title(claim["source"], told.zh), method_title(claim["method"], told.zh)
        note = told.say(
            f"{who}记录 {claim['record_key']}，按{how}关联{_sure(told, claim)}"
            + (f"，全年共 {claim['rows']} 行，此为第一行" if more else ""),
            f"{who} record {claim['record_key']}, linked by {how}{_sure(told, claim)}"
            + (f"; {claim['rows']} rows of the year, this is the first" if more else ""),
        )
        yield step("record", claim["field"], value, unit, note, told.source(claim))
    yield from _meters(told, claims)
    yield from _months(told, claims)


def _sure(told: Telling, claim: Line) -> str:
    """How sure a link is, where it was found by likeness."""
    links = [
        x for x in _mine(told, "links") if (x["source"], x["record_key"]) == (claim["source"], claim["record_key"])
    ]
    sure = links[0].get("sure_ppb") if links else None
    if sure is None or sure == _PPB:
        return ""
    return told.say(f"（把握 {sure / 10**7:.3f} %）", f" ({sure / 10**7:.3f} % sure)")


def _meters(told: Telling, claims: list[Line]) -> Iterator[Step]:
    """Each meter that the enterprise shares: every sharer's part, nobody's too, so that the lines sum to the meter."""
    shared = _table(told, "shared_meters")
    if shared is None:
        return
    for claim in claims:
        mine = shared.filter(pl.col("source") == claim["source"], pl.col("record_key") == claim["record_key"])
        lines = mine.collect().to_dicts()
        ids = [x["enterprise_id"] for x in lines]
        names, known = _names(told, ids, told.rows), _names(told, ids)
        for line in lines:
            if line.get("of_value") is None or line["field"] != claim["field"]:
                continue
            (whole, unit), by = told.shown(claim["field"], line["of_value"]), _SPLIT[line["by"]]
            part, _ = told.shown(claim["field"], line["value"])
            nobody = told.say("未关联的使用方或无人认领", "a sharer that is not linked, or nobody")
            hidden = told.say("其他使用方", "another sharer")
            who = names.get(line["enterprise_id"]) or (hidden if line["enterprise_id"] in known else nobody)
            share = line["share_ppb"] / _PPB
            note = told.say(
                f"{who}：共用表 {line['record_key']} 全年 {whole:,.10g} {unit}，{by[0]} {share:.9g}",
                f"{who}: meter {line['record_key']} holds {whole:,.10g} {unit} in the year, {by[1]} {share:.9g}",
            )
            yield step("meter", claim["field"], part, unit, note, told.source(line))


def _months(told: Telling, claims: list[Line]) -> Iterator[Step]:
    sources = {c["source"] for c in claims}
    for line in _mine(told, "coverage"):
        if line["source"] in sources:
            note = told.say(
                f"{source_title(line['source'], True)}：{line['months_expected']} 个月中有 {line['months_seen']} 个月的数据，缺 {line['missing']} 月；未作推算",
                f"{source_title(line['source'], False)}: {line['months_seen']} of {line['months_expected']} months, without {line['missing']}; "
                "nothing is extrapolated",
            )
            yield step("coverage", line["field"] or line["source"], line["months_seen"], told.say("月", "months"), note)


# --- land ---------------------------------------------------------------------------------------------------------


def land(told: Telling) -> Iterator[Step]:
    """Each line of land used, its sum, and what the parcels are: shared, disputed."""
    order = list(_KINDS)
    lines = sorted(
        _mine(told, "land_use"), key=lambda x: (order.index(x["kind"]), x["parcel_code"] or "", x["load_id"], x["row"])
    )
    names = _names(told, [x.get("counterpart_id") for x in lines])
    areas = _areas(told, [x["parcel_code"] for x in lines if x["share_ppb"] not in (None, _PPB)])
    for line in lines:
        yield _land_line(told, line, names, areas)
    if len(lines) > 1:
        total = sum(x["dm2_days"] for x in lines)
        note = told.say(
            f"以上 {len(lines)} 行之和：{total} 平方分米·天", f"sum of the {len(lines)} lines above: {total} dm²·days"
        )
        yield step("land", "used", _mu(told, total), told.say("亩", "mu"), note)
    parcels = list(dict.fromkeys(x["parcel_code"] for x in lines if x["parcel_code"]))
    for parcel in parcels:
        yield from _parcel(told, parcel)
    yield from _findings(told, parcels)


def _land_line(told: Telling, line: Line, names: dict[str, str], areas: dict[str, int]) -> Step:
    zh, en = _KINDS[line["kind"]]
    mu = line["area_dm2"] * 3 / 200_000
    parcel, share = line["parcel_code"], line["share_ppb"]
    other = names.get(line.get("counterpart_id") or "")
    part_zh, part_en = "", ""
    if share not in (None, _PPB):
        of = f"{areas[parcel] * 3 / 200_000:.4f}" if parcel in areas else "?"
        part_zh, part_en = f"（{of} 亩），份额 {share / _PPB:.9g}", f" of {of} mu, share {share / _PPB:.9g}"
    with_zh, with_en = "", ""
    if other:
        with_zh, with_en = f"（对方 {other}）", f" {'from' if line['kind'] == 'rented_in' else 'to'} {other}"
    note = told.say(
        f"{zh}{with_zh}，宗地 {parcel or '未注明'}{part_zh}，{mu:.4f} 亩 × {line['days']} 天 ÷ {told.days} 天",
        f"{en}{with_en}, parcel {parcel or 'not stated'}{part_en}, {mu:.4f} mu × {line['days']} of {told.days} days",
    )
    return step("land", line["kind"], _mu(told, line["dm2_days"]), told.say("亩", "mu"), note, told.source(line))


def _areas(told: Telling, codes: list[str]) -> dict[str, int]:
    """parcel_code → the area in dm² that shares are taken of."""
    parcels = _table(told, "parcels") if codes else None
    if parcels is None:
        return {}
    found = parcels.filter(pl.col("parcel_code").is_in(codes)).select("parcel_code", "area_dm2").drop_nulls()
    return dict(found.collect().iter_rows())


def _mu(told: Telling, dm2_days: int) -> float:
    return dm2_days * 3 / (200_000 * told.days)


def _parcel(told: Telling, code: str) -> Iterator[Step]:
    """Who else uses a parcel and how much, and its declared area against the drawn one where they dispute."""
    uses = _table(told, "land_use")
    assert uses is not None
    others = pl.col("enterprise_id") != told.row["enterprise_id"]
    rows = uses.filter(pl.col("parcel_code") == code).collect()
    shared = rows.filter(others).group_by("enterprise_id").agg(pl.col("dm2_days").sum()).sort("enterprise_id")
    if shared.height:
        parts = _users(told, shared)
        note = told.say(
            f"宗地 {code} 另有 {shared.height} 家使用（亩）：{'；'.join(parts)}",
            f"parcel {code}, other users {shared.height} (mu): {'; '.join(parts)}",
        )
        yield step("parcel", code, _mu(told, int(rows["dm2_days"].sum())), told.say("亩", "mu"), note)
    disputes = _table(told, "area_disputes")
    found = [] if disputes is None else disputes.filter(pl.col("parcel_code") == code).collect().to_dicts()
    for one in found:
        off, drawn = one["area_dm2"] - one["drawn_dm2"], one["drawn_dm2"]
        figures = tuple(f"{x * 3 / 200_000:.4f}" for x in (one["area_dm2"], drawn, off))
        percent = f"{abs(off) * 100 / drawn:.1f} %" if drawn else "–"
        note = told.say(
            f"宗地 {code} 面积争议：登记 {figures[0]} 亩 − 图形 {figures[1]} 亩 = {figures[2]} 亩，为图形面积的 {percent}；计算采用登记面积",
            f"area dispute of parcel {code}: declared {figures[0]} mu − drawn {figures[1]} mu = {figures[2]} mu, {percent} of the drawn; "
            "the declared area counts",
        )
        yield step("dispute", "area", off * 3 / 200_000, told.say("亩", "mu"), note)


def _users(told: Telling, shared: pl.DataFrame) -> list[str]:
    """Users of a parcel with their mu; those that the reader may not see, and beyond the tenth, as one sum."""
    names = _names(told, shared["enterprise_id"], told.rows)
    named = shared.filter(pl.col("enterprise_id").is_in(list(names))).head(_OTHERS)
    rest = shared.join(named, on="enterprise_id", how="anti")
    parts = [f"{names[e] or e} {_mu(told, v):.4f}" for e, v in named.iter_rows()]
    if rest.height:
        area = f"{_mu(told, int(rest['dm2_days'].sum())):.4f}"
        parts.append(told.say(f"未列名 {rest.height} 家共 {area}", f"{rest.height} not named: {area} in all"))
    return parts


def _findings(told: Telling, parcels: list[str]) -> Iterator[Step]:
    """What a person was asked to look at: of the enterprise, and of its parcels where no enterprise is named."""
    found = _table(told, "findings")
    if found is None:
        return
    whose = pl.col("enterprise_id")
    mine = (whose == told.row["enterprise_id"]) | (whose.is_null() & pl.col("parcel_code").is_in(parcels))
    for line in found.filter(mine, pl.col("kind") != "area_dispute").collect().to_dicts():
        area = line["unit"] == "dm2" and line["value"] is not None
        value, unit = (
            (line["value"] * 3 / 200_000, told.say("亩", "mu")) if area else (line["value"], line["unit"] or "")
        )
        where = told.source(line) if line["load_id"] else None
        place = f"{told.say('宗地', 'parcel')} {line['parcel_code']}: " if line["parcel_code"] else ""
        yield step("finding", line["kind"], value, unit, place + told.say(line["note_zh"], line["note_en"]), where)


# --- facts --------------------------------------------------------------------------------------------------------


def fact(told: Telling, fact: Line) -> Step:
    """The figure taken: from which source, and what each said; a correction in its place has a step of its own."""
    value, unit = told.shown(fact["field"], fact["value"])
    zh, en = _HOW[fact["how"]]
    title = FACTS[fact["field"]]
    exact = f"{fact['value']} {fact['unit']}".strip()
    said = _said(told, fact)
    note = told.say(
        f"{title.zh}，取自{source_title(fact['source'], True)}（{zh}），精确值 {exact}",
        f"{title.en} from {source_title(fact['source'], False)} ({en}), exactly {exact}",
    )
    return step("fact", fact["field"], value, unit, note + said)


def _said(told: Telling, fact: Line) -> str:
    """What each source said, where there are several."""
    by_source: dict[str, int] = {}
    for claim in _mine(told, "claims"):
        if claim["field"] == fact["field"]:
            by_source[claim["source"]] = by_source.get(claim["source"], 0) + claim["value"]
    if len(by_source) < 2:
        return ""
    first = fact["source"] if fact["source"] in by_source else None
    order = sorted(by_source, key=lambda s: (s != first, s))
    stated = told.say("；", "; ").join(f"{s} {by_source[s]}" for s in order)
    return told.say(
        f"；各来源：{stated}；相差 {fact['spread']}", f"; each source: {stated}; they differ by {fact['spread']}"
    )


# --- reading ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _mine(told: Telling, table: str) -> list[Line]:
    """The enterprise's rows of a table, read once."""
    return told.mine(table)


def _table(told: Telling, name: str) -> pl.LazyFrame | None:
    return told.release.table(name) if told.release.has(name) else None


def _names(told: Telling, ids: Iterable[str | None], rows: pl.Expr | None = None) -> dict[str, str]:
    """enterprise_id → name, of those of ``rows`` (None: of all)."""
    wanted = sorted({i for i in ids if i})
    if not wanted:
        return {}
    firms = told.release.table("rankings").filter(pl.col("enterprise_id").is_in(wanted))
    firms = firms if rows is None else firms.filter(rows)
    return dict(firms.select("enterprise_id", "name").collect().iter_rows())
