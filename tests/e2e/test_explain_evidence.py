"""``permu explain`` for a tenant, a landlord, a shared parcel, a disputed area, a shared meter and a corrected figure.

The arithmetic stands there line by line, each line with the file and row that it was taken from.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.explain import explain
from engine.releases import find
from engine.schema.warehouse import Warehouse
from tests.e2e.tour import inside
from tests.unit.ingest.files import put

OWNER, TENANT, CHEMIST = "91110108551385082Q", "91110000600037341L", "91310112087994932F"
SHARED, DISPUTED, COMMON = "320583001001GB00001", "320583001001GB00002", "320583001001GB00003"
FILES = {
    "commerce/名录2024.csv": f"""统一社会信用代码,企业名称,行业代码,行政区划代码,成立日期
{OWNER},甲机械有限公司,2614,320583001,2010-01-05
{TENANT},乙电子有限公司,2614,320583001,2011-03-01
{CHEMIST},丙化工有限公司,2614,320583001,2012-02-29
""",
    # 6 mu; 3 mu of it let to the tenant for half a leap year
    "land/宗地2024.csv": f"""宗地代码,统一社会信用代码,权利人,宗地面积（平方米）,份额
{SHARED},{OWNER},甲机械有限公司,4000,
{DISPUTED},{CHEMIST},丙化工有限公司,2000,
{COMMON},{TENANT},乙电子有限公司,3000,1/3
{COMMON},{CHEMIST},丙化工有限公司,3000,2/3
""",
    "land/出租2024.csv": f"""宗地代码,出租方统一社会信用代码,承租方统一社会信用代码,出租面积（平方米）,起始日期,终止日期
{SHARED},{OWNER},{TENANT},2000,2024-07-02,2030-12-31
""",
    "land/图形2024.geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"宗地代码": DISPUTED},
                    # about 48 m × 55 m: 2,645 m² drawn where 2,000 are declared
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [
                            [[120.0, 31.0], [120.0005, 31.0], [120.0005, 31.0005], [120.0, 31.0005], [120.0, 31.0]]
                        ],
                    },
                }
            ],
        },
        ensure_ascii=False,
    ),
    "power/用电2024.csv": "户号,户名,月份,用电量（千瓦时）\n"
    + "".join(f"1001,甲机械有限公司,2024-{m:02d},100\n" for m in range(1, 13) if m != 11),
    "power/分摊2024.csv": f"""户号,统一社会信用代码,企业名称,分摊比例
