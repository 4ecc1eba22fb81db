"""Real recordings: read only, never part of the repository, skipped where they are not there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def _folder(name: str) -> Path:
    path = REPOSITORY / "../shared/data" / name
    if not path.exists():
        pytest.skip(f"real data not found: ../shared/data/{name}")
    return path


@pytest.fixture(scope="session")
def data():
    """Folder of a recording by name, or a skip that says which is missing."""
    return _folder


@pytest.fixture(scope="session")
def nelpy():
    """The conversion that benchmarks/convert_nelpy.py runs."""
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    try:
        import nelpy
    finally:
        sys.path.pop(0)
    return nelpy
