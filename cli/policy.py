"""``permu policy list | show | check | diff | try | schema``: the rule sets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperCommand

from cli.options import Home, Json, out, people, say, show_json, warehouse
from engine.policy.compare import differences
from engine.policy.guard import check_claims
from engine.policy.model import Policy
from engine.policy.packs import Pack, known_packs, load_pack
from engine.policy.schema import pack_schema
from engine.policy.trial import Given, Trial, try_pack
from engine.policy.written import numbers, ranges
from engine.schema.errors import language

app = typer.Typer(no_args_is_help=True, help="The policy packs. 评价办法。")
Name = Annotated[str, typer.Argument(help="A policy id or a policy file.")]


@app.command("list")
def list_packs(home: Home = None, json: Json = False) -> None:
    """List the packs that come with permu and those of the warehouse's policies/ folder. 列出评价办法。"""
    packs = [pack.policy for pack in known_packs(warehouse(home).home)]
    if json:
        show_json({"policies": [_line(p) for p in packs]})
        return
    for p in packs:
        out.print(f"{p.id:20}{p.status:14}{say(p.title.zh, p.title.en)}", highlight=False)


def _line(p: Policy) -> dict[str, object]:
    dates = {"valid_from": p.valid_from, "valid_to": p.valid_to}
    missing = [lack.model_dump() for lack in p.missing]
    groups = list(p.score.groups) if p.score else []
    return {
        "id": p.id, "status": p.status, "title": p.title.model_dump(), "place": p.place, "regions": p.regions, **dates,
        "groups": groups, "missing": missing,
    }  # fmt: skip


@app.command()
def show(policy: Name, home: Home = None, json: Json = False) -> None:
    """Print a pack. 显示办法全文。"""
    pack = load_pack(policy, warehouse(home).home)
    if json:
        show_json(pack.policy.model_dump(mode="json") | {"sha256": pack.sha256})
    else:
        out.print(pack.text, markup=False, highlight=False)


@app.command()
def check(
    policies: Annotated[list[str], typer.Argument(metavar="POLICY...", help="Policy ids or policy files.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Check policy files by every rule of the loader, and that no two claim one place and date. 检查办法文件。"""
    house = warehouse(home).home
    packs = [load_pack(name, house) for name in policies]
    for at, pack in enumerate(packs):
        known = [p for p in known_packs(house) if p.policy.id != pack.policy.id]
        check_claims(pack.policy, (p.policy for p in [*packs[:at], *known]))
    if json:
        checked = [{"policy": p.policy.id, "ok": True, "status": p.policy.status, "sha256": p.sha256} for p in packs]
        show_json(checked[0] if len(checked) == 1 else {"policies": checked})
        return
    for name, pack in zip(policies, packs, strict=True):
        _say_checked(name, pack)


def _say_checked(name: str, pack: Pack) -> None:
    policy = pack.policy
    out.print(say(f"{name}：检查通过", f"{name}: no fault found"), highlight=False)
    for lack in policy.missing:
        people.print(say(f"  不完整，未见到：{lack.zh}", f"  partial, not seen: {lack.en}"), highlight=False)
    if policy.score is not None and (taken := sorted({"ties", "rounding"} - policy.score.model_fields_set)):
        rest = ", ".join(f"{name}: {getattr(policy.score, name)}" for name in taken)
        people.print(say(f"  未写明，按默认：{rest}", f"  not stated, so: {rest}"), highlight=False)


@app.command()
def diff(
    one: Annotated[str, typer.Argument(help="A policy id or file.", metavar="A")],
    other: Annotated[str, typer.Argument(help="The policy id or file to compare with.", metavar="B")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Say what differs between two packs. 比较两个办法。"""
    house = warehouse(home).home
    before, after = load_pack(one, house).policy, load_pack(other, house).policy
    changes = differences(before, after)
    if json:
        show_json({"a": before.id, "b": after.id, "changes": [asdict(c) for c in changes]})
        return
    for change in changes:
        out.print(change.text(language() == "zh"), markup=False, highlight=False)
    if not changes:
        out.print(say("两者相同", "no difference"))


class _Several(TyperCommand):
    """``--base a=1 b=2``: figures that follow an option belong to it, once the enterprise's own were given before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments with the option repeated before each of its figures."""
        return super().parse_args(ctx, several(args))


_OF_ITEMS = ("--base", "--average", "--range", "--mean")


def several(words: list[str]) -> list[str]:
    """``words`` with ``--base a=1 b=2`` written out as ``--base a=1 --base b=2``."""
    told, option, figures = [], "", False
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if word.startswith("-"):
            option = word if word in _OF_ITEMS else ""
        elif "=" in word and before != option and option and figures:
            told.append(option)
        figures = figures or ("=" in word and not option and not before.startswith("-"))
        told.append(word)
    return told


@app.command("try", cls=_Several)
def try_one(
    policy: Name,
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="Indicators by name.")] = None,
    group: Annotated[str | None, typer.Option(help="The group of the pack, as above_scale.")] = None,
    base: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="The base value of an item.")] = None,
    average: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="The group's average, to which the pack's times applies."),
    ] = None,
    range_: Annotated[
        list[str] | None, typer.Option("--range", metavar="NAME=LEAST..GREATEST", help="The group's range of an item.")
    ] = None,
    mean: Annotated[
        list[str] | None, typer.Option(metavar="NAME=POINTS", help="The group's average score of an item.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Score one made-up enterprise: the items and the total. 试算一家企业。"""
    pack = load_pack(policy, warehouse(home).home)
    given = Given(numbers(values), numbers(base), numbers(average), ranges(range_), numbers(mean))
    trial = try_pack(pack.policy, group, given)
    if json:
        show_json(asdict(trial))
    else:
        out.print(_table(pack.policy, trial))


def _table(policy: Policy, trial: Trial) -> Table:
    assert policy.score is not None
    table = Table(*say("指标 基准值 权重 得分", "indicator base weight score").split())
    items = policy.score.groups[trial.group].items
    for name, points in trial.items.items():
        table.add_row(name, _number(trial.bases.get(name)), _number(items[name].weight), _number(points))
    table.add_row(say("合计", "total"), "", "", _number(trial.total))
    return table


def _number(value: object) -> str:
    return "–" if value is None else f"{value}"


@app.command()
def schema(home: Home = None, json: Json = False) -> None:
    """Print the JSON schema of policy files. 输出办法文件的 JSON Schema。"""
    show_json(pack_schema())
