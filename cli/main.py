"""The ``permu`` command: parses, calls, prints. Exit 0 done · 1 a person is needed · 2 wrong usage or input."""

from __future__ import annotations

import os
import re
import sys
import traceback
from importlib import import_module

import typer

from cli.options import people, show_json
from engine.schema.errors import PermuError

# A command → the module of :mod:`cli` that holds it and what to take from it: a command, or an application of several.
# Only the module of the command that was asked is imported: all of them together take over a second.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "app"),
    "policy": ("policy", "app"),
    "layers": ("layers", "app"),
    "findings": ("findings", "app"),
    "refused": ("refused", "app"),
    "review": ("review", "app"),
    "report": ("report", "app"),
    "users": ("users", "app"),
    "audit": ("audit", "app"),
    "compare": ("compare", "compare_releases"),
    "ingest": ("load", "ingest"),
    "sources": ("status", "sources"),
    "status": ("status", "status"),
    "merge": ("load", "merge"),
    "rank": ("rank", "rank"),
    "releases": ("rank", "releases"),
    "publish": ("release", "publish"),
    "withdraw": ("release", "withdraw"),
    "replay": ("rank", "replay"),
    "rankings": ("read", "rankings"),
    "explain": ("explain", "explain"),
    "simulate": ("whatif", "simulate"),
    "robustness": ("whatif", "robustness"),
    "correct": ("correct", "correct"),
    "disputes": ("disputes", "disputes"),
    "serve": ("serve", "serve"),
    "purge": ("release", "purge"),
}


def application(words: list[str]) -> typer.Typer:
    """The command line for these words: with the one command that they name, or with all (help, a wrong name)."""
    app = typer.Typer(
        name="permu",
        help="Rank industrial enterprises by what they produce and contribute per mu of land. 工业企业亩均效益排名。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(lambda: None)  # or a single command would be the whole line
    for name in words[:1] if words[:1] and words[0] in COMMANDS else COMMANDS:
        module, taken = COMMANDS[name]
        found = getattr(import_module(f"cli.{module}"), taken)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def run(args: list[str] | None = None) -> None:
    """The console entry point; ends the process with the command's exit code."""
    words = sys.argv[1:] if args is None else args
    try:
        code = application(words)(words, standalone_mode=False)
    except PermuError as error:
        code = _refused(error, words)
    except typer.TyperException as error:
        # Nothing to say: no arguments were given, and the help was shown.
        code = _refused(_usage(error), words) if error.format_message() else 2
    except BrokenPipeError:  # the reader of a pipe has seen enough (`permu rankings | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        code = _refused(_no_access(error), words)
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except Exception:  # a fault of permu's own: Python's 1 would say "done, but look" (make and scripts go on)
        traceback.print_exc()
        code = 70
    sys.exit(code if isinstance(code, int) else 0)


def _refused(error: PermuError, words: list[str]) -> int:
    if "--json" in words:
        details = {"details": error.details} if error.details else {}
        show_json({"error": {"code": error.code, "en": error.en, "zh": error.zh, **details}})
    for line in str(error).splitlines():  # one a file, where several files were refused
        people.print(f"permu: {line}", style="red", markup=False, highlight=False, soft_wrap=True)
    return 2


_CHINESE = (
    (r"No such command '(.*)'", r"没有命令 \1"),
    (r"No such option: (\S+)(?: \(?Did you mean (.*?)\??\)?)?", r"没有选项 \1"),
    (r"Missing option '(.*)'", r"缺少选项 \1"),
    (r"Missing argument '(.*)'", r"缺少参数 \1"),
    (r"Missing command", "缺少子命令"),
    (r"Option '(.*)' requires an argument", r"选项 \1 后须给出值"),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", r"多余的参数：\1"),
    (r"Invalid value for (.*?): (.*)", r"\1 的值无效：\2"),
)


def _usage(error: typer.TyperException) -> PermuError:
    why = " ".join(error.format_message().split()).rstrip(".")
    known = ((re.fullmatch(pattern, why), zh) for pattern, zh in _CHINESE)
    zh = next((found.expand(text) for found, text in known if found), why)
    return PermuError("bad_usage", f"{why}; see `permu --help`", f"用法错误：{zh}；请参阅 permu --help")


def _no_access(error: OSError) -> PermuError:
    what, why = error.filename or "", error.strerror or " ".join(str(error).split())
    return PermuError(
        "cannot_access",
        f"cannot read or write {what}: {why}; check the path, its rights and the space left on the disk",
        f"无法读写 {what}：{why}；请检查路径、权限和磁盘空间",
    )
