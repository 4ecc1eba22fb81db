"""The page in a real browser: its script runs through, and nothing leaves the machine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlparse

import pytest
from fake_results import write_results

from isofold.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
OWN = ("google.com", "googleapis.com", "gvt1.com")
"""Hosts that the browser itself calls for updates; no address of the page is among them."""


def open_page(page: Path, scratch: Path) -> tuple[str, set[str]]:
    """The document after its scripts ran, and the hosts that were asked for."""
    log = scratch / "net.json"
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", f"--user-data-dir={scratch / 'profile'}", f"--log-net-log={log}",
        "--virtual-time-budget=8000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()
    asked = re.findall(r'"url":"((?:https?|wss?)://[^"]+)"', log.read_text(encoding="utf-8"))
    hosts = {str(urlparse(json.loads(f'"{a}"')).hostname) for a in asked}
    return dom, {h for h in hosts if not h.endswith(OWN)}


def test_everything_is_drawn_and_nothing_is_fetched(page, tmp_path):
    dom, hosts = open_page(page, tmp_path)
    root = re.search(r"<html[^>]*>", dom)
    assert root is not None
    assert 'data-ready="true"' in root.group()
    assert "data-error" not in root.group()
    assert not hosts
    charts = len(re.findall(r"data-figure=", dom))
    assert len(re.findall(r'class="plot-container', dom)) == charts > 5
    assert len(re.findall(r'<canvas[^>]+aria-label="Embedding of rat1 by', dom)) == 12


def test_hostile_names_run_nothing(tmp_path):
    name = "<img src=x onerror=\"document.documentElement.dataset.hacked='yes'\"></script>"
    folder = write_results(
        tmp_path / "r", name=name, recordings=(name,), methods={name: 0.2, "pca": 0.4},
        seeds=(0,), lap_samples=10,
        claims=(
            {"says": name, "score": "decode", "label": "position", "better": name, "than": "pca"},
        ),
    )  # fmt: skip
    dom, hosts = open_page(write_report(folder), tmp_path)
    root = re.search(r"<html[^>]*>", dom)
    assert root is not None
    assert 'data-ready="true"' in root.group()
    assert "hacked" not in root.group()
    assert "<img src=x" not in dom.split("<script", 1)[0]
    assert not hosts
