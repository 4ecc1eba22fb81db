"""VAEs at the door: walls, several recordings, adapt, files, callbacks, Ctrl-C."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

import isofold as iso
from isofold.errors import DataError, SessionError
from isofold.models._vae_labels import targets

QUICK = {"max_iterations": 25, "batch_size": 32, "decoder_hidden": 8, "random_state": 0}
LABELS = ["position", "direction"]


@pytest.fixture(scope="module")
def rat():
    return iso.simulate.place_cells(seed=0, n_laps=6, n_units=8)


@pytest.fixture(scope="module")
def pivae(rat):
    return iso.PiVAE(**QUICK).fit(rat, labels=LABELS)


@pytest.fixture(scope="module")
def two(rat):
    other = iso.simulate.place_cells(seed=1, n_laps=6, n_units=6)
    return [replace(rat, name="a"), replace(other, name="b")]


@pytest.fixture(scope="module")
def joint(two):
    return iso.PiVAE(**QUICK).fit(two, labels=LABELS)


def arrays(n=60, units=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(1.0, (n, units)).astype(float), rng.uniform(0, 1, n)


def leaves(model):
    return [np.asarray(v) for v in jax.tree.leaves(model.params_) if hasattr(v, "shape")]


def copy_of(model, tmp_path):
    """adapt changes a model: such tests work on a copy."""
    return iso.load(model.save(tmp_path / "copy.isofold"))


# -- walls ----------------------------------------------------------------------------------------

WINDOWS = [
    ("PiVAE", {"encoder": "conv", "target": "window"}),
    ("PiVAE", {"encoder": "smooth", "smoothing": 0.1}),
    ("IVAE", {"encoder": "smooth", "smoothing": 0.1, "observation": "gaussian"}),
    ("CIiVAE", {"encoder": "conv", "observation": "poisson"}),
]


@pytest.mark.parametrize(("name", "options"), WINDOWS)
def test_another_trial_changes_nothing(rat, name, options):
    model = getattr(iso, name)(**QUICK, **options).fit(rat, labels=["position"])
    start, stop = rat.trials[["start", "stop"]].iloc[2]
    signal = np.array(rat.signal)
    signal[:start], signal[stop:] = 7, 9
    other = replace(rat, signal=signal)
    for with_labels in (False, True):
        z, same = (
            np.asarray(model.transform(r, with_labels=with_labels))[start:stop]
            for r in (rat, other)
        )
        np.testing.assert_array_equal(z, same)
    # It does look further than one sample, inside the trial.
    signal = np.array(rat.signal)
    signal[start + 20] += 9
    z = np.asarray(model.transform(replace(rat, signal=signal))) - np.asarray(model.transform(rat))
    moved = np.flatnonzero(np.abs(z).max(axis=1) > 0)
    assert len(moved) > 5
    left, right = model.offset_
    assert start + 20 - right < moved.min() <= start + 20 <= moved.max() <= start + 20 + left


def test_windows_explained_stay_in_their_segment(rat):
    """Channel 0 holds the number of the sample: every target tells where it came from."""
    signal = np.array(rat.signal)
    signal[:, 0] = np.arange(len(rat))
    numbered = replace(rat, signal=signal)
    model = iso.PiVAE(encoder="conv", target="window", **QUICK | {"max_iterations": 0})
    model.fit(numbered, labels=["position"])
    segments = rat.segments
    start, stop = segments["start"].to_numpy(), segments["stop"].to_numpy()
    y = targets(model.params_.parts[0], numbered, (start, stop)).reshape(len(rat), 10, 8)
    came_from = y[:, :, 0].astype(int)
    for a, b in zip(start, stop, strict=True):
        assert (came_from[a:b].min(), came_from[a:b].max()) == (a, b - 1)
        wanted = np.clip(np.arange(a, b)[:, None] + np.arange(-5, 5), a, b - 1)
        np.testing.assert_array_equal(came_from[a:b], wanted)


def test_a_fit_does_not_see_samples_outside_its_trials(rat):
    signal, position = np.array(rat.signal), np.array(rat.labels["position"])
    outside = rat.trial < 0
    signal[outside], position[outside] = 40, np.nan
    other = replace(rat, signal=signal, labels=dict(rat.labels) | {"position": position})
    first, second = (iso.PiVAE(**QUICK).fit(r, labels=["position"]) for r in (rat, other))
    for a, b in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
    pd.testing.assert_frame_equal(first.candidates_, second.candidates_)
    third = iso.PiVAE(**QUICK, outside_trials=True).fit(rat, labels=["position"])
    assert np.abs(leaves(third)[-1] - leaves(first)[-1]).max() > 0


# -- several recordings ---------------------------------------------------------------------------


def test_list_in_list_out_by_name(joint, two):
    assert joint.sessions_ == ("a", "b")
    assert joint.channels_ == (8, 6)
    a, b = joint.transform(two)
    assert (a.sizes["time"], b.sizes["time"]) == (len(two[0]), len(two[1]))
    swapped = joint.transform(two[::-1], with_labels=False)
    np.testing.assert_array_equal(swapped[0], b)
    np.testing.assert_array_equal(joint.transform(two[1].signal, session_id="b"), b.values)
    np.testing.assert_array_equal(joint.transform(two[1].signal, session_id=1), b.values)
    with pytest.raises(SessionError, match=r"names \['a', 'b'\], or session_id=0…1; got None"):
        joint.transform(two[1].signal)
    with pytest.raises(DataError, match="has 6 features, but PiVAE is expecting 8"):
        joint.transform(two[1].signal, session_id="a")
    assert np.isfinite([joint.score(r) for r in two]).all()


def test_arrays_come_and_go_by_place():
    (x, u), (y, v) = arrays(), arrays(n=50, units=7, seed=1)
    model = iso.PiVAE(**QUICK).fit([x, y], [u, v])
    with_labels = model.transform([x, y], [u, v], with_labels=True)
    assert [z.shape for z in with_labels] == [(60, 2), (50, 2)]
    np.testing.assert_array_equal(
        with_labels[1], model.transform(y, v, with_labels=True, session_id=1)
    )


@pytest.mark.parametrize("settings", [{}, {"observation": "negative-binomial"}])
def test_several_recordings_survive_a_file(two, tmp_path, settings):
    model = iso.PiVAE(**QUICK, **settings).fit(two, labels=LABELS)
    loaded = copy_of(model, tmp_path)
    for with_labels in (False, True):
        pairs = zip(
            *(m.transform(two, with_labels=with_labels) for m in (model, loaded)), strict=True
        )
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)
    assert loaded.score(two[1]) == model.score(two[1])
    assert loaded.settings_ == model.settings_
    pd.testing.assert_frame_equal(loaded.log_, model.log_)
    pd.testing.assert_frame_equal(loaded.candidates_, model.candidates_)


@pytest.mark.parametrize("settings", [{}, {"encoder": "smooth"}, {"prior": "trial_time"}])
def test_an_encoder_of_labels_survives_a_file(rat, tmp_path, settings):
    model = iso.IVAE(**QUICK, **settings).fit(rat, labels=LABELS)
    loaded = copy_of(model, tmp_path)
    for with_labels in (False, True):
        a, b = (m.transform(rat, with_labels=with_labels).values for m in (model, loaded))
        np.testing.assert_array_equal(a, b)


def test_a_generator_as_seed_is_not_saved(rat, tmp_path):
    model = iso.PiVAE(**QUICK | {"random_state": np.random.default_rng(0)})
    loaded = copy_of(model.fit(rat, labels=LABELS), tmp_path)
    assert loaded.random_state is None
    np.testing.assert_array_equal(loaded.transform(rat), model.transform(rat))


# -- adapt ----------------------------------------------------------------------------------------


def test_adapt_adds_a_recording_and_keeps_what_was(pivae, rat, two, tmp_path):
    model = copy_of(pivae, tmp_path)
    before = model.transform(rat).values
    prior = [np.asarray(v) for v in jax.tree.leaves(model.params_.prior) if hasattr(v, "shape")]
    model.fit(two[1], labels=LABELS, adapt=True)
    assert model.sessions_ == ("place cells", "b")
    assert model.channels_ == (8, 6)
    np.testing.assert_array_equal(model.transform(rat).values, before)
    now = [np.asarray(v) for v in jax.tree.leaves(model.params_.prior) if hasattr(v, "shape")]
    for a, b in zip(prior, now, strict=True):
        np.testing.assert_array_equal(a, b)
    again = iso.load(model.save(tmp_path / "both.isofold"))
    np.testing.assert_array_equal(again.transform(two[1]), model.transform(two[1]))


def test_a_recording_without_a_name_of_its_own_gets_its_number(pivae, rat, tmp_path):
    model = copy_of(pivae, tmp_path).fit(rat, labels=LABELS, adapt=True)
    assert model.sessions_ == ("place cells", "1")


@pytest.mark.parametrize(
    ("settings", "labels", "rate", "message"),
    [
        (
            {"output_dimension": 3},
            LABELS,
            40,
            r"changed \(before, now\): {'output_dimension': \(2, 3",
        ),
        ({"encoder": "conv"}, LABELS, 40, r"'encoder': \('mlp', 'conv'\)"),
        ({}, ["position"], 40, r"'labels': \(\['position', 'direction'\], \['position'\]\)"),
        ({}, LABELS, 20, r"'rate': \(40.0, 20.0\)"),
    ],
)
def test_adapt_is_to_the_same_model(pivae, two, tmp_path, settings, labels, rate, message):
    model = copy_of(pivae, tmp_path).set_params(**settings)
    other = replace(two[1], rate=float(rate * two[1].rate / 40))
    message = message.replace("40.0, 20.0", f"{two[1].rate}, {other.rate}")
    with pytest.raises(DataError, match=message):
        model.fit(other, labels=labels, adapt=True)
    with pytest.raises(DataError, match="one recording at a time, got 2"):
        copy_of(pivae, tmp_path).fit(two, labels=LABELS, adapt=True)


def test_adapt_needs_a_fit(rat):
    with pytest.raises(ValueError, match="not fitted"):
        iso.PiVAE(**QUICK).fit(rat, labels=LABELS, adapt=True)


# -- callbacks and Ctrl-C -------------------------------------------------------------------------


def test_a_callback_sees_a_model_that_works(rat, pivae, two, tmp_path):
    seen = []

    def look(step, model):
        seen.append((step, len(model.log_), model.transform(two[-1]).shape))
        model.save(tmp_path / "now.isofold")

    options = {"callback": look, "callback_frequency": 10}
    iso.PiVAE(**QUICK).fit(two, labels=LABELS, **options)
    copy_of(pivae, tmp_path).fit(two[1], labels=LABELS, adapt=True, **options)
    shape = (len(two[1]), 2)
    assert seen == [(n, n, shape) for n in (10, 20, 25)] * 2


@pytest.mark.parametrize("several", [False, True])
def test_ctrl_c_leaves_a_model_that_works(rat, two, monkeypatch, several):
    from isofold.training import loop

    chunk, calls = loop.run_chunk, []

    def interrupted(*args, **rest):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return chunk(*args, **rest)

    monkeypatch.setattr(loop, "run_chunk", interrupted)
    data = two if several else rat
    with pytest.warns(RuntimeWarning, match="interrupted after 25 of 100 steps; the model is us"):
        model = iso.PiVAE(**QUICK | {"max_iterations": 100}).fit(data, labels=LABELS)
    assert model.interrupted_
    assert len(model.loss_) == len(model.log_) == 25
    assert len(calls) == 2
    z = model.transform(data)
    assert all(np.isfinite(np.asarray(one)).all() for one in (z if several else [z]))


def test_held_out_trials_choose_the_weights(rat):
    model = iso.PiVAE(**QUICK | {"max_iterations": 100}, validation=0.3)
    model.fit(rat, labels=LABELS)
    assert model.validation_["step"].tolist() == [25, 50, 75, 100]
    assert np.isfinite(model.validation_["bits"]).all()
    best = iso.PiVAE(**QUICK | {"max_iterations": 100}, validation=0.3, n_init=2)
    best.fit(rat, labels=LABELS)
    assert len(best.inits_) == 2
    values = [one["validation"] for one in best.inits_]
    assert best.validation_["bits"].max() == max(values)
