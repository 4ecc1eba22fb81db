"""A capsule without Docker: folders as Code Ocean lays them out, and its lines to run code/run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
FOLDERS = ("data", "results", "scratch", "home", "elsewhere")
ASSET = "behavior_717531_2024-08-07_09-01-02"
V1 = {
    "describedBy": "aind_data_schema/core/data_description.py",
    "schema_version": "1.0.0",
    "name": ASSET,
    "subject_id": "717531",
    "platform": {"name": "Behavior platform", "abbreviation": "behavior"},
    "institution": {
        "name": "Allen Institute for Neural Dynamics",
        "abbreviation": "AIND",
        "registry": {"name": "Research Organization Registry", "abbreviation": "ROR"},
        "registry_identifier": "04szwah67",
    },
    "funding_source": [
        {"funder": {"name": "Allen Institute"}, "grant_number": None, "fundee": "A. One, B. Two"}
    ],
    "investigators": [{"name": "A. One", "abbreviation": None, "registry": None}],
    "project_name": "Behavior_Platform",
    "modality": [{"name": "Fiber photometry", "abbreviation": "fib"}],
    "data_level": "raw",
    "creation_time": "2024-08-07T09:01:02-07:00",
}


def shim(folder: Path) -> Path:
    """The three folders and code/; a home and a working folder that must stay empty."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    shutil.copytree(ROOT / "code", folder / "code")
    return folder


def write_rat(path: Path, seed: int = 0) -> Path:
    """Ten laps that three channels see."""
    rng = np.random.default_rng(seed)
    x = np.tile(np.linspace(0, 1, 40), 10)
    signal = np.c_[x, 1 - x, x**2] + 0.05 * rng.normal(size=(400, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    lap = np.repeat(np.arange(10), 40)
    np.savez(path, signal=signal, position=x, time=np.arange(400) / 20, lap=lap)
    return path


def write_study(path: Path, recording: str = "rat.npz", **changed: object) -> Path:
    """PCA of the rat, its position decoded."""
    given = {"name": "small", "seeds": [0, 1], "n_chance": 3, "dimension": 2} | changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'name = "{given["name"]}"\nseeds = {given["seeds"]}\n'
        f'[[recordings]]\npath = "{recording}"\nread = {{trial = "lap"}}\n'
        'bin = {signal = "signal", labels = ["position"]}\n'
        f'[[methods]]\nmethod = "pca"\noutput_dimension = {given["dimension"]}\n'
        '[[scores]]\nscore = "decode"\nlabel = "position"\nk = 5\n'
        f'n_chance = {given["n_chance"]}\n[[scores]]\nscore = "consistency"\n'
    )
    return path


def write_asset(folder: Path, about: dict | None = None) -> Path:
    """A data asset of AIND with the rat in it."""
    write_rat(folder / "deep" / "rat.npz")
    (folder / "data_description.json").write_text(json.dumps(about or V1))
    return folder


def environment(capsule: Path, **more: str) -> dict[str, str]:
    """What a capsule sees: python on the path, limits, a home of its own."""
    interpreter = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([interpreter, "/usr/bin", "/bin"]),
        "PYTHONPATH": str(ROOT / "src"),  # the image has isofold installed
        "HOME": str(capsule / "home"),
        "JAX_PLATFORMS": "cpu",
        "CO_CPUS": "1",
        "CO_MEMORY": str(4 << 30),
        **more,
    }


def start(capsule: Path, *arguments: str, **more: str) -> subprocess.Popen:
    """`./run` as Code Ocean starts it."""
    return subprocess.Popen(
        ["./run", *arguments],
        cwd=capsule / "code",
        env=environment(capsule, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and what it holds."""
    paths = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
