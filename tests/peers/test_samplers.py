"""Same pairs, in distribution, as the peers' own samplers draw."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from isofold.sampling import (
    AcrossTrialsSampler,
    ContinuousSampler,
    DiscreteSampler,
    MixedSampler,
    Pool,
    TimeSampler,
    label_changes,
)

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

DRAWS, N_TRIALS, N_TIME, TIME_OFFSET, WINDOW, DELTA = 60_000, 6, 10, 3, 2, 0.4
PLACE = np.tile(np.arange(N_TIME), N_TRIALS)
INSIDE = (PLACE >= WINDOW) & (PLACE < N_TIME - WINDOW)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    n = N_TRIALS * N_TIME
    # The peers' class-balanced draw is right only for classes 0, 1, … without a gap.
    return {
        "y": rng.standard_normal((n, 2)).astype(np.float32).astype(float),
        "classes": rng.permutation(np.repeat([0, 1, 2], [30, 20, 10])),
        "trial_classes": np.repeat([0, 1, 0, 1, 0, 1], N_TIME),
        "n_trials": N_TRIALS,
        "draws": DRAWS,
    }


@pytest.fixture(scope="module")
def peer(data, tmp_path_factory):
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from _jobs import peer_python

        python = peer_python()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"the environment of the cebra package cannot be made here: {error}")
    finally:
        sys.path.remove(str(BENCHMARKS))
    folder = tmp_path_factory.mktemp("pairs")
    np.savez(folder / "data.npz", **data)
    script = BENCHMARKS / "peers" / "sample_pairs.py"
    subprocess.run([python, script, folder / "data.npz", folder / "out.npz"], check=True)
    with np.load(folder / "out.npz") as file:
        return dict(file)


def pool(data, classes=None, walls=True):
    """The trials; or, as the cebra package sees them, one stretch without walls."""
    n, length = len(data["y"]), N_TIME if walls else N_TRIALS * N_TIME
    sample, start = np.arange(n), np.arange(0, n, length)
    rows = np.zeros((n, 1), np.float32)
    return Pool(
        rows, sample, sample.astype(np.int32), start, start + length, sample,
        sample // N_TIME, PLACE, data["y"], None if classes is None else data[classes],
    )  # fmt: skip


def label_sampler(name, data):
    plain, classed = pool(data, walls=False), pool(data, "classes", walls=False)
    if name == "time":
        return TimeSampler(plain, TIME_OFFSET)
    if name == "delta_normal":
        return ContinuousSampler(plain, name, TIME_OFFSET, DELTA)
    if name.startswith("discrete"):
        return DiscreteSampler(classed, name.split("/")[1])
    # The peer also counts a change of zero for each of the first samples; ours has none there.
    changes = np.concatenate([np.zeros((TIME_OFFSET, 2)), label_changes(plain, TIME_OFFSET)])
    if name == "mixed":
        return MixedSampler(classed, "time_delta", TIME_OFFSET, None, changes)
    return ContinuousSampler(plain, name, TIME_OFFSET, None, changes)


def trial_sampler(name, data):
    conditional, *options = name.split("/")
    same_trial = options == ["same_trial"]
    classes = None if same_trial or not options else options[0]
    prior = "uniform" if options[1:] == ["balanced"] else "empirical"
    return AcrossTrialsSampler(
        pool(data, classes), conditional, WINDOW, DELTA / np.sqrt(2), same_trial, "trials", prior
    )


def drawn(sampler, n):
    rng = np.random.default_rng(1)
    reference = sampler.references(rng, (DRAWS,))
    count = np.zeros((n, n), np.int64)
    np.add.at(count, (reference, sampler.positives(rng, reference)), 1)
    return count


def same_source(a, b):
    """p of the two-sample chi-square; cells too rare for it are taken together."""
    a, b = a.ravel().astype(float), b.ravel().astype(float)
    rare = a + b < 20
    a, b = (np.append(x[~rare], x[rare].sum()) for x in (a, b))
    some = a + b > 0
    a, b = a[some], b[some]
    weight = np.sqrt(b.sum() / a.sum())
    statistic = ((a * weight - b / weight) ** 2 / (a + b)).sum()
    return chi2.sf(statistic, len(a) - 1)


# The peers cannot be seeded: a p this small is chance once in a million runs.
CHANCE = 1e-6


@pytest.mark.parametrize(
    "name",
    ["time", "time_delta", "delta_normal", "discrete/empirical", "discrete/uniform", "mixed"],
)
def test_pairs_are_those_of_the_cebra_package(name, data, peer):
    ours = drawn(label_sampler(name, data), len(data["y"]))
    assert ours.sum() == peer[name].sum() == DRAWS
    assert same_source(ours, peer[name]) > CHANCE


@pytest.mark.parametrize("conditional", ["trial_time", "trial_delta", "trial_time_delta"])
@pytest.mark.parametrize(
    "options",
    ["", "/same_trial"]
    + [f"/{c}/{p}" for c in ("classes", "trial_classes") for p in ("balanced", "uniform")],
)
def test_pairs_are_those_of_trialcebra(conditional, options, data, peer):
    name = conditional + options
    if name not in peer:
        assert name == "trial_delta/same_trial"  # another rule there, by design: see across.py
        return
    ours, theirs = drawn(trial_sampler(name, data), len(data["y"])), peer[name]
    if conditional != "trial_delta" and "classes" in options:
        # Their window, clamped to the trial, counts its first and last sample several times.
        ours, theirs = ours[INSIDE], theirs[INSIDE]
    assert same_source(ours, theirs) > CHANCE


def test_the_comparison_sees_a_wrong_rule(data, peer):
    wrong = ContinuousSampler(pool(data), "delta_normal", TIME_OFFSET, DELTA * 1.1)
    assert same_source(drawn(wrong, len(data["y"])), peer["delta_normal"]) < CHANCE
