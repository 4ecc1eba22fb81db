"""`from isofold import CEBRA` in place of `from cebra import CEBRA`, and its score helpers."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from isofold import CEBRA
from isofold.errors import DataError, SessionError, UnsupportedError
from isofold.scores import (
    consistency_score,
    goodness_of_fit_history,
    goodness_of_fit_score,
    infonce_loss,
    infonce_to_goodness_of_fit,
)

QUICK = {"max_iterations": 4, "batch_size": 32, "output_dimension": 3, "random_state": 0}
SHORT = {"model_architecture": "offset1-model", "time_offsets": 2, **QUICK}


def data(n=200, channels=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, channels)).astype(np.float32)
    return x, rng.standard_normal((n, 2)), rng.integers(0, 3, n)


X, C, K = data()
X2, C2, K2 = data(150, 4, seed=1)


@pytest.fixture(scope="module")
def single():
    return CEBRA(**SHORT).fit(X, C)


@pytest.fixture(scope="module")
def several():
    return CEBRA(**SHORT).fit([X, X2], [C, C2])


# -- every combination of labels and recordings ---------------------------------------------------

LABELS = {"none": ((), ()), "continuous": ((C,), (C2,)), "discrete": ((K,), (K2,)),
          "mixed": ((C, K), (C2, K2))}  # fmt: skip


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("mode", ["mini-batch", "full batch", "hybrid"])
@pytest.mark.parametrize("recordings", ["single", "several"])
def test_every_mode_trains(kind, mode, recordings):
    settings = SHORT | {"max_iterations": 2}
    settings |= {"full batch": {"batch_size": None}, "hybrid": {"hybrid": True}}.get(mode, {})
    mine, theirs = LABELS[kind]
    if recordings == "several":
        given = [X, X2], *[list(pair) for pair in zip(mine, theirs, strict=True)]
    else:
        given = X, *mine
    model = CEBRA(**settings)
    if mode == "hybrid" and kind == "none":
        with pytest.raises(ValueError, match="needs labels"):
            model.fit(*given)
        return
    model.fit(*given)
    assert model.transform(X, session_id=0).shape == (200, 3)
    assert np.isfinite(model.loss_).all()
    assert model.num_sessions == (2 if recordings == "several" else None)


def test_time_delta_without_labels_trains_by_time_and_says_so():
    with pytest.warns(UserWarning, match="without labels trains by time"):
        model = CEBRA(conditional="time_delta", **SHORT).fit(X)
    assert model.settings_["conditional"] == "time"


def test_settings_in_the_forms_of_the_package_are_taken():
    model = CEBRA(**SHORT | {"time_offsets": (2,)}, temperature_mode="auto", min_temperature=None)
    assert model.fit(X).settings_["time_offsets"] == 2
    with pytest.raises(DataError, match="time_offsets must be a whole number"):
        CEBRA(**SHORT | {"time_offsets": (2, 3)}).fit(X)


def test_ten_samples_are_enough_for_a_default_fit():
    assert CEBRA("offset1-model", max_iterations=2).fit(X[:10]).transform(X[:10]).shape == (10, 8)


def test_strings_and_negative_numbers_are_classes():
    for classes in (np.array(["left", "right", "still"])[K], K - 5):
        assert CEBRA(**SHORT).fit(X, classes).settings_["conditional"] == "discrete"
    with pytest.raises(DataError, match="lacks 72 samples"):
        CEBRA(**SHORT).fit(X, K - 1)


def test_fit_transform_of_several_gives_a_list():
    first, second = CEBRA(**SHORT).fit_transform([X, X2], [C, C2])
    assert (first.shape, second.shape) == ((200, 3), (150, 3))


# -- attributes -----------------------------------------------------------------------------------


def test_attributes_of_a_single_and_of_several(single, several):
    assert (single.n_features_, single.n_features_in_, single.num_sessions_) == (6, 6, None)
    assert (several.n_features_, several.num_sessions_) == ([6, 4], 2)
    assert single.get_params()["batch_size"] == 32


def test_state_dict_has_weights_and_every_loss(single, several):
    state = single.state_dict_
    assert {"model", "optimizer", "loss", "log", "decode", "criterion", "version"} <= set(state)
    assert (state["loss"] == single.loss_).all()
    assert {len(values) for values in state["log"].values()} == {4}
    first, *_, last = state["model"].values()
    assert first.shape == (32, 6, 1)
    assert last.shape == (3,)
    assert [v.shape[1] for v in several.state_dict_["model"].values() if v.ndim == 3][::4] == [6, 4]
    with pytest.raises(NotFittedError):
        _ = CEBRA().state_dict_


def test_weights_of_a_subsampling_model_have_no_padding():
    model = CEBRA("offset20-model-4x-subsample", **QUICK).fit(X)
    shapes = [v.shape for v in model.state_dict_["model"].values() if v.ndim == 3]
    assert shapes[:2] == [(32, 6, 4), (32, 38, 3)]
    assert model.transform(X).shape == (50, 3)


def test_partial_fits_share_one_record_and_fit_begins_a_new_one():
    model = CEBRA(**SHORT).partial_fit(X, C)
    assert len(model.state_dict_["loss"]) == 4
    assert len(model.partial_fit(X, C).state_dict_["loss"]) == 8
    assert len(model.temperatures_) == 8
    assert len(model.fit(X, C).state_dict_["loss"]) == 4


def test_supported_architectures_give_a_row_a_sample():
    names = CEBRA.supported_model_architectures()
    assert len(names) == 139
    assert CEBRA.supported_model_architectures("offset36-*") == [
        "offset36-model", "offset36-model-dropout", "offset36-model-more-dropout"
    ]  # fmt: skip
    assert not [name for name in names if "subsample" in name]


def test_callback_gets_step_and_model_and_a_frequency_needs_one():
    seen = []
    CEBRA(**SHORT).fit(X, callback=lambda step, model: seen.append(step), callback_frequency=2)
    assert seen == [2, 4]
    with pytest.raises(ValueError, match=r"callback_frequency .* give callback too"):
        CEBRA(**SHORT).fit(X, callback_frequency=2)


def test_to_changes_the_device_and_refuses_unknown_ones(single):
    assert single.to("cpu") is single
    assert single.device == "cpu"
    with pytest.raises(ValueError, match="device must be"):
        single.to("abacus")


# -- transform ------------------------------------------------------------------------------------


def test_transform_is_the_same_in_batches(single):
    assert (single.transform(X, batch_size=50) == single.transform(X)).all()
    for size in (0, -10):
        with pytest.raises(ValueError, match="batch_size must be at least 1"):
            single.transform(X, batch_size=size)


def test_numbers_of_any_type_are_taken(single):
    z = single.transform((X * 10).astype(np.int8))
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, single.transform((X * 10).astype(np.int8).astype(float)))


def test_session_ids(single, several):
    assert (single.transform(X, session_id=0) == single.transform(X)).all()
    assert several.transform(X2, session_id=1).shape == (150, 3)
    for number in (2, -1):
        with pytest.raises(RuntimeError, match="Invalid session_id"):
            several.transform(X, session_id=number)
    with pytest.raises(RuntimeError, match="Invalid session_id"):
        single.transform(X, session_id=2)
    with pytest.raises(SessionError, match="No session_id provided"):
        several.transform(X)
    with pytest.raises(ValueError, match=r"shape \(150, 4\)"):
        several.transform(X2, session_id=0)


def test_unpadded_rows_are_left_out():
    model = CEBRA("offset10-model", **QUICK, pad_before_transform=False).fit(X)
    assert model.transform(X).shape == (191, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((X, [C, C2]), "Invalid number of sessions for labels"),
        ((X, [K, K2]), "Invalid number of sessions for labels"),
        ((X, C2), "Invalid number of samples"),
        (([X, X2], C), "Invalid number of sessions"),
        (([X, X2], [C, C, C]), "Invalid number of sessions"),
        (([X, X2], [C2, C2]), "Invalid number of samples"),
    ],
)
def test_labels_that_do_not_fit_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        CEBRA(**SHORT).fit(*given)


def test_adapt_takes_one_recording_also_after_several(several):
    model = CEBRA(**SHORT, max_adapt_iterations=2).fit([X, X2], [C, C2])
    new, labels, _ = data(120, 9, seed=3)
    model.fit(new, labels, adapt=True)
    assert model.num_sessions == 3
    assert model.transform(new, session_id=2).shape == (120, 3)
    with pytest.raises(NotImplementedError, match="takes one new recording, got 2"):
        model.fit([X, X2], [C, C2], adapt=True)


# -- files ----------------------------------------------------------------------------------------


def test_files_take_the_arguments_of_the_package_and_keep_everything(several, tmp_path):
    path = several.save(str(tmp_path / "model.pt"), backend="torch")
    loaded = CEBRA.load(path, "auto", weights_only=False)
    assert (loaded.transform(X, session_id=0) == several.transform(X, session_id=0)).all()
    assert loaded.get_params() == several.get_params()
    assert loaded.state_dict_.keys() == several.state_dict_.keys()
    for name, values in several.state_dict_["model"].items():
        assert (loaded.state_dict_["model"][name] == values).all()
    assert infonce_loss(loaded, X, C, session_id=0) == infonce_loss(several, X, C, session_id=0)
    with pytest.raises(ValueError, match="not fitted"):
        CEBRA().save(tmp_path / "none")


# -- score helpers --------------------------------------------------------------------------------


def test_infonce_loss_is_the_loss_of_the_same_pairs_written_out(single):
    """Full batch by time: every pair is known, so the loss is a formula."""
    model = CEBRA(**SHORT | {"batch_size": None, "temperature": 0.5}).fit(X)
    z = model.transform(X).astype(float)
    reference, positive = z[:-2], z[2:]
    by_hand = np.mean(
        -np.sum(reference * positive, axis=1) / 0.5
        + np.log(np.exp(reference @ reference.T / 0.5).sum(axis=1))
    )
    assert infonce_loss(model, X) == pytest.approx(by_hand, rel=1e-5)
    assert goodness_of_fit_score(model, X) == pytest.approx(
        (np.log(len(reference)) - by_hand) / np.log(2), rel=1e-4, abs=1e-6
    )
    with pytest.raises(ValueError, match="Batch size is None"):
        infonce_loss(model, X, correct_by_batchsize=True)


def test_infonce_loss_corrects_by_negatives_and_repeats(single):
    loss = infonce_loss(single, X, C, num_batches=20)
    assert type(loss) is float
    assert infonce_loss(single, X, C, num_batches=20) == loss
    corrected = infonce_loss(single, X, C, num_batches=20, correct_by_batchsize=True)
    assert corrected == pytest.approx(loss - np.log(32))
    bits = goodness_of_fit_score(single, X, C, num_batches=20)
    assert bits == pytest.approx(infonce_to_goodness_of_fit(loss, single))


def test_the_score_of_one_of_several_counts_its_own_negatives(several):
    """The `cebra` package adds log2 of the number of recordings to a loss of one of them."""
    loss = infonce_loss(several, X, C, session_id=0, num_batches=50)
    bits = goodness_of_fit_score(several, X, C, session_id=0, num_batches=50)
    assert bits == pytest.approx((np.log(32) - loss) / np.log(2))


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ((X, C), {"session_id": 2}, RuntimeError, "Invalid session_id"),
        ((X,), {}, ValueError, "Number of index invalid"),
        ((X, C, K), {}, ValueError, "Number of index invalid"),
        ((X, K), {}, ValueError, "Labels invalid"),
        ((X, C[:, :1]), {}, ValueError, "Labels invalid"),
        ((X2, C2), {}, ValueError, "shape"),
        (([X, X2], C), {}, NotImplementedError, "Data invalid"),
        ((X, [C, C2]), {}, UnsupportedError, "Labels invalid"),
    ],
)
def test_infonce_loss_refuses(single, given, options, error, message):
    with pytest.raises(error, match=message):
        infonce_loss(single, *given, **options)


def test_infonce_loss_of_what_is_not_contrastive():
    with pytest.raises(TypeError, match="not contrastive"):
        infonce_loss(LinearRegression(), X)
    with pytest.raises(NotFittedError):
        infonce_loss(CEBRA(), X)


def test_history_is_in_bits_of_all_negatives(single, several):
    history = goodness_of_fit_history(single)
    np.testing.assert_allclose(history, (np.log(32) - single.loss_) / np.log(2))
    both = goodness_of_fit_history(several)
    np.testing.assert_allclose(both, (np.log(64) - several.loss_) / np.log(2))
    with pytest.raises(RuntimeError, match="Fit the CEBRA model first"):
        goodness_of_fit_history(CEBRA())
    with pytest.raises(ValueError, match="Computing the goodness of fit"):
        goodness_of_fit_history(CEBRA(**SHORT | {"batch_size": None}).fit(X))
    with pytest.raises(ValueError, match="should not be provided"):
        infonce_to_goodness_of_fit(1.0, single, batch_size=3)
    with pytest.raises(ValueError, match="or a model, are needed"):
        infonce_to_goodness_of_fit(1.0, batch_size=3)


def test_consistency_between_runs_is_least_squares_in_sample():
    rng = np.random.default_rng(0)
    zs = [rng.standard_normal((300, d)) for d in (2, 3, 3)]
    zs[1][:, 0] += zs[0][:, 0]
    scores, pairs, ids = consistency_score(zs, between="runs")
    assert ids.tolist() == [0, 1, 2]
    assert pairs.tolist() == [[a, b] for a in range(3) for b in range(3) if a != b]
    by_hand = [LinearRegression().fit(zs[a], zs[b]).score(zs[a], zs[b]) for a, b in pairs]
    np.testing.assert_allclose(scores, by_hand)


def test_consistency_between_data_sets_averages_their_runs():
    rng = np.random.default_rng(0)
    labels = [rng.uniform(0, 1, n) for n in (3000, 2500, 2000)]
    zs = [np.column_stack([np.cos(4 * y), np.sin(4 * y), y]) for y in labels]
    zs = [z + 0.1 * rng.standard_normal(z.shape) for z in zs]
    scores, pairs, ids = consistency_score(zs, "datasets", labels, ["a", "a", "b"])
    assert pairs.tolist() == [["a", "b"], ["b", "a"]]
    assert ids.tolist() == ["a", "a", "b"]
    each, named, _ = consistency_score(zs, "datasets", labels)
    to_b = [s for s, (a, b) in zip(each, named, strict=True) if b == 2]
    assert scores[0] == pytest.approx(np.mean(to_b))
    coarse, _, _ = consistency_score(zs, "datasets", labels, num_discretization_bins=20)
    assert not np.allclose(coarse, each)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Missing between"),
        ({"between": "datasets"}, "Missing labels"),
        ({"between": "datasets", "labels": [K]}, "Invalid set of labels"),
        ({"between": "datasets", "labels": [C, C]}, "Invalid labels"),
        ({"between": "datasets", "labels": [["a"] * 200] * 2}, "Invalid labels dtype"),
        ({"between": "datasets", "labels": [K, K], "dataset_ids": [1, 1]}, "Invalid dataset_ids"),
        ({"between": "runs", "labels": [K, K]}, "No labels"),
        ({"between": "runs", "dataset_ids": [1, 2]}, "No dataset ID"),
    ],
)
def test_consistency_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        consistency_score([C, C], **options)


def test_consistency_refuses_other_lengths_and_single_ones():
    with pytest.raises(ValueError, match="Invalid embeddings"):
        consistency_score([C, C2], between="runs")
    with pytest.raises(ValueError, match="Invalid list of embeddings"):
        consistency_score([C], between="runs")


# -- what the package's torch interface adds ------------------------------------------------------


def fitted(*given, **settings):
    model = CEBRA(**SHORT | settings).fit(*given)
    assert np.isfinite(model.losses_).all()
    return model


@pytest.mark.parametrize(
    "masks",
    [
        (("RandomNeuronMask", 0.3), ("RandomTimestepMask", [0.1, 0.5])),
        {"NeuronBlockMask": (0.1, 0.5, 0.2)},
        (("TimeBlockMask", (0.2, 3)),),
    ],
)
def test_masks_change_what_is_learned(masks):
    long = {"model_architecture": "offset10-model", "time_offsets": 10, "channel_dropout": 0.0}
    bare = fitted(X, **long)
    assert not (fitted(X, masking_kwargs=masks, **long).loss_ == bare.loss_).all()


def test_objectives_have_slices_weights_and_schedules_of_their_own():
    model = fitted(
        X, C, output_dimension=5, jacobian={"schedule": "linear", "start_weight": 0.0,
        "end_weight": 1.0, "start_step": 0, "end_step": 4},
        objectives=[
            {"conditional": "time_delta", "dimensions": (0, 3)},
            {"conditional": "time", "dimensions": (0, 5), "weight": 0.5},
            {"conditional": "delta_normal", "delta": 0.2, "dimensions": (3, 5)},
        ],
    )  # fmt: skip
    assert model.losses_.shape == (4, 4)
    assert (model.losses_[:, 3] > 0).all()
    weighted = model.losses_ @ [1, 0.5, 1, 0]
    penalty = model.losses_[:, 3] * np.linspace(0, 1, 5)[:4]
    np.testing.assert_allclose(model.loss_, weighted + penalty, rtol=1e-5)


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        ([(0, 2), (3, 5)], "nothing trains"),
        ([(0, 5), (0, 5)], "each of its own"),
        ([(0, 9)], "in 0…5"),
    ],
)
def test_slices_that_leave_gaps_or_repeat_are_refused(slices, message):
    with pytest.raises(DataError, match=message):
        fitted(X, output_dimension=5, objectives=[{"dimensions": s} for s in slices])


def test_hybrid_dimensions_and_weights_are_settings():
    model = fitted(X, C, hybrid=True, hybrid_dimensions=2, hybrid_weights=(1.0, 0.0))
    assert model.settings_["objectives"][0]["dimensions"] == [0, 2]
    np.testing.assert_allclose(model.loss_, model.losses_[:, 0])


def test_recordings_joined_as_channels_need_labels_to_embed():
    recordings = [X[:150], X2]
    model = CEBRA(**SHORT, sessions="joined").fit(recordings, [C[:150], C2])
    with pytest.raises(DataError, match="with_labels=True"):
        model.transform(recordings)
    with pytest.raises(UnsupportedError, match="no loss of one"):
        infonce_loss(model, X2, C2, session_id=1)


def test_a_shared_trunk_is_shared():
    model = CEBRA(**SHORT, sessions="trunk").fit([X, X2], [C, C2])
    one, two = model.encoders_
    assert (np.asarray(one.layers[2].weight) == np.asarray(two.layers[2].weight)).all()
    assert one.layers[0].weight.shape != two.layers[0].weight.shape or not np.array_equal(
        one.layers[0].weight, two.layers[0].weight
    )
