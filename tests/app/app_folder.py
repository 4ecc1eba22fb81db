"""A folder for the app, and asking its callbacks without a browser."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
import numpy as np
import pandas as pd
from fake_results import write_results

import isofold as iso
from isofold.app import create_app

__all__ = ["Asker", "with_recording", "write_results"]


class Asker:
    """The app of a folder, asked as the page asks it."""

    def __init__(self, folder: Path, **options: Any):
        self.app = create_app(folder, **options)
        self.client = self.app.server.test_client()
        self.known = json.loads(self.client.get("/_dash-dependencies").data) or []

    def ask(self, output: str, trigger: str | None = None, **values: Any) -> Any:
        """The answer of the callback whose outputs begin so; values by id (`f_name` is f-name)."""
        about = next(d for d in self.known if d["output"].lstrip(".").startswith(output))
        given = {k.replace("_", "-"): v for k, v in values.items()}
        body = {
            "output": about["output"],
            "outputs": _outputs(about["output"]),
            "inputs": [_one(i, given) for i in about["inputs"]],
            "state": [_one(s, given) for s in about["state"]],
            "changedPropIds": [trigger or _first(about["inputs"], given)],
        }
        return self.client.post("/_dash-update-component", json=body)

    def page(self, address: str) -> str:
        """The text of a page, as the browser gets it."""
        path, _, search = address.partition("?")
        answer = self.ask("page.children", url_pathname=path, url_search=f"?{search}")
        assert answer.status_code == 200
        return json.dumps(answer.get_json(), ensure_ascii=False)


def _one(what: dict, given: dict) -> Any:
    name, prop = what["id"], what["property"]
    if name.startswith("{"):
        pattern = json.loads(name)
        found = given.get(pattern["type"], [])
        ids = [{k: i.get(k, v) for k, v in pattern.items()} for i, _ in found]
        values = [i if prop == "id" else v for i, (_, v) in zip(ids, found, strict=True)]
        return [{"id": i, "property": prop, "value": v} for i, v in zip(ids, values, strict=True)]
    return {"id": name, "property": prop, "value": given.get(f"{name}-{prop}", given.get(name))}


def _first(inputs: list[dict], given: dict) -> str:
    names = [i for i in inputs if i["id"] in given] or inputs
    return f"{names[0]['id']}.{names[0]['property']}"


def _outputs(text: str) -> Any:
    parts = text.strip(".").split("...")
    pairs = [p.rpartition(".") for p in parts]
    found = [{"id": i, "property": p} for i, _, p in pairs]
    return found if text.startswith("..") else found[0]


def with_recording(folder: Path) -> Path:
    """Results whose recording lies in the same folder: three channels, one of them named badly."""
    results = write_results(folder / "results" / "track", seeds=(0,), failed=0, control=False)
    signal = np.arange(1440 * 3, dtype=np.float32).reshape(1440, 3)
    recording = iso.Recording(signal, rate=10.0, channels=pd.DataFrame(index=["a", "<b>", "c"]))
    path = recording.save(folder / "recordings" / "rat1")
    with (results / "study.toml").open("a") as study:
        study.write(f'[[recordings]]\nname = "rat1"\npath = "{path}"\n')
    return results
