"""Held-out trials inside a fit: the curve, the best weights, the early end, seeds, temperatures."""

from dataclasses import replace

import numpy as np
import pytest
from modes_helpers import TINY, TRIALS, recording

import isofold as iso
from isofold import CEBRA
from isofold.errors import DataError
from isofold.models._fit import split_off
from isofold.models._information import information, nearer

QUICK = TINY | {"max_iterations": 50}


@pytest.fixture(scope="module")
def one():
    return recording(0)


@pytest.fixture(scope="module")
def noise():
    """A signal that says nothing of its labels: a network can only learn by heart."""
    return replace(recording(0), signal=np.random.default_rng(0).standard_normal((320, 12)))


OVERFIT = TINY | {
    "num_hidden_units": 64, "max_iterations": 1000, "conditional": "delta_normal", "delta": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def overfitted(noise):
    return CEBRA(**OVERFIT, validation=0.25, patience=3).fit(noise, labels=["circle"])


def held_out_bits(model, rec):
    (train,), (test,) = split_off([rec], 0.25)
    assert len(train) + len(test) == len(rec)
    z = model.transform(test).values
    objectives, tau = model.settings_["objectives"], model.objective_temperature_
    return information(z, test, objectives, tau, False, batches=20)[0].mean()


def test_the_curve_is_that_of_held_out_trials_and_the_best_weights_stay(overfitted, noise):
    curve = overfitted.validation_
    assert list(curve.columns) == ["step", "bits"]
    assert held_out_bits(overfitted, noise) == pytest.approx(curve["bits"].max(), abs=1e-4)
    # Without validation the same fit goes on, learns by heart, and is worse on unseen trials.
    (train,), (test,) = split_off([noise], 0.25)
    to_the_end = CEBRA(**OVERFIT).fit(train, labels=["circle"])
    assert to_the_end.score(train) > 0.5
    assert to_the_end.score(test) < overfitted.score(test) - 0.1


def test_a_constant_rate_ends_early_after_patience_looks_without_a_gain(overfitted):
    curve = overfitted.validation_
    assert curve["step"].iloc[-1] < 1000
    assert len(overfitted.loss_) == curve["step"].iloc[-1]
    since = len(curve) - 1 - int(curve["bits"].argmax())
    assert since == 3
    assert (np.diff(curve["step"]) == curve["step"][0]).all()


def test_held_out_trials_are_not_trained_on(one):
    """Their signal may be anything: the weights of the last step do not depend on it."""
    _, (test,) = split_off([one], 0.25)
    held = np.isin(one.trial, test.trials.index)
    assert held.sum() == len(test)
    changed = replace(one, signal=np.where(held[:, None], 7.0, one.signal))
    settings = {"validation": 0.25, "random_state": 3, "max_iterations": 25}
    a, b = (CEBRA(**TINY | settings).fit(rec, labels=["circle"]) for rec in (one, changed))
    assert (a.loss_ == b.loss_).all()
    assert a.validation_["bits"][0] != b.validation_["bits"][0]


def test_one_cycle_is_never_cut_short_and_curves_are_saved(one, tmp_path):
    settings = {"learning_rate": "auto", "max_iterations": 200, "channel_dropout": 0.0}
    model = CEBRA(**TINY | settings, validation=0.25, patience=1).fit(one, labels=["circle"])
    assert model.validation_["step"].tolist() == [25 * n for n in range(1, 9)]
    again = iso.load(model.save(tmp_path / "m.isofold"))
    assert again.validation_.equals(model.validation_)


def test_the_callback_is_called_at_its_own_steps_beside_validation(one):
    seen = []
    CEBRA(**QUICK, validation=0.25).fit(
        one, callback=lambda step, model: seen.append(step), callback_frequency=10
    )
    assert seen == [10, 20, 30, 40, 50]


def test_several_recordings_have_one_curve_the_mean_of_both():
    two = [recording(0), recording(1, 9, "b")]
    model = CEBRA(**QUICK, validation=0.25).fit(two, labels=["circle"])
    parts = []
    _, held = split_off(two, 0.25)
    for rec in held:
        z = model.transform(rec).values
        objectives, tau = model.settings_["objectives"], model.objective_temperature_
        parts.append(information(z, rec, objectives, tau, False, batches=20)[0].mean())
    assert model.validation_["bits"].max() == pytest.approx(np.mean(parts), abs=1e-4)


def test_arrays_without_trials_hold_out_blocks(one):
    model = CEBRA(**QUICK, validation=0.25).fit(one.signal, one.truth)
    assert model.validation_["bits"].iloc[-1] > 0
    trials = CEBRA(**QUICK, validation=0.25).fit(one.signal.reshape(TRIALS, -1, 12))
    assert len(trials.validation_) == 2


def test_too_few_trials_to_hold_one_out(one):
    lone = replace(one, trials=one.trials.iloc[:1], segments=None)
    with pytest.raises(DataError, match="trial"):
        CEBRA(**QUICK, validation=0.25).fit(lone, labels=["circle"])


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.2, True, "last", float("nan")])
def test_the_share_of_held_out_trials_is_checked(one, share):
    with pytest.raises(DataError, match=r"validation must be None or a share of the trials"):
        CEBRA(**QUICK, validation=share).fit(one)


# -- seeds ----------------------------------------------------------------------------------------


