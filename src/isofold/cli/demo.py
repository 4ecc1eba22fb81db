"""`isofold demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Workers

Out = Annotated[Path, typer.Option("--out", help="Folder of the results.")]

LABELS = ["position", "direction"]
WIDTH = 0.025
"""Bin width in seconds."""


def demo(out: Out = Path("results/demo"), workers: Workers = None) -> None:
    """Go the whole way once, on a simulated rat: NWB file, embeddings, held-out scores, report.

    A rat with place cells runs laps on a track. Its session is written as an NWB file and read
    back as a user's file is. PCA, CEBRA-Time and CEBRA-Behavior are fitted with three seeds each;
    laps that no fit has seen are scored.
    """
    from .. import studies
    from ._show import console, show_results

    shown = console()
    path = out / "inputs" / "rat.nwb"
    if not path.exists():
        write_rat(path)
    shown.print(f"recording: {path}  (isofold inspect shows what is in it)")
    study = studies.Study.from_dict(study_of(path))
    results = studies.run(study, out, workers=workers)
    show_results(results, shown)
    if (results.runs["status"] == "error").any():
        raise typer.Exit(1)


def write_rat(path: Path) -> None:
    """The simulated session as an NWB file."""
    from ..simulate import place_cells_session

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".tmp-{path.name}")
    place_cells_session(seed=0).to_nwb(partial)
    partial.replace(path)


def study_of(path: Path) -> dict[str, Any]:
    """The study that the demo runs."""
    return {
        "name": "demo",
        "seeds": [0, 1, 2],
        "split": {"test": 0.2},
        "recordings": [
            {
                "path": str(path.resolve()),
                "name": "simulated rat",
                "bin": {"width": WIDTH, "labels": LABELS},
            }
        ],
        "methods": [
            {"method": "pca", "output_dimension": 3},
            {"method": "cebra-time", "output_dimension": 3},
            {"method": "cebra-behavior", "labels": LABELS, "output_dimension": 3},
        ],
        "scores": [
            {"score": "decode", "label": "position"},
            {"score": "decode", "label": "direction"},
            {"score": "consistency"},
            {"score": "goodness_of_fit"},
        ],
    }
