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


def load_pack(name: str) -> Pack:
    """The pack of an id or of a YAML file; PermuError unknown_policy, bad_policy."""
    if name in shipped():
        return read_pack(files("data.policies").joinpath(f"{name}.yaml").read_text(encoding="utf-8"), name)
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        try:
            return read_pack(path.read_text(encoding="utf-8"), name)
        except UnicodeDecodeError as error:
            raise _bad(name, [Found("file", None, "not UTF-8 text", "不是 UTF-8 文本")]) from error
    known = ", ".join(shipped())
    raise PermuError(
        "unknown_policy",
        f"no policy `{name}`: known are {known}; name one of them or a .yaml file (`permu policy list`)",
        f"没有政策 `{name}`：现有 {known}；请使用其中之一或指定 .yaml 文件（permu policy list）",
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
