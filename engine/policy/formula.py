"""The closed expression language of policy packs: names of facts, whole numbers, + - *, first(…) and total(…).

``first(a, b)`` is the first that is known. ``total(a, b)`` adds what is known, and is unknown only where all are.
``a + b`` is unknown where either is. Everything stays Int64. The text is parsed, never evaluated as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import reduce

import narwhals as nw

from engine.schema.errors import PermuError

_OPERATORS: dict[type, Callable[[nw.Expr, nw.Expr], nw.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}
_FUNCTIONS = ("first", "total")
# Far beyond any rule set; deeper trees exhaust the stacks of Python and of the engines.
_LONGEST, _DEEPEST = 4000, 100
_SHOWN = 80


def parse(text: str) -> ast.expr:
    """The syntax tree of a formula; PermuError bad_formula where it holds anything but the closed language."""
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        raise _bad(text, f"longer than {_LONGEST} characters", f"超过 {_LONGEST} 个字符")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _bad(text, "not a formula", "不是有效的公式") from error
    _check(tree, text)
    return tree


def _check(node: ast.expr, text: str, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise _bad(text, f"nested deeper than {_DEEPEST}", f"嵌套超过 {_DEEPEST} 层")
    match node:
        case ast.Name(id=name) if name not in _FUNCTIONS:
            return
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value < 2**63:
            return
        case ast.BinOp(left=left, right=right) if type(node.op) in _OPERATORS:
            _check(left, text, depth + 1)
            _check(right, text, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
            for arg in args:
                _check(arg, text, depth + 1)
        case ast.BinOp(op=ast.Div(), right=right):
            zero = isinstance(right, ast.Constant) and right.value == 0
            part = _short(ast.get_source_segment(text, node) or "/")
            en, zh = ("divides by zero", "除数为 0") if zero else ("divides", "含有除法")
            raise _bad(
                text, f"`{part}` {en}; only an indicator divides, once", f"`{part}` {zh}；只有指标可以相除，且只除一次"
            )
        case _:
            part = _short(ast.get_source_segment(text, node) or type(node).__name__)
            raise _bad(text, f"`{part}` is not allowed", f"不允许使用 `{part}`")


def names_in(text: str) -> set[str]:
    """The names that a formula reads."""
    tree = parse(text)
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - set(_FUNCTIONS)


def compile_formula(text: str) -> nw.Expr:
    """The formula as a Narwhals expression over Int64 columns of the same names."""
    return _build(parse(text))


def _build(node: ast.expr) -> nw.Expr:
    match node:
        case ast.Name(id=name):
            return nw.col(name)
        case ast.Constant(value=int(value)):
            return nw.lit(value, dtype=nw.Int64)
        case ast.BinOp(left=left, right=right):
            return _OPERATORS[type(node.op)](_build(left), _build(right))
        case ast.Call(func=ast.Name(id="first"), args=args):
            return nw.coalesce(*(_build(a) for a in args)) if len(args) > 1 else _build(args[0])
        case ast.Call(args=args):
            return _total([_build(a) for a in args])
    raise AssertionError(node)


def _total(parts: list[nw.Expr]) -> nw.Expr:
    known = reduce(lambda a, b: a | b, (~p.is_null() for p in parts))
    summed = reduce(lambda a, b: a + b, (p.fill_null(0) for p in parts))
    return nw.when(known).then(summed)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _bad(text: str, en: str, zh: str) -> PermuError:
    text = _short(text)
    return PermuError(
        "bad_formula",
        f"formula `{text}`: {en}; use names of facts, whole numbers, + - *, first(…) and total(…)",
        f"公式 `{text}`：{zh}；只能使用指标数据名、整数、+ - *、first(…) 与 total(…)",
    )
