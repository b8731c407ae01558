"""Tenants: evaluated alone, merged into the owner of their land, both, or ranked on a list of their own.

A tenant is who stands on the bureau's list of relations (the other party of a kind that the pack names) at 31 December,
or rents land of a known lessor and holds none. Whoever has several owners, or none that is not a tenant itself, is not
merged into any.
"""

from __future__ import annotations

from datetime import date

import narwhals as nw

from engine.policy.model import Policy

_OWN = ("is_above_scale", "is_exempt")  # what an owner is, not what it has
_LINKS = 3  # a tenant's tenant's tenant still finds the owner


def with_tenants(
    wide: nw.LazyFrame,
    facts: list[str],
    policy: Policy,
    year: int,
    relations: nw.LazyFrame | None,
    land_use: nw.LazyFrame | None,
) -> nw.LazyFrame:
    """``wide`` with ``is_tenant``, and the facts of tenants in their owner's row as the pack's rule says.

    ``merged``: the tenant's own row keeps no figures, so that nothing counts twice. ``both``: it keeps them.
    """
    rule = policy.tenants.rule
    if rule == "alone":
        return wide
    links = _links(policy, year, relations, land_use)
    if links is None:
        return wide.with_columns(is_tenant=nw.lit(False))
    links = links.filter(nw.col("tenant") != nw.col("owner"))
    if rule == "own_list":
        return _marked(wide, links)
    owners = _owners(links)
    added = [f for f in facts if f not in _OWN]
    whole = _with_parts(_marked(wide, owners), owners, added)
    return _given_up(whole, added) if rule == "merged" else whole


def _links(
    policy: Policy, year: int, relations: nw.LazyFrame | None, land_use: nw.LazyFrame | None
) -> nw.LazyFrame | None:
    """One row a tenant and owner."""
    found = []
    if relations is not None:
        last = nw.lit(date(year, 12, 31))
        valid = (nw.col("from_on").is_null() | (nw.col("from_on") <= last)) & (
            nw.col("to_on").is_null() | (nw.col("to_on") >= last)
        )
        listed = relations.filter(nw.col("kind").is_in(list(policy.tenants.relations)) & valid)
        found.append(listed.select(tenant=nw.col("other_enterprise_id"), owner=nw.col("enterprise_id")))
    if land_use is not None and "counterpart_id" in land_use.collect_schema().names():
        own = land_use.filter(nw.col("kind") == "own").select("enterprise_id").unique()
        rented = land_use.filter(nw.col("kind") == "rented_in").join(own, on="enterprise_id", how="anti")
        found.append(rented.select(tenant=nw.col("enterprise_id"), owner=nw.col("counterpart_id")))
    if not found:
        return None
    links = nw.concat(found) if len(found) > 1 else found[0]
    return links.filter(~nw.any_horizontal(nw.col("tenant").is_null(), nw.col("owner").is_null(), ignore_nulls=False))


def _owners(links: nw.LazyFrame) -> nw.LazyFrame:
    """The one owner that every tenant is merged into, through its tenants."""
    ends = links.group_by("tenant")
    one = ends.agg(first=nw.col("owner").min(), last=nw.col("owner").max())
    one = one.filter(nw.col("first") == nw.col("last")).select("tenant", owner=nw.col("first"))
    up = one.select(owner=nw.col("tenant"), above=nw.col("owner"))
    for _ in range(_LINKS):
        one = one.join(up, on="owner", how="left").select("tenant", owner=nw.coalesce("above", "owner"))
    return one.join(up.select("owner"), on="owner", how="anti")


def _marked(wide: nw.LazyFrame, links: nw.LazyFrame) -> nw.LazyFrame:
    tenants = links.select(enterprise_id=nw.col("tenant")).unique().with_columns(is_tenant=nw.lit(True))
    return wide.join(tenants, on="enterprise_id", how="left").with_columns(nw.col("is_tenant").fill_null(False))


def _with_parts(wide: nw.LazyFrame, owners: nw.LazyFrame, facts: list[str]) -> nw.LazyFrame:
    """Every owner's facts and those of its tenants together; unknown only where nobody's is known."""
    theirs = wide.select("enterprise_id", *facts).join(
        owners.select(enterprise_id=nw.col("tenant"), owner=nw.col("owner")), on="enterprise_id", how="inner"
    )
    sums = {f"sum__{f}": nw.col(f).sum() for f in facts} | {f"n__{f}": nw.col(f).count() for f in facts}
    parts = theirs.group_by("owner").agg(**sums).select(*sums, enterprise_id=nw.col("owner"))
    wide = wide.join(parts, on="enterprise_id", how="left")
    whole = {}
    for f in facts:
        more = nw.col(f"n__{f}").fill_null(0) > 0
        whole[f] = nw.when(more).then(nw.col(f).fill_null(0) + nw.col(f"sum__{f}")).otherwise(nw.col(f))
    return wide.with_columns(**whole)


def _given_up(wide: nw.LazyFrame, facts: list[str]) -> nw.LazyFrame:
    """Tenants' rows without the facts that now count for their owners."""
    return wide.with_columns(**{f: nw.when(~nw.col("is_tenant")).then(nw.col(f)) for f in facts})
