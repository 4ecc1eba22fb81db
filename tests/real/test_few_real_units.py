"""Few units of a real recording, with the settings that users get."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linear_track_counts import FOLDER, running_counts

import isofold as iso

sys.path.append(str(Path(__file__).parents[1] / "models"))
from test_few_neurons import check

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="real data not found: ../shared/data/nelpy_linear_track"
    ),
]


@pytest.fixture(scope="module")
def run():
    counts, position, direction, passes = running_counts(1)
    # A pass is left and entered again where the animal stands still: each stretch is a trial.
    start = np.flatnonzero(np.diff(passes, prepend=-1) != 0)
    trials = pd.DataFrame({"start": start, "stop": np.append(start[1:], len(passes))})
    order = np.random.default_rng(0).permutation(counts.shape[1])
    labels = {"position": position, "direction": (direction > 0).astype(int)}
    return lambda n: iso.Recording(counts[:, order[:n]], 40.0, labels=labels, trials=trials)


@pytest.mark.parametrize("units", [10, 20, 30])
@pytest.mark.parametrize("method", ["pivae", "ciivae", "conv-pivae", "conv-poisson-ciivae"])
def test_ten_seeds_end_finite_and_say_what_collapsed(run, method, units):
    recording = run(units)
    for seed in range(10):
        model = iso.METHODS[method](max_iterations=500, random_state=seed)
        check(model, recording, ["position", "direction"])
