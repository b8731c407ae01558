"""Every draw is a ranking: totals bit by bit, ranks and grades by the pipeline itself under the drawn weights and bases."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.policy.packs import load_pack
from engine.ranking.merged import Merged
from engine.ranking.run import compute
from engine.releases import Release
from engine.schema.errors import PermuError
from engine.whatif import intervals as blocks
from engine.whatif.draws import draw
from engine.whatif.graded import HOME, WITHIN, fields, graded, scored
from engine.whatif.points import totals
from engine.whatif.robustness import Robustness, Settings, robustness
from tests.unit.ranking.crowds import write_year
from tests.unit.whatif.worlds import EVERY_FORM, crowd, ranked, release, release_of, reweighted

POLICY = load_pack(EVERY_FORM).policy
FORMS = {(i.form, i.missing) for _, _, i in POLICY.scored}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return release(tmp_path_factory.mktemp("release"), crowd(120))


def weights_of(group: str) -> list[float]:
    assert POLICY.score is not None
    return [float(i.weight or 0) for i in POLICY.score.groups[group].items.values()]


def test_the_world_holds_every_case(made: Release) -> None:
    """What the comparisons below would otherwise pass over in silence."""
    assert {f for f, _ in FORMS} == {"ratio", "minmax_20_80", "inverse"}
    assert {m for _, m in FORMS} == {"zero_score", "group_average_score", "penalty", "exclude_reweight"}
    table = made.rankings
    for _, name, _ in POLICY.scored:
        assert 0 < table.filter(pl.col("score").is_not_null())[name].null_count() < 40, name
    assert set(table["grade_within"].drop_nulls()) == {"region_county", "region_city", "all"}
    assert set(table["grade_initial"].drop_nulls()) == {"A", "B", "C", "D"}
    capped = table.filter(pl.col("item__tax_per_mu") == 1.5 * 45.5)
    assert capped.height and table.filter(pl.col("item__tax_per_mu") == 0.0).height


@pytest.mark.parametrize("seed", range(5))
def test_the_packs_own_weights_give_the_totals_of_the_release_bit_by_bit(tmp_path: Path, seed: int) -> None:
    one = release(tmp_path, crowd(90, seed, gaps=0.2))
    table = graded(one.rankings, POLICY)
    score = scored(one)
    homes = table[HOME].rank("dense").fill_null(0).to_numpy()
    seen = 0
    for field in fields(table, POLICY):
        rows = table[pl.Series(field.rows)]
        own = draw(weights_of(field.group), 2, 1, 0.0, 0.0)
        found = totals(score, score.groups[field.group], rows, homes[field.rows], own)(slice(0, 2))
        assert found[0].tolist() == found[1].tolist() == rows["score_e10"].to_list()
        seen += len(field.decided)
    assert seen == table["grade_rank"].count() == table[WITHIN].count() > 60


def by_the_pipeline(firms: list[dict[str, object]], settings: Settings) -> list[pl.DataFrame]:
    """Each draw as a ranking of the whole year by the engine."""
    drawn = {
        g: draw(weights_of(g), settings.draws, settings.seed, settings.weight_spread, settings.base_spread)
        for g in ("above_scale", "below_scale")
    }
    return [
        ranked(
            reweighted(
                POLICY,
                {g: d.weights[n].tolist() for g, d in drawn.items()},
                {g: d.factors[n].tolist() for g, d in drawn.items()},
            ),
            firms,
        )
        for n in range(settings.draws)
    ]


@pytest.mark.parametrize("ties", [False, True])
def test_intervals_are_those_of_rankings_by_the_pipeline(tmp_path: Path, ties: bool) -> None:
    """Averages as bases do not move here (they are no constants): the weights alone are drawn."""
    firms = crowd(100, 3, ties=ties)
    settings = Settings(draws=21, seed=5, weight_spread=0.3, base_spread=0.0)
    found = robustness(release(tmp_path, firms), settings).rows
    tables = by_the_pipeline(firms, settings)
    ranks = np.stack([t.filter(pl.col("grade_rank").is_not_null())["grade_rank"].to_numpy() for t in tables], axis=1)
    ranks.sort(axis=1)
    assert (
        found["rank_least"].to_list() == ranks[:, 0].tolist() and found["rank_most"].to_list() == ranks[:, -1].tolist()
    )
    assert found["rank_low"].to_list() == ranks[:, math.ceil(21 * 0.05) - 1].tolist()
    assert found["rank_high"].to_list() == ranks[:, math.ceil(21 * 0.95) - 1].tolist()
    for n, own in enumerate(found.iter_rows(named=True)):
        grades = [t.filter(pl.col("enterprise_id") == own["enterprise_id"])["grade_initial"][0] for t in tables]
        assert own["other_grade_share"] == sum(g != own["grade"] for g in grades) / 21, n
        for grade in "ABCD":
            assert own[f"grade_share__{grade}"] == grades.count(grade) / 21
        assert own["borderline"] == (own["other_grade_share"] >= 0.05)
    assert found["borderline"].any() and not found["borderline"].all()


def test_drawn_bases_divide_as_changed_bases_do(tmp_path: Path) -> None:
    """Below scale every base is a constant, so that a pack with the drawn bases is the same draw."""
    firms = crowd(80, 9)
    settings = Settings(draws=9, seed=2, weight_spread=0.2, base_spread=0.4)
    found = robustness(release(tmp_path, firms), settings).rows.filter(pl.col("score_group") == "below_scale")
    tables = by_the_pipeline(firms, settings)
    ranks = np.stack(
        [t.filter(pl.col("score_group") == "below_scale")["grade_rank"].to_numpy() for t in tables], axis=1
    )
    assert found["rank_least"].to_list() == ranks.min(axis=1).tolist()
    assert found["rank_most"].to_list() == ranks.max(axis=1).tolist()
    assert (found["rank_least"] < found["rank_most"]).any()


def test_an_indicator_left_out_is_a_ranking_without_its_weight(made: Release) -> None:
    found = robustness(made, Settings(draws=1, seed=1))
    for name in ("tax_per_mu", "rd_ratio"):
        own = weights_of("below_scale")
        at = ["tax_per_mu", "sales_per_mu", "rd_ratio"].index(name)
        without = [0.0 if n == at else w * 100 / (100 - own[at]) for n, w in enumerate(own)]
        policy = reweighted(POLICY, {"above_scale": weights_of("above_scale"), "below_scale": without}, {"above_scale": [1] * 4, "below_scale": [1] * 3})  # fmt: skip
        below = ranked(policy, crowd(120)).filter(pl.col("score_group") == "below_scale")
        mine = found.rows.filter(pl.col("score_group") == "below_scale")
        assert mine[f"rank_without__{name}"].to_list() == below["grade_rank"].to_list()
        said = next(x for x in found.left_out if x["group"] == "below_scale" and x["without"] == name)
        assert said["other_grade"] == mine["grade"].ne_missing(below["grade_initial"]).sum()
        assert said["largest_shift"] == (mine["rank"] - below["grade_rank"]).abs().max()
        assert said["ranked"] == mine.height


def test_the_result_does_not_know_threads_blocks_or_memory(made: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(draws=200, seed=4)
    expected = robustness(made, settings, threads=1)
    assert robustness(made, settings, threads=3).rows.equals(expected.rows)
    monkeypatch.setattr(blocks, "_BLOCK", 64)
    monkeypatch.setattr(blocks, "_FEWEST", 3)
    monkeypatch.setattr(blocks, "MOST_BYTES", 4000)  # ten enterprises at a time
    assert robustness(made, settings, threads=2).rows.equals(expected.rows)


def test_without_spread_nothing_moves_and_another_seed_moves_otherwise(made: Release) -> None:
    still = robustness(made, Settings(draws=5, seed=1, weight_spread=0.0, base_spread=0.0)).rows
    for name in ("rank_least", "rank_low", "rank_high", "rank_most"):
        assert still[name].to_list() == still["rank"].to_list()
    assert still["other_grade_share"].max() == 0.0
    one, other = (robustness(made, Settings(draws=40, seed=s)).rows for s in (1, 2))
    assert not one.equals(other)


def test_ties_that_share_the_worse_rank(tmp_path: Path) -> None:
    text = (
        Path(EVERY_FORM)
        .read_text("utf-8")
        .replace("score:\n", "score:\n  ties: share_worse_rank\n  rounding: {digits: 0}\n", 1)
    )
    (tmp_path / "pack.yaml").write_text(text, "utf-8")
    one = release(tmp_path, crowd(120, 2, ties=True), str(tmp_path / "pack.yaml"))
    found = robustness(one, Settings(draws=3, seed=1, weight_spread=0.0, base_spread=0.0)).rows
    assert found["rank"].to_list() == found["rank_least"].to_list() == found["rank_most"].to_list()
    among = one.rankings.filter(pl.col("score_group") == "below_scale").group_by("score_e10").len()
    assert among["len"].max() > 1, "no ties, nothing tested"


def test_only_rows_of_the_place_are_shown_and_their_ranks_stay(made: Release) -> None:
    from engine.query.selection import Group

    whole = robustness(made, Settings(draws=20, seed=1))
    part: Robustness = whole.within(Group(region="320505"))
    assert 0 < part.rows.height < whole.rows.height
    assert part.rows["region_code"].str.starts_with("320505").all()
    assert part.rows.equals(whole.rows.filter(pl.col("region_code").str.starts_with("320505")))


def test_a_policy_without_a_score_has_nothing_to_vary(tmp_path: Path) -> None:
    with pytest.raises(PermuError) as caught:
        robustness(release(tmp_path, crowd(5), "sunan-2017"), Settings())
    assert caught.value.code == "no_composite" and "--policy" in caught.value.en


@pytest.mark.parametrize("tenants", ["merged", "own_list"])
def test_every_rule_of_a_pack_in_a_crowd_of_gaps_and_ties(tmp_path: Path, tenants: str) -> None:
    """Extras, tenants, rolled-up places, rank_only: without spread every draw is the release."""
    text = (Path(__file__).parents[1] / "ranking" / "all-forms.yaml").read_text("utf-8")
    (tmp_path / "pack.yaml").write_text(text.replace("rule: merged", f"rule: {tenants}"), "utf-8")
    years = (write_year(tmp_path / str(year), year, 500) for year in (2024, 2023))
    this, last = (Merged(int(folder.name), "", folder, [], {}, 0.0) for folder in years)
    pack = load_pack(str(tmp_path / "pack.yaml"))
    one = release_of(tmp_path, compute(pack, this, last), pack)
    found = robustness(one, Settings(draws=2, seed=1, weight_spread=0.0, base_spread=0.0)).rows
    table = one.rankings.filter(pl.col("grade_rank").is_not_null())
    assert found["enterprise_id"].to_list() == table["enterprise_id"].to_list() and found.height > 100
    assert found["rank_least"].to_list() == found["rank_most"].to_list() == table["grade_rank"].to_list()
    assert found["other_grade_share"].max() == 0.0
    assert table["grade_within"].n_unique() > 1 and table["bonus"].max() > 0 and table["deduction"].max() > 0
