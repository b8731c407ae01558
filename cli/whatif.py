"""``permu simulate | robustness``: what another rule would change, and how far ranks hang on the choice of weights."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.table import Table

from api.exports.formats import write
from api.exports.provenance import Provenance
from api.exports.table import Sheet
from cli.options import Home, Json, MaybePolicy, MaybeYear, ReleaseId, hand_over, out, people, say, show_json, warehouse
from engine.query import Board, Selection
from engine.releases import Release, find, list_releases, open_release
from engine.schema.columns import column
from engine.schema.errors import language
from engine.schema.warehouse import Warehouse, who
from engine.whatif.robustness import Robustness, Settings
from engine.whatif.robustness import robustness as robust
from engine.whatif.simulate import Simulation
from engine.whatif.simulate import simulate as simulated
from engine.whatif.telling import told


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    csv = "csv"
    xlsx = "xlsx"


Industry = Annotated[str | None, typer.Option(help="Show 1 to 4 characters: C, 26, 261, 2614.")]
Region = Annotated[str | None, typer.Option(help="Show 2, 4, 6 or 9 digits, or a zone's code.")]
Form = Annotated[Format, typer.Option("--format", help="How the rows are written.")]
Out = Annotated[Path | None, typer.Option("--out", help="A file; - is stdout.")]
Top = Annotated[int, typer.Option(min=1, help="Rows of the table for people.")]
_DRAWN = ("enterprise_id", "name", "grade", "rank", "of", "rank_low", "rank_high", "other_grade_share", "borderline")


def simulate(
    change: Annotated[list[str], typer.Option(help="PATH=VALUE, as weights.tax_per_mu=35; several may follow it.")],
    changes: Annotated[list[str] | None, typer.Argument(metavar="[PATH=VALUE]...", help="Further changes.")] = None,
    policy: MaybePolicy = None,
    year: MaybeYear = None,
    release: ReleaseId = None,
    rescale: Annotated[
        bool, typer.Option("--rescale", help="Bring the weights not named to what is left of 100.")
    ] = False,
    save: Annotated[Path | None, typer.Option(help="Write the changed pack as a draft to this file.")] = None,
    industry: Industry = None,
    region: Region = None,
    form: Form = Format.table,
    place: Out = None,
    top: Top = 20,
    home: Home = None,
    json: Json = False,
) -> None:
    """Who would change grade under a changed rule, and why; no release is written. 政策试算。"""
    change = [*change, *(changes or ())]
    house = warehouse(home).require()
    before = _release(house, release, year, policy)
    asked = Selection.parse(industry=industry, region=region)
    whole = simulated(house, before, change, rescale=rescale)
    shown = whole.within(asked.members)
    if save is not None:
        hand_over(whole.pack.text.encode(), save)
        people.print(say(f"草案已写入 {save}", f"draft written to {save}"), highlight=False, markup=False)
    lang = language()
    rows = shown.moved.with_columns(
        reason=pl.Series([told(r, lang) for r in shown.moved.iter_rows(named=True)], dtype=pl.String)
    )
    if form is Format.table:
        if not json:
            _print_simulation(shown, rows, top)
    elif place is not None or not json:  # first the file: a refusal is then all that stands on stdout
        question = {"change": " ".join(change), "industry": industry, "region": region}
        _export(house, before, rows, shown.rows.height, "simulation", form, place, question)
    if json:
        show_json(_simulated(shown, rows))


def robustness(
    draws: Annotated[int, typer.Option(help="Number of draws, to 100,000.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 1,
    weights: Annotated[float, typer.Option(help="Weights vary by ± this per cent.")] = 20.0,
    bases: Annotated[float, typer.Option(help="Bases vary by ± this per cent.")] = 10.0,
    borderline_from: Annotated[
        float, typer.Option(help="Borderline from this per cent of draws with another grade on.")
    ] = 5.0,
    borderline: Annotated[bool, typer.Option("--borderline", help="Show borderline cases only.")] = False,
    policy: MaybePolicy = None,
    year: MaybeYear = None,
    release: ReleaseId = None,
    industry: Industry = None,
    region: Region = None,
    form: Form = Format.table,
    place: Out = None,
    top: Top = 20,
    home: Home = None,
    json: Json = False,
) -> None:
    """Rank intervals over seeded draws of weights and bases; borderline grades; each indicator left out. 稳健性检验。"""
    house = warehouse(home).require()
    before = _release(house, release, year, policy)
    asked = Selection.parse(industry=industry, region=region)
    found = robust(before, Settings(draws, seed, weights / 100, bases / 100, borderline_from / 100)).within(
        asked.members
    )
    rows = found.rows.filter("borderline") if borderline else found.rows
    if form is Format.table:
        if not json:
            _print_robustness(found, rows, top)
    elif place is not None or not json:
        question = {
            "draws": str(draws),
            "seed": str(seed),
            "weights": f"{weights:g}",
            "bases": f"{bases:g}",
            "industry": industry,
            "region": region,
        }
        _export(house, before, rows, found.rows.height, "robustness", form, place, question)
    if json:
        show_json(_robust(found, rows))


def _release(house: Warehouse, release: str | None, year: int | None, policy: str | None) -> Release:
    """The release asked; where no policy is named, the newest that has a score: without one there is nothing to vary."""
    if release is not None or policy is not None:
        return find(house, release, year, policy)
    for known in list_releases(house):
        if known["state"] != "withdrawn" and year in (None, known["year"]):
            one = open_release(house.releases / known["release_id"])
            if one.pack.policy.score is not None:
                return one
    return find(house, None, year, None)


# --- simulate ------------------------------------------------------------------------------------------------------


def _simulated(shown: Simulation, rows: pl.DataFrame) -> dict[str, Any]:
    score = shown.pack.policy.score
    assert score is not None
    return {
        "release_id": shown.release.id,
        "year": shown.release.manifest["year"],
        "policy": shown.release.pack.policy.id,
        "draft": shown.pack.policy.id,
        "changes": shown.changes,
        "weights": {g: {n: float(i.weight or 0) for n, i in group.items.items()} for g, group in score.groups.items()},
        "of": shown.rows.height,
        "moved": rows.height,
        "matrix": shown.matrix,
        "rows": [_row(r) for r in rows.iter_rows(named=True)],
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    items = {n.removeprefix("delta__"): v for n, v in row.items() if n.startswith("delta__")}
    rest = {n: v for n, v in row.items() if not n.startswith("delta__")}
    return rest | {"why": row["why"].split(","), "items": items}


def _print_simulation(shown: Simulation, rows: pl.DataFrame, top: int) -> None:
    head = say(
        f"{shown.release.id}：{', '.join(shown.changes)}：{rows.height}/{shown.rows.height} 家企业等级变动（试算，未生成发布版本）",
        f"{shown.release.id} with {', '.join(shown.changes)}: {rows.height} of {shown.rows.height} change grade (a trial: no release)",
    )
    out.print(head, highlight=False, markup=False)
    matrix = Table(say("原等级＼改后", "before＼after"), *next(iter(shown.matrix.values()), {}))
    for grade, row in shown.matrix.items():
        matrix.add_row(grade, *(str(n) if n else "" for n in row.values()))
    out.print(matrix)
    for row in rows.head(top).iter_rows(named=True):
        line = f"{row['enterprise_id']}  {row['name']}  {row['grade_before']} → {row['grade_after']}  {row['reason']}"
        out.print(line, highlight=False, markup=False)
    _more(rows, top)


# --- robustness ----------------------------------------------------------------------------------------------------


def _robust(found: Robustness, rows: pl.DataFrame) -> dict[str, Any]:
    s = found.settings
    return {
        "release_id": found.release.id,
        "year": found.release.manifest["year"],
        "policy": found.release.pack.policy.id,
        "draws": s.draws,
        "seed": s.seed,
        "weight_spread_percent": 100 * s.weight_spread,
        "base_spread_percent": 100 * s.base_spread,
        "borderline_from_percent": 100 * s.borderline_from,
        "of": found.rows.height,
        "borderline": int(found.rows["borderline"].sum()),
        "left_out": found.left_out,
        "rows": rows.to_dicts(),
    }


def _print_robustness(found: Robustness, rows: pl.DataFrame, top: int) -> None:
    s, near = found.settings, int(found.rows["borderline"].sum())
    head = say(
        f"{found.release.id}：{s.draws} 次试算（种子 {s.seed}，权重 ±{100 * s.weight_spread:g}%，基准值 ±{100 * s.base_spread:g}%）："
        f"{near}/{found.rows.height} 家企业处于等级临界",
        f"{found.release.id}: {s.draws} draws (seed {s.seed}, weights ±{100 * s.weight_spread:g} %, bases ±{100 * s.base_spread:g} %): "
        f"{near} of {found.rows.height} are borderline",
    )
    out.print(head, highlight=False, markup=False)
    without = Table(
        say("去掉指标", "left out"),
        say("等级变动", "other grade"),
        say("最大名次变动", "largest shift"),
        say("平均", "mean"),
    )
    for one in found.left_out:
        name = column(one["without"]).title(language())
        without.add_row(
            f"{one['group']}: {name}", str(one["other_grade"]), str(one["largest_shift"]), f"{one['mean_shift']:.1f}"
        )
    out.print(without)
    _print_rows(rows.sort("other_grade_share", "enterprise_id", descending=[True, False]), _DRAWN, top)


# --- rows ----------------------------------------------------------------------------------------------------------


def _print_rows(rows: pl.DataFrame, names: tuple[str, ...], top: int) -> None:
    table = Table()
    for name in names:
        table.add_column(column(name).title(language()), overflow="fold", no_wrap=name == "enterprise_id")
    for row in rows.select(names).head(top).iter_rows():
        table.add_row(*("" if v is None else f"{v:,.2f}" if isinstance(v, float) else str(v) for v in row))
    out.print(table)
    _more(rows, top)


def _more(rows: pl.DataFrame, top: int) -> None:
    if rows.height > top:
        rest = say(
            f"另有 {rows.height - top} 行；用 --json、--format csv 或 xlsx 取全部",
            f"{rows.height - top} more rows: --json, --format csv or xlsx give all",
        )
        out.print(rest, highlight=False, markup=False)


def _export(
    house: Warehouse, before: Release, rows: pl.DataFrame, total: int, kind: str, form: Format, place: Path | None, question: dict[str, str | None]
) -> None:  # fmt: skip
    """A file with provenance: the release that was varied, by what question, by whom."""
    if place is None and form is Format.xlsx and sys.stdout.isatty():
        place = Path(f"{kind}.xlsx")
    sheet = Sheet(_spread(rows, before.id), "score", total, kind)
    state = next((r["state"] for r in list_releases(house) if r["release_id"] == before.id), None)
    asked = {k: v for k, v in question.items() if v}
    data = write(form.value, sheet, Provenance.of(Board(before), asked, who(), state), language())
    hand_over(data, place)


def _spread(rows: pl.DataFrame, release: str) -> pl.DataFrame:
    flags = rows["flags"] if "flags" in rows.columns else pl.lit("")
    yes = pl.col("borderline").replace_strict({True: "1", False: "0"}, return_dtype=pl.String)
    rows = rows.with_columns(yes) if "borderline" in rows.columns else rows
    return rows.with_columns(flags=flags, release_id=pl.lit(release))
