"""Linking by name: speed beside bare rapidfuzz on the same pairs, and quality on the demo of the shipped seed."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

from ingest.match.blocks import WORKERS
from ingest.match.find import Names, scored, settle
from tests.bench.measure import peak_mb

_COUNTIES, _RUNS = 100, 3
_SYLLABLES = "华腾宇恒瑞昌盛达隆诚信立嘉佳睿博力凯维科创新源泰安康永兴鼎盈益润泽浩海天元通联众合美思远航飞跃金银铭锐杰明亮星辰光晖春晓和丰硕"
_TRADES = ["精密机械", "五金", "电子科技", "纺织", "化工", "橡塑", "汽车零部件", "建材", "仪器仪表", "新材料"]


def made_names(count: int, seed: int = 5) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A register of ``count`` made-up names and as many records of them, county by county: a fifth misspelt by one
    character, a tenth without legal form, the rest with spaces in them (an exact name would be linked before)."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, _COUNTIES, count)
    parts = rng.integers(0, len(_SYLLABLES), (count, 4))
    stems = [
        f"县{p:02d}" + "".join(_SYLLABLES[i] for i in row) + _TRADES[n % len(_TRADES)]
        for n, (p, row) in enumerate(zip(place.tolist(), parts.tolist(), strict=True))
    ]
    slips = rng.integers(0, len(_SYLLABLES), count)
    kind = rng.random(count)
    written = [
        s[:5] + _SYLLABLES[slips[n]] + s[6:] + "有限公司"
        if kind[n] < 0.2
        else s
        if kind[n] < 0.3
        else s[:4] + " " + s[4:] + "有限公司"
        for n, s in enumerate(stems)
    ]
    address = pl.Series([f"示例镇示例{n % 9}路{n % 997}号" for n in range(count)])
    county = pl.Series([f"3299{p:02d}" for p in place])
    ids = pl.Series([f"E{n:07d}" for n in range(count)])
    register = pl.DataFrame(
        {"enterprise_id": ids, "name": [s + "有限公司" for s in stems], "address": address, "region_code": county}
    )
    records = pl.DataFrame({"record_key": ids, "name": written, "address": address, "region_code": county})
    return register.with_columns(former_names=pl.lit(None, dtype=pl.String)), records


def bare(register: pl.DataFrame, records: pl.DataFrame) -> int:
    """What a script would do: ``process.cdist`` over the names of each county; how many records find their best."""
    held = {c: part for (c,), part in register.group_by("region_code")}
    right = 0
    for (county,), part in records.group_by("region_code"):
        there = held[county]
        scores = process.cdist(
            part["name"].to_list(), there["name"].to_list(), scorer=fuzz.ratio, dtype=np.uint8, workers=WORKERS
        )
        right += int((there["enterprise_id"].gather(scores.argmax(axis=1)) == part["record_key"]).sum())
    return right


def ours(register: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """The links of the project's way: parts, candidates, rule, thresholds."""
    names = Names(register)
    pairs, _ = scored(names.pairs(names.records(records)))
    return settle(pairs, pl.Series([], dtype=pl.String)).links.sort("record_key")


def link_names(count: int = 100_000) -> list[dict[str, Any]]:
    """``count`` records against ``count`` names by county: seconds of ours and of bare cdist, in turns."""
    register, records = made_names(count)
    seconds: dict[str, list[float]] = {"permu": [], "rapidfuzz": []}
    answers: set[str] = set()
    for _ in range(_RUNS):
        begun = time.perf_counter()
        found = bare(register, records)
        seconds["rapidfuzz"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        links = ours(register, records)
        seconds["permu"].append(time.perf_counter() - begun)
        wrong = links.filter(pl.col("record_key") != pl.col("enterprise_id")).height
        if wrong > 0.001 * links.height or links.height < 0.75 * count or found < 0.9 * count:
            raise SystemExit(f"bench link_names: {links.height} linked, {wrong} wrong: no time is reported")
        answers.add(hashlib.sha256("".join(links["enterprise_id"].to_list()).encode()).hexdigest())
    if len(answers) != 1:
        raise SystemExit("bench link_names: the answers differ between runs, so no time is reported")
    mark = statistics.median(seconds["rapidfuzz"])
    peak = round(peak_mb())
    return [
        {
            "name": "link_names", "size": count, "engine": engine, "seconds_median": round(statistics.median(each), 2),
            "peak_mb": peak, "ratio_to_mark": round(statistics.median(each) / mark, 2),
            "answer_sha256": answers.copy().pop() if engine == "permu" else None,
        }
        for engine, each in seconds.items()
    ]  # fmt: skip


def link_quality(count: int = 20_000) -> list[dict[str, Any]]:
    """Precision, recall and recall of candidates of records without an id on the demo (seed 7), printed; no link may be
    worse than the project promises. ``ratio_to_mark``: 1 − precision over the 0.001 allowed."""
    from data.demo import generate
    from data.demo.check import check
    from engine.schema.warehouse import Warehouse
    from ingest.load import ingest
    from ingest.merge import merge

    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), enterprises=count, years=(2024,))
        warehouse = Warehouse(Path(folder) / "home").create()
        ingest(warehouse, [Path(folder) / "drops"])
        begun = time.perf_counter()
        merged = {2024: warehouse.merged / merge(warehouse, 2024).merge_id}
        seconds = time.perf_counter() - begun
        links = check(merged, {}, Path(folder) / "truth")["links"]
    told = links["without_id"]
    shown = {k: round(told[k], 5) for k in ("precision", "recall", "review_share", "candidates_recall")}
    print(f"link_quality  without id: {shown}; by method: {links['by_method']}", flush=True)
    if told["precision"] < 0.999 or told["candidates_recall"] < 0.98:
        raise SystemExit(f"bench link_quality: below what is promised: {shown}")
    peak = round(peak_mb())
    return [
        {
            "name": "link_quality", "size": count, "engine": "permu", "seconds_median": round(seconds, 2), "peak_mb": peak,
            "ratio_to_mark": round((1 - told["precision"]) / 0.001, 2), "answer_sha256": None,
        }
    ]  # fmt: skip
