"""Samples selected in one picture are marked in all others, by mouse, touch, keys and form."""

from __future__ import annotations

from shutil import rmtree

import numpy as np
import pytest
from fake_results import embedding, write_results
from visit import Drawn, visit

from isofold.report import write_report
from isofold.studies import Results
from isofold.studies.embedding_store import save_embedding

GUTTER, MARGIN, TOP, AXIS = 88, 8, 7, 24
"""Pixels around the behaviour picture."""
ROWS_GUTTER = 58


@pytest.fixture(scope="module")
def drawn(html) -> Drawn:
    return Drawn(html)


@pytest.fixture(scope="module")
def opened(browser, page):
    found = visit(browser, page)
    yield found
    assert found.complaints == []
    found.tab.context.close()


@pytest.fixture
def seen(opened):
    """The page with nothing selected, behaviour and the first embeddings in sight."""
    opened.tab.keyboard.press("Escape")
    opened.tab.mouse.move(2, 2)
    opened.tab.evaluate("document.getElementById('linked').scrollIntoView()")
    opened.tab.evaluate("scrollBy(0, -60)")
    opened.settle()
    assert opened.selected()["samples"] == []
    return opened


def same_everywhere(seen, drawn, chosen) -> None:
    """All pictures in sight mark exactly these samples, and the line says how many."""
    expected = drawn.rows[chosen].tolist()
    marked = seen.marked()
    assert len(marked) >= 4
    assert {"behaviour", "trials", "pca, seed 0", "pca, seed 1"} <= set(marked)
    for picture, samples in marked.items():
        assert samples == expected, picture
    assert seen.selected()["samples"] == expected
    trials = len(np.unique(drawn.trial[chosen]))
    count = f"{len(expected):,} sample{'s' if len(expected) != 1 else ''}"
    said = seen.tab.locator("#linked .said").inner_text()
    assert f"Selected: {count} of {trials} trial" in said
    assert seen.state("selected") == str(len(expected))


def test_a_lasso_on_an_embedding_marks_its_samples_everywhere(seen, drawn):
    canvas = seen.tab.locator("#gallery canvas").first
    box = canvas.bounding_box()
    size = np.array([box["width"], box["height"]])
    places = drawn.places(0, *np.rint(size)) * size / np.rint(size)
    low, high = np.percentile(places, [35, 75], axis=0)
    corner = np.array([box["x"], box["y"]])  # a mouse stands on whole pixels of the window
    low, high = np.rint(low + corner) - corner, np.rint(high + corner) - corner
    corners = [tuple(low), (high[0], low[1]), tuple(high), (low[0], high[1])]
    inside = np.all((places > low) & (places < high), axis=1)
    assert 10 < inside.sum() < len(places) / 2
    seen.drag(canvas, *corners, shift=True)
    same_everywhere(seen, drawn, np.flatnonzero(inside))


def test_a_stretch_of_behaviour_marks_its_samples_everywhere(seen, drawn):
    canvas = seen.tab.locator("canvas[data-plane=behaviour]")
    width = canvas.bounding_box()["width"]
    across = width - GUTTER - MARGIN
    x = GUTTER + (drawn.time - drawn.time[0]) / np.ptp(drawn.time) * across
    seen.drag(canvas, (300.25, 50), (420.25, 50))
    same_everywhere(seen, drawn, np.flatnonzero((x >= 300.25) & (x <= 420.25)))


def test_a_box_on_the_trials_marks_its_samples_everywhere(seen, drawn):
    canvas = seen.tab.locator("canvas[data-plane=trials]")
    box = canvas.bounding_box()
    first = np.array([drawn.time[drawn.trial == t].min() for t in drawn.trial])
    onset = drawn.time - first
    across, tall = box["width"] - ROWS_GUTTER - MARGIN, (box["height"] - TOP - AXIS) / 24
    step = np.median(np.diff(drawn.time)[np.diff(drawn.trial) == 0])
    scale = across / (onset.max() + step)
    x, wide = ROWS_GUTTER + onset * scale, step * scale
    left, right = ROWS_GUTTER + across * 0.303, ROWS_GUTTER + across * 0.507
    top, bottom = TOP + 3.5 * tall, TOP + 6.5 * tall
    seen.drag(canvas, (left, top), (right, bottom))
    rows = (drawn.trial >= 3) & (drawn.trial <= 6)
    same_everywhere(seen, drawn, np.flatnonzero(rows & (x < right) & (x + wide > left)))


