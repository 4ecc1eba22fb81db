"""One split of a real rat: plain arrays for both packages, and the one evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import isofold as iso
from isofold.models._information import information
from isofold.models._objectives import objectives_of

FIT = {"output_dimension": 3, "time_offsets": 10, "temperature": 1.0, "distance": "cosine"}
"""What the pairs of the evaluation are drawn with."""


def rat(path: Path) -> iso.Recording:
    """Running laps or trips at 25 ms; direction as two columns, as the peer's papers give it."""
    session = iso.read(path).restrict("running")
    on_track = "direction" in session.trials
    names = ["position", "direction"] if on_track else ["position"]
    found = session.bin(0.025, labels=names)
    labels = {"position": found.labels["position"]}
    if on_track:
        right = found.label("direction") == "right"
        labels |= {"right": right.astype(float), "left": 1 - right.astype(float)}
    return replace(found, labels=labels, kinds={})


class Fold:
    """Held-out trials of one fold, and what both packages train on."""

    def __init__(self, recording: iso.Recording, saved: str, folds: int, number: int, folder: Path):
        _, self.test = recording.folds(folds)[number]
        self.number, self._saved, self._folds = number, saved, folds
        self.labels = list(recording.labels)
        self.test_rows = np.isin(recording.trial, self.test.trials.index)
        self.train_rows = ~self.test_rows
        self.position, self.trial = recording.labels["position"], recording.trial
        kinds = recording.trials.get("direction", recording.trials.get("type"))
        self._condition = kinds.reindex(self.trial[self.test_rows]).to_numpy()
        x = np.asarray(recording.signal, np.float32)
        y = np.column_stack([recording.labels[name] for name in self.labels])[self.train_rows]
        # From a random start on, too: laps that only change places run through the same positions.
        other = iso.scores.surrogate(self.trial[self.train_rows], np.random.default_rng(number))
        self.path = folder / f"fold{number}.npz"
        np.savez(self.path, train=x[self.train_rows], everything=x, y=y, permuted=y[other])

    def job(self, mode: str) -> dict[str, Any]:
        """Plain arrays, as the peer gets them; "permuted": with the labels of other trials."""
        y = {"time": [], "behavior": [["y"]], "permuted": [["permuted"]]}[mode]
        return {"data": str(self.path), "x": ["train"], "y": y, "embed": ["everything"]}

    def sources(self, mode: str, walls: bool) -> dict[str, dict]:
        """What isofold is given beside or instead of the plain arrays."""
        of_recording = {
            "recording": self._saved, "folds": self._folds, "fold": self.number,
            "labels": None if mode == "time" else self.labels,
        }  # fmt: skip
        return {"isofold": {}} | ({"isofold, walls": of_recording} if walls else {})

    def measure(self, z: np.ndarray, mode: str) -> dict[str, Any]:
        """Held-out bits, and position decoded on held-out trials, each trial's part too."""
        decoded = iso.scores.decode(
            z[self.train_rows], self.position[self.train_rows],
            z[self.test_rows], self.position[self.test_rows],
            groups=(self.trial[self.train_rows], self.trial[self.test_rows]), n_chance=0,
        )  # fmt: skip
        return {
            "bits": self._bits(z[self.test_rows], mode),
            "r2": float(decoded),
            "error_px": float(decoded.also["median_error"]),
            "r2_of_trials": {str(k): round(float(v), 4) for k, v in decoded.parts.items()},
        }

    def _bits(self, z: np.ndarray, mode: str) -> float:
        """log2(512) − InfoNCE of an embedding of the held-out trials at temperature 1."""
        names = [] if mode == "time" else self.labels
        settings = iso.CEBRA().get_params() | FIT | {"conditional": None}
        objectives = objectives_of(settings, self.test, names)
        return float(information(z, self.test, objectives, [1.0], False)[0].mean())

    def consistency(self, zs: list[np.ndarray]) -> float:
        """Held out; halves are dealt inside each condition, since directions alternate."""
        order = np.lexsort([self.trial[self.test_rows], self._condition])
        zs = [z[self.test_rows][order] for z in zs]
        trials = self.trial[self.test_rows][order]
        return float(iso.scores.consistency(zs, groups=trials, n_chance=0))
