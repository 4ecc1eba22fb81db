"""Jobs in fresh processes, each in the environment of its package, one at a time."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parent


def peer_python(peer: str = "cebra") -> str:
    """Python of a peer's environment; made on the first call, and when the list has changed.

    `peer` is the name of a list in peers/: "cebra" or "pivae".
    """
    environment = ROOT / f".venv-{peer}"
    python = environment / "bin" / "python"
    listed = (HERE / "peers" / f"{peer}.txt").read_text()
    ready = environment / "ready"
    if not ready.exists() or ready.read_text() != listed:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        # torch first: a peer alone would take the newest build, with a GPU stack of several GB.
        for line in listed.splitlines():
            if not line.startswith("#"):
                subprocess.run([python, "-m", "pip", "install", "--quiet", line], check=True)
        ready.write_text(listed)
    return str(python)


def run(package: str, job: dict[str, Any]) -> dict[str, np.ndarray]:
    """Run one job in a process of its own and return what it wrote."""
    script = "peers/fit_cebra.py" if package == "cebra" else "fit_isofold.py"
    python = peer_python() if package == "cebra" else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.npz"
        path = Path(folder) / "job.json"
        path.write_text(json.dumps({**job, "out": str(out)}))
        done = subprocess.run([python, HERE / script, path], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{package} failed on {job}:\n{done.stderr[-3000:]}")
        with np.load(out) as file:
            return dict(file)


def call(script: str | Path, job: dict[str, Any], python: str = sys.executable) -> dict[str, Any]:
    """Run a script on a job file in a process of its own and return the JSON that it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out, path = Path(folder) / "out.json", Path(folder) / "job.json"
        path.write_text(json.dumps({**job, "out": str(out)}))
        done = subprocess.run([python, HERE / script, path], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{script} failed on {job}:\n{done.stderr[-3000:]}")
        return json.loads(out.read_text())


class Rows:
    """Rows of a result: each is printed and saved at once, so that a run may be stopped."""

    def __init__(self, out: Path, **about: Any):
        self._out, self._about = out, {"machine": machine(), **about}
        self.rows: list[dict[str, Any]] = []
        out.parent.mkdir(parents=True, exist_ok=True)

    def add(self, **row: Any) -> None:
        self.rows.append(row)
        print(json.dumps(row), flush=True)
        self._out.write_text(json.dumps({**self._about, "rows": self.rows}, indent=1) + "\n")


def machine() -> str:
    """Processor and number of cores, for the head of a table."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} × {names[0] if names else platform.processor()}"
