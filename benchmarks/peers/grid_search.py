"""A grid of the cebra package's own GridSearch, in its environment. Called by ../sweep.py.

python grid_search.py JOB.json: signals (npz of train, test, truth_train, truth_test), grid, fixed
and out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from cebra.grid_search import GridSearch
from sklearn.linear_model import LinearRegression


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    with np.load(job["signals"]) as file:
        data = dict(file)
    params = {**job["fixed"], **job["grid"], "device": "cpu", "verbose": False}
    search = GridSearch()
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        search.fit_models({"signal": data["train"]}, params=params, models_dir=folder)
        seconds = perf_counter() - start
    rows = []
    for name, model in search.models.items():
        z_train, z_test = model.transform(data["train"]), model.transform(data["test"])
        line = LinearRegression().fit(z_train, data["truth_train"])
        rows.append({"name": str(name), "r2": line.score(z_test, data["truth_test"])})
    Path(job["out"]).write_text(json.dumps({"seconds": seconds, "runs": rows}))


if __name__ == "__main__":
    main()
