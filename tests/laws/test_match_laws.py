"""Linking by name: the order of records and of the register changes neither links nor candidates."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ingest.match import blocks
from ingest.match.find import Names, scored, settle

SYLLABLES = list("华腾宇恒瑞昌盛达隆诚信立嘉佳睿博力凯维科创新源泰安康永兴鼎盈益润泽浩海天元通联众")
PLACES = ["吴中示例", "惠山示例", "金坛示例", "常熟示例", "太仓示例", "江阴示例", "宜兴示例"]
TRADES = ["精密机械", "工艺制品", "电子科技", "专用设备", "汽车部件", "仪器仪表", "橡塑制品", "化工材料"]
NO_CODES = pl.Series([], dtype=pl.String)


def names(count: int, seed: int) -> list[str]:
    """Made-up stems that share many pairs of characters."""
    picked = np.random.default_rng(seed).integers(0, len(SYLLABLES), (count, 3)).tolist()
    middle = ["".join(SYLLABLES[i] for i in row) for row in picked]
    return [PLACES[n % len(PLACES)] + text + TRADES[n % len(TRADES)] for n, text in enumerate(middle)]


def frame(key: str, told: list[str]) -> pl.DataFrame:
    """Rows of ``key`` and name at one address, in four counties or in none."""
    where = [f"3205{n % 4:02d}" if n % 3 else None for n in range(len(told))]
    columns = {key: [f"{key[0].upper()}{n:05d}" for n in range(len(told))], "name": told, "region_code": where}
    return pl.DataFrame(columns).with_columns(
        address=pl.lit("示例镇示例路1号"), former_names=pl.lit(None, dtype=pl.String)
    )


def answer(register: pl.DataFrame, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links and candidates, in the order of their records."""
    known = Names(register)
    found = settle(scored(known.pairs(known.records(records)))[0], NO_CODES)
    return found.links.sort("record_key"), found.review.sort("record_key", "rank")


@pytest.mark.parametrize("seed", range(3))
def test_order_changes_nothing(seed: int) -> None:
    held = names(1000, 1)
    register = frame("enterprise_id", [f"{n}有限公司" for n in held])
    records = frame("record_key", [*held[:60], *(f"{n}有限公司" for n in names(60, 2))])
    links, review = answer(register, records)
    assert links.height and review.height
    mixed = [f.sample(fraction=1, shuffle=True, seed=seed + n) for n, f in enumerate((register, records))]
    again = answer(*mixed)
    assert links.equals(again[0]) and review.equals(again[1])


def test_candidates_anywhere_do_not_depend_on_the_order_in_which_pairs_are_summed() -> None:
    grams = blocks.bigrams(pl.DataFrame({"stem": names(8000, 3)}), "name_no")
    asked = pl.DataFrame({"stem": names(500, 4)})
    first = blocks.anywhere(asked, grams)
    assert first.group_by("record_no").len()["len"].max() == 2 * blocks.NEAREST
    for seed in range(3):
        assert blocks.anywhere(asked, grams.sample(fraction=1, shuffle=True, seed=seed)).equals(first)
