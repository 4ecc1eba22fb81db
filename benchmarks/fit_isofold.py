"""One fit with isofold: python fit_isofold.py JOB.json. The same jobs as peers/fit_cebra.py.

With "rate" the settings are those of the peer, given explicitly; without it everything is left at
"auto". With "recording" the walls of its trials hold; with "data" the same plain arrays as the peer
gets are used. "cache" is the folder of compiled programs.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

import isofold as iso
import isofold.training  # as the peer imports torch: before the clock starts


def main(path: str) -> None:
    with open(path) as file:
        job = json.load(file)
    iso.enable_cache(job["cache"])
    explicit = {
        "model_architecture": "offset10-model",
        "batch_size": 512,
        "temperature": 1.0,
        "time_offsets": 10,
    }
    settings = {"output_dimension": 3, "random_state": job["seed"]}
    if job["mode"] == "time":
        settings["conditional"] = "time"
    if "rate" in job:
        settings |= {**explicit, "learning_rate": job["rate"], "max_iterations": job["steps"]}
    x, y, options, everything = _inputs(job)
    if job["warm"]:
        iso.CEBRA(**settings).set_params(max_iterations=1).fit(x, *y, **options)
    model = iso.CEBRA(**settings)
    start = time.perf_counter()
    model.fit(x, *y, **options)
    seconds = time.perf_counter() - start
    z = np.empty((0, 3)) if everything is None else np.asarray(model.transform(everything))
    np.savez(job["out"], seconds=seconds, loss=model.loss_, embeddings=z[None])


def _inputs(job):
    if "recording" in job:
        recording = iso.load_recording(job["recording"])
        train, _ = recording.folds(job["folds"])[job["fold"]]
        labels = None if job["mode"] == "time" else ["position", "right", "left"]
        return train, (), {"labels": labels}, recording
    data = np.load(job["data"])
    y = () if job["mode"] == "time" else (data["y"],)
    return data["train"], y, {}, data.get("everything", None)


if __name__ == "__main__":
    main(sys.argv[1])
