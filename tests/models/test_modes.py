"""Every mode, with every number of recordings, batch and form of input, learns what it should."""

import equinox as eqx
import numpy as np
import pytest
from modes_helpers import LENGTH, TINY, TRIALS, decoded, halves, recording, separation

from isofold import CEBRA, training

MODES = {
    "time": ([], {}),
    "time_delta": (["circle"], {}),
    "delta_normal": (["circle"], {"conditional": "delta_normal", "delta": 0.2}),
    "discrete": (["class"], {}),
    "mixed": (["circle", "class"], {}),
    "hybrid": (["circle"], {"hybrid": True, "hybrid_dimensions": 2}),
    "hybrid mixed": (["circle", "class"], {"hybrid": True}),
    "hybrid discrete": (["class"], {"hybrid": True, "hybrid_dimensions": 2}),
    "trial_time": (["class"], {"conditional": "trial_time", "time_window": 3}),
    "trial_delta": (["circle"], {"conditional": "trial_delta", "delta": 0.1}),
    "trial_time_delta": (
        ["circle"], {"conditional": "trial_time_delta", "delta": 0.1, "time_window": 15}
    ),
}  # fmt: skip
SEPARATION = {
    "discrete": 3,
    "hybrid discrete": 1,
    "trial_time": 3,
    "mixed": 0.9,
    "hybrid mixed": 0.9,
}
"""Between classes, at least. On the sphere, two circles one above the other reach about 1.3."""
CIRCLE = ("time_delta", "delta_normal", "mixed", "hybrid", "hybrid mixed", "trial_time_delta")
"""Modes that know the circle, and so put several recordings in one space; "time" finds it alone."""


@pytest.fixture(scope="module")
def one():
    return recording(0)


@pytest.fixture(scope="module")
def two():
    return [recording(0), recording(1, n_channels=9, name="b")]


def known(mode, z, rec):
    """What the mode must have learned of a recording."""
    early, late = halves()
    z = np.asarray(z)
    if mode in (*CIRCLE, "time"):
        assert decoded(z[early], rec.truth[early], z[late], rec.truth[late]) > 0.7
    if mode in SEPARATION:
        assert separation(z, rec.labels["class"]) > SEPARATION[mode]
    if mode == "hybrid":  # the first latents alone carry behaviour
        z = z[:, :2]
        assert decoded(z[early], rec.truth[early], z[late], rec.truth[late]) > 0.7


def as_form(form, rec, labels):
    """The recording as an array, as trials, or as it is; with its labels."""
    if form == "recording":
        return rec, [], {"labels": labels}
    x, y = np.asarray(rec.signal), [rec.labels[name] for name in labels]
    if form == "array":
        return x, y, {}
    cut = [a.reshape(TRIALS, LENGTH, *a.shape[1:]) for a in (x, *y)]
    return cut[0], cut[1:], {}


@pytest.mark.parametrize("form", ["recording", "array", "trials"])
@pytest.mark.parametrize("mode", MODES)
def test_one_recording(one, mode, form):
    labels, settings = MODES[mode]
    if mode.startswith("trial") and form == "array":
        pytest.skip("an array without trials has one trial")
    x, y, named = as_form(form, one, labels)
    model = CEBRA(**{**TINY, **settings}).fit(x, *y, **named)
    z = model.transform(x)
    assert z.shape == ((TRIALS, LENGTH, 3) if form == "trials" else (TRIALS * LENGTH, 3))
    known(mode, np.asarray(z).reshape(-1, 3), one)


