"""Recordings whose latent is known: one file per known truth.

Every simulator takes `seed`, gives a `Recording` and keeps the latent in its `.truth`.
"""

from .ceilings import Ceilings, ceilings
from .circle import circle
from .lorenz import lorenz
from .photometry import photometry, photometry_session
from .pivae_continuous import pivae_continuous
from .pivae_discrete import pivae_discrete
from .place_cells import place_cells, place_cells_session
from .quadratic import quadratic
from .segments import segments
from .sine import sine
from .sphere import sphere
from .torus import torus
from .two_circles import two_circles

__all__ = [
    "Ceilings",
    "ceilings",
    "circle",
    "lorenz",
    "photometry",
    "photometry_session",
    "pivae_continuous",
    "pivae_discrete",
    "place_cells",
    "place_cells_session",
    "quadratic",
    "segments",
    "sine",
    "sphere",
    "torus",
    "two_circles",
]
