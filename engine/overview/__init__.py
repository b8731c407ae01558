"""What an overview shows of one release: distribution, concentration, quadrant, movement, the targets of 2017.

Pure like engine.query: a board and a question in, plain figures out. Nothing is rounded; what is missing is None and
counted, never 0.
"""

from engine.overview.concentration import concentration
from engine.overview.distribution import distribution
from engine.overview.members import Members
from engine.overview.movement import movement
from engine.overview.quadrant import quadrant
from engine.overview.targets import progress

__all__ = ["Members", "concentration", "distribution", "movement", "progress", "quadrant"]