1001,{OWNER},甲机械有限公司,1/3
1001,{TENANT},乙电子有限公司,1/3
""",
    "state_tax/国税2024.csv": f"""纳税人识别号,所属期,增值税（万元）,应税销售收入（万元）
{OWNER},2024,60,900
{TENANT},2024,30,300
{CHEMIST},2024,0.004,500
""",
    "statistics/统计2024.csv": f"统一社会信用代码,企业名称,年平均从业人数\n{OWNER},甲,120\n",
}
CORRECTION = f"""corrections:
  - enterprise: {CHEMIST}
    field: vat_fen
    year: 2024
    value: 40
    unit: 万元
    expect: {{lt: 1}}
    reason: 单位误填
    evidence: 税函3号
    approver: 王
    until: 2099
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small year, corrected, merged and ranked by a pack that reads power."""
    folder = tmp_path_factory.mktemp("evidence")
    for name, text in FILES.items():
        put(folder, f"drops/{name}", text)
    put(folder, "correction.yaml", CORRECTION)
    shipped = files("data.policies").joinpath("sunan-2017.yaml").read_text("utf-8")
    put(folder, "power.yaml", shipped.replace("id: sunan-2017", "id: power") + "indicators: [tax_per_kwh]\n")
    for words in ("ingest drops --year 2024", "merge --year 2024", "correct correction.yaml", "merge --year 2024"):
        done = inside(folder, *words.split())
        assert done.code in (0, 1), f"{words}: {done.err}"
    done = inside(folder, "rank", "--year", "2024", "--policy", "power.yaml")
    assert done.code == 0, done.err
    return folder


def steps(place: Path, who: str, lang: str = "en") -> list[dict[str, Any]]:
    done = inside(place, "explain", who, "--policy", "power", "--json", PERMU_LANG=lang)
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = done.json()["steps"]
    return found


def lines(told: list[dict[str, Any]], *kinds: str) -> list[tuple[str, float, str, str]]:
    return [(s["name"], round(s["value"], 4), s["note"], where(s)) for s in told if s["kind"] in kinds]


def where(step: dict[str, Any]) -> str:
    source = step.get("source")
    return f"{Path(source['file']).name}:{source['row']}" if source else ""


def test_tenant(place: Path) -> None:
    told = steps(place, TENANT)
    assert lines(told, "land") == [
        ("own", 1.5, f"own, parcel {COMMON} of 4.5000 mu, share 0.333333333, 1.5000 mu × 366 of 366 days", "宗地2024.csv:4"),
        ("rented_in", 1.5, f"rented in from 甲机械有限公司, parcel {SHARED}, 3.0000 mu × 183 of 366 days", "出租2024.csv:2"),
        ("used", 3.0, f"sum of the 2 lines above: {100_000 * 366 + 200_000 * 183} dm²·days", ""),
    ]  # fmt: skip
    assert lines(told, "parcel") == [
        (COMMON, 4.5, f"parcel {COMMON}, other users 1 (mu): 丙化工有限公司 3.0000", ""),
        (SHARED, 6.0, f"parcel {SHARED}, other users 1 (mu): 甲机械有限公司 4.5000", ""),
    ]


def test_landlord(place: Path) -> None:
    told = steps(place, OWNER)
    assert lines(told, "land") == [
        ("own", 6.0, f"own, parcel {SHARED}, 6.0000 mu × 366 of 366 days", "宗地2024.csv:2"),
        ("rented_out", -1.5, f"rented out to 乙电子有限公司, parcel {SHARED}, 3.0000 mu × 183 of 366 days", "出租2024.csv:2"),
        ("used", 4.5, f"sum of the 2 lines above: {(400_000 * 366) - 200_000 * 183} dm²·days", ""),
    ]  # fmt: skip
    (land,) = [s for s in told if s["kind"] == "fact" and s["name"] == "land_dm2_days"]
    assert round(land["value"], 9) == 4.5


def test_shared_meter(place: Path) -> None:
    told = steps(place, OWNER)
    held = "meter account:1001 holds 1,100 {unit} in the year, declared share"
    unit = next(s["unit"] for s in told if s["kind"] == "meter")
    held = held.format(unit=unit)
    assert lines(told, "meter") == [
        ("power_wh", 366.667, f"甲机械有限公司: {held} 0.333333333", "分摊2024.csv:2"),
        ("power_wh", 366.666, f"乙电子有限公司: {held} 0.333333333", "分摊2024.csv:3"),
        ("power_wh", 366.667, f"a sharer that is not linked, or nobody: {held} 0.333333334", "分摊2024.csv:2"),
    ]  # fmt: skip
    assert round(sum(s["value"] for s in told if s["kind"] == "meter"), 9) == 1100
    (record,) = [s for s in told if s["kind"] == "record" and s["name"] == "power_wh"]
    assert (round(record["value"], 4), where(record)) == (366.667, "用电2024.csv:2")


def test_who_may_not_be_seen_is_not_named(place: Path) -> None:
    """The figures stay, so that the lines still sum."""
    release = find(Warehouse(place / "data" / "warehouse"), policy="power")
    told = explain(release, OWNER, "en", pl.col("uscc") == OWNER)["steps"]
    meters, whole = (lines(one, "meter") for one in (told, steps(place, OWNER)))
    assert [line[1] for line in meters] == [line[1] for line in whole]
    assert [line[2].partition(":")[0] for line in meters] == [
        "甲机械有限公司", "another sharer", "a sharer that is not linked, or nobody",
    ]  # fmt: skip
    parcels = [
        note for _, _, note, _ in lines(explain(release, TENANT, "en", pl.col("uscc") == TENANT)["steps"], "parcel")
    ]
    assert parcels == [
        f"parcel {COMMON}, other users 1 (mu): 1 not named: 3.0000 in all",
        f"parcel {SHARED}, other users 1 (mu): 1 not named: 4.5000 in all",
    ]


def test_missing_month(place: Path) -> None:
    assert lines(steps(place, OWNER), "coverage") == [
        ("power_wh", 11, "power: 11 of 12 months, without 11; nothing is extrapolated", "")
    ]
    assert "未作推算" in lines(steps(place, OWNER, "zh"), "coverage")[0][2]


def test_disputed_area(place: Path) -> None:
    ((name, off, note, _),) = lines(steps(place, CHEMIST), "dispute")
    declared, drawn = 3.0, 3.0 - off
    assert name == "area" and 3.8 < drawn < 4.1  # 2,640 to 2,650 m² by pyproj are 3.97 mu
    assert f"declared {declared:.4f} mu − drawn {drawn:.4f} mu = {off:.4f} mu" in note
    assert f"{-off * 100 / drawn:.1f} % of the drawn" in note and "declared area counts" in note


def test_finding(place: Path) -> None:
    """Output without power: a line of the land bureau's list, told where the release holds it."""
    found = [s for s in steps(place, CHEMIST) if s["kind"] == "finding" and s["name"] == "output_without_power"]
    assert [(s["value"], s["unit"]) for s in found] == [(500_000_000, "fen")]


def test_corrected_figure(place: Path) -> None:
    told = steps(place, CHEMIST)
    (fact,) = [s for s in told if s["kind"] == "fact" and s["name"] == "vat_fen"]
    assert fact["value"] == 40.0 and "from correction (corrected by hand)" in fact["note"]
    (correction,) = [s for s in told if s["kind"] == "correction"]
    for words in (
        "4000 → 40000000",
        "lt 1 万元",
        "单位误填",
        "税函3号",
        "王",
        "2099-12-31",
    ):
        assert words in correction["note"], words
    (record,) = [s for s in told if s["kind"] == "record" and s["name"] == "vat_fen"]
    assert (record["value"], where(record)) == (0.004, "国税2024.csv:4")  # what the department said stays


def test_every_record_names_its_file_and_row(place: Path) -> None:
    for who in (OWNER, TENANT, CHEMIST):
        for step in steps(place, who):
            if step["kind"] in ("record", "meter") or (step["kind"] == "land" and step["name"] != "used"):
                assert step["source"]["file"] and step["source"]["row"] > 1, step


def test_text_is_told_too(place: Path) -> None:
    done = inside(place, "explain", TENANT, "--policy", "power", PERMU_LANG="zh")
    assert done.code == 0 and "租入（对方 甲机械有限公司）" in done.out and "出租2024.csv" in done.out
