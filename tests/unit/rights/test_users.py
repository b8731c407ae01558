"""Users and keys: what is kept, what is shown, what stops working when."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from api.rights import users
from api.rights.credentials import Directory, Given, given, user_of
from cli.main import run
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse


def permu(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:  # type: ignore[type-arg]
    """Exit code and JSON of a command."""
    with pytest.raises(SystemExit) as ended:
        run([*words, "--json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def test_a_key_is_shown_once_and_only_its_hash_is_kept(home: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--home", str(home.home))
    code, shown = permu(capsys, "users", "add", "wang", "--role", "land_bureau", "--region", "320500", *at)
    assert code == 0 and shown["region"] == "3205" and shown["role"] == "land_bureau" and len(shown["key"]) >= 43
    code, told = permu(capsys, "users", "list", *at)
    assert code == 0 and [u["name"] for u in told["users"]] == ["wang"] and shown["key"] not in json.dumps(told)
    held = b"".join(f.read_bytes() for f in Path(home.home).glob("permu.sqlite*"))
    assert shown["key"].encode() not in held and users.digest(shown["key"]).encode() in held


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "a:b", "--role", "gis"), "user name"),
        (("add", "x", "--role", "king"), "role 'king'"),
        (("add", "x", "--role", "land_bureau"), "--region"),
        (("add", "x", "--role", "enterprise"), "--enterprise"),
        (("add", "x", "--role", "gis", "--enterprise", "E1"), "--enterprise"),
        (("add", "x", "--role", "gis", "--region", "SND"), "digits"),
        (("add", "x", "--role", "gis", "--expires", "soon"), "--expires"),
        (("disable", "nobody"), "no user"),
        (("rotate", "nobody"), "no user"),
        (("switch", "everything", "on"), "no switch"),
        (("switch", "anonymous_public", "perhaps"), "on or off"),
    ],
)
def test_wrong_input_is_one_clear_line(
    home: Warehouse, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    users.add(home, "first", "regulator")
    code, told = permu(capsys, "users", *words, "--home", str(home.home))
    assert code == 2 and says in told["error"]["en"]


def test_a_name_is_never_given_twice(home: Warehouse) -> None:
    users.add(home, "li", "regulator")
    users.disable(home, "li")
    with pytest.raises(PermuError) as caught:
        users.add(home, "li", "gis")
    assert caught.value.code == "user_exists"


def test_disabled_expired_and_rotated_keys_stop(home: Warehouse) -> None:
    _, first = users.add(home, "li", "regulator")
    _, second = users.rotate(home, "li")
    _, old = users.add(home, "old", "gis", expires="2020-01-01")
    known = users.everything(home)
    assert user_of(known, first) is None and user_of(known, old) is None
    assert user_of(known, second, "li") and user_of(known, second, "other") is None and user_of(known, "") is None
    users.disable(home, "li")
    assert user_of(users.everything(home), second) is None
    _, again = users.rotate(home, "li")
    assert user_of(users.everything(home), again)


def test_a_server_that_once_had_users_never_goes_back_to_the_local_administrator(home: Warehouse) -> None:
    directory = Directory(home)
    directory.read()
    assert not directory.required
    users.add(home, "li", "regulator")
    directory.read(-1)
    home.ledger.unlink()
    directory.read(-1)
    assert directory.required


@pytest.mark.parametrize(
    ("header", "key", "name"),
    [
        ("Bearer abc", "abc", None),
        ("bearer  abc ", "abc", None),
        ("Basic " + b64encode(b"li:a:b").decode(), "a:b", "li"),
        ("Basic !!!", "", None),
        ("Basic " + b64encode(b"\xff\xfe").decode(), "", None),
        ("Digest x", "", None),
        ("", "", None),
    ],
)
def test_what_a_request_brings(header: str, key: str, name: str | None) -> None:
    assert given([(b"authorization", header.encode())]) == Given(key, name)


def test_only_the_cookie_of_the_page_is_read_and_no_secret_is_printed() -> None:
    brought = given([(b"cookie", b"other=1; permu=tok")])
    assert brought.cookie == "tok" and brought.key is None and "tok" not in repr(brought)