def test_marked_samples_stand_out_and_others_step_back(seen, drawn):
    canvas = seen.tab.locator("#gallery canvas").first
    strong = """c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let k = 3; k < d.length; k += 4) n += d[k] > 200; return n }"""
    before = canvas.evaluate(strong)
    seen.drag(seen.tab.locator("canvas[data-plane=behaviour]"), (300, 50), (330, 50))
    few = canvas.evaluate(strong)
    assert 0 < few < before
    box = canvas.bounding_box()
    places = drawn.places(0, round(box["width"]), round(box["height"]))
    mine = np.isin(drawn.rows, seen.selected()["samples"])
    seen.settle()
    alpha = "(c, [x, y]) => c.getContext('2d').getImageData(x, y, 1, 1).data[3]"
    inked = np.array([canvas.evaluate(alpha, np.rint(p).tolist()) for p in places[::6]])
    assert inked[mine[::6]].min() > 200
    assert np.median(inked[~mine[::6]]) < 120


def test_a_click_selects_a_trial_and_ctrl_adds_another(seen, drawn):
    canvas = seen.tab.locator("canvas[data-plane=trials]")
    tall = (canvas.bounding_box()["height"] - TOP - AXIS) / 24
    canvas.click(position={"x": 120, "y": TOP + 5.5 * tall})
    assert seen.selected()["trials"] == ["5"]
    canvas.click(position={"x": 120, "y": TOP + 8.5 * tall}, modifiers=["Control"])
    same_everywhere(seen, drawn, np.flatnonzero(np.isin(drawn.trial, [5, 8])))
    canvas.click(position={"x": 120, "y": TOP + 5.5 * tall}, modifiers=["Alt"])
    assert seen.selected()["trials"] == ["8"]


def test_rows_sorted_by_a_label_are_found_where_they_are(seen, drawn):
    seen.tab.get_by_label("Trials by").select_option("direction")
    canvas = seen.tab.locator("canvas[data-plane=trials]")
    tall = (canvas.bounding_box()["height"] - TOP - AXIS) / 24
    canvas.click(position={"x": 120, "y": TOP + 0.5 * tall})
    assert seen.selected()["trials"] == ["1"]  # "back" before "out": odd trials first
    seen.tab.get_by_label("Trials by").select_option("number")
    same_everywhere(seen, drawn, np.flatnonzero(drawn.trial == 1))


def test_keys_walk_and_select(seen, drawn):
    canvas = seen.tab.locator("canvas[data-plane=behaviour]")
    canvas.focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        seen.tab.keyboard.press(key)
    assert "trial 0 · sample 2 · 10.20 s" in seen.tab.locator("#tip").inner_text()
    for _ in range(3):
        seen.tab.keyboard.press("Shift+ArrowRight")
    same_everywhere(seen, drawn, np.arange(2, 6))
    seen.tab.keyboard.press("Enter")
    assert seen.selected()["trials"] == ["0"]
    rows = seen.tab.locator("canvas[data-plane=trials]")
    rows.focus()
    seen.tab.keyboard.press("ArrowDown")
    seen.tab.keyboard.press("ArrowDown")
    seen.tab.keyboard.press("Enter")
    assert seen.selected()["trials"] == ["1"]
    seen.tab.keyboard.press("Shift+ArrowDown")
    seen.tab.keyboard.press("Shift+ArrowDown")
    same_everywhere(seen, drawn, np.flatnonzero(np.isin(drawn.trial, [1, 2, 3])))
    seen.tab.keyboard.press("Escape")
    assert seen.selected()["samples"] == []
    assert "Nothing selected" in seen.tab.locator("#linked .said").inner_text()