@pytest.mark.parametrize("form", ["recording", "array", "trials"])
@pytest.mark.parametrize("mode", MODES)
def test_several_recordings(two, mode, form):
    labels, settings = MODES[mode]
    if mode.startswith("trial") and form == "array":
        pytest.skip("arrays without trials have one trial each")
    parts = [as_form(form, rec, labels) for rec in two]
    x = [p[0] for p in parts]
    y = [list(column) for column in zip(*(p[1] for p in parts), strict=True)]
    model = CEBRA(**{**TINY, **settings}).fit(x, *y, **parts[0][2])
    embedded = [np.asarray(z).reshape(-1, 3) for z in model.transform(x)]
    for z, rec in zip(embedded, two, strict=True):
        known(mode, z, rec)
    early, late = halves()
    across = decoded(embedded[0][early], two[0].truth[early], embedded[1][late], two[1].truth[late])
    if mode in CIRCLE:  # read with the other recording's eyes, on trials later than those
        assert across > 0.7
    elif mode == "time":
        assert across < 0.3


@pytest.mark.parametrize("mode", ["time", "mixed", "hybrid"])
def test_full_batch_of_one(one, mode):
    labels, settings = MODES[mode]
    model = CEBRA(**{**TINY, **settings, "batch_size": None}).fit(one, labels=labels)
    known(mode, model.transform(one), one)


@pytest.mark.parametrize("mode", ["time", "hybrid mixed"])
def test_full_batch_of_several(two, mode):
    labels, settings = MODES[mode]
    model = CEBRA(**{**TINY, **settings, "batch_size": None}).fit(two, labels=labels)
    for z, rec in zip(model.transform(two), two, strict=True):
        known(mode, z, rec)


@pytest.mark.parametrize("labels", [[], ["circle"]])
def test_a_shared_trunk_is_one_and_learns(two, labels):
    model = CEBRA(**TINY | {"num_hidden_units": 32}, sessions="trunk").fit(two, labels=labels)
    first, second = model.encoders_
    n = first.input_layers
    for a, b in zip(first.layers[n:], second.layers[n:], strict=True):
        assert eqx.tree_equal(a, b)
    assert first.layers[0].weight.shape != second.layers[0].weight.shape
    for z, rec in zip(model.transform(two), two, strict=True):
        known("time_delta" if labels else "time", z, rec)


def test_joined_recordings_learn_one_embedding(two):
    model = CEBRA(**TINY, sessions="joined").fit(two, labels=["circle", "class"])
    z = model.transform(two, with_labels=True)
    assert [part.attrs["labels_used"] for part in z] == [True, True]
    for part, rec in zip(z, two, strict=True):
        known("mixed", part, rec)
    early, late = halves()
    assert decoded(z[0][early], two[0].truth[early], z[1][late], two[1].truth[late]) > 0.7


# -- one program ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dealt(two):
    """The program of a dealt hybrid fit with a penalty, compiled."""
    settings = {
        "hybrid": True,
        "hybrid_dimensions": 2,
        "max_iterations": 30,
        "jacobian": 0.1,
        "masking_kwargs": None,
    }

    def fit(recordings=two, **change):
        CEBRA(**{**TINY, **settings, **change}).fit(recordings, labels=["circle"])
        return training.run_chunk._cache_size()

    return fit, fit()


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 5},
        {"temperature": 0.7},
        {"temperature_mode": "auto"},
        {"learning_rate": "auto", "channel_dropout": 0.0},
        {"hybrid_weights": (0.2, 3.0)},
        {"jacobian": {"schedule": "linear", "start_weight": 0, "end_weight": 1, "start_step": 0,
                      "end_step": 2}},
        {"conditional": "delta_normal", "delta": 0.1},
        {"time_offsets": 5},
        {"max_iterations": 40},
        {"optimizer_kwargs": (("betas", (0.8, 0.99)), ("weight_decay", 1e-3))},
        {"validation": 0.25},
    ],
    ids=str,
)  # fmt: skip
def test_other_values_run_the_same_program(dealt, change):
    fit, compiled = dealt
    assert fit(**change) == compiled


def test_folds_of_two_recordings_share_a_program(two, dealt):
    fit, _ = dealt
    first = fit([rec.split(test=0.25, how="interleaved")[0] for rec in two])
    for fold in zip(*(rec.folds(4) for rec in two), strict=True):
        assert fit([train for train, _ in fold]) == first
