"""Recordings whose latent is known: one file per known truth.

Every simulator takes `seed`, gives a `Recording` and keeps the latent in its `.truth`.
"""

from .circle import circle
from .lorenz import lorenz
from .place_cells import place_cells, place_cells_session

__all__ = ["circle", "lorenz", "place_cells", "place_cells_session"]
