"""Small pools, and the exact chances of every sample by brute force."""

import numpy as np
from scipy.stats import chisquare

from isofold.sampling import Pool


def pool(lengths=(50,), continuous=None, classes=None, gaps=None):
    """Trials end to end; `gaps` (sample,) marks samples that are left out of them."""
    stop = np.cumsum(lengths)
    trial = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(trial)) - np.repeat(stop - lengths, lengths)
    start = stop - np.asarray(lengths)
    if gaps is not None:
        trial, place = trial[~gaps], place[~gaps]
        continuous = None if continuous is None else continuous[~gaps]
        classes = None if classes is None else classes[~gaps]
        wall = np.flatnonzero((np.diff(place) != 1) | (np.diff(trial) != 0)) + 1
        start, stop = np.append(0, wall), np.append(wall, len(trial))
    n = len(trial)
    sample = np.arange(n)
    rows = np.zeros((n, 1), np.float32)
    centre = sample.astype(np.int32)
    return Pool(rows, sample, centre, start, stop, sample, trial, place, continuous, classes)


def agrees(drawn, chances):
    """Whether draws come from these chances; none from a sample that has none."""
    seen = np.bincount(drawn, minlength=len(chances))
    possible = chances > 0
    assert seen[~possible].sum() == 0
    if possible.sum() == 1:
        return True
    expected = chances[possible] * len(drawn)
    assert expected.min() > 5, "too few draws for a test"
    return chisquare(seen[possible], expected).pvalue > 1e-3


def alike(weights):
    """Chances that share a sum of 1; all zero stays so."""
    return weights / max(weights.sum(), 1e-300)