def test_n_init_keeps_the_best_on_held_out_trials(one):
    model = CEBRA(**QUICK, n_init=3, validation=0.25).fit(one, labels=["circle"])
    assert [entry["seed"] for entry in model.inits_] == [0, 1, 2]
    values = [entry["validation"] for entry in model.inits_]
    assert len(set(values)) == 3
    assert model.validation_["bits"].max() == max(values)
    best = int(np.argmax(values))
    alone = CEBRA(**QUICK | {"random_state": best}, validation=0.25).fit(one, labels=["circle"])
    assert (alone.transform(one).values == model.transform(one).values).all()
    assert model.get_params()["n_init"] == 3


def test_n_init_may_keep_the_one_most_like_the_others(one):
    model = CEBRA(**QUICK, n_init=3, keep="consistency").fit(one, labels=["circle"])
    values = [entry["consistency"] for entry in model.inits_]
    fits = iso.fit_seeds(CEBRA(**QUICK), one, [0, 1, 2], labels=["circle"])
    z = {str(n): fit.transform(one) for n, fit in enumerate(fits)}
    assert (model.transform(one).values == z[str(int(np.argmax(values)))].values).all()
    parts = iso.scores.consistency(z, n_chance=0).parts
    for n, value in enumerate(values):
        involved = [v for key, v in parts.items() if str(n) in key[:2]]
        assert np.mean(involved) == pytest.approx(value)


def test_n_init_passes_the_callback_on(one):
    seen = []
    CEBRA(**QUICK, n_init=2, keep="consistency").fit(
        one, callback=lambda step, model: seen.append((step, model.random_state)),
        callback_frequency=50,
    )  # fmt: skip
    assert seen == [(50, 0), (50, 1)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_init": 2}, "keep='validation' needs held-out trials: give validation=0.2"),
        ({"n_init": 0}, "n_init must be a whole number >= 1"),
        ({"n_init": 2, "keep": "best"}, "keep must be one of"),
        ({"patience": 0}, "patience must be a whole number >= 1"),
        ({"temperature_mode": "validation"}, "held-out trials: give validation=0.2"),
        ({"temperature_mode": "best"}, "temperature_mode must be 'constant', 'auto' or 'valid"),
        ({"temperature": [0.1, 1.0]}, "as a list needs temperature_mode='validation', got"),
        *[
            (
                {"temperature_mode": "validation", "validation": 0.2, "temperature": bad},
                "needs temperature as a list of two or more different positive numbers, or as one",
            )
            for bad in ([], [1.0], [1.0, 1.0], [1.0, -1.0], [1.0, "auto"], "auto", None, 0.0)
        ],
    ],
)
def test_choices_that_cannot_be_made_are_named(one, settings, message):
    with pytest.raises(DataError, match=message):
        CEBRA(**{**QUICK, **settings}).fit(one)


# -- temperature ----------------------------------------------------------------------------------


def test_nearer_is_the_area_under_the_roc_curve(one):
    """Known values: .5 where all is one point or all is noise, 1 where classes are points."""
    time = [{"conditional": "time", "time_offsets": 1, "prior": "empirical", "labels": [],
             "dimensions": [0, 2], "distance": "cosine"}]  # fmt: skip
    kind = [time[0] | {"conditional": "discrete", "labels": ["class"], "distance": "euclidean"}]
    rng = np.random.default_rng(0)
    assert nearer(np.ones((320, 2), np.float32), one, time, False) == 0.5
    assert nearer(rng.standard_normal((320, 2)), one, time, False) == pytest.approx(0.5, abs=0.02)
    # Negatives of the reference's class tie with the positive: half of half, and half for sure.
    label = one.labels["class"][:, None] * np.ones(2)
    assert nearer(label, one, kind, False) == pytest.approx(0.75, abs=0.01)
    # It does not depend on scale, hence not on the temperature.
    z = rng.standard_normal((320, 2)).cumsum(axis=0)
    assert nearer(z, one, kind, False) == pytest.approx(nearer(8 * z, one, kind, False), abs=1e-3)


def test_a_temperature_is_chosen_on_held_out_trials(one, tmp_path):
    settings = TINY | {"temperature_mode": "validation", "temperature": [0.3, 50.0]}
    model = CEBRA(**settings, validation=0.25).fit(one, labels=["circle"])
    tried = model.temperatures_tried_
    assert tried["temperature"].tolist() == [0.3, 50.0]
    assert model.temperature_ == pytest.approx(tried["temperature"][tried["nearer"].argmax()])
    assert tried["nearer"].max() > 0.9
    plain = {"temperature": model.temperature_, "temperature_mode": "constant"}
    alone = CEBRA(**TINY | plain, validation=0.25).fit(one, labels=["circle"])
    np.testing.assert_allclose(alone.transform(one).values, model.transform(one).values, atol=1e-4)
    (_,), (test,) = split_off([one], 0.25)
    again = nearer(model.transform(test).values, test, model.settings_["objectives"], False)
    assert again == pytest.approx(tried["nearer"].max())
    # The choice stays: training goes on with it, and the file knows of it.
    model.partial_fit(one, labels=["circle"])
    assert model.temperatures_[:, 0] == pytest.approx(plain["temperature"])
    loaded = iso.load(model.save(tmp_path / "m.isofold"))
    assert loaded.temperatures_tried_.equals(tried)
    assert loaded.get_params()["temperature"] == [0.3, 50.0]


def test_one_temperature_stands_for_multiples_of_it(one):
    settings = QUICK | {"temperature_mode": "validation", "temperature": 1.0, "max_iterations": 1}
    two = [one, recording(1, 9, "b")]
    model = CEBRA(**settings, validation=0.25, n_init=2).fit(two, labels=["circle"])
    assert model.temperatures_tried_["temperature"].tolist() == [0.1, 0.3, 1.0, 3.0]
    assert len(model.inits_) == 2
