"""A study as a Code Ocean capsule: reads /data, writes /results and /scratch (docs/code-ocean.md)."""

from __future__ import annotations

from .modes import run_capsule
from .settings import Settings

__all__ = ["Settings", "run_capsule"]
