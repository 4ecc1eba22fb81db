"""`Session` → files."""

from .nwb import write_nwb

__all__ = ["write_nwb"]
