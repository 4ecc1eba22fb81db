"""A million samples in the browser: times that a person waits, measured."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from app_folder import write_results

from isofold.app import create_app
from isofold.studies.embedding_store import save_embedding

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
N, TRIALS = 1_000_000, 500


def write_million(folder: Path) -> None:
    """Two runs of one recording."""
    write_results(folder, methods={"pca": 0.5, "cebra-time": 0.2}, seeds=(0,), failed=0)
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 2 * np.pi * TRIALS, N)
    ring = np.stack([np.cos(angle), np.sin(angle), 0.3 * np.sin(2 * angle)], axis=1)
    trial = np.arange(N) * TRIALS // N
    coords = {
        "time": ("time", np.arange(N) / 100), "trial": ("time", trial),
        "split": ("time", np.where(trial < 400, "train", "test")),
        "position": ("time", np.cos(angle)), "side": ("time", np.where(trial % 2, "l", "r")),
    }  # fmt: skip
    for path in folder.glob("runs/*/embedding.zarr"):
        shutil.rmtree(path)
        z = ring + 0.1 * rng.normal(size=ring.shape)
        save_embedding(xr.DataArray(z, coords, ("time", "latent")), path)


def test_a_million_samples_stay_usable(tmp_path):
    from werkzeug.serving import make_server

    write_million(tmp_path / "million")
    server = make_server("127.0.0.1", 0, create_app(tmp_path).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_api.sync_playwright() as driver:
        flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        times = _measured(page, f"http://127.0.0.1:{server.server_port}")
        browser.close()
    server.shutdown()
    sys.stderr.write(json.dumps(times) + "\n")
    assert times["first draw (s)"] < 15
    assert times["again (s)"] < 4
    assert times["turning, a frame (ms)"] < 250
    assert times["zoom refined (s)"] < 4
    assert times["lasso to trials (s)"] < 6


def _measured(page, address: str) -> dict[str, float]:
    there = "window.isofold?.scenes.left?.n > 0 && isofold.scenes.right?.n > 0"
    times = {}
    for what in ("first draw (s)", "again (s)"):
        start = time.perf_counter()
        page.goto(f"{address}/results?folder=million")
        _until(page, there)
        times[what] = time.perf_counter() - start
    page.locator("#view-left").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    times["drawn a side"] = page.evaluate("isofold.scenes.left.n")
    times["turning, a frame (ms)"] = page.evaluate(
        """() => { const begun = performance.now(), pixel = new Uint8Array(4);
             for (let k = 0; k < 10; k++) { isofold.camera.rotate(.05, .02);
               for (const s of Object.values(isofold.scenes)) { s.draw();
                 s.gl.readPixels(0, 0, 1, 1, s.gl.RGBA, s.gl.UNSIGNED_BYTE, pixel); } }
             return (performance.now() - begun) / 10; }"""
    )
    before = page.evaluate("isofold.scenes.left.data.points.length")
    box = page.locator("#view-left").bounding_box()
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4
    page.mouse.move(x, y)
    start = time.perf_counter()
    page.mouse.wheel(0, -700)
    _until(page, f"isofold.scenes.left.data.points.length !== {before}")
    times["zoom refined (s)"] = time.perf_counter() - start
    page.click("#reset")
    page.click("#tool-lasso")
    page.wait_for_timeout(1500)
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    for dx, dy in ((60, -60), (60, 60), (-60, 60)):
        page.mouse.move(x + dx, y + dy)
    start = time.perf_counter()
    page.mouse.up()
    _until(page, "document.querySelector('#n-selected') !== null")
    times["lasso to trials (s)"] = time.perf_counter() - start
    return {k: round(v, 2) for k, v in times.items()}


def _until(page, true: str, seconds: float = 60) -> None:
    end = time.perf_counter() + seconds
    while not page.evaluate(true):
        assert time.perf_counter() < end, true
        page.wait_for_timeout(20)
