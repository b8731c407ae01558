"""Finding and reading policy packs: the shipped ones and a bureau's own file."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.policy.faults import Found, found
from engine.policy.guard import check_claims, check_usable, claims
from engine.policy.model import Policy
from engine.schema.errors import PermuError

_SHOWN = 5


class _OnceLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice: the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"`{twice[0]}` is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Pack:
    """A policy with its text as read and the text's SHA-256."""

    policy: Policy
    text: str
    sha256: str


def shipped() -> list[str]:
    """Ids of the packs that come with permu."""
    found = files("data.policies").iterdir()
    return sorted(f.name.removesuffix(".yaml") for f in found if f.name.endswith(".yaml"))


def own(home: Path | None) -> dict[str, Path]:
    """The packs of a warehouse's own ``policies/`` folder by id, which is the file's name; PermuError policy_name."""
    found = {f.stem: f for f in sorted((home / "policies").glob("*.yaml"))} if home else {}
    for name, file in found.items():
        if name in shipped():
            raise PermuError(
                "policy_name",
                f"{file}: {name} is a pack that comes with permu; give yours an id and a file name of its own",
                f"{file}：{name} 是内置办法的编号；请为自己的办法另取编号和文件名",
            )
    return found


def load_pack(name: str, home: Path | None = None) -> Pack:
    """The pack of an id (shipped, or of the warehouse ``home``) or of a YAML file; PermuError unknown_policy, bad_policy."""
    if name in shipped():
        return read_pack(files("data.policies").joinpath(f"{name}.yaml").read_text(encoding="utf-8"), name)
    mine = own(home)
    path = mine.get(name, Path(name))
    if path.suffix in (".yaml", ".yml") and path.is_file():
        pack = _read_file(path, str(path) if name in mine else name)
        if name in mine and pack.policy.id != name:
            raise _misnamed(path, pack.policy.id)
        return pack
    known = ", ".join([*shipped(), *mine])
    raise PermuError(
        "unknown_policy",
        f"no policy `{name}`: known are {known}; name one of them or a .yaml file (`permu policy list`)",
        f"没有政策 `{name}`：现有 {known}；请使用其中之一或指定 .yaml 文件（permu policy list）",
    )


def usable_pack(name: str, year: int, home: Path | None = None) -> Pack:
    """The pack of ``name``, fit to rank the data of ``year``: whole, in force, and the only one that claims its place.

    Raises unknown_policy, bad_policy, policy_partial, policy_expired, policy_claims.
    """
    pack = load_pack(name, home)
    check_usable(pack.policy, year)
    if claims(pack.policy):
        check_claims(pack.policy, (p.policy for p in known_packs(home) if p.policy.id != pack.policy.id))
    return pack


def known_packs(home: Path | None = None) -> list[Pack]:
    """The shipped packs and those of the warehouse's own folder."""
    return [load_pack(name, home) for name in [*shipped(), *own(home)]]


def _read_file(path: Path, shown: str) -> Pack:
    try:
        return read_pack(path.read_text(encoding="utf-8"), shown)
    except UnicodeDecodeError as error:
        raise _bad(shown, [Found("file", None, "not UTF-8 text", "不是 UTF-8 文本")]) from error


def _misnamed(path: Path, id_: str) -> PermuError:
    return PermuError(
        "policy_name",
        f"{path}: its id is {id_}; name the file {id_}.yaml or correct the id, so that it is found by its id",
        f"{path}：其编号为 {id_}；请将文件改名为 {id_}.yaml 或更正编号，以便按编号查找",
    )


def read_pack(text: str, where: str) -> Pack:
    """A pack from its text; every fault of the file in one line, with the place in it."""
    try:
        policy = Policy.model_validate(yaml.load(text, _OnceLoader))
    except ValidationError as error:
        raise _bad(where, found(error, text)) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise _bad(where, [_unreadable(error)]) from error
    except RecursionError as error:
        raise _bad(where, [Found("file", None, "nested too deeply", "嵌套过深")]) from error
    return Pack(policy, text, hashlib.sha256(text.encode()).hexdigest())


def _unreadable(error: Exception) -> Found:
    """What is no YAML, with the line where reading stopped."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    why = " ".join(str(getattr(error, "problem", None) or error).split())
    return Found("file", mark and mark.line + 1, why, f"无法读取（{why}）")


def _bad(where: str, faults: list[Found]) -> PermuError:
    """One line for people with the first faults, every fault for programs."""
    more = len(faults) - _SHOWN
    en, zh = ("; ".join(f.text(zh) for f in faults[:_SHOWN]) for zh in (False, True))
    return PermuError(
        "bad_policy",
        f"policy {where}: {en}{f'; and {more} more' if more > 0 else ''}; correct the file and run "
        f"`permu policy check {where}`",
        f"政策文件 {where}：{zh}{f'；另有 {more} 处' if more > 0 else ''}；请修改后运行 permu policy check {where}",
        faults=[asdict(f) for f in faults],
    )
