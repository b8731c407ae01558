"""Cursors: where the next page begins, bound to the release and to the question.

A release is immutable and its order is total, so a place in that order is exact. The token carries a keyed digest
of place, release and question: one that was changed, or that belongs to another question, is refused. It guards
against mistakes and grants nothing (any place can be reached with ``limit``), so the key needs no secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NoReturn

import orjson

from engine.query.board import Board
from engine.query.parameters import refuse
from engine.query.selection import Selection


def _digest(board: Board, selection: Selection, place: int) -> bytes:
    metric = board.metric(selection.by)
    bound = (board.release_id, board.manifest.get("rankings_sha256"), metric, *selection.identity(metric), place)
    text = orjson.dumps(bound)
    return hashlib.blake2b(text, digest_size=12, person=b"permu-cursor").digest()


def write(board: Board, selection: Selection, place: int) -> str:
    """The token of the page that begins at ``place`` (0-based) of the filtered order."""
    body = place.to_bytes(6, "big") + _digest(board, selection, place) + board.release_id.encode()
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def _body(token: str) -> bytes:
    if len(token) > 400 or not token.isascii():
        _refuse(token)
    try:
        body = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        _refuse(token)
    return body if len(body) > 18 else _refuse(token)


def release_of(token: str) -> str:
    """The release that a token was given for (not yet checked)."""
    try:
        return _body(token)[18:].decode()
    except UnicodeDecodeError:
        _refuse(token)


def read(board: Board, selection: Selection) -> int:
    """The place of the selection's cursor; 0 without one; ``bad_parameter`` where it does not belong here."""
    if selection.cursor is None:
        return 0
    body = _body(selection.cursor)
    place = int.from_bytes(body[:6], "big")
    if write(board, selection, place) != selection.cursor.rstrip("="):
        _refuse(selection.cursor)
    return place


def _refuse(token: str) -> NoReturn:
    refuse(
        "cursor",
        token,
        "the value of `next` of the page before, with the same release and the same question",
        "须为同一版本、同一查询条件下上一页返回的 next",
    )
