"""The app driven as a person drives it, in Chromium; nothing it asks for leaves its origin."""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from app_folder import write_results

import isofold as iso

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
HOSTILE = "<img src=x onerror=window.hacked=1>"
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""WebGL without a graphics card."""
PROJECT = """(k => {
  const scene = isofold.scenes.left;
  return scene.project(...scene.points.slice(3 * k, 3 * k + 3));
})"""
INSIDE = f"""corners => {{
  const scene = isofold.scenes.left, path = new Path2D(), pen = scene.over.getContext("2d");
  corners.forEach(([x, y], k) => path[k ? "lineTo" : "moveTo"](x, y));
  path.closePath();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  return [...scene.rows].filter((row, k) => pen.isPointInPath(path, ...{PROJECT}(k)));
}}"""
"""Rows of the left embedding that the browser itself finds inside a polygon."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("app") / "lab"
    write_results(root / "results" / "track", seeds=(0, 1))
    write_results(
        root / "results" / "hostile", name=HOSTILE, recordings=(HOSTILE,), seeds=(0,),
        methods={HOSTILE: 0.2, "pca": 0.4}, control=False,
    )  # fmt: skip
    iso.simulate.circle(seed=0, n_samples=400).save(root / "recordings" / "circle")
    return root


@pytest.fixture(scope="module")
def address(folder) -> str:
    server = subprocess.Popen(
        [sys.executable, "-m", "isofold", "app", str(folder), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert server.stdout is not None
    found = re.search(r"http://\S+", server.stdout.readline())
    assert found is not None
    yield found.group().rstrip("/")
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 143


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda r: _own(r.url, address) or wrong.append(f"asked for {r.url}"))
    opened.on("response", lambda r: r.status >= 400 and wrong.append(f"{r.status} {r.url}"))
    opened.on("console", lambda m: "Content Security" in m.text and wrong.append(m.text))
    yield opened
    context.close()
    assert not wrong


def _own(url: str, address: str) -> bool:
    return url.startswith(("data:", "blob:")) or urlsplit(url).netloc == urlsplit(address).netloc


def until(page, true: str, seconds: float = 30) -> None:
    """Waits for a condition; the page's policy forbids what `wait_for_function` does."""
    for _ in range(int(10 * seconds)):
        if page.evaluate(true):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"not within {seconds} s: {true}")


def open_results(page, address: str, name: str = "track", asked: str = "") -> None:
    page.goto(f"{address}/results?folder=results/{name}{asked}")
    until(page, "window.isofold?.scenes.left?.n > 0 && isofold.scenes.right?.n > 0")


def choose(page, control: str, *names: str) -> None:
    """Options of a dropdown, and closing it."""
    page.click(control)
    for name in names:
        page.locator(".dash-dropdown-content").get_by_text(name, exact=True).first.click()
    page.keyboard.press("Escape")


def drag(page, points: list[tuple[float, float]]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y)
    page.mouse.up()


def middle(page, side: str) -> tuple[float, float]:
    page.locator(f"#view-{side}").scroll_into_view_if_needed()
    box = page.locator(f"#view-{side}").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_from_the_folder_to_filtered_runs(page, address):
    page.goto(address)
    page.click("text=results/track")
    page.wait_for_selector("#n-runs")
    assert page.locator("#n-runs").inner_text().startswith("9 runs")
    filters = page.locator(".filters .field")
    seed = next(f for f in filters.all() if f.inner_text().startswith("seed"))
    seed.locator("button").click()
    page.locator(".dash-dropdown-content").get_by_text("1", exact=True).click()
    page.keyboard.press("Escape")
    until(page, "document.querySelector('#n-runs').innerText.startsWith('4 of 9')")
    heads = page.locator("#runs thead th").all_inner_texts()
    seeds = page.locator("#runs tbody tr").evaluate_all(
        "rows => rows.map(r => r.children[seed].innerText)".replace(
            "seed", str(heads.index("seed"))
        )
    )
    assert seeds == ["1"] * 4


def test_recolour_turn_and_compare_with_one_camera(page, address):
    open_results(page, address)
    before = page.evaluate("[isofold.scenes.left.data.label, isofold.scenes.left.data.rgb]")
    choose(page, "#color", "direction")
    until(page, "isofold.scenes.left.data.label === 'direction'")
    assert before[0] == "position"
    assert page.evaluate("isofold.scenes.left.data.rgb") != before[1]
    assert "back" in page.locator("#legend").inner_text()
    looks = "['left', 'right'].map(s => isofold.scenes[s].canvas.toDataURL().length)"
    turn, pixels = page.evaluate("isofold.scenes.left.turn"), page.evaluate(looks)
    x, y = middle(page, "left")
    drag(page, [(x, y), (x + 60, y + 20), (x + 120, y + 40)])
    page.wait_for_timeout(150)
    left, right = page.evaluate("[isofold.scenes.left.turn, isofold.scenes.right.turn]")
    assert left == right
    assert not np.allclose(left, turn)
    assert np.allclose(np.reshape(left, (3, 3)) @ np.reshape(left, (3, 3)).T, np.eye(3))
    now = page.evaluate(looks)
    assert now[0] != pixels[0]
    assert now[1] != pixels[1]
    page.locator("#runs button", has_text="right").nth(6).click()
    until(page, "document.querySelector('#title-right').innerText.startsWith('pca')")
    page.click("label:has-text('align')")
    until(page, "/aligned .* R² 0\\.\\d+/.test(document.querySelector('#title-right').innerText)")
    assert re.search(r"left=\w+&right=\w+&color=direction", page.url)


