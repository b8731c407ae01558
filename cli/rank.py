"""``permu rank | releases | replay``: make releases and check them."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from cli.options import Home, Json, Policy, Year, finish, out, say, show_json, warehouse
from cli.prepared import prepare as made
from cli.progress import Stages
from engine.policy.guard import misfits
from engine.ranking import run
from engine.releases import DEFAULT_POLICY, find, list_releases
from engine.schema.errors import PermuError


class Engine(StrEnum):
    """Engines that rank."""

    polars = "polars"
    spark = "spark"


def rank(
    year: Year,
    policy: Policy = DEFAULT_POLICY,
    engine: Annotated[Engine, typer.Option(help="Where the pipeline runs; the result is the same.")] = Engine.polars,
    remote: Annotated[
        str | None, typer.Option(help="With --engine spark: a Spark Connect server, sc://HOST:PORT.")
    ] = None,
    prepare: Annotated[
        bool,
        typer.Option(help="Make the files that a server answers from. Without, a server makes them beside its work."),
    ] = True,
    home: Home = None,
    json: Json = False,
) -> None:
    """Rank a year under a policy and write the release as a draft. 排名并生成发布版本。"""
    if remote is not None and engine is not Engine.spark:
        raise PermuError(
            "remote_without_spark",
            f"--remote {remote} names a Spark server: add --engine spark",
            f"--remote {remote} 指定的是 Spark 服务器：请同时使用 --engine spark",
        )
    with Stages() as progress:
        report = run.rank(warehouse(home), year, policy, engine=engine.value, remote=remote, progress=progress)
        if prepare:  # the release is there already: whoever interrupts this loses nothing
            report.seconds["prepare"] = made(warehouse(home), report.release_id, progress)
    if json:
        show_json(asdict(report))
        return
    seconds = sum(report.seconds[k] for k in ("rank", "publish"))
    out.print(
        say(
            f"已生成发布版本 {report.release_id}：{report.rows} 家企业（{seconds:.1f} 秒）",
            f"release {report.release_id}: {report.rows} enterprises ({seconds:.1f} s)",
        ),
        highlight=False,
    )
    release = find(warehouse(home), report.release_id)
    for zh, en in misfits(
        release.pack.policy, year, release.table("rankings").select("region_code").collect().to_series()
    ):
        out.print(f"! {say(zh, en)}", highlight=False)


def releases(home: Home = None, json: Json = False) -> None:
    """List the releases. 列出发布版本。"""
    known = list_releases(warehouse(home))
    if json:
        show_json({"releases": known})
        return
    table = Table()
    for column in ("release_id", "year", "policy", "state", "rows", "created_at", "rankings_sha256"):
        table.add_column(column, no_wrap=column == "release_id", overflow="fold")
    for r in known:
        table.add_row(
            r["release_id"], str(r["year"]), r["policy"], r["state"], str(r["rows"]), r["created_at"][:19], r["rankings_sha256"][:16]
        )  # fmt: skip
    out.print(table)


def replay(
    release: Annotated[str, typer.Argument(help="A release id.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Rank a release again from its own facts and policy and compare the hash. 重算并核对。"""
    house = warehouse(home).require()
    one = find(house, release)
    actual, stored = run.replayed_sha256(house, one), run.stored_sha256(one)
    expected = one.manifest["rankings_sha256"]
    same = actual == expected == stored
    result = {"release_id": release, "expected_sha256": expected, "actual_sha256": actual, "same": same}
    if json:
        show_json(result | {"stored_sha256": stored})
    else:
        out.print(say("一致", "same") if same else say("不一致", "different"), actual)
    if not json and stored != expected:
        told = say(
            "发布中保存的排名表已损坏或被改动；请重新排名以恢复",
            "the rankings that the release holds are damaged or were changed; rank again to restore them",
        )
        out.print(told)
    finish(not same)
