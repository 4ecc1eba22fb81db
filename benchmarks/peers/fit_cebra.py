"""One fit with the `cebra` package: python fit_cebra.py JOB.json. Runs in the peers' environment.

The job: `data`, an npz; names in it: `x` (one a recording), `y` (a list of labels, each with one
name a recording), `embed` (one a recording, or none); `settings` of the estimator; `steps` in
pieces of `every`; `out`, an npz. Optional: `warm` (train a little before the clock starts), `trial`
(TrialCEBRA), `look` (steps between two looks at the clock).
Writes seconds, the loss of every step, `clock`, and `z0`, `z1`, … (piece, time, latent).
"""

from __future__ import annotations

import json
import sys
import time

import cebra
import numpy as np
import torch


def main(path: str) -> None:
    with open(path) as file:
        job = json.load(file)
    data = np.load(job["data"])
    x = _one_or_several([data[name] for name in job["x"]])
    y = [_one_or_several([data[name] for name in label]) for label in job["y"]]
    torch.manual_seed(job["seed"])
    estimator = cebra.CEBRA
    if job.get("trial"):
        from trial_cebra import TrialCEBRA as estimator
    settings = {"device": "cpu", **job["settings"]}
    if job.get("warm"):
        estimator(**{**settings, "max_iterations": job.get("warm_steps", 20)}).fit(x, *y)
    model = estimator(**{**settings, "max_iterations": job["every"]})
    seconds, clock, embeddings = 0.0, [], []
    watch = {}
    if job.get("look"):
        watch["callback"] = lambda step, _: clock.append((step, time.perf_counter()))
        watch["callback_frequency"] = job["look"]
    for piece in range(job["steps"] // job["every"]):
        start = time.perf_counter()
        (model.fit if piece == 0 else model.partial_fit)(x, *y, **watch)
        seconds += time.perf_counter() - start
        embeddings.append(_embedded(model, [data[name] for name in job.get("embed", [])]))
    z = {f"z{n}": np.array(pieces) for n, pieces in enumerate(zip(*embeddings, strict=True))}
    loss = np.array(model.state_dict_["loss"])
    np.savez(job["out"], seconds=seconds, loss=loss, clock=np.array(clock), **z)


def _one_or_several(values: list):
    return values[0] if len(values) == 1 else values


def _embedded(model, recordings: list) -> list[np.ndarray]:
    if len(recordings) == 1:
        return [np.asarray(model.transform(recordings[0]))]
    return [np.asarray(model.transform(x, session_id=n)) for n, x in enumerate(recordings)]


if __name__ == "__main__":
    main(sys.argv[1])
