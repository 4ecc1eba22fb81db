"""How samples become the classes of time-contrastive learning."""

from __future__ import annotations

import numpy as np
import pandas as pd

import isofold as iso
from isofold.models._class_code import ClassCode, learn_classes, stretch_of


def recording_with(trials=None, **labels):
    n = len(next(iter(labels.values()))) if labels else 60
    return iso.Recording(np.zeros((n, 2)), 10.0, labels=labels, trials=trials)


def test_stretches_are_equal_parts_of_each_trial():
    table = pd.DataFrame({"start": [2, 20], "stop": [14, 45]})
    recording = recording_with(table)
    start, stop = np.array([2, 20]), np.array([14, 45])
    found = stretch_of(recording, start, stop, 3)
    expected = np.zeros(60, int)
    for a, b in zip(start, stop, strict=True):
        for t in range(a, b):
            expected[t] = (t - a) * 3 // (b - a)
    np.testing.assert_array_equal(found, expected)
    whole = stretch_of(recording_with(), np.array([0, 40]), np.array([20, 60]), 4)
    np.testing.assert_array_equal(whole[:20], np.repeat([0, 1], 10))
    np.testing.assert_array_equal(whole[40:], np.repeat([2, 3], 10))


def test_labels_become_joint_classes_of_equal_counts():
    rng = np.random.default_rng(0)
    x, way = rng.exponential(size=400), rng.integers(2, size=400)
    angle = rng.uniform(-np.pi, np.pi, 400)
    recording = iso.Recording(
        np.zeros((400, 2)), 10.0, labels={"x": x, "way": way, "angle": angle},
        kinds={"angle": "circular"},
    )  # fmt: skip
    used = np.array([0]), np.array([400])
    code = learn_classes(recording, ["x"], 8, *used)
    assert (np.bincount(code.of(recording, *used)) == 50).all()
    assert (np.diff(code.of(recording, *used)[np.argsort(x)]) >= 0).all()
    joint = learn_classes(recording, ["way", "x"], 8, *used)
    assert joint.n_classes == 16
    np.testing.assert_array_equal(joint.of(recording, *used), way * 8 + code.of(recording, *used))
    turned = learn_classes(recording, ["angle"], 4, *used).of(recording, *used)
    order = np.argsort(angle % (2 * np.pi))
    np.testing.assert_array_equal(turned[order], np.repeat(range(4), 100))
    assert ClassCode.from_json(joint.to_json()) == joint


def test_auto_stretches_follow_the_length_of_trials():
    def auto(length, n=10):
        table = pd.DataFrame({"start": np.arange(n) * length, "stop": np.arange(1, n + 1) * length})
        recording = iso.Recording(np.zeros((n * length, 1)), 1.0, trials=table)
        return learn_classes(
            recording, [], "auto", table["start"].to_numpy(), table["stop"].to_numpy()
        ).n_classes

    assert [auto(n) for n in (5, 45, 100, 5000)] == [2, 2, 5, 40]
