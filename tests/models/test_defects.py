"""What is broken in cebra 0.6.1 is right here: a test for each confirmed defect.

Those that other files hold (tests/test_feature_table.py checks that they are there):

| defect | test |
|---|---|
| seeds do nothing | `tests/models/test_contract.py::test_same_seed_same_bits_other_seed_other_model` |
| nearest labels by float32 squares | `tests/sampling/test_rules.py::test_labels_queried_with_themselves_find_themselves` |
| class balance wrong for gapped labels | `tests/sampling/test_rules.py::test_a_uniform_prior_draws_every_class_alike_and_every_sample_of_it` |
| bool labels dropped | `tests/models/test_cebra.py::test_booleans_are_classes_and_change_the_fit` |
| partial_fit keeps the first data | `tests/models/test_cebra.py::test_partial_fit_goes_on_with_the_data_given_now` |
| fit after partial_fit keeps the old data | `tests/models/test_cebra.py::test_fit_after_fit_starts_anew_with_other_channels` |
| edge samples differ in training and transform | `tests/models/test_cebra.py::test_edge_rows_are_marked_and_equal_in_fit_and_transform` |
| normalisation without epsilon | `tests/networks/test_encoders.py::test_a_row_of_zeros_has_a_finite_gradient` |
| learned temperature dead at its floor | `tests/test_training.py::test_learned_temperature_stops_at_its_floor_and_leaves_it_again` |
| "N layers" are one layer | `tests/networks/test_encoders.py::test_n_layers_are_n_layers` |
| wrong offset of a custom model unnoticed | `tests/networks/test_own.py::test_what_is_wrong_is_told` |
| score of a class decoder is R² | `tests/scores/test_decode.py::test_classifiers_are_those_of_scikit_learn` |
| ridge decoder does not exist | `tests/scores/test_decode.py::test_ridge_is_that_of_scikit_learn` |
| no working command line | `tests/cli/test_cli.py::test_run_report_and_again` |
| goodness of fit of one of several is too high | `tests/models/test_dropin.py::test_the_score_of_one_of_several_counts_its_own_negatives` |
"""  # noqa: E501

import pickle

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold

import isofold as iso
from isofold import CEBRA
from isofold.errors import DataError, ReadError
from isofold.networks import ARCHITECTURES
from isofold.scores import goodness_of_fit_history, infonce_loss

QUICK = {"max_iterations": 3, "batch_size": 32, "output_dimension": 3, "time_offsets": 2}
ONE = {"model_architecture": "offset1-model", "random_state": 0, **QUICK}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((150, 5)).cumsum(axis=0)
    return x, rng.standard_normal((150, 2)), rng.integers(1, 4, 150)


# -- seeds: there every rule but the discrete one ignores them ------------------------------------


@pytest.mark.parametrize("rule", ["time", "time_delta", "delta_normal", "discrete", "mixed"])
def test_one_seed_gives_one_loss_whatever_numpy_s_global_seed_is(rule, data):
    x, continuous, classes = data
    y = {"time": (), "discrete": (classes,), "mixed": (continuous, classes)}.get(
        rule, (continuous,)
    )
    conditional = rule if rule in ("time", "time_delta", "delta_normal") else None
    losses = []
    for number in (0, 1):
        np.random.seed(number)  # noqa: NPY002  the point of the test
        losses.append(CEBRA(conditional=conditional, delta=0.5, **ONE).fit(x, *y).loss_)
    assert (losses[0] == losses[1]).all()
    other = CEBRA(conditional=conditional, delta=0.5, **ONE | {"random_state": 1}).fit(x, *y)
    assert not (other.loss_ == losses[0]).all()


# -- settings that are dropped or crash there -----------------------------------------------------


def test_conditional_is_obeyed_with_several_recordings(data):
    x, continuous, _ = data
    model = CEBRA(conditional="delta_normal", delta=0.2, **ONE)
    model.fit([x, x[:, :3]], [continuous, continuous])
    (objective,) = model.settings_["objectives"]
    assert (objective["conditional"], objective["delta"]) == ("delta_normal", 0.2)
    wide = CEBRA(conditional="delta_normal", delta=50.0, **ONE)
    wide.fit([x, x[:, :3]], [continuous, continuous])
    assert not (wide.loss_ == model.loss_).all()