def test_lasso_known_samples_play_and_download(page, address, folder):
    open_results(page, address)
    page.click("#tool-lasso")
    middle(page, "left")
    box = page.locator("#view-left").bounding_box()
    at = page.evaluate(f"{PROJECT}(100)")
    ring = [
        (at[0] + 40 * math.cos(a), at[1] + 40 * math.sin(a)) for a in np.linspace(0, 2 * np.pi, 25)
    ]
    inside = page.evaluate(INSIDE, [[round(a), round(b)] for a, b in ring])
    drag(page, [(box["x"] + round(a), box["y"] + round(b)) for a, b in ring])
    page.wait_for_selector("#n-selected")
    expected = pd.Series(np.array(inside) // 60).value_counts().sort_index()
    assert 100 in inside
    said = page.locator("#n-selected").inner_text()
    selected = int(said.split()[0].replace(",", ""))
    # the edge runs through a pixel: what is on it may fall to either side
    assert abs(selected - len(inside)) <= 2
    marked = page.evaluate(
        "[...isofold.scenes.right.rows].filter((r, k) => isofold.scenes.right.marks[k])"
    )
    assert len(marked) == selected
    assert len(set(marked) ^ set(inside)) <= 2
    with page.expect_download() as download:
        page.click("#save-csv")
    table = pd.read_csv(download.value.path())
    assert table["selected"].sum() == selected
    counted = pd.Series(np.array(marked) // 60).value_counts().sort_index()
    assert dict(zip(table["trial"], table["selected"], strict=True)) == counted.to_dict()
    assert set(expected.index) & set(table["trial"])
    shown = page.locator("#trials tbody tr").evaluate_all(
        "rows => rows.map(r => r.innerText.split('\\t'))"
    )
    assert [int(r[1]) for r in shown] == table["trial"].tolist()
    with page.expect_download() as download:
        page.click("#save-nwb")
    target = folder.parent / "trials.nwb"
    download.value.save_as(target)
    assert np.allclose(iso.read(target).trials["start"], table["start"])
    with page.expect_download() as download:
        page.click("#save-svg")
    assert Path(download.value.path()).read_text(encoding="utf-8").count("<circle") == 2 * 1440
    page.locator("#trials button").nth(1).click()
    name = f"Trial {table['trial'][1]}"
    until(page, f"document.querySelector('#trial-name').innerText === '{name}'")
    page.click("#play")
    until(page, "isofold.scenes.left.now > 3 && isofold.scenes.right.now > 3")
    page.click("#play")
    moment = page.evaluate("isofold.scenes.left.now")
    time = float(page.locator("#now").inner_text().split(" s")[0])
    assert time == pytest.approx(table["start"][1] + 0.1 * moment, abs=0.02)
    assert "position" in page.locator("#now").inner_text()
    assert page.locator("#cursor").is_visible()
    assert page.locator("#trace .heatmaplayer, #trace .scatterlayer").count() > 0


def test_names_that_are_markup_stay_text(page, address):
    open_results(page, address, "hostile")
    page.click("#tool-lasso")
    x, y = middle(page, "left")
    drag(page, [(x - 200, y - 200), (x + 200, y - 200), (x + 200, y + 200), (x - 200, y + 200)])
    page.wait_for_selector("#n-selected")
    page.mouse.move(x, y)
    page.wait_for_timeout(300)
    assert HOSTILE in page.locator("h1").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src='x']").count() == 0


def test_start_a_study_watch_it_and_stop_another(page, address, folder):
    fill_form(page, address, "tiny", "pca", "0")
    assert '"name" = "circle"' in page.locator("#study-text").inner_text()
    page.click("#start")
    page.wait_for_url("**/jobs")
    fill_form(page, address, "long", "cebra-time", "0-400")
    page.click("#start")
    page.wait_for_url("**/jobs")
    rows = "[...document.querySelectorAll('#jobs tbody tr')].map(r => r.innerText)"
    until(page, f"{rows}[0]?.includes('of 401')")
    page.locator("#jobs button", has_text="Stop").first.click()
    until(page, f"{rows}[0]?.includes('stopped')")
    until(page, f"{rows}[1]?.includes('done')")
    assert "1 of 1" in page.evaluate(rows)[1]
    done = iso.open_results(folder / "results" / "tiny")
    assert done.runs["status"].tolist() == ["done"]
    page.click("text=tiny")
    until(page, "window.isofold?.scenes.left?.n > 0")


def fill_form(page, address: str, name: str, method: str, seeds: str) -> None:
    page.goto(f"{address}/study")
    page.fill("#f-name", name)
    page.keyboard.press("Tab")
    choose(page, "#f-recording", "simulated: circle")
    page.click("#f-methods")
    for other in {"pca", "cebra-time"} - {method}:
        page.locator(".dash-dropdown-content").get_by_text(f"{other}: ").click()
    page.keyboard.press("Escape")
    for field, value in {"#f-dimension": "2", "#f-seeds": seeds}.items():
        page.fill(field, value)
        page.keyboard.press("Tab")
    until(page, f"document.querySelector('#study-text').innerText.includes('{method}')")
    until(page, "document.querySelector('#study-text').innerText.includes('dimension = 2')")
