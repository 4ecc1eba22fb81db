"""Opens a page in a browser and keeps what it asked for and what went wrong."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from reading import Reading


@dataclass
class Visit:
    """A page in the browser, with the requests and complaints since it was opened."""

    tab: Any
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def state(self, name: str) -> str | None:
        """What the page says of itself: a data attribute of its root element."""
        return self.tab.evaluate("name => document.documentElement.dataset[name] ?? null", name)

    def selected(self) -> dict[str, Any]:
        return self.tab.evaluate("isofold.selected()")

    def marked(self) -> dict[str, list[int]]:
        """Picture → numbers of the samples that it marks, of all pictures in sight."""
        self.settle()
        return {m["picture"]: m["samples"] for m in self.tab.evaluate("isofold.marked()")}

    def settle(self) -> None:
        """Until what was asked for is drawn."""
        twice = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        self.tab.evaluate(twice)

    def drag(self, canvas: Any, *places: tuple[float, float], shift: bool = False) -> None:
        """Press at the first place of a picture (in its pixels), go to the others, let go."""
        box = canvas.bounding_box()
        if shift:
            self.tab.keyboard.down("Shift")
        for number, (x, y) in enumerate(places):
            self.tab.mouse.move(box["x"] + x, box["y"] + y)
            if not number:
                self.tab.mouse.down()
        self.tab.mouse.up()
        if shift:
            self.tab.keyboard.up("Shift")
        self.tab.mouse.move(2, 2)
        self.settle()


def visit(browser: Any, page: Path, wait: str = "ready", **options: Any) -> Visit:
    """Open a page and wait until it says `wait` (or has failed); close it by `tab.context`."""
    shown = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"}
    context = browser.new_context(**(shown | options))
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    seen = Visit(tab)
    context.on("request", lambda request: seen.asked.append(request.url))
    tab.on("pageerror", lambda error: seen.complaints.append(str(error)))
    tab.on("console", lambda said: seen.complaints.append(said.text) if said.type == "error" else 0)
    tab.on("dialog", lambda dialog: (seen.complaints.append(dialog.message), dialog.dismiss()))
    tab.goto(page.as_uri())
    if options.get("java_script_enabled", True):
        tab.wait_for_selector(f"html[data-{wait}], html[data-error]", state="attached")
    return seen


class Drawn:
    """What a page draws of its embeddings, read from its bytes."""

    def __init__(self, html: str):
        self.data = Reading(html).json("embedding-data")
        self.grid = self.data["grids"][0]
        self.rows = unpacked(self.grid["rows"], "<i4")
        self.time = unpacked(self.grid["time"], "<f4")
        self.trial = unpacked(self.grid["trial"]["values"], "<i4")
        self.labels = {
            x["name"]: unpacked(x["values"], "<i4" if x["kind"] == "discrete" else "<f4")
            for x in self.grid["labels"]
        }

    def places(self, panel: int, width: float, height: float) -> np.ndarray:
        """Pixels of the samples of a picture at the first view."""
        points = unpacked(self.data["panels"][panel]["points"], "<i2").reshape(-1, 3)
        view = turned(-0.95, (1, 2)) @ turned(0.5, (0, 1))
        size = 0.43 * min(width, height) / self.data["unitsPerRadius"]
        seen = points @ view.T * size
        return np.column_stack([width / 2 + seen[:, 0], height / 2 - seen[:, 1]])


def unpacked(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


def turned(angle: float, plane: tuple[int, int]) -> np.ndarray:
    """A rotation in a coordinate plane."""
    i, j = plane
    turn = np.eye(3)
    turn[[i, j], [i, j]] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn
