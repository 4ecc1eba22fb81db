"""For all tests and docstring examples: compiled programs are let go of before they run out."""

from __future__ import annotations

import sys
from pathlib import Path

MAPS = Path("/proc/self/maps")
MOST_MAPS = 25_000
"""Stretches of memory, of which Linux allows a process 65,530. Each program that JAX compiles
holds several, and thousands of tests in one process would end in a segmentation fault."""


def pytest_runtest_teardown() -> None:
    if "jax" not in sys.modules or not MAPS.exists():
        return
    with MAPS.open() as lines:
        many = sum(1 for _ in lines) > MOST_MAPS
    if many:
        import jax

        jax.clear_caches()
