"""``permu demo``: synthetic departments' files with their truth, and how well the warehouse recovers it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import Home, Json, out, say, show_json, warehouse
from cli.progress import Stages
from engine.releases import list_releases
from engine.schema.errors import PermuError

app = typer.Typer(invoke_without_command=True, help="Write the synthetic demo, or measure a warehouse against it.")
DEFAULT_OUT = Path("data") / "demo"


@app.callback()
def write(
    ctx: typer.Context,
    enterprises: Annotated[int, typer.Option(min=50, help="How many enterprises.")] = 20_000,
    years: Annotated[str, typer.Option(help="One year or a range: 2024, 2022-2024.")] = "2022-2024",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 7,
    folder: Annotated[Path, typer.Option("--out", help="Where drops/ and truth/ go.")] = DEFAULT_OUT,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write synthetic department drops and their truth. 生成合成示例数据。"""
    if ctx.invoked_subcommand:
        return
    from data.demo.generate import generate  # the generator loads much that no other command needs

    with Stages() as progress:
        report = generate(folder, enterprises=enterprises, years=_years(years), seed=seed, progress=progress)
    if json:
        show_json(report.as_dict())
    else:
        out.print(
            say(
                f"已在 {folder} 写入合成示例数据：drops/（各部门数据）与 truth/（真值）",
                f"synthetic demo written to {folder}: drops/ (the departments' files) and truth/",
            )
        )


@app.command()
def check(
    truth: Annotated[Path, typer.Option(help="The folder of the truth.")] = DEFAULT_OUT / "truth",
    home: Home = None,
    json: Json = False,
) -> None:
    """Measure links, land, facts and ranks of the warehouse against the truth. 用真值检验。"""
    from data.demo.check import check as measure

    house = warehouse(home).require()
    with house.read() as db:
        rows = db.execute("SELECT year, merge_id FROM merges ORDER BY created_at").fetchall()
    merged = {row["year"]: house.merged / row["merge_id"] for row in rows}
    ranked = {(r["year"], r["policy"]): house.releases / r["release_id"] for r in reversed(list_releases(house))}
    result = measure(merged, ranked, truth)
    if json:
        show_json(result)
    else:
        for part, figures in result.items():
            _print(part, figures)


def _print(part: str, figures: Any, depth: int = 0) -> None:
    if not isinstance(figures, dict):
        out.print(f"{'  ' * depth}{part}: {figures}", highlight=False)
        return
    out.print(f"{'  ' * depth}{part}", highlight=False)
    for name, value in figures.items():
        _print(name, value, depth + 1)


def _years(text: str) -> range:
    first, _, last = text.partition("-")
    if not (first.isdigit() and (last or first).isdigit()) or not 1990 <= int(first) <= int(last or first) <= 2100:
        raise PermuError(
            "bad_years",
            f"--years {text}: not a year or a range of years; write 2024 or 2022-2024",
            f"--years {text}：不是年份或年份区间；请写作 2024 或 2022-2024",
        )
    return range(int(first), int(last or first) + 1)
