"""Names of enterprises as they are compared: what spelling changes is folded, what distinguishes firms is kept.

Folded: full and half width, case, spaces, bracket style, （原…）former names, 有限责任公司 = 有限公司, dots and quotes.
Kept: place, number, trade, 股份, 集团, branch (分公司, 一厂 …): two firms often differ by one character.
"""

from __future__ import annotations

import polars as pl

_FORMER = r"\((?:原名?|曾用名)(?:[^()]|\([^()]*\))*\)"  # a former name may hold a bracket of its own


def name_key(name: pl.Expr) -> pl.Expr:
    """The key under which two spellings of one name are equal (String); null for null and for an empty name."""
    folded = (
        name.str.normalize("NFKC")
        .str.to_uppercase()
        .str.replace_all(r"\s+", "")
        .str.replace_all(r"[【〔\[{]", "(")
        .str.replace_all(r"[】〕\]}]", ")")
        .str.replace_all(_FORMER, "")
        .str.replace_all(r"[·•・.,，。、'’‘\"“”]", "")
        .str.replace_all("有限责任公司", "有限公司", literal=True)
    )
    return pl.when(folded != "").then(folded)


# Every enterprise of the synthetic demo carries this in its name; whatever holds it is shown as synthetic.
SYNTHETIC_MARK = "示例"
