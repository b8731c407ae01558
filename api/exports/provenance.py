"""Where an exported table comes from: release, policy, loads, question, time, who, rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.query import Board
from engine.schema.warehouse import now
from engine.states import TITLES


@dataclass(frozen=True)
class Provenance:
    """What every export carries."""

    release_id: str
    year: int
    policy: str
    policy_sha256: str
    policy_status: str
    state: str
    synthetic: bool
    created_at: str
    rankings_sha256: str
    loads: tuple[dict[str, Any], ...]
    question: dict[str, str]
    who: str
    policy_title: dict[str, str] = field(default_factory=dict)
    basis: tuple[str, ...] = ()
    exported_at: str = field(default_factory=now)

    @classmethod
    def of(cls, board: Board, question: dict[str, str], who: str, state: str | None = None) -> Provenance:
        """From a release's manifest and the question as it was asked."""
        manifest = board.manifest
        policy = manifest["policy"] if isinstance(manifest["policy"], dict) else {}
        return cls(
            release_id=board.release_id,
            year=board.year,
            policy=board.policy,
            policy_sha256=str(policy.get("sha256", "")),
            policy_status=str(policy.get("status", "")),
            state=state or "draft",
            synthetic=bool(manifest.get("synthetic", False)),
            created_at=str(manifest.get("created_at", "")),
            rankings_sha256=str(manifest.get("rankings_sha256", "")),
            loads=tuple(manifest.get("loads", ())),
            question=question,
            who=who,
            policy_title=dict(policy.get("title") or {}),
            basis=_basis(board),
        )

    def policy_name(self, lang: str) -> str:
        """The policy's title in a language; its id where it has none."""
        return self.policy_title.get(lang) or self.policy

    def state_name(self, lang: str) -> str:
        """The release's state in words."""
        return TITLES[self.state][0 if lang == "zh" else 1]

    @property
    def loads_digest(self) -> str:
        """12 characters for all load ids, where a line has no room for the list (the manifest has it)."""
        ids = sorted(str(load["load_id"]) for load in self.loads)
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]

    def as_json(self, rows: int) -> str:
        """All of it as one JSON text, for the metadata of Parquet and Arrow files."""
        kept = {k: getattr(self, k) for k in self.__dataclass_fields__}
        return orjson.dumps({**kept, "rows": rows}).decode()


def _basis(board: Board) -> tuple[str, ...]:
    """Each notice that the policy stands on: title, document number, article, and where it was seen."""
    told = board.release.pack.policy.basis
    return tuple(
        " ".join(x for x in (b.title, b.number, b.article, f"({b.source})" if b.source else "") if x) for b in told
    )
