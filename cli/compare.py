"""``permu compare``: who moved between two releases, how far, and by which cause."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.markup import escape
from rich.table import Table

from api.exports.formats import write
from api.exports.provenance import Provenance
from api.exports.table import Sheet
from cli.options import Home, Json, MaybeYear, dumped, hand_over, out, say, show_json, warehouse
from engine.compare import Comparison, compare, summary
from engine.compare_bands import Beside, with_bands
from engine.history import history
from engine.query import Board
from engine.releases import DEFAULT_POLICY, Release, find, list_releases
from engine.schema.columns import GRADES, column
from engine.schema.errors import PermuError, language
from engine.schema.warehouse import Warehouse, who

_CAUSES = {
    "policy": ("办法", "policy"),
    "correction": ("更正", "correction"),
    "data_own": ("自身数据", "own figures"),
    "data_peers": ("他人数据与基准", "others' figures, bases"),
    "code": ("程序", "code"),
}
_PARTS = {
    "scope": ("评价范围", "scope"),
    "group": ("分组", "group"),
    "items": ("指标、权重与基准", "weights and bases"),
    "shares": ("等级比例", "shares"),
    "adjustments": ("等级调整", "adjustments"),
}


class Format(StrEnum):
    """Formats of ``permu compare``."""

    table = "table"
    csv = "csv"
    xlsx = "xlsx"
    json = "json"


def compare_releases(
    a: Annotated[str, typer.Argument(help="From: a release id, or a year, or a policy id (newest release).")],
    b: Annotated[str, typer.Argument(help="To: likewise.")],
    year: MaybeYear = None,
    policy: Annotated[str, typer.Option(help="The policy where A and B are years.")] = DEFAULT_POLICY,
    by: Annotated[str | None, typer.Option(help="The metric (default: what each side decides by).")] = None,
    within: Annotated[
        str | None, typer.Option(help="The grouping, e.g. region_county (default: the policy's).")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Show this region or zone only.")] = None,
    beside: Annotated[str | None, typer.Option(help="A third release, shown in rank bands.")] = None,
    beside_by: Annotated[str | None, typer.Option(help="The metric of its bands (default: its own).")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Also those that did not move.")] = False,
    top: Annotated[int, typer.Option(min=0, help="Rows of the table (the files have all).")] = 20,
    form: Annotated[Format, typer.Option("--format", help="How the rows are written.")] = Format.table,
    place: Annotated[Path | None, typer.Option("--out", help="A file; - is stdout.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Who moved, from which grade and rank to which, and by which cause. 两个版本对比及原因。"""
    house = warehouse(home).require()
    one, two = (_side(house, side, year, policy) for side in (a, b))
    found = compare(house, one, two, by, within)
    found = found if region is None else found.within(region)
    third = None if beside is None else Beside(_side(house, beside, year, policy), beside_by)
    if third is not None:
        found = with_bands(found, third)
    rows = _rows(house, found, everyone)
    told = {**_head(found, third), **summary(found), "rows": rows.to_dicts()}
    if form is Format.table:
        if not json:
            _print(found, third, rows, top)
    elif place is not None or not json:  # first the file: a refusal is then all that stands on stdout
        hand_over(dumped(told) if form is Format.json else _file(house, found, rows, form, region), place)
    if json:
        show_json(told)


def _side(house: Warehouse, text: str, year: int | None, policy: str) -> Release:
    """A release by its id, by a year (under ``policy``), or by a policy id (of ``year``, else its newest)."""
    known = list_releases(house)
    if any(r["release_id"] == text for r in known):
        return find(house, text)
    if text.isdigit() and len(text) == 4:
        return find(house, None, int(text), policy)
    if any(r["policy"] == text for r in known):
        return find(house, None, year, text)
    raise PermuError(
        "unknown_release",
        f"`{text}` is no release, year or ranked policy; `permu releases` lists them",
        f"“{text}”不是发布版本、年份或已排名的办法；请用 permu releases 查看",
    )


