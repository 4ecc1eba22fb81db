from __future__ import annotations

from pathlib import Path

import pytest
from fake_results import write_results

from isofold.report import write_report


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Results of one recording: three methods, a control, three seeds, one failed run."""
    return write_results(tmp_path_factory.mktemp("results") / "track")


@pytest.fixture(scope="session")
def page(folder) -> Path:
    return write_report(folder)


@pytest.fixture(scope="session")
def html(page) -> str:
    return page.read_text(encoding="utf-8")
