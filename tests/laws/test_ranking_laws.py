"""Laws of ranking over arbitrary enterprises: order, improvement, weights, newcomers, and the hash of the result."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fingerprint import table_sha256
from engine.policy.model import Policy
from engine.policy.packs import load_pack
from engine.ranking.pipeline import rankings
from engine.releases import open_release
from engine.schema.warehouse import Warehouse
from tests.unit.ranking.crowds import write_year
from tests.unit.ranking.firms import Firm, firm, ranked, year_of

# few distinct values, so that ties are common; every kind of gap
MONEY = st.one_of(st.none(), st.sampled_from([0, 10**8, 2 * 10**8, -(10**7)]), st.integers(-(10**9), 10**12))
LAND = st.one_of(st.none(), st.sampled_from([0, -366, 366 * 10**6, 366 * 200_000]), st.integers(1, 10**12))
ROW = st.fixed_dictionaries({
    "vat_fen": MONEY, "invoiced_sales_fen": MONEY, "land_dm2_days": LAND,
    "power_wh": st.one_of(st.none(), st.integers(0, 10**12)), "employees": st.sampled_from([None, 10, 400]),
    "is_above_scale": st.sampled_from([None, 0, 1]), "industry_code": st.sampled_from(["2614", "2710", "4411", None]),
    "region_code": st.sampled_from(["320583001", "320205002", None]),
})  # fmt: skip
FIRMS = st.lists(ROW, min_size=1, max_size=14).map(lambda rows: [firm(n, **row) for n, row in enumerate(rows)])
LAST = [
    firm(
        n,
        vat_fen=10**9,
        invoiced_sales_fen=10**10,
        land_dm2_days=365 * 10**6,
        power_wh=10**10,
        is_above_scale=1,
        region_code=r,
    )
    for n, r in enumerate(("320583001", "320205002"))
]
POLICIES = st.sampled_from(["sunan-2017", "huaian-2024"])
laws = settings(max_examples=18)


def result(firms: list[Firm], policy: str = "huaian-2024") -> pl.DataFrame:
    return ranked(firms, policy, last=LAST)


@laws
@given(FIRMS, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(firms: list[Firm], policy: str, dice: random.Random) -> None:
    shuffled = firms.copy()
    dice.shuffle(shuffled)
    assert table_sha256(result(shuffled, policy)) == table_sha256(result(firms, policy))


@laws
@given(FIRMS, st.sampled_from(["vat_fen", "invoiced_sales_fen"]), st.integers(1, 10**12), st.data())
def test_a_better_value_never_ranks_worse(firms: list[Firm], field: str, more: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(firms) - 1))
    better = [
        f | {field: (f[field] or 0) + more} if n == at and f[field] is not None else f for n, f in enumerate(firms)
    ]
    before, after = (result(x).row(at, named=True) for x in (firms, better))
    metric = "benefit_per_mu" if field == "vat_fen" else "output_per_mu"
    for name in (
        f"rank__{metric}__all",
        f"rank__{metric}__region_county",
        f"rank__{metric}__industry_2",
        "rank__score__all",
    ):
        if before[name] is not None:
            assert after[name] <= before[name], name


@laws
@given(FIRMS, st.data())
def test_more_land_never_ranks_better(firms: list[Firm], data: st.DataObject) -> None:
    """With the same output: an enterprise that takes more land does not rise (where its output is not negative)."""
    at = data.draw(st.integers(0, len(firms) - 1))
    land, output = firms[at]["land_dm2_days"], firms[at]["invoiced_sales_fen"]
    if land is None or land <= 0 or output is None or output < 0:
        return
    wider = [f | {"land_dm2_days": land * 2} if n == at else f for n, f in enumerate(firms)]
    name = "rank__output_per_mu__all"
    assert result(wider)[name][at] >= result(firms)[name][at]


@laws
@given(FIRMS, ROW)
def test_a_worse_newcomer_changes_no_better_rank(firms: list[Firm], newcomer: dict[str, object]) -> None:
    before = result(firms)
    after = result([*firms, firm(999, **newcomer)])
    new = after.filter(pl.col("enterprise_id") == "E000999").row(0, named=True)
    old = after.filter(pl.col("enterprise_id") != "E000999")
    for metric in ("output_per_mu", "benefit_per_mu"):
        for group in ("all", "industry_2", "region_city", "scale_group"):
            name = f"rank__{metric}__{group}"
            better = old.filter(pl.col(metric) > new[metric]) if new[metric] is not None else old
            unmoved = before.join(better.select("enterprise_id"), on="enterprise_id", how="semi")
            assert better[name].to_list() == unmoved[name].to_list()


@laws
@given(FIRMS)
def test_ranks_of_a_group_are_a_competition(firms: list[Firm]) -> None:
    """Each rank is one more than the number of better ones; ``of`` counts those with a value."""
    table = result(firms)
    for metric, value in (("output_per_mu", "output_per_mu"), ("score", "score_e10")):
        known = [v for v in table[value] if v is not None]
        for v, rank, of in table.select(value, f"rank__{metric}__all", f"of__{metric}__all").iter_rows():
            assert of == len(known)
            assert rank == (None if v is None else 1 + sum(k > v for k in known))


def weighted(times: int) -> Policy:
    """huaian-2024 with every weight ``times`` as large (beyond the loader's 100: a law, not a pack)."""
    policy = load_pack("huaian-2024").policy
    assert policy.score is not None
    (group,) = policy.score.groups.values()
    items = {n: i.model_copy(update={"weight": (i.weight or 0) * times}) for n, i in group.items.items()}
    groups = {"all": group.model_copy(update={"items": items})}
    return policy.model_copy(update={"score": policy.score.model_copy(update={"groups": groups})})


@laws
@given(FIRMS, st.sampled_from([2, 4, 8]))
def test_weights_times_k_change_no_rank_and_no_grade(firms: list[Firm], times: int) -> None:
    """Powers of two: the products are exact, so that not a tie moves. (Scores stay apart by more than 10⁻¹⁰.)"""
    one, more = (rankings(weighted(k), year_of(firms), year_of(LAST, 2023)).to_native().collect() for k in (1, times))
    scores = sorted(s for s in one["score"] if s is not None)
    if any(0 < abs(a - b) < 1e-8 for a, b in itertools.pairwise(scores)) or any(abs(s) > 1e7 for s in scores):
        return
    columns = ["enterprise_id", "grade", *(c for c in one.columns if c.startswith(("rank__", "of__")))]
    assert one.select(columns).equals(more.select(columns), null_equal=True)


# --- the hash ----------------------------------------------------------------------------------------------------

_RANK = """
import sys
from pathlib import Path
from engine.fingerprint import table_sha256
from engine.ranking.run import replayed_sha256
from engine.releases import open_release
from engine.schema.warehouse import Warehouse
home, release = map(Path, sys.argv[1:])
print(replayed_sha256(Warehouse(home), open_release(release)))
"""


@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_the_hash_does_not_know_how_many_threads(demo_home: Warehouse, threads: str) -> None:
    for release in demo_home.releases.iterdir():
        expected = open_release(release).manifest["rankings_sha256"]
        done = subprocess.run(
            [sys.executable, "-c", _RANK, str(demo_home.home), str(release)], capture_output=True, text=True, timeout=120,
            env={**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        assert done.stdout.strip() == expected, done.stderr


_ALL_FORMS = """
import sys
from pathlib import Path
from engine.fingerprint import table_sha256
from engine.policy.packs import read_pack
from engine.ranking.merged import Merged
from engine.ranking.pipeline import rankings
pack, folder, engine = Path(sys.argv[1]).read_text("utf-8"), Path(sys.argv[2]), sys.argv[3]
last, this = (Merged(y, "", folder / str(y), [], {}, 0.0).tables() for y in (2023, 2024))
print(table_sha256(rankings(read_pack(pack, "all-forms").policy, this, last).to_native().collect(engine=engine)))
"""


def test_means_and_extras_do_not_know_how_many_threads(tmp_path: Path) -> None:
    """Every rule of a pack, simple means of quotients among them, over threads and both engines of Polars."""
    root = Path(__file__).parents[2]
    for year in (2023, 2024):
        write_year(tmp_path / str(year), seed=year, size=3000)
    hashes = set()
    for threads, engine in (("1", "streaming"), ("2", "in-memory"), ("7", "streaming"), ("7", "in-memory")):
        pack = root / "tests" / "unit" / "ranking" / "all-forms.yaml"
        done = subprocess.run(
            [sys.executable, "-c", _ALL_FORMS, str(pack), str(tmp_path), engine], capture_output=True, text=True,
            timeout=120, env={**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONPATH": str(root)}, check=True,
        )  # fmt: skip
        hashes.add(done.stdout.strip())
    assert len(hashes) == 1 and len(hashes.pop()) == 64


@settings(max_examples=15)
@given(FIRMS, POLICIES)
def test_in_memory_and_streaming_give_one_hash(firms: list[Firm], policy: str) -> None:
    pack = load_pack(policy).policy
    lazy = rankings(pack, year_of(firms), year_of(LAST, 2023)).to_native()
    assert table_sha256(lazy.collect(engine="in-memory")) == table_sha256(lazy.collect(engine="streaming"))


CELLS = {
    "i": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    "f": st.one_of(st.none(), st.floats(allow_nan=False)),
    "s": st.one_of(st.none(), st.text(max_size=4)),
    "b": st.one_of(st.none(), st.booleans()),
}
KINDS = {"i": pl.Int64, "f": pl.Float64, "s": pl.String, "b": pl.Boolean}
TABLES = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=9)


@given(TABLES, st.data())
def test_any_changed_value_changes_the_hash(rows: list[dict[str, object]], data: st.DataObject) -> None:
    at, name = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.sampled_from(list(CELLS)))
    value = data.draw(CELLS[name])
    changed = [r | {name: value} if n == at else r for n, r in enumerate(rows)]
    one, other = (table_sha256(pl.DataFrame(t, schema=KINDS)) for t in (rows, changed))
    same = rows[at][name] == value and type(rows[at][name]) is type(value) and str(rows[at][name]) == str(value)
    assert (one == other) == same


@given(TABLES)
def test_the_hash_depends_on_content_alone(rows: list[dict[str, object]]) -> None:
    whole = pl.DataFrame(rows, schema=KINDS)
    cut = pl.concat([whole[:1], whole[1:]], rechunk=False)
    sliced = pl.concat([whole, whole])[len(rows) :]
    assert table_sha256(whole) == table_sha256(cut) == table_sha256(sliced) == table_sha256(whole.clone())


def test_names_types_and_order_of_columns_are_hashed() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": [1, 2]})
    others = [
        frame.rename({"a": "c"}), frame.select("b", "a"), frame.with_columns(pl.col("a").cast(pl.Int32)),
        frame.reverse(), frame[:1], frame.select("a"),
    ]  # fmt: skip
    assert len({table_sha256(f) for f in [frame, *others]}) == 7


def test_text_is_hashed_with_its_lengths() -> None:
    pairs = [["ab", "c"], ["a", "bc"], ["", "abc"], [None, "abc"], ["abc", ""], ["abc", None]]
    assert len({table_sha256(pl.DataFrame({"s": p})) for p in pairs}) == len(pairs)
    assert table_sha256(pl.DataFrame({"i": [None, 1]})) != table_sha256(pl.DataFrame({"i": [0, 1]}))