def _rows(house: Warehouse, found: Comparison, everyone: bool) -> pl.DataFrame:
    """The lines in the order of a reader's interest: changed grades first, then the longest way, then the id."""
    rows = found.rows if everyone else found.rows.filter(pl.col("cause").is_not_null())
    if _follow(found):
        years = _years(house, found.b).select("enterprise_id", "years_in_bottom")
        rows = rows.join(years, on="enterprise_id", how="left")
    changed = (pl.col("grade_a") != pl.col("grade_b")).fill_null(False)
    return rows.sort(changed, pl.col("places").abs().fill_null(0), "enterprise_id", descending=[True, True, False])


def _follow(found: Comparison) -> bool:
    """Whether it is one policy over years."""
    a, b = found.a.manifest, found.b.manifest
    return bool(a["policy"]["id"] == b["policy"]["id"] and a["year"] < b["year"])


def _years(house: Warehouse, last: Release) -> pl.DataFrame:
    """The years of every enterprise in B's year, over the newest release of each year of the policy up to it."""
    policy, year = last.manifest["policy"]["id"], last.manifest["year"]
    earlier = {r["year"] for r in list_releases(house) if r["policy"] == policy and r["year"] < year}
    known = [r["year"] for r in list_releases(house) if r["policy"] == policy and r["state"] != "withdrawn"]
    releases = [find(house, None, y, policy) for y in sorted(earlier & set(known))]
    return history([*releases, last]).filter(pl.col("year") == year)


def _head(found: Comparison, third: Beside | None) -> dict[str, Any]:
    sides = {"a": found.a, "b": found.b} | ({} if third is None else {"beside": third.release})
    told = {
        n: {"release_id": r.id, "year": r.manifest["year"], "policy": r.manifest["policy"]["id"]}
        for n, r in sides.items()
    }
    return {**told, "by": found.place.by, "within": found.place.within}


def _print(found: Comparison, third: Beside | None, rows: pl.DataFrame, top: int) -> None:
    told = summary(found)
    out.print(f"A {found.a.id}\nB {found.b.id}" + ("" if third is None else f"\nC {third.release.id}"), highlight=False)
    out.print(
        say(
            f"共 {told['of']} 家，位次或等级变动 {told['moved']} 家，等级变动 {told['grade_changes']} 家，"
            f"新进 {told['entered']} 家，退出 {told['left']} 家",
            f"{told['of']} enterprises: {told['moved']} moved, {told['grade_changes']} to another grade, "
            f"{told['entered']} came in, {told['left']} went out",
        ),
        highlight=False,
    )
    if any(g["grade_a"] and g["grade_b"] for g in told["grades"]):
        out.print(_grades(told["grades"]))
    out.print(_causes(told))
    if third is not None:
        out.print(_bands(found, third))
    if top:
        out.print(_lines(rows.head(top)))
        if rows.height > top:
            more = rows.height - top
            out.print(
                say(f"另有 {more} 家（--top，或 --format csv）", f"{more} more (--top, or --format csv)"),
                highlight=False,
            )


def _grades(counts: list[dict[str, Any]]) -> Table:
    """How many went from which grade (rows) to which (columns)."""
    names = [
        *GRADES,
        *sorted({str(c[k]) for c in counts for k in ("grade_a", "grade_b") if c[k] not in GRADES and c[k]}),
    ]
    shown = [n for n in names if any(n in (c["grade_a"], c["grade_b"]) for c in counts)]
    cells = {(c["grade_a"], c["grade_b"]): c["enterprises"] for c in counts}
    table = Table(title=say("等级：由 A（行）到 B（列）", "grades: from A (rows) to B (columns)"), title_justify="left")
    for name in ("A \\ B", *shown, say("无", "none")):
        table.add_column(name, justify="right")
    for row in (*shown, None):
        table.add_row(row or say("无", "none"), *(str(cells.get((row, c), "")) for c in (*shown, None)))
    return table


