"""Fits of several recordings, going on, adapting, files, and the names they go by."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from modes_helpers import LENGTH, TINY, TRIALS, decoded, halves, recording

import isofold as iso
from isofold import CEBRA
from isofold.errors import DataError

QUICK = TINY | {"max_iterations": 25}


@pytest.fixture(scope="module")
def two():
    return [recording(0), recording(1, n_channels=9, name="b")]


@pytest.fixture(scope="module")
def fitted(two):
    return CEBRA(**TINY).fit(two, labels=["circle"])


def copy_of(model, tmp_path):
    """Fit, adapt and partial_fit change a model: tests that do so work on a copy."""
    return iso.load(model.save(tmp_path / "copy.isofold"))


# -- which recording is which ---------------------------------------------------------------------


def test_attributes_tell_of_all_recordings(fitted):
    assert fitted.sessions_ == ("a", "b")
    assert fitted.num_sessions_ == 2
    assert fitted.n_features_ == [12, 9]
    assert fitted.channels_ == (12, 9)
    assert len(fitted.encoders_) == 2


def test_session_by_name_by_number_and_as_list(fitted, two):
    a, b = fitted.transform(two)
    assert (fitted.transform(two[1]).values == b.values).all()
    assert (fitted.transform(two[1], session_id=1).values == b.values).all()
    assert (fitted.transform(two[1].signal, session_id="b") == b.values).all()
    assert (fitted.transform(two[0].signal, session_id=np.int64(0)) == a.values).all()
    trials = two[1].signal.reshape(TRIALS, LENGTH, 9)
    assert (fitted.transform(trials, session_id=1).reshape(-1, 3) == b.values).all()


def test_a_list_of_recordings_goes_by_name_not_by_place(two):
    """Two recordings of equal channels: a swap would not be noticed by their shape."""
    alike = [two[0], recording(1, n_channels=12, name="c")]
    model = CEBRA(**QUICK).fit(alike, labels=["circle"])
    a, c = model.transform(alike)
    swapped = model.transform(alike[::-1])
    assert (swapped[0].values == c.values).all()
    assert (swapped[1].values == a.values).all()
    assert (model.transform(alike[1:])[0].values == c.values).all()
    assert np.abs(a.values - model.transform(alike[0], session_id="c").values).max() > 0.01


@pytest.mark.parametrize("session_id", [2, -1, "c", True, 1.0, "1"])
def test_unknown_sessions_are_refused_with_those_there_are(fitted, two, session_id):
    with pytest.raises(
        DataError, match=r"2 recordings of the fit: .*\['a', 'b'\], or session_id=0…1; got"
    ):
        fitted.transform(two[0], session_id=session_id)


def test_an_array_must_say_whose_it_is(fitted, two):
    with pytest.raises(DataError, match=r"session_id=0…1; got None"):
        fitted.transform(two[0].signal)
    with pytest.raises(DataError, match="session_id=0…1; got 'stranger'"):
        fitted.transform(replace(two[0], name="stranger"))
    with pytest.raises(DataError, match="has 12 features, but CEBRA is expecting 9"):
        fitted.transform(two[0], session_id="b")
    with pytest.raises(DataError, match="has 12 features, but CEBRA is expecting 9"):
        fitted.transform(two[0].signal, session_id="b")


def test_scores_find_their_recording(fitted, two):
    for rec in two:
        assert fitted.score(rec) > 0.5
        assert float(iso.scores.goodness_of_fit(fitted, rec)) == pytest.approx(fitted.score(rec))
    with pytest.raises(DataError, match="has 12 features, but CEBRA is expecting 9"):
        fitted.score(replace(two[0], name="b"))


# -- what may be fitted together ------------------------------------------------------------------


def arrays():
    rng = np.random.default_rng(0)
    return [rng.standard_normal((60, 4)), rng.standard_normal((50, 3))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 2.0}, r"must have one rate, got \{'a': 1.0, 'b': 2.0\}; bin them alike"),
        ({"name": "a"}, r"names of their own, got \['a', 'a'\]; .*name="),
        ({"name": ""}, r"names of their own, got \['a', ''\]; .*name="),
        (
            {"kinds": {}, "labels": {"circle": np.arange(320) % 3}},
            "'circle' must be of one kind and width .*dis",
        ),
        ({"kinds": {}, "labels": {"circle": np.zeros(320)}}, r"one kind and width .*\(2,\).*\(\)"),
        ({"kinds": {}, "labels": {}}, "no label or trial column 'circle'"),
    ],
)
def test_recordings_that_do_not_belong_together(two, change, message):
    with pytest.raises(DataError, match=message):
        CEBRA(**QUICK).fit([two[0], replace(two[1], **change)], labels=["circle"])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([np.zeros(60)], "each label is a list of 2 arrays"),
        (np.zeros((2, 60)), "each label is a list of 2 arrays, got ndarray"),
        ([np.zeros(60), np.zeros(49)], r"label 'y0' must have 50 samples, got shape \(49,\)"),
        ([np.zeros(60), np.zeros(50, int)], "must be of one kind and width"),
        ([np.zeros((60, 2)), np.zeros((50, 3))], "must be of one kind and width"),
    ],
)
def test_labels_of_several_arrays_are_lists_alike(y, message):
    with pytest.raises(DataError, match=message):
        CEBRA(**QUICK).fit(arrays(), y)


def test_lists_of_unequal_length_or_of_two_sorts_are_refused(fitted, two):
    with pytest.raises(DataError, match=r"trials is a list of 2 tables.*got 1"):
        CEBRA(**QUICK).fit(arrays(), trials=[None])
    with pytest.raises(TypeError, match="recordings or of arrays, not both"):
        CEBRA(**QUICK).fit([two[0], two[1].signal])
    with pytest.raises(DataError, match=r"session_id=0…1; got 2"):
        fitted.transform([two[0].signal, two[1].signal, two[1].signal])


@pytest.mark.parametrize("name", ["gpu:x", "tpu", "cuda:", 3, None, "cpu:9"])
def test_devices_that_are_not_there_are_named(name):
    with pytest.raises(DataError, match=rf"device.*{name if name != 'cpu:9' else 'kind'}"):
        CEBRA(**QUICK, device=name).fit(arrays()[0])


def test_to_another_device(fitted, tmp_path, two):
    model = copy_of(fitted, tmp_path)
    assert model.to("cpu").device == "cpu"
    assert np.allclose(model.transform(two[0]), fitted.transform(two[0]), atol=1e-5)
    with pytest.raises(DataError, match="device must be 'cpu', 'cuda'"):
        model.to("abacus")
    assert model.device == "cpu"


def test_joined_recordings_are_refused_where_one_alone_is_asked(two):
    joined = CEBRA(**QUICK | {"max_iterations": 1}, sessions="joined")
    with pytest.raises(DataError, match=r"needs two recordings or more, .*got 1 recording"):
        clone_of(joined).fit(two[0], labels=["circle"])
    with pytest.raises(DataError, match="labels, one objective and a batch_size"):
        clone_of(joined).fit(two)
    with pytest.raises(DataError, match="batch_size=None"):
        clone_of(joined, batch_size=None).fit(two, labels=["circle"])
    with pytest.raises(DataError, match=r"no held-out information; got validation=0.2"):
        clone_of(joined, validation=0.2).fit(two, labels=["circle"])
    model = joined.fit(two, labels=["circle"])
    with pytest.raises(DataError, match=r"transform\(..., with_labels=True\)"):
        model.transform(two)
    with pytest.raises(DataError, match=r"give the 2 recordings \['a', 'b'\]"):
        model.transform(two[0], with_labels=True)
    with pytest.raises(DataError, match=r"in their order, \['a', 'b'\], got \['b', 'a'\]"):
        model.transform(two[::-1], with_labels=True)
    for alone in (lambda: model.score(two[0]), lambda: model.goodness_parts(two[0]), model.stream):
        with pytest.raises(DataError, match="one encoder for all recordings together"):
            alone()
    missing = replace(two[1], kinds={}, labels={"circle": np.full((320, 2), np.nan)})
    with pytest.raises(iso.errors.MissingValuesError, match="circle"):
        model.transform([two[0], missing], with_labels=True)


def clone_of(model, **change):
    return CEBRA(**{**model.get_params(), **change})


def test_joined_embeds_the_moments_of_nearest_labels_side_by_side(two):
    """Row t of recording a: the encoder on (a at t ‖ b where its circle is nearest)."""
    model = CEBRA(**QUICK, sessions="joined").fit(two, labels=["circle"])
    z = model.transform(two, with_labels=True)[0].values
    a, b = two
    near = ((a.truth[:, None] - b.truth[None]) ** 2).sum(axis=2).argmin(axis=1)
    x = np.zeros((320, 12 + 10), np.float32)  # padded to 12 and 10 channels
    x[:, :12], x[:, 12:21] = a.signal, b.signal[near]
    np.testing.assert_allclose(np.asarray(model.encoder_(jnp.asarray(x))), z, atol=1e-5)


# -- going on, adapting ---------------------------------------------------------------------------


def test_partial_fit_of_several_goes_on(two, fitted, tmp_path):
    model = copy_of(fitted, tmp_path).set_params(max_iterations=25, learning_rate=1e-4)
    loss = model.partial_fit(two, labels=["circle"]).loss_
    assert len(loss) == len(fitted.loss_) + 25  # one record
    assert loss[-25:].mean() < fitted.loss_[:25].mean() - 0.3  # where it left off, not anew
    assert np.abs(model.transform(two)[1].values - fitted.transform(two)[1].values).max() > 1e-4
    with pytest.raises(DataError, match="12 features, but CEBRA is expecting 12, 9"):
        model.partial_fit(two[0], labels=["circle"])
    with pytest.raises(DataError, match=r"in their order: \['a', 'b'\], got \['a', 'c'\]"):
        model.partial_fit([two[0], replace(two[1], name="c")], labels=["circle"])


@pytest.mark.parametrize("sessions", ["separate", "trunk"])
def test_adapt_after_several_adds_a_session_and_keeps_the_trunk(two, fitted, sessions, tmp_path):
    model = fitted
    if sessions == "trunk":
        model = CEBRA(**TINY, sessions="trunk").fit(two, labels=["circle"])
    before = [z.values for z in model.transform(two)]
    third = recording(7, n_channels=10, name="third")
    model = copy_of(model, tmp_path).set_params(max_adapt_iterations=200)
    trunk = model.encoders_[0]
    model.fit(third, labels=["circle"], adapt=True)
    assert model.sessions_ == ("a", "b", "third")
    assert model.n_features_ == [12, 9, 10]
    n = trunk.input_layers
    for a, b in zip(trunk.layers[n:], model.encoders_[2].layers[n:], strict=True):
        assert eqx.tree_equal(a, b)
    again = iso.load(model.save(tmp_path / "three.isofold"))
    for some in (model, again):
        z = some.transform([*two, third])
        for old, new in zip(before, z, strict=False):
            assert (old == new.values).all()
        early, late = halves()
        assert decoded(z[2][early], third.truth[early], z[2][late], third.truth[late]) > 0.7
    assert model.score(third) > 0.3
    assert len(model.loss_) == 200


def test_adapt_names_what_has_no_name_and_takes_one_recording(two, fitted, tmp_path):
    model = copy_of(fitted, tmp_path).set_params(max_adapt_iterations=1)
    model.fit(recording(3, 10).signal, recording(3, 10).truth, adapt=True)
    assert model.sessions_ == ("a", "b", "2")
    assert model.transform(recording(3, 10).signal, session_id=2).shape == (320, 3)
    with pytest.raises(DataError, match="adapt=True takes one new recording, got 2"):
        model.fit(two, labels=["circle"], adapt=True)
    with pytest.raises(DataError, match="needs a fitted model"):
        CEBRA(**QUICK).fit(two[0], adapt=True)


def test_adapt_of_one_takes_its_place(two):
    model = CEBRA(**QUICK, max_adapt_iterations=1).fit(two[0], labels=["circle"])
    model.fit(two[1], labels=["circle"], adapt=True)
    assert model.sessions_ == ("b",)
    assert model.transform(two[1].signal).shape == (320, 3)


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"hybrid": True, "hybrid_dimensions": 2},
        {"sessions": "joined"},
        {"sessions": "trunk", "model_architecture": "offset5-model", "causal": True},
    ],
    ids=str,
)
def test_save_and_load_of_several(two, settings, tmp_path):
    model = CEBRA(**{**QUICK, "max_iterations": 2, **settings}).fit(two, labels=["circle"])
    again = iso.load(model.save(tmp_path / "model.isofold"))
    options = {"with_labels": True} if settings.get("sessions") == "joined" else {}
    for a, b in zip(model.transform(two, **options), again.transform(two, **options), strict=True):
        assert (a.values == b.values).all()
    assert (again.sessions_, again.channels_) == (model.sessions_, model.channels_)
    assert again.get_params() == model.get_params()
    assert again.settings_ == model.settings_
    assert again.offset_ == model.offset_
    assert (again.losses_ == model.losses_).all()


# -- a user's own encoder -------------------------------------------------------------------------


class Own(eqx.Module):
    """Two convolutions, unit length; five samples, the newest two to the right."""

    first: eqx.nn.Conv1d
    second: eqx.nn.Conv1d
    offset: tuple[int, int] = eqx.field(static=True)

    def __call__(self, rows):
        z = self.second(jax.nn.gelu(self.first(rows.T))).T
        return z / jnp.sqrt((z**2).sum(axis=1, keepdims=True) + 1e-6)


def factory(n_channels, num_hidden_units, output_dimension, seed, offset=(2, 3)):
    keys = jax.random.split(jax.random.key(seed))
    first = eqx.nn.Conv1d(n_channels, num_hidden_units, 3, key=keys[0])
    second = eqx.nn.Conv1d(num_hidden_units, output_dimension, 3, key=keys[1])
    return Own(first, second, offset)


def wrong(*settings):
    return factory(*settings, offset=(4, 4))


def test_an_own_encoder_fits_embeds_saves_and_loads(two, tmp_path):
    one = two[0]
    model = CEBRA(**TINY | {"model_architecture": factory}).fit(one, labels=["circle"])
    assert model.offset_ == (2, 3)
    z = model.transform(one).values
    early, late = halves()
    assert decoded(z[early], one.truth[early], z[late], one.truth[late]) > 0.7
    path = model.save(tmp_path / "own.isofold")
    again = iso.load(path, encoder=factory)
    assert (again.transform(one).values == z).all()
    assert again.score(one) == model.score(one)
    with pytest.raises(iso.errors.IsofoldError, match="encoder="):
        iso.load(path)
    with pytest.raises(DataError, match="does not fit"):
        iso.load(path, encoder=lambda n, hidden, out, seed: factory(n, hidden + 1, out, seed))
    with pytest.raises(DataError, match="replaces the first of `layers`; this encoder has no"):
        model.fit(recording(5, 8, "c"), labels=["circle"], adapt=True)


def test_an_own_encoder_that_misstates_its_window_is_refused(two):
    with pytest.raises(DataError, match=r"states offset \(4, 4\).*offset \(2, 3\), fit"):
        CEBRA(**QUICK | {"model_architecture": wrong}).fit(two[0])
