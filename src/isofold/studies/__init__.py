"""Studies: what to run, running it, and the folder of results."""

from __future__ import annotations

from .results import Results, open_results
from .run import run
from .spec import Study

__all__ = ["Results", "Study", "open_results", "run"]