def _causes(told: dict[str, Any]) -> Table:
    table = Table(title=say("主要原因", "main causes"), title_justify="left")
    heads = (("原因", "cause"), ("家数", "enterprises"), ("等级变动", "grade changes"), ("上升位次", "places up"), ("下降位次", "places down"))  # fmt: skip
    for n, head in enumerate(heads):
        table.add_column(say(*head), justify="right" if n else "left")
    for c in told["causes"]:
        figures = (c[k] for k in ("enterprises", "grade_changes", "places_up", "places_down"))
        table.add_row(say(*_CAUSES[c["cause"]]), *(f"{v:,}" for v in figures))
    for part, count in told["policy_parts"].items():
        table.add_row(f"  {say(*_PARTS[part])}", f"{count:,}", "", "", "")
    return table


def _bands(found: Comparison, third: Beside) -> Table:
    """Grades of A and B against the rank bands of a third release."""
    rows = found.rows
    bands = (
        rows.drop_nulls("band_c")
        .sort(pl.col("rank_c") / pl.col("of_c"))["band_c"]
        .unique(maintain_order=True)
        .to_list()
    )
    what = column(third.metric).title(language())
    title = say(f"等级与 C 的名次段（{what}）", f"grades, and rank bands of C by {what.lower()}")
    table = Table(title=title, title_justify="left")
    for name in (say("等级", "grade"), *bands, say("无名次", "no rank")):
        table.add_column(name, justify="right")
    for side, release in (("a", found.a), ("b", found.b)):
        policy = release.manifest["policy"]["id"]
        found_in = rows.group_by(f"grade_{side}", "band_c").len()
        counts = {(grade, band): n for grade, band, n in found_in.iter_rows()}
        for grade in sorted({g for g, _ in counts if g}):
            table.add_row(f"{policy} {grade}", *(str(counts.get((grade, b), "")) for b in (*bands, None)))
    return table


def _lines(rows: pl.DataFrame) -> Table:
    table = Table(title=say("变动最大的企业", "those that moved most"), title_justify="left")
    more = [n for n in ("band_c", "years_in_bottom") if n in rows.columns and rows[n].count()]
    table.add_column(column("name").title(language()), overflow="fold")
    for head in ("A", "B", "+/−"):
        table.add_column(head, justify="right", no_wrap=True)
    heads = {"band_c": "C", "years_in_bottom": say("连续居末年数", "years in the bottom")}
    for head in (column("cause").title(language()), *(heads[n] for n in more)):
        table.add_column(head)
    for row in rows.iter_rows(named=True):
        ends = [f"{row[f'grade_{e}'] or ''} {_place(row[f'rank_{e}'], row[f'of_{e}'])}".strip() for e in "ab"]
        places = "" if row["places"] is None else f"{row['places']:+}"
        rest = ("" if row[n] is None else str(row[n]) for n in more)
        who_is = escape(f"{row['name'] or ''}\n{row['enterprise_id']}")
        table.add_row(who_is, *ends, places, _why(row), *rest)
    return table


def _place(rank: int | None, of: int | None) -> str:
    return "" if rank is None else f"{rank}/{of}"


def _why(row: dict[str, Any]) -> str:
    """The cause in words; for a policy the part of it."""
    cause = say(*_CAUSES[row["cause"]]) if row["cause"] else ""
    part = row["policy_part"]
    return f"{cause}: {say(*_PARTS[part])}" if row["cause"] == "policy" and part else cause


def _file(house: Warehouse, found: Comparison, rows: pl.DataFrame, form: Format, region: str | None) -> bytes:
    board = Board(found.b)
    state = next((r["state"] for r in list_releases(house) if r["release_id"] == found.b.id), None)
    question = {"compare": found.a.id, "with": found.b.id} | ({} if region is None else {"region": region})
    metric = board.metric(found.place.by)
    sheet = Sheet(rows, metric, found.rows.height, "comparison")
    return write(form.value, sheet, Provenance.of(board, question, who(), state), language())
