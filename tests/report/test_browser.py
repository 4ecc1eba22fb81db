"""The page in a real browser: it draws all, asks for nothing, turns, recolours, opens, prints."""

from __future__ import annotations

import re

import pytest
from visit import visit


@pytest.fixture(scope="module")
def opened(browser, page):
    found = visit(browser, page)
    yield found
    assert found.complaints == []
    found.tab.context.close()


@pytest.fixture
def seen(opened):
    """The page as it opens: first view, nothing selected."""
    opened.tab.keyboard.press("Escape")
    opened.tab.get_by_role("button", name="First view").click()
    opened.tab.mouse.move(2, 2)
    opened.settle()
    return opened


def test_everything_is_drawn_and_nothing_is_fetched(browser, page):
    seen = visit(browser, page, wait="drawn")
    assert seen.state("error") is None
    assert seen.complaints == []
    assert [a for a in seen.asked if not a.startswith(("blob:", "data:"))] == [page.as_uri()]
    charts = seen.tab.locator("[data-figure]").count()
    assert seen.tab.locator(".plot-container").count() == charts > 5
    assert seen.tab.locator('canvas[aria-label^="Embedding of rat1 by"]').count() == 12
    seen.tab.context.close()


def test_dragging_turns_all_pictures_together(seen):
    first, last = (seen.tab.locator("#gallery canvas").nth(k) for k in (0, 2))
    first.scroll_into_view_if_needed()
    seen.settle()
    before = pixels(first), pixels(last)
    seen.drag(first, (60, 60), (110, 90))
    after = pixels(first), pixels(last)
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert seen.selected()["samples"] == []
    seen.tab.get_by_role("button", name="First view").click()
    seen.settle()
    assert (pixels(first), pixels(last)) == before


def test_arrow_keys_turn_and_zoom(seen):
    canvas = seen.tab.locator("#gallery canvas").first
    canvas.focus()
    seen.settle()
    looks = [pixels(canvas)]
    for key in ("ArrowLeft", "ArrowUp", "+"):
        seen.tab.keyboard.press(key)
        seen.settle()
        looks.append(pixels(canvas))
    assert len(set(looks)) == 4
    seen.tab.keyboard.press("0")
    seen.settle()
    assert pixels(canvas) == looks[0]


@pytest.mark.parametrize(
    ("label", "legend"),
    [
        ("phase", "angle: 0 to the right, counter-clockwise"),
        ("position", "position 0 1.6"),
        ("direction", "direction back out"),
        ("trial", r"trial 0 23 \(24 values\)"),
        ("time", r"time \(s\) 10 200"),
        ("train / test", "train / test train test"),
    ],
)
def test_recolouring_repaints_pictures_and_legend(seen, label, legend):
    canvas = seen.tab.locator("#gallery canvas").first
    canvas.scroll_into_view_if_needed()
    choose = seen.tab.get_by_label("Colour by")
    choose.select_option("phase" if label == "direction" else "direction")
    seen.settle()
    before = pixels(canvas)
    choose.select_option(label)
    seen.settle()
    assert pixels(canvas) != before
    said = re.sub(r"\s+", " ", seen.tab.locator("#legend").inner_text())
    assert re.search(legend, said)


def test_one_opens_large_with_its_linked_pictures_and_escape_closes_it(seen):
    seen.tab.get_by_role("button", name="Open pca, seed 1, large").click()
    seen.settle()
    dialog = seen.tab.locator("#large")
    assert dialog.is_visible()
    assert "pca, seed 1, rat1" in dialog.inner_text()
    assert dialog.locator("canvas[data-plane=behaviour]").is_visible()
    seen.drag(dialog.locator("canvas[data-plane=behaviour]"), (150, 40), (300, 40))
    marked = seen.marked()
    assert marked["behaviour"] == marked["pca, seed 1"] != []
    seen.tab.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert seen.tab.locator("section > #linked").count() == 1
    assert seen.selected()["samples"] == marked["behaviour"]  # the first Escape only closes


def test_dark_and_light_by_button_and_by_the_system(browser, page):
    seen = visit(browser, page, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = seen.tab.evaluate(ground)
    seen.tab.get_by_role("button", name="Light").click()
    assert seen.tab.evaluate(ground) == "rgb(255, 255, 255)" != dark
    seen.tab.context.close()


def test_every_control_is_reached_by_tab_in_reading_order(seen):
    seen.tab.locator(".skip").focus()
    focused = """(() => { const e = document.activeElement;
        const name = e.dataset.plane ?? e.dataset.name ?? e.tagName;
        return `${e.textContent.trim().slice(0, 30)}|${name}` })()"""
    path = [seen.tab.evaluate(focused)]
    for _ in range(30):
        seen.tab.keyboard.press("Tab")
        path.append(seen.tab.evaluate(focused))
    wanted = [
        "Skip to the results|A",
        "Dark|BUTTON",
        "color",
        "turn|BUTTON",
        "Select by value|BUTTON",
    ]
    wanted += ["behaviour", "trials", "|CANVAS", "⤢|BUTTON"]
    places = [next((k for k, p in enumerate(path) if w in p), None) for w in wanted]
    assert None not in places, (wanted, path)
    assert places == sorted(places)


def test_without_javascript_tables_are_complete(browser, page):
    seen = visit(browser, page, java_script_enabled=False)
    text = seen.tab.locator("main").inner_text()
    assert "Without JavaScript the pictures stay empty" in text
    assert "cebra-behavior" in text
    assert seen.tab.locator("table").count() >= 5
    assert seen.tab.locator("#too-old").is_hidden()
    seen.tab.context.close()


def test_on_paper_all_is_light_open_and_drawn(browser, page, tmp_path):
    seen = visit(browser, page, color_scheme="dark")
    seen.tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert seen.tab.evaluate("[...document.querySelectorAll('details')].every(d => d.open)")
    assert seen.state("theme") == "light"
    charts = seen.tab.locator("[data-figure]").count()
    assert seen.tab.locator(".plot-container").count() == charts
    seen.tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert seen.state("theme") is None
    path = tmp_path / "page.pdf"
    seen.tab.pdf(path=path)
    assert path.stat().st_size > 50_000
    assert seen.complaints == []
    seen.tab.context.close()


def test_a_phone_can_use_it(browser, page):
    seen = visit(browser, page, viewport={"width": 390, "height": 800}, has_touch=True)
    assert seen.tab.evaluate("document.documentElement.scrollWidth") <= 390
    seen.tab.context.close()


def pixels(canvas) -> str:
    return canvas.evaluate("c => c.toDataURL()")
