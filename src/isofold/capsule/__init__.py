"""A study as a Code Ocean capsule: /data in, /results out (docs/code-ocean.md)."""

from __future__ import annotations

from .modes import run_capsule
from .settings import Settings

__all__ = ["Settings", "run_capsule"]
