"""Grades: the quota on the rank among those of one group and place, then the pack's adjustments.

Quotas compare integers (rank · 100 ≤ share · of), the boundary at the better grade. A place with fewer evaluated
enterprises than the pack says is graded by the wider level that it names: by the rank among all of the group there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce

import narwhals as nw

from engine.policy.adjusting import Adjustment
from engine.policy.model import Group, Policy, Score
from engine.ranking.groups import by_group, key_of, on_its_list

_ORDER = ("direct_to", "up", "down", "not_above", "veto")


def with_grade_ranks(wide: nw.LazyFrame, policy: Policy) -> nw.LazyFrame:
    """``grade_rank``, ``grade_of`` (Int32) and ``grade_within``: the place that decides, after rolling up."""
    score = policy.score
    assert score is not None
    apart = policy.tenants.rule == "own_list"
    if len(score.groups) == 1 and score.ties == "share_better_rank" and not apart:
        level = next(iter(score.groups.values())).graded_within
        wide = wide.with_columns(
            grade_rank=nw.col(f"rank__score__{level}"), grade_of=nw.col(f"of__score__{level}"),
            grade_within=nw.lit(level),
        )  # fmt: skip
    else:
        wide = wide.with_columns(**_place(score, nw.col("grade_key"), "grade_key"))
        wide = wide.with_columns(grade_within=by_group(score, lambda g: nw.lit(g.graded_within)))
    return _known(_rolled_up(wide, policy, score))


def _known(wide: nw.LazyFrame) -> nw.LazyFrame:
    """The deciding place only where there is a rank."""
    ranked = ~nw.col("grade_rank").is_null()
    return wide.with_columns(
        grade_of=nw.when(ranked).then(nw.col("grade_of")), grade_within=nw.when(ranked).then(nw.col("grade_within"))
    )


def _place(score: Score, key: nw.Expr, column: str) -> dict[str, nw.Expr]:
    """Rank by score and number of scores among the enterprises of one group and place."""
    value = nw.col("score_e10")
    known = ~key.is_null() & ~nw.col("score_group").is_null()
    if score.ties == "share_better_rank":
        rank = value.rank("min", descending=True).over("score_group", column)
    else:
        rank = value.rank("max", descending=True).over("score_group", column)
    of = value.count().over("score_group", column)
    return {
        "grade_rank": nw.when(known).then(rank).cast(nw.Int32),
        "grade_of": nw.when(known).then(of).cast(nw.Int32),
    }


def _rolled_up(wide: nw.LazyFrame, policy: Policy, score: Score) -> nw.LazyFrame:
    groups = [g for g in score.groups.values() if g.small_groups.roll_up_to is not None]
    if not groups:
        return wide

    def wider(group: Group) -> nw.Expr | None:
        level = group.small_groups.roll_up_to
        return None if level is None else nw.col(key_of(level))

    wide = wide.with_columns(roll_key=on_its_list(policy, by_group(score, wider)))
    at = _place(score, nw.col("roll_key"), "roll_key")
    wide = wide.with_columns(roll_rank=at["grade_rank"], roll_of=at["grade_of"])
    small = by_group(score, _is_small).fill_null(False) & ~nw.col("roll_rank").is_null()
    level = by_group(score, lambda g: nw.lit(g.small_groups.roll_up_to))
    return wide.with_columns(
        grade_rank=nw.when(small).then(nw.col("roll_rank")).otherwise(nw.col("grade_rank")),
        grade_of=nw.when(small).then(nw.col("roll_of")).otherwise(nw.col("grade_of")),
        grade_within=nw.when(small).then(level).otherwise(nw.col("grade_within")),
    )


def _is_small(group: Group) -> nw.Expr | None:
    if group.small_groups.roll_up_to is None:
        return None
    return nw.col("grade_of") < group.small_groups.fewer_than


def small_group(score: Score) -> nw.Expr:
    """Whether the place that decided has fewer enterprises than the pack wants."""
    return by_group(score, lambda g: nw.col("grade_of") < g.small_groups.fewer_than)


def with_grades(wide: nw.LazyFrame, score: Score) -> nw.LazyFrame:
    """``grade_initial`` by quota on ``grade_rank`` of ``grade_of``; those outside the quota get their rule's grade."""
    grade = by_group(score, _quota)
    outside = nw.col("evaluation") == "not_evaluated"
    grade = nw.when(outside).then(nw.col("outside_grade")).otherwise(grade)
    return wide.with_columns(grade_initial=grade.cast(nw.String))


def _quota(group: Group) -> nw.Expr | None:
    if not group.shares:
        return None
    rank, of = (nw.col(c).cast(nw.Int64) for c in ("grade_rank", "grade_of"))
    *better, last = group.shares
    grade: nw.Expr = nw.when(~rank.is_null()).then(nw.lit(last.grade))
    for share in reversed(better):
        top, bottom = share.up_to_percent.as_integer_ratio()
        grade = nw.when(rank * (100 * bottom) <= of * top).then(nw.lit(share.grade)).otherwise(grade)
    return grade


