"""Size of the page and how soon it answers, in headless Chromium: 10⁵ samples, and 621 runs.

    python benchmarks/page.py [DIR ...]

Writes `results/page.md`. DIRs: further results folders to measure (as `isofold run` leaves them).
Ready: from opening the file to the moment when what is in sight is drawn and answers. Turn and
lasso: from the last movement of the mouse to the picture that shows it.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from isofold.report import write_report
from isofold.studies import Results

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "report"))
from fake_results import write_results  # noqa: E402
from visit import Visit, visit  # noqa: E402

OPENINGS = 5
TARGETS = {"MB": 8.0, "ready": 3.0}
_log = logging.getLogger(__name__)


def studies(folder: Path) -> dict[str, Path]:
    """Made-up results of the sizes that are promised."""
    methods = {"pca": 0.5, "cebra-time": 0.25, "cebra-behavior": 0.1}
    return {
        "10⁵ samples, 12 runs": write_results(
            folder / "samples", methods=methods, seeds=(0, 1, 2), lap_samples=4200, failed=0
        ),
        "621 runs": write_results(
            folder / "runs", methods={"pca": 0.5}, control=False, failed=0, lap_samples=20,
            seeds=tuple(range(9)), folds=(0, 1, 2), grid=tuple(range(22)),
        ),
    }  # fmt: skip


def named_as(results: Path) -> str:
    """A study by its own name, with the number of its runs."""
    found = Results(results)
    return f"{found.study['name']} {len(found.runs)} runs"


def measure(browser: Any, results: Path) -> dict[str, float]:
    """One results folder: seconds to write, MB, seconds until ready and drawn, milliseconds."""
    start = time.perf_counter()
    page = write_report(results)
    found = {"write": time.perf_counter() - start, "MB": page.stat().st_size / 1e6}
    opened = [openings(browser, page) for _ in range(OPENINGS)]
    for name in ("ready", "drawn", "turn", "select"):
        found[name] = median(o[name] for o in opened)
    return found


def openings(browser: Any, page: Path) -> dict[str, float]:
    """One opening of the page, and what a hand then does."""
    start = time.perf_counter()
    seen = visit(browser, page)
    ready = time.perf_counter() - start
    seen.tab.wait_for_selector("html[data-drawn]", state="attached", timeout=120_000)
    drawn = time.perf_counter() - start
    assert seen.complaints == [], seen.complaints
    canvas = seen.tab.locator("#gallery canvas").first
    canvas.scroll_into_view_if_needed()
    seen.settle()
    took = {"ready": ready, "drawn": drawn, "turn": frames(seen, canvas)}
    plane = seen.tab.locator("canvas[data-plane=behaviour]")
    start = time.perf_counter()
    seen.drag(plane, (200, 40), (300, 40))
    took["select"] = time.perf_counter() - start
    seen.tab.context.close()
    return took


def frames(seen: Visit, canvas: Any) -> float:
    """Seconds a picture takes while everything in sight is turned, mean of 20."""
    box = canvas.bounding_box()
    seen.tab.mouse.move(box["x"] + 50, box["y"] + 50)
    seen.tab.mouse.down()
    start = time.perf_counter()
    for k in range(20):
        seen.tab.mouse.move(box["x"] + 50 + 3 * k, box["y"] + 50)
        seen.tab.evaluate("new Promise(r => requestAnimationFrame(r))")
    seen.tab.mouse.up()
    return (time.perf_counter() - start) / 20


def report(rows: dict[str, dict[str, float]], version: str) -> str:
    lines = [
        "# The page: size and time",
        "",
        f"`python benchmarks/page.py`: {os.cpu_count()} cores, {platform.system()}, headless "
        f"Chromium {version}, median of {OPENINGS} openings. Promised: at most "
        f"{TARGETS['MB']:g} MB, ready within {TARGETS['ready']:g} s.",
        "",
        "| study | write, s | size, MB | ready, s | all drawn, s | turning, ms a picture "
        "| selecting, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row['write']:.1f} | {row['MB']:.2f} | {row['ready']:.2f} | "
            f"{row['drawn']:.2f} | {1e3 * row['turn']:.0f} | {1e3 * row['select']:.0f} |"
        )
    lines += [
        "",
        "Ready counts from the start of a fresh browser context: what is in sight is drawn and "
        "answers; charts further down follow one by one. Turning and selecting include the way "
        "from the driver to the browser and back.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    from playwright.sync_api import sync_playwright

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="*", type=Path)
    given = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        named = studies(Path(scratch)) | {named_as(p): p for p in given.results}
        for name, results in named.items():
            rows[name] = measure(browser, results)
            _log.info("%s: %s", name, {k: round(v, 3) for k, v in rows[name].items()})
        text = report(rows, browser.version)
        browser.close()
    (ROOT / "benchmarks" / "results" / "page.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