def test_conditional_is_obeyed_with_mixed_labels(data):
    x, *labels = data
    losses = [
        CEBRA(conditional=rule, delta=0.2, **ONE).fit(x, *labels).loss_
        for rule in ("delta_normal", "time_delta")
    ]
    assert not (losses[0] == losses[1]).all()


def test_a_missing_delta_is_an_error_with_words(data):
    with pytest.raises(DataError, match="needs delta > 0, the standard deviation"):
        CEBRA(conditional="delta_normal", **ONE).fit(*data[:2])


def test_hybrid_with_the_old_name_of_the_gaussian_rule(data):
    model = CEBRA(conditional="delta", delta=0.3, hybrid=True, **ONE).fit(*data[:2])
    rules = [one["conditional"] for one in model.settings_["objectives"]]
    assert rules == ["delta_normal", "time"]


# -- scores ---------------------------------------------------------------------------------------


def test_full_batch_loss_depends_on_the_data_and_survives_a_file(data, tmp_path):
    x = data[0]
    model = CEBRA(**ONE | {"batch_size": None, "max_iterations": 30}).fit(x)
    noise = np.random.default_rng(1).standard_normal(x.shape)
    own, foreign = infonce_loss(model, x), infonce_loss(model, noise)
    assert own < foreign - 0.1
    loaded = CEBRA.load(model.save(tmp_path / "model"))
    assert infonce_loss(loaded, x) == own


def test_hybrid_has_a_log_and_a_loss_score(data):
    model = CEBRA(hybrid=True, **ONE).fit(*data[:2])
    assert model.losses_.shape == (3, 3)
    assert len(model.state_dict_["log"]["total"]) == 3
    assert np.isfinite(infonce_loss(model, *data[:2], num_batches=5))
    assert goodness_of_fit_history(model).shape == (3,)


def test_decoders_of_classes_are_scored_as_classes():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, 400)
    z = classes[:, None] * 4 + rng.standard_normal((400, 2))
    score = iso.scores.decode(z[:200], classes[:200], z[200:], classes[200:], n_chance=0)
    assert "R²" not in score.unit
    assert score.value > 0.9


# -- files ----------------------------------------------------------------------------------------


class Payload:
    """Unpickled, it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("weights_only", [None, True, False])
@pytest.mark.parametrize("backend", ["auto", "torch", "sklearn"])
def test_loading_executes_nothing(weights_only, backend, tmp_path):
    file, trace = tmp_path / "model.pt", tmp_path / "executed"
    file.write_bytes(pickle.dumps(Payload(trace)))
    with pytest.raises(ReadError, match="not a model saved by isofold"):
        CEBRA.load(file, backend, weights_only)
    assert not trace.exists()
    pickle.loads(file.read_bytes())
    assert trace.exists()  # the payload works: the test can fail


# -- models ---------------------------------------------------------------------------------------


def test_the_tanh_model_does_not_shadow_the_one_without():
    plain, squashed = (ARCHITECTURES[f"offset10-model-mse{end}"].layers for end in ("", "-tanh"))
    assert squashed == (*plain, "tanh")


@pytest.mark.parametrize("several", [False, True])
def test_device_is_looked_at_in_every_fit(several, data):
    x, y, _ = data
    given = ([x, x], [y, y]) if several else (x, y)
    with pytest.raises(DataError, match="device must be"):
        CEBRA(device="abacus", **ONE).fit(*given)


# -- grid search: there names cannot be swept and losses of unlike τ are compared -----------------


def test_architectures_can_be_swept_and_are_scored_held_out(data):
    grid = {"model_architecture": ["offset1-model", "offset5-model"]}
    search = GridSearchCV(CEBRA(**ONE), grid, cv=KFold(2)).fit(data[0])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_bits_of_a_collapsed_embedding_are_zero_at_every_temperature(data):
    """Losses differ by log(batch) and τ; ours are told from chance, which is 0 for all."""
    x = np.zeros_like(data[0])
    found = {tau: CEBRA(temperature=tau, **ONE).fit(x).score(x) for tau in (0.1, 1.0, 3.0)}
    np.testing.assert_allclose(list(found.values()), 0, atol=1e-5)
