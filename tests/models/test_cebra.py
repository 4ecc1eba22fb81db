"""CEBRA: what its settings mean, what it refuses, what survives an interruption."""

import io
import warnings

import numpy as np
import pytest

import isofold as iso
from isofold.errors import DataError
from isofold.models import _recipe

QUICK = {"max_iterations": 60, "batch_size": 128, "num_negatives": 128, "random_state": 0}


@pytest.fixture(scope="module")
def rat():
    return iso.simulate.place_cells(seed=0, n_laps=12, n_units=24)


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_architecture": "offset11"}, "model_architecture must be one of .* did you mean"),
        ({"distance": "manhattan"}, "distance must be 'cosine' or 'euclidean', got 'manhattan'"),
        ({"conditional": "behaviour"}, "conditional must be one of"),
        ({"temperature": 0}, "temperature must be positive, got 0"),
        ({"temperature": float("nan")}, "temperature must be positive"),
        ({"temperature_mode": "learned"}, "temperature_mode must be"),
        ({"learning_rate": -1e-3}, "learning_rate must be positive"),
        ({"max_iterations": 1.5}, "max_iterations must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1, or None"),
        ({"output_dimension": 0}, "output_dimension must be a whole number >= 1"),
        ({"time_offsets": 0}, "time_offsets must be a whole number of samples >= 1"),
        ({"channel_dropout": 1.0}, r"channel_dropout must lie in \[0, 1\)"),
        ({"edges": "wrap"}, "edges must be"),
        ({"criterion": "nce"}, "criterion must be 'infonce'"),
        ({"optimizer": "sgd"}, "optimizer must be 'adam'"),
        ({"optimizer_kwargs": (("momentum", 0.9),)}, "optimizer_kwargs knows betas"),
        (
            {"model_architecture": "offset10-model-mse", "distance": "cosine"},
            "needs a model whose outputs have unit length",
        ),
        ({"conditional": "delta_normal"}, "conditional='delta_normal' needs"),
        ({"time_offsets": 4000}, "needs a segment longer than 4000 samples"),
    ],
)
def test_settings_that_break_a_rule_are_named(rat, settings, message):
    with pytest.raises(DataError, match=message):
        iso.CEBRA(**{**QUICK, **settings}).fit(rat)


def test_auto_is_resolved_and_recorded(rat):
    model = iso.CEBRA(max_iterations=2, random_state=0).fit(rat)
    assert model.settings_["recipe"] == _recipe.VERSION
    assert "auto" not in [v for k, v in model.settings_.items() if k != "temperature_mode"]
    assert model.settings_["schedule"] == "one-cycle"
    constant = iso.CEBRA(learning_rate=1e-3, max_iterations=2, random_state=0).fit(rat)
    assert constant.settings_["schedule"] == "constant"
    assert constant.settings_["channel_dropout"] == 0.0


def test_longer_recordings_get_more_steps():
    from isofold.networks import ARCHITECTURES

    params = iso.CEBRA().get_params()
    steps = [
        _recipe.resolve(params, ARCHITECTURES["offset10-model"], n)["max_iterations"]
        for n in (2_000, 30_000, 120_000, 1_000_000)
    ]
    assert steps[:3] == [300, 300, 600]
    assert steps == sorted(steps)
    assert steps[-1] < 2_000


def test_the_rule_follows_the_kind_of_labels(rat):
    rules = {
        (): "time",
        ("position",): "time_delta",
        ("direction",): "discrete",
        ("position", "direction"): "time_delta",
    }
    for labels, rule in rules.items():
        model = iso.CEBRA(**{**QUICK, "max_iterations": 1}).fit(rat, labels=list(labels))
        assert model.settings_["conditional"] == rule
        assert model.settings_["labels"] == list(labels)


def test_time_ignores_labels_and_scores_without_them(rat):
    model = iso.CEBRA(conditional="time", **QUICK).fit(rat, labels=["position"])
    bare = iso.Recording(rat.signal, rat.rate, trials=rat.trials, channels=rat.channels)
    assert model.score(bare) == model.score(rat)


def test_booleans_are_classes_and_change_the_fit():
    """The `cebra` package drops boolean labels silently and trains by time."""
    rng = np.random.default_rng(0)
    flag = np.arange(400) % 100 < 50
    x = rng.standard_normal((400, 5)) + 2 * flag[:, None]
    model = iso.CEBRA("offset1-model", output_dimension=2, **QUICK).fit(x, flag)
    assert model.settings_["conditional"] == "discrete"
    z = model.transform(x)
    between = np.linalg.norm(z[flag].mean(0) - z[~flag].mean(0))
    assert between > 1.5  # opposite sides of the circle


def test_circular_labels_have_no_seam():
    """Angles just below and above 0 are neighbours."""
    circle = iso.simulate.circle(
        seed=0, n_samples=2000, n_units=20, mixing="linear", noise=0.05, n_trials=8
    )
    model = iso.CEBRA(output_dimension=2, **QUICK).fit(circle, labels=["angle"])
    z = model.transform(circle).values
    angle = np.mod(circle.labels["angle"], 2 * np.pi)
    low, high = z[angle < 0.2].mean(0), z[angle > 2 * np.pi - 0.2].mean(0)
    across = z[np.abs(angle - np.pi) < 0.2].mean(0)
    assert np.linalg.norm(low - high) < 0.3 * np.linalg.norm(low - across)