def with_adjustments(wide: nw.LazyFrame, policy: Policy) -> nw.LazyFrame:
    """``grade`` after the adjustments and ``adjustment``: the names of those met, in the order in which they act."""
    score = policy.score
    assert score is not None
    if not score.adjustments:
        return wide.with_columns(grade=nw.col("grade_initial"))
    acting = sorted(score.adjustments, key=lambda a: _ORDER.index(a.effect))
    wide = wide.with_columns(**{f"met__{a.name}": _met(a, policy) for a in acting})
    wide = wide.with_columns(_level=by_group(score, _level_of))
    for effect, act in _ACTS.items():
        mine = [a for a in acting if a.effect == effect]
        if mine:
            wide = wide.with_columns(_level=by_group(score, partial(act, mine)))
    wide = wide.with_columns(grade=by_group(score, _grade_of))
    names = [nw.when(nw.col(f"met__{a.name}") & ~nw.col("_level").is_null()).then(nw.lit(a.name)) for a in acting]
    kept = nw.when(nw.col("_level").is_null()).then(nw.col("grade_initial")).otherwise(nw.col("grade"))
    return wide.with_columns(grade=kept, adjustment=nw.concat_str(*names, separator=",", ignore_nulls=True))


def _met(one: Adjustment, policy: Policy) -> nw.Expr:
    """Whether any of the rule's events or conditions holds; a figure that is not known meets nothing."""
    held = [nw.col(f"event__{one.name}") == 1] if one.events else []
    for condition in one.conditions:
        wanted = policy.threshold(condition)
        value = nw.col(wanted.column)
        compared = {
            "more_than": value > wanted.value, "at_least": value >= wanted.value,
            "less_than": value < wanted.value, "at_most": value <= wanted.value,
        }  # fmt: skip
        held.append(compared[wanted.comparison])
    met = reduce(lambda a, b: a | b, (h.fill_null(False) for h in held))
    return met & nw.col("score_group").is_in(list(one.groups)).fill_null(False) if one.groups else met


def _grades(group: Group) -> list[str]:
    """The grades of a group, best first; their places in it are the levels that adjustments move."""
    return [s.grade for s in group.shares]


def _level_of(group: Group) -> nw.Expr | None:
    level: nw.Expr | None = None
    for n, grade in enumerate(_grades(group)):
        here = nw.when(nw.col("grade_initial") == grade).then(nw.lit(n, dtype=nw.Int64))
        level = here if level is None else here.otherwise(level)
    return level


def _grade_of(group: Group) -> nw.Expr | None:
    grade: nw.Expr | None = None
    for n, name in enumerate(_grades(group)):
        here = nw.when(nw.col("_level") == n).then(nw.lit(name))
        grade = here if grade is None else here.otherwise(grade)
    return grade


def _met_levels(rules: list[Adjustment], grades: list[str]) -> list[nw.Expr]:
    """The level that each rule met asks for, -1 where it is not met."""
    return [
        nw.when(nw.col(f"met__{a.name}")).then(nw.lit(grades.index(a.grade), dtype=nw.Int64)).otherwise(nw.lit(-1))
        for a in rules
        if a.grade in grades
    ]


def _worst(levels: list[nw.Expr]) -> nw.Expr:
    """The largest of one or more (Spark's `greatest` wants two)."""
    return nw.max_horizontal(*levels) if len(levels) > 1 else levels[0]


def _set(rules: list[Adjustment], group: Group) -> nw.Expr | None:
    """The worst level asked for takes the place of what was (``direct_to``, ``veto``)."""
    level = nw.col("_level")
    asked = _met_levels(rules, _grades(group))
    if not asked:
        return level
    worst = _worst(asked)
    return nw.when((worst >= 0) & ~level.is_null()).then(worst).otherwise(level)


def _limit(rules: list[Adjustment], group: Group) -> nw.Expr | None:
    """Nobody who meets a rule stands above its grade."""
    level = nw.col("_level")
    asked = _met_levels(rules, _grades(group))
    worst = _worst(asked) if asked else level
    return nw.when(worst > level).then(worst).otherwise(level)


def _move(sign: int) -> Callable[[list[Adjustment], Group], nw.Expr | None]:
    def move(rules: list[Adjustment], group: Group) -> nw.Expr | None:
        steps = [
            nw.when(nw.col(f"met__{a.name}")).then(nw.lit(sign * (a.steps or 0), dtype=nw.Int64)).otherwise(nw.lit(0))
            for a in rules
        ]
        return (nw.col("_level") + reduce(lambda a, b: a + b, steps)).clip(0, max(len(group.shares) - 1, 0))

    return move


_ACTS = {"direct_to": _set, "up": _move(-1), "down": _move(1), "not_above": _limit, "veto": _set}
