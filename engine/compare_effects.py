"""From a chain of states to effects: what each cause did to each enterprise's place, and which weighed most."""

from __future__ import annotations

import polars as pl

CAUSES = ("policy", "correction", "data_own", "data_peers", "code")

State = tuple[str, pl.DataFrame]


def attributed(states: list[State]) -> pl.DataFrame:
    """``enterprise_id``, rank, of and grade at both ends, ``places``, ``by_<cause>`` (they sum to it), ``cause``.

    A state in which an enterprise has no rank passes the rank before it on, so that what gave it a place again counts
    for the whole difference. Who has no rank at one end has no ``places``; its cause is the step that gave or took it.
    """
    chain = _chain(states)
    last = len(states) - 1
    both = pl.col("rank_0").is_not_null() & pl.col(f"rank_{last}").is_not_null()
    held = [pl.coalesce([f"rank_{m}" for m in range(n, -1, -1)]).alias(f"held_{n}") for n in range(last)]
    chain = chain.with_columns(*held, pl.col(f"rank_{last}").alias(f"held_{last}"))
    steps = [pl.col(f"held_{n - 1}") - pl.col(f"held_{n}") for n in range(1, last + 1)]
    effects = {
        f"by_{cause}": pl.when(both).then(
            pl.sum_horizontal(pl.lit(0), *(s for s, (why, _) in zip(steps, states[1:], strict=True) if why == cause))
        )
        for cause in CAUSES
    }
    chain = chain.with_columns(places=pl.col("rank_0") - pl.col(f"rank_{last}"), **effects)
    ends = {f"{n}_{side}": f"{n}_{at}" for side, at in (("a", 0), ("b", last)) for n in ("rank", "of", "grade")}
    return chain.with_columns(cause=_cause([why for why, _ in states])).select(
        "enterprise_id",
        *(pl.col(column).alias(name) for name, column in ends.items()),
        "places",
        *effects,
        "cause",
    )


def _chain(states: list[State]) -> pl.DataFrame:
    """One row an enterprise of either end, the columns of state n ending in ``_n``."""
    ids = pl.concat([states[0][1], states[-1][1]]).select("enterprise_id").unique(maintain_order=True)
    for n, (_, state) in enumerate(states):
        numbered = state.select("enterprise_id", pl.col("rank", "of", "grade").name.suffix(f"_{n}"))
        ids = ids.join(numbered, on="enterprise_id", how="left")
    return ids


def _cause(whys: list[str]) -> pl.Expr:
    """The cause that is named for an enterprise: of those that changed its grade, or else moved its place, the one
    with the greatest effect in the direction of the movement; of equal ones the first of CAUSES.
    """
    last = len(whys) - 1
    graded = pl.col("grade_0").ne_missing(pl.col(f"grade_{last}"))
    candidates = []
    for cause in CAUSES:
        steps = [n for n in range(1, last + 1) if _same(whys[n], cause)]
        turned = pl.any_horizontal(
            pl.lit(False), *(pl.col(f"grade_{n - 1}").ne_missing(pl.col(f"grade_{n}")) for n in steps)
        )
        appeared = pl.any_horizontal(
            pl.lit(False), *(pl.col(f"rank_{n - 1}").is_null() != pl.col(f"rank_{n}").is_null() for n in steps)
        )
        toward = pl.col(f"by_{cause}").fill_null(0) * pl.col("places").fill_null(0).sign()
        # a grade's change outweighs any number of places, and so does getting or losing a place
        weight = toward + 10**9 * ((graded & turned) | (pl.col("places").is_null() & appeared)).cast(pl.Int64)
        candidates.append(weight)
    most = pl.max_horizontal(*candidates)
    named = pl.coalesce(
        *(pl.when((weight == most) & (most > 0)).then(pl.lit(c)) for c, weight in zip(CAUSES, candidates, strict=True))
    )
    either = pl.col("rank_0").is_not_null() | pl.col(f"rank_{last}").is_not_null()
    return pl.when((either & (pl.col("places") != 0).fill_null(True)) | graded).then(named)


def _same(why: str, cause: str) -> bool:
    """Own figures and the others' turn a grade together: a quota is the whole group's matter."""
    return why == cause or (why.startswith("data") and cause.startswith("data"))