def test_a_fit_that_diverges_says_so():
    x = np.random.default_rng(0).standard_normal((200, 5)) * 1e25
    with pytest.raises(DataError, match=r"training diverged at step \d+ .*zscore"):
        iso.CEBRA("offset1-model-mse", **{**QUICK, "learning_rate": 1e6}).fit(x)


# -- training on ---------------------------------------------------------------------------------


def test_partial_fit_goes_on_with_the_data_given_now(rat):
    """The `cebra` package keeps its first loader and ignores the new data."""
    rng = np.random.default_rng(0)
    x, other = rng.standard_normal((2, 300, 6)).cumsum(axis=1)
    model = iso.CEBRA("offset1-model", output_dimension=2, **QUICK).fit(x)
    before = model.transform(other)
    continued = model.partial_fit(other)
    assert continued.score(other) > 0.2
    assert np.abs(continued.transform(other) - before).max() > 0.05


def test_fit_after_fit_starts_anew_with_other_channels(rat):
    rng = np.random.default_rng(0)
    model = iso.CEBRA("offset1-model", output_dimension=2, **QUICK)
    model.fit(rng.standard_normal((100, 20))).partial_fit(rng.standard_normal((100, 20)))
    assert model.fit(rng.standard_normal((100, 7))).transform(np.ones((5, 7))).shape == (5, 2)


def test_adapt_keeps_all_but_the_first_layer(rat):
    model = iso.CEBRA(output_dimension=3, max_adapt_iterations=20, **QUICK).fit(rat)
    inner = np.asarray(model.encoder_.layers[2].conv.weight)
    fewer = iso.Recording(np.asarray(rat.signal)[:, :9], rat.rate, trials=rat.trials)
    model.fit(fewer, adapt=True)
    assert (np.asarray(model.encoder_.layers[2].conv.weight) == inner).all()
    assert model.transform(fewer).shape == (len(rat), 3)
    assert len(model.loss_) == 20
    with pytest.raises(DataError, match="needs a fitted model"):
        iso.CEBRA(**QUICK).fit(fewer, adapt=True)


def test_callback_sees_a_usable_model_at_its_steps(rat):
    seen = []
    iso.CEBRA(**QUICK).fit(
        rat,
        callback=lambda step, model: seen.append((step, model.transform(rat).shape)),
        callback_frequency=20,
    )
    assert seen == [(20, (len(rat), 8)), (40, (len(rat), 8)), (60, (len(rat), 8))]


def test_ctrl_c_leaves_a_usable_partly_trained_model(rat, tmp_path):
    def stop(step, model):
        if step == 50:
            raise KeyboardInterrupt

    model = iso.CEBRA(**{**QUICK, "max_iterations": 500})
    with pytest.warns(RuntimeWarning, match="interrupted after 50 of 500 steps"):
        model.fit(rat, callback=stop, callback_frequency=25)
    assert model.interrupted_ is True
    assert len(model.loss_) == 50
    again = iso.load(model.save(tmp_path / "half.isofold"))
    assert again.interrupted_ is True
    assert (again.transform(rat).values == model.transform(rat).values).all()


def test_verbose_is_silent_where_nobody_watches(rat, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    iso.CEBRA(verbose=True, **QUICK).fit(rat)
    assert stream.getvalue() == ""


def test_progress_shows_steps_loss_and_speed_on_a_terminal(rat, monkeypatch):
    import rich.console

    stream = io.StringIO()
    monkeypatch.setattr(
        rich.console, "Console", lambda **_: _Terminal(file=stream, force_terminal=True, width=100)
    )
    iso.CEBRA(verbose=True, **QUICK).fit(rat)
    shown = stream.getvalue()
    assert "60/60 steps" in shown
    assert "steps/s" in shown
    assert "loss" in shown


from rich.console import Console as _Terminal  # noqa: E402  (the class before it is replaced)

# -- held out ------------------------------------------------------------------------------------


def test_score_is_information_and_noise_has_none(rat):
    train, test = rat.split(test=0.3)
    model = iso.CEBRA(output_dimension=3, **{**QUICK, "max_iterations": 150})
    assert model.fit(train).score(test) > 0.3
    noise = iso.Recording(
        np.random.default_rng(0).standard_normal(rat.signal.shape), rat.rate, trials=rat.trials
    )
    train, test = noise.split(test=0.3)
    # Windows of neighbours overlap: pairs must lie further apart than a window to be noise.
    model = iso.CEBRA(output_dimension=3, time_offsets=12, channel_dropout=0.1, **QUICK)
    assert abs(model.fit(train).score(test)) < 0.1


def test_edge_rows_are_marked_and_equal_in_fit_and_transform(rat):
    z = iso.CEBRA(**{**QUICK, "max_iterations": 1}).fit(rat).transform(rat)
    seg = rat.segments
    length = (seg["stop"] - seg["start"]).to_numpy()
    expected = np.minimum(length, 5 + 4).sum()
    assert int(z["edge"].sum()) == expected


def test_transform_does_not_depend_on_the_length_of_the_recording():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40_000, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = iso.CEBRA(output_dimension=2, **{**QUICK, "max_iterations": 2}).fit(x[:500])
    # Blocks of 16,384 rows are joined without a seam.
    np.testing.assert_allclose(
        model.transform(x)[16_300:16_500], model.transform(x[16_000:17_000])[300:500], atol=1e-5
    )
