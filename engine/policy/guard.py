"""Refused before anything is computed: packs that lack a part, that ran out, or that claim what another claims."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from engine.policy.model import NEEDED, Policy
from engine.schema.codes import region_code
from engine.schema.errors import PermuError


def check_usable(policy: Policy, year: int) -> None:
    """Whether ``policy`` may rank the data of ``year``; PermuError policy_partial, policy_expired.

    A pack that is not yet in force may be tried on an earlier year; one that ran out before the year began may not.
    """
    if lacks := [lack for lack in policy.missing if lack.part in NEEDED]:
        raise PermuError(
            "policy_partial",
            f"policy {policy.id} is partial, so that nothing is ranked by it: not seen were "
            f"{'; '.join(lack.en for lack in lacks)}; put them into a pack of your own "
            f"(permu policy show {policy.id}) or choose another with --policy",
            f"政策 {policy.id} 不完整，不能据以排名：未见到{'；'.join(lack.zh for lack in lacks)}；"
            f"请在自己的政策文件中补全（permu policy show {policy.id}），或用 --policy 选择其他政策",
            policy=policy.id,
            missing=[lack.part for lack in lacks],
        )
    if policy.valid_to is not None and policy.valid_to < date(year, 1, 1):
        raise PermuError(
            "policy_expired",
            f"policy {policy.id} ran out on {policy.valid_to}, before {year} began: name the pack in force for {year}, "
            "or correct valid_to if it was prolonged",
            f"政策 {policy.id} 已于 {policy.valid_to} 失效，早于 {year} 年：请指定 {year} 年有效的政策，如已延期请修改 valid_to",
            policy=policy.id,
            valid_to=str(policy.valid_to),
        )


def misfits(policy: Policy, year: int, region_codes: pl.Series) -> list[tuple[str, str]]:
    """What a reader of a ranking should know of the pack's place and time, in Chinese and English: neither is refused,
    because a pack of one place is often tried on the figures of another, or on years before it."""
    told = []
    places = [code for code in policy.regions if region_code(code)]
    if places:
        inside = pl.any_horizontal(pl.col("code").str.starts_with(code) for code in places)
        outside = region_codes.len() - int(pl.DataFrame({"code": region_codes}).select(inside.sum()).item() or 0)
        if outside:
            named_zh, named_en = ("、".join(places), ", ".join(places))
            told.append((
                f"办法 {policy.id} 适用于 {named_zh}，本次有 {outside} 家企业不在其内",
                f"policy {policy.id} is of {named_en}: {outside} of the enterprises ranked lie elsewhere",
            ))  # fmt: skip
    if policy.valid_from > date(year, 12, 31):
        told.append((
            f"办法 {policy.id} 自 {policy.valid_from} 起施行，晚于 {year} 年：仅供试算",
            f"policy {policy.id} is in force from {policy.valid_from} on, after {year}: a trial",
        ))  # fmt: skip
    return told


def check_claims(policy: Policy, others: Iterable[Policy]) -> None:
    """PermuError policy_claims where another pack grades one of the same regions at the same time.

    Only complete packs with a composite claim a place. A pack of a region inside (a county of a city) goes before the
    wider one, so that only the same code counts; a pack that names the other under ``replaces`` takes its place.
    """
    for other in others:
        shared = sorted(set(policy.regions) & set(other.regions))
        if other.id in policy.replaces or policy.id in other.replaces or not shared:
            continue
        if claims(policy) and claims(other) and _at_one_time(policy, other):
            place, since = ", ".join(shared), max(policy.valid_from, other.valid_from)
            raise PermuError(
                "policy_claims",
                f"policies {policy.id} and {other.id} both claim {place} from {since} on: end one with valid_to, correct "
                f"regions, or write `replaces: [{other.id}]` into {policy.id}",
                f"政策 {policy.id} 与 {other.id} 自 {since} 起都适用于 {place}：请为其中之一填写 valid_to、修改 regions，"
                f"或在 {policy.id} 中写明 replaces: [{other.id}]",
                policies=[policy.id, other.id],
                regions=shared,
            )


def claims(policy: Policy) -> bool:
    """Whether a pack claims its regions: complete, with a composite."""
    return policy.status == "complete" and policy.score is not None and bool(policy.regions)


def _at_one_time(one: Policy, other: Policy) -> bool:
    first, second = sorted((one, other), key=lambda p: p.valid_from)
    return first.valid_to is None or first.valid_to >= second.valid_from
