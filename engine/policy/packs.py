"""Finding and reading policy packs: the shipped ones and a bureau's own file."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.policy.model import Policy
from engine.schema.errors import PermuError


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
            raise _bad(name, f"not UTF-8 text ({error.reason})") from error
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
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise _bad(where, faults) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise _bad(where, " ".join(str(error).split())) from error
    except RecursionError as error:
        raise _bad(where, "nested too deeply") from error
    except PermuError as error:
        raise _bad(where, error.en) from error
    return Pack(policy, text, hashlib.sha256(text.encode()).hexdigest())


def _bad(where: str, why: str) -> PermuError:
    return PermuError(
        "bad_policy",
        f"policy {where}: {why}; correct the file and run `permu policy check {where}`",
        f"政策文件 {where}：{why}；请修改后运行 permu policy check {where}",
    )