def test_select_by_value(seen, drawn):
    toggle = seen.tab.get_by_role("button", name="Select by value")
    toggle.click()
    form = seen.tab.locator("#linked form")
    choose, low, high = (form.locator(f"[data-name={n}]") for n in ("field", "from", "to"))
    press = lambda name: form.get_by_role("button", name=name, exact=True).click()  # noqa: E731
    choose.select_option("position")
    press("Select")
    assert len(seen.selected()["samples"]) == len(drawn.rows)  # both ends are within
    low.fill("0.4")
    high.fill("0.9")
    press("Select")
    x = drawn.labels["position"]
    same_everywhere(seen, drawn, np.flatnonzero((x >= 0.4) & (x <= 0.9)))
    choose.select_option("direction")
    low.select_option("out")
    high.select_option("out")
    press("Remove")
    out = drawn.labels["direction"] == 1
    same_everywhere(seen, drawn, np.flatnonzero((x >= 0.4) & (x <= 0.9) & ~out))
    choose.select_option("phase")
    low.fill("6")
    high.fill("0.2")
    press("Select")
    phase = drawn.labels["phase"]
    same_everywhere(seen, drawn, np.flatnonzero((phase >= 6) | (phase <= 0.2)))
    toggle.click()


def test_touch_selects_once_drag_is_set_to_select(browser, page):
    seen = visit(browser, page, has_touch=True)
    seen.tab.get_by_role("button", name="select", exact=True).click()
    canvas = seen.tab.locator("#gallery canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    send = """(c, places) => places.forEach(([kind, x, y]) => c.dispatchEvent(new PointerEvent(kind,
        {pointerId: 1, pointerType: "touch", bubbles: true, clientX: x, clientY: y})))"""
    canvas.evaluate("c => (c.setPointerCapture = () => {})")  # it takes real fingers only
    x, y = box["x"], box["y"]
    corners = [(x + 1, y + 1), (x + 150, y + 1), (x + 150, y + 150), (x + 1, y + 150)]
    kinds = ["pointerdown", "pointermove", "pointermove", "pointermove"]
    canvas.evaluate(send, [[k, *p] for k, p in zip(kinds, corners, strict=True)])
    canvas.evaluate(send, [["pointerup", *corners[-1]]])
    assert len(seen.selected()["samples"]) > 20
    marked = seen.marked()
    assert marked["behaviour"] == marked["trials"] == seen.selected()["samples"]
    seen.tab.context.close()


def test_sample_numbers_are_copied(browser, page, drawn):
    seen = visit(browser, page, permissions=["clipboard-read", "clipboard-write"])
    canvas = seen.tab.locator("canvas[data-plane=trials]")
    canvas.click(position={"x": 120, "y": TOP + 2})
    seen.tab.get_by_role("button", name="Copy sample numbers").click()
    seen.tab.get_by_text("Copied 60 sample numbers").wait_for()
    read = seen.tab.evaluate("navigator.clipboard.readText()")
    assert read == str(drawn.rows[drawn.trial == 0].tolist()).replace(" ", "")
    seen.tab.get_by_role("button", name="Clear").click()
    assert seen.selected()["samples"] == []
    seen.tab.context.close()


def test_another_clock_of_the_recording_marks_the_nearest_samples(browser, tmp_path):
    small = {"pca": 0.5, "cebra-time": 0.2}
    folder = write_results(tmp_path / "r", methods=small, seeds=(0,), lap_samples=20, failed=0)
    runs = Results(folder).runs
    key = runs.loc[runs["method"] == "cebra-time", "key"].item()
    rmtree(folder / "runs" / key / "embedding.zarr")
    save_embedding(
        embedding(0.2, 0, lap_samples=20).isel(time=slice(0, None, 2)),
        folder / "runs" / key / "embedding.zarr",
    )
    seen = visit(browser, write_report(folder))
    canvas = seen.tab.locator("canvas[data-plane=trials]")
    tall = (canvas.bounding_box()["height"] - TOP - AXIS) / 24
    canvas.click(position={"x": 120, "y": TOP + 2.5 * tall})
    marked = seen.marked()
    assert marked["pca, seed 0"] == list(range(40, 60))
    assert marked["cebra-time, seed 0"] == list(range(20, 30))
    seen.tab.context.close()
