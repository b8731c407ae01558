"""The county of a record that states none: from its parcel, its address, or the place its name begins with."""

from __future__ import annotations

import polars as pl

from engine.schema.codes import REGION_DIGITS, regions

_DIGITS = REGION_DIGITS["county"]


class Counties:
    """Names of the counties that a register has enterprises in, with and without 市, 区, 县; ambiguous ones left out."""

    def __init__(self, codes: pl.Series) -> None:
        known = regions().filter(pl.col("code").is_in(codes.drop_nulls().unique().implode()))
        named = pl.concat(
            [known.select("code", "name"), known.select("code", name=pl.col("name").str.replace(r"[市区县]$", ""))]
        ).unique()
        clear = named.filter(~pl.col("name").is_duplicated(), pl.col("name").str.len_chars() >= 2)
        self.names = clear["name"].unique().sort()
        self._codes = dict(clear.sort("name").select("name", "code").iter_rows())
        # The longest first: 昆山市 before 昆山.
        self._pattern = "|".join(sorted(self._codes, key=lambda name: (-len(name), name)))

    def of(self, name: pl.Expr, address: pl.Expr, region: pl.Expr) -> pl.Expr:
        """County code (six digits): as stated, else told by the address, else by the beginning of the name."""
        stated = pl.when(region.str.len_chars() >= _DIGITS).then(region.str.slice(0, _DIGITS))
        if not self._codes:
            return stated
        told = address.str.extract(f"({self._pattern})", 1).replace_strict(self._codes, default=None)
        named = name.str.extract(f"^({self._pattern})", 1).replace_strict(self._codes, default=None)
        return pl.coalesce(stated, told, named)
