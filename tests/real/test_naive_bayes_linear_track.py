"""Naive Bayes against the reference table of the linear-track recording (SOURCE.md)."""

import numpy as np
import pytest
from linear_track_counts import FOLDER, running_counts

from isofold.scores import PoissonBayes

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="real data not found: ../shared/data/nelpy_linear_track"
)

TABLE = [  # window in bins of 25 ms, R² of s, median error in px, share of right directions
    (1, 0.21, 62, 0.64),
    (4, 0.49, 32, 0.86),
    (10, 0.65, 21, 0.94),
    (20, 0.69, 17, 0.97),
]


@pytest.mark.parametrize(("window", "r2", "error", "right"), TABLE)
def test_reference_table(window, r2, error, right):
    counts, s, direction, passes = running_counts(window)
    fold = passes * 6 // 47
    position, way = np.zeros_like(s), np.zeros_like(direction)
    for k in range(6):
        fit, held = fold != k, fold == k
        model = PoissonBayes(n_bins=40).fit(counts[fit], s[fit], direction[fit])
        position[held] = model.predict(counts[held])
        way[held] = model.predict_nuisance(counts[held])
    found = 1 - np.sum((position - s) ** 2) / np.sum((s - s.mean()) ** 2)
    assert found == pytest.approx(r2, abs=0.035)
    assert np.median(np.abs(position - s)) == pytest.approx(error, rel=0.05)
    assert np.mean(way == direction) == pytest.approx(right, abs=0.02)


def test_counts_are_those_of_the_fact_table():
    counts, _, direction, passes = running_counts(1)
    assert counts.shape == (7368, 31)
    assert counts.sum() == 5881
    assert (np.sum(direction == 1), np.sum(direction == -1)) == (3554, 3814)
    assert len(np.unique(passes)) == 47
