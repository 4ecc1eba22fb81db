"""One fit with the `cebra` package: python fit_cebra.py JOB.json. Runs in the peer's environment.

The job: data (npz with train, everything, and y), out (npz), mode, rate, steps, every. Writes fit
seconds, loss of every step, and the embedding of everything at every checkpoint.
"""

from __future__ import annotations

import json
import sys
import time

import cebra
import numpy as np


def main(path: str) -> None:
    with open(path) as file:
        job = json.load(file)
    data = np.load(job["data"])
    labels = () if job["mode"] == "time" else (data["y"],)
    settings = {
        "model_architecture": "offset10-model",
        "batch_size": 512,
        "learning_rate": job["rate"],
        "temperature": 1.0,
        "output_dimension": 3,
        "time_offsets": 10,
        "conditional": "time" if job["mode"] == "time" else "time_delta",
        "device": "cpu",
    }
    if job["warm"]:
        cebra.CEBRA(max_iterations=20, **settings).fit(data["train"], *labels)
    model = cebra.CEBRA(max_iterations=job["every"], **settings)
    seconds, embeddings = 0.0, []
    for _ in range(job["steps"] // job["every"]):
        start = time.perf_counter()
        model.partial_fit(data["train"], *labels)
        seconds += time.perf_counter() - start
        if "everything" in data:
            embeddings.append(model.transform(data["everything"]))
    loss = np.array(model.state_dict_["loss"])
    np.savez(job["out"], seconds=seconds, loss=loss, embeddings=np.array(embeddings))


if __name__ == "__main__":
    main(sys.argv[1])
