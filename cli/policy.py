"""``permu policy list | show | check``: the rule sets."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Home, Json, out, say, show_json
from engine.policy.packs import load_pack, shipped

app = typer.Typer(no_args_is_help=True, help="The policy packs. 评价办法。")
Name = Annotated[str, typer.Argument(help="A policy id or a policy file.")]


@app.command("list")
def list_packs(home: Home = None, json: Json = False) -> None:
    """List the packs that come with permu. 列出内置办法。"""
    packs = [load_pack(name).policy for name in shipped()]
    if json:
        show_json(
            {
                "policies": [
                    {"id": p.id, "status": p.status, "title": p.title.model_dump(), "place": p.place} for p in packs
                ]
            }
        )
        return
    for p in packs:
        out.print(f"{p.id:16}{p.status:14}{say(p.title.zh, p.title.en)}", highlight=False)


@app.command()
def show(policy: Name, home: Home = None, json: Json = False) -> None:
    """Print a pack. 显示办法全文。"""
    pack = load_pack(policy)
    if json:
        show_json(pack.policy.model_dump(mode="json") | {"sha256": pack.sha256})
    else:
        out.print(pack.text, markup=False, highlight=False)


@app.command()
def check(policy: Name, home: Home = None, json: Json = False) -> None:
    """Check a policy file by every rule of the loader. 检查办法文件。"""
    pack = load_pack(policy)
    if json:
        show_json({"policy": pack.policy.id, "ok": True, "sha256": pack.sha256})
    else:
        out.print(say(f"{policy}：检查通过", f"{policy}: no fault found"), highlight=False)
