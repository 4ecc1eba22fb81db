"""The picture of docs/app.md: python docs/images/app.py FOLDER (what `isofold demo` wrote).

Needs playwright and Chromium.
"""

from __future__ import annotations

import logging
import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from isofold.app import create_app

TARGET = Path(__file__).with_name("app.png")
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def main(folder: Path) -> None:
    """Serve the folder above the results, select a lap and take the picture."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(folder.parent).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as driver:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1240, "height": 2100})  # all of it
        page.goto(f"http://127.0.0.1:{server.server_port}/results?folder={folder.name}")
        page.wait_for_timeout(8000)
        look(page)
        top = page.locator("#compare").bounding_box()["y"]
        bottom = page.locator("#one-trial").bounding_box()
        area = {"x": 0, "y": top, "width": 1240, "height": bottom["y"] + bottom["height"] - top}
        page.screenshot(path=TARGET, clip=area)
        browser.close()
    server.shutdown()


def look(page: Page) -> None:
    """A lasso around the middle of the left embedding, and a moment of the first lap in it."""
    page.add_style_tag(content="nav.contents { position: static !important; }")
    page.click("label:has-text('align')")
    page.click("#tool-lasso")
    page.wait_for_timeout(2000)
    box = page.locator("#view-left").bounding_box()
    x, y = box["x"] + 0.42 * box["width"], box["y"] + 0.3 * box["height"]
    page.mouse.move(x - 70, y - 60)
    page.mouse.down()
    for dx, dy in ((70, -60), (80, 40), (0, 70), (-80, 30)):
        page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    page.wait_for_timeout(4000)
    page.click("#play")
    page.wait_for_timeout(3000)
    page.click("#play")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
