"""Questions to one immutable release: pages of a ranking, bottom lists, summaries. Pure: no web, no files written.

>>> board = Board(release)                                          # doctest: +SKIP
>>> page = select(board, Selection.parse(industry="26", region="320500", by="benefit_per_mu"))  # doctest: +SKIP
"""

from engine.query.board import Board
from engine.query.bottom import BottomGroup, bottom
from engine.query.page import Page, select
from engine.query.selection import Selection
from engine.query.summary import summary

__all__ = ["Board", "BottomGroup", "Page", "Selection", "bottom", "select", "summary"]
