from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_results import write_results

from isofold.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The machine's own Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
