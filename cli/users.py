"""``permu users``: who may ask the server, in which role and for which region."""

from __future__ import annotations

from typing import Annotated

import typer

from api.rights import users as book
from api.rights.rules import SWITCHES
from cli.options import Home, Json, out, people, say, show_json, warehouse
from engine.schema.columns import ROLES

app = typer.Typer(no_args_is_help=True, help="Users, their keys and rights. 用户与权限。")
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
_Expires = Annotated[str | None, typer.Option(help="Last day of the key, as 2025-12-31 (UTC).")]


@app.command()
def add(
    name: _Name,
    role: Annotated[str, typer.Option(help="One of " + ", ".join(ROLES) + ".")],
    region: Annotated[str | None, typer.Option(help="The region it sees, 2 to 9 digits (320500).")] = None,
    enterprise: Annotated[str | None, typer.Option(help="The firm of an enterprise user.")] = None,
    expires: _Expires = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Add a user; its key is shown once and kept nowhere. 添加用户，密钥只显示一次。"""
    _show(*book.add(warehouse(home), name, role, region, enterprise, expires), json)


@app.command()
def rotate(name: _Name, expires: _Expires = None, home: Home = None, json: Json = False) -> None:
    """Give a user a new key; the old one stops working. 更换密钥。"""
    _show(*book.rotate(warehouse(home), name, expires), json)


@app.command()
def disable(name: _Name, home: Home = None, json: Json = False) -> None:
    """Stop a user's key, within a second also in running servers. 停用用户。"""
    user = book.disable(warehouse(home), name)
    if json:
        show_json(user.shown())
    else:
        out.print(say(f"已停用 {name}", f"{name} is disabled"), highlight=False)


@app.command("list")
def list_users(home: Home = None, json: Json = False) -> None:
    """Every user with role, region and last day of use. 用户列表。"""
    house = warehouse(home).require()
    found = book.listed(house)
    if json:
        show_json({"users": [u.shown() for u in found], "switches": book.switches(house)})
        return
    for u in found:
        state = say("有效", "active") if u.active else say("停用", "disabled")
        where = u.enterprise or u.region or say("全部", "everywhere")
        used = u.last_used_on or say("未使用", "never used")
        out.print(f"{u.name}  {u.role}  {where}  {state}  {used}", highlight=False, markup=False)
    for name, on in book.switches(house).items():
        out.print(f"{name}: {say('开', 'on') if on else say('关', 'off')}", highlight=False)


@app.command()
def switch(
    name: Annotated[str, typer.Argument(metavar="SWITCH", help="One of " + ", ".join(SWITCHES) + ".")],
    state: Annotated[str, typer.Argument(metavar="on|off", help="on or off.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Turn a switch of the rights on or off, also in running servers (docs/rights.md). 权限开关。"""
    if state not in ("on", "off"):
        raise typer.BadParameter(f"{state}: on or off")
    house = warehouse(home)
    book.set_switch(house, name, state == "on")
    if json:
        show_json({"switches": book.switches(house)})
    else:
        out.print(f"{name}: {state}", highlight=False)


def _show(user: book.User, key: str, json: bool) -> None:
    if json:
        show_json({**user.shown(), "key": key})
        return
    people.print(say("密钥只显示这一次，请妥善保存：", "The key is shown this once; keep it safe:"))
    out.print(key, highlight=False, markup=False)
