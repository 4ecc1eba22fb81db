"""Studies: what to run, running it, and the folder of results."""

from __future__ import annotations

from .results import Results, open_results

__all__ = ["Results", "open_results"]
