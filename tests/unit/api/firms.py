"""The enterprises of the hand-made releases: what each is here for stands beside it."""

from tests.unit.api.release_builder import Firm

YI = 10_000_000_000  # fen in 1 亿元
# What each firm is here for stands beside it. Land is 1,000,000 dm² = 15 mu, so 1 亿元 is 10,000/15 万元 per mu.
FIRMS = (
    Firm("E01", 9 * YI, 5 * YI, name="昆山化工有限公司"),
    Firm("E02", 7 * YI, 4 * YI, scale="below_scale", zone="320571"),  # ties with E03
    Firm("E03", 7 * YI, None, region="320583002"),  # no tax: no rank by benefit
    Firm("E04", 5 * YI, 0, region="320583002", size="large"),  # zero is a value
    Firm("E05", None, 3 * YI),  # no output: no rank by output
    Firm("E06", 4 * YI, 1 * YI, land_dm2=0, flags="landless"),  # nothing to divide by
    Firm("E07", 3 * YI, 2 * YI, industry="2611", size="micro"),
    Firm("E08", 2 * YI, 2 * YI, industry="2710", region="320205001"),  # ties with E07 by benefit
    Firm("E09", 1 * YI, 1 * YI, industry="3011", region="320205001", land_dm2=150_000),  # alone in its division
    Firm("E10", 6 * YI, -1 * YI, name="=cmd|' /C calc'!A0"),  # a name that would be a formula; negative tax
    Firm("E11", 6 * YI, 1 * YI, name="O’Neil <b>&co", flags="no_size,dispute", size=None),
    Firm("E12", 6 * YI, 1 * YI, name="@SUM(1)"),
)
GRADED = tuple(
    Firm(f.id, f.output_fen, f.tax_fen, score_e10=s, grade=g, name=f.name)
    for f, s, g in zip(
        FIRMS,
        (
            95 * 10**10,
            90 * 10**10,
            90 * 10**10 + 1,
            80 * 10**10,
            None,
            None,
            70 * 10**10,
            60 * 10**10,
            5 * 10**9,
            1,
            0,
            -1,
        ),
        ("A", "A", "A", "B", None, "T", "B", "C", "C", "D", "D", "D"),
        strict=True,
    )
)
