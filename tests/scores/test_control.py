import numpy as np
import pandas as pd
import pytest
from scores_helpers import curve, embedding, laps, noise
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression

from isofold.errors import DataError
from isofold.recording import Recording
from isofold.scores import control, goodness_of_fit
from isofold.scores.control import permuted

POSITION, TRIAL = laps(20, 30)


class Supervised(BaseEstimator):
    """Regression of the labels on the signal: all that it shows comes from the labels."""

    def __init__(self, strength=1.0):
        self.strength = strength

    def fit(self, recording, labels):
        target = np.column_stack([recording.label(k) for k in labels])
        self.model_ = LinearRegression().fit(recording.signal, target)
        return self

    def transform(self, recording):
        z = self.model_.predict(recording.signal)
        out = embedding(z, recording.trial, position=recording.labels["position"])
        return out.assign_coords(time=recording.time)


def recording(noise_level=0.3):
    trials = pd.DataFrame(
        {"start": np.arange(0, 600, 30), "stop": np.arange(30, 630, 30), "way": ["a", "b"] * 10}
    )
    signal = curve(POSITION) @ noise(3, 8) + noise_level * noise(600, 8, seed=2)
    return Recording(signal, 10.0, labels={"position": POSITION}, trials=trials)


def test_labels_of_other_samples_give_a_worse_embedding():
    model = Supervised()
    score = control(model, recording(), labels="position", n=19)
    assert score.value > 0.9
    assert score.p == pytest.approx(0.05)
    assert len(score.chance) == 19
    assert score.split == "test"
    assert not hasattr(model, "model_")


def test_a_score_of_ones_own_and_parts_of_ones_own():
    train, test = recording().split(test=0.5)
    calls = []

    def spread(a, b):
        calls.append((len(a), len(b)))
        return float(np.var(b))

    score = control(Supervised(), (train, test), labels=["position"], n=3, score=spread)
    assert calls == [(300, 300)] * 4
    assert score.value > score.chance.max()


def test_only_the_named_labels_move_and_only_inside_the_recording():
    given = recording()
    moved = permuted(given, ["position"], np.random.default_rng(0))
    assert not np.array_equal(moved.labels["position"], POSITION)
    assert np.array_equal(np.sort(moved.labels["position"]), np.sort(POSITION))
    assert moved.trials["way"].tolist() == given.trials["way"].tolist()
    assert moved.signal is given.signal


def test_trial_columns_change_places_between_trials():
    moved = permuted(recording(), ["way"], np.random.default_rng(0))
    assert moved.trials["way"].tolist() != ["a", "b"] * 10
    assert sorted(moved.trials["way"]) == ["a"] * 10 + ["b"] * 10
    assert np.array_equal(moved.labels["position"], POSITION)


def test_without_trials_blocks_move():
    given = Recording(noise(100), 1.0, labels={"x": np.arange(100.0)})
    moved = permuted(given, ["x"], np.random.default_rng(0)).labels["x"]
    assert np.sum(np.diff(moved) != 1) > 8  # more than the one seam of a constant shift


def test_control_refuses():
    with pytest.raises(DataError, match="no label or trial column 'speed'"):
        control(Supervised(), recording(), labels=["speed"])
    with pytest.raises(DataError, match="n >= 1"):
        control(Supervised(), recording(), labels=["position"], n=0)


# -- goodness of fit --------------------------------------------------------------------------


class Fitted:
    def __init__(self, values):
        self.values = values

    def goodness_parts(self, recording, seed):
        return self.values, "bits", np.zeros(20) + 0.01 * seed


def test_goodness_is_the_mean_of_its_parts():
    values = 1 + 0.1 * noise(50)[:, 0]
    score = goodness_of_fit(Fitted(values), None, seed=3)
    assert score.value == pytest.approx(values.mean())
    assert score.unit == "bits"
    assert score.parts.index.name == "batch"
    assert np.allclose(score.chance, 0.03)
    width = 2 * 1.96 * values.std() / np.sqrt(50)
    assert score.interval[1] - score.interval[0] == pytest.approx(width, rel=0.2)


def test_goodness_keeps_names_of_parts():
    index = pd.Index(["a", "b"], name="trial")
    score = goodness_of_fit(Fitted(pd.Series([0.1, 0.3], index=index)), None)
    assert score.parts.index.tolist() == ["a", "b"]
    assert score.settings["interval_over"] == "trial"


def test_goodness_refuses():
    with pytest.raises(TypeError, match=r"needs a model with goodness_parts.*object has none"):
        goodness_of_fit(object(), None)
    with pytest.raises(DataError, match="finite values, got 1 finite of 2"):
        goodness_of_fit(Fitted([np.nan, 1.0]), None)
