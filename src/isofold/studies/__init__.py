"""Studies: what to run, running it, and the folder of results."""

from __future__ import annotations

from .dry_run import DryRun, dry_run
from .jobs import dispatch, work
from .results import Results, open_results
from .run import run
from .spec import Study

__all__ = ["DryRun", "Results", "Study", "dispatch", "dry_run", "open_results", "run", "work"]
