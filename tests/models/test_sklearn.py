"""scikit-learn's own checks, and the tools of scikit-learn that users combine with."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import isofold as iso
from isofold.models._variational import Variational

QUICK = {"max_iterations": 3, "batch_size": 32, "num_negatives": 32, "time_offsets": 1}
EVIDENCE = {"output_dimension": 1, "decoder_hidden": 4, "max_iterations": 2, "batch_size": 32}
WINDOW = "a row depends on its neighbours in time: that is what a window model is for"


def expected_failures(estimator):
    one_sample = getattr(estimator, "model_architecture", "offset1-model") == "offset1-model"
    if isinstance(estimator, iso.GPFA):
        one_sample = False
    if one_sample or getattr(estimator, "encoder", "conv") == "mlp":
        return {}
    names = ("check_methods_subset_invariance", "check_methods_sample_order_invariance")
    return dict.fromkeys(names, WINDOW)


@pytest.mark.filterwarnings("ignore:the graph of")
@parametrize_with_checks(
    [
        iso.PCA(output_dimension=1),
        iso.MIND(output_dimension=1, n_trees=3, min_leaf=2, random_state=0),
        iso.CEBRA("offset1-model", output_dimension=2, **QUICK),
        iso.CEBRA("offset10-model", output_dimension=2, **QUICK),
        iso.CIiVAE(decoder="mlp", **EVIDENCE),
        iso.TCL(output_dimension=1, max_iterations=3, batch_size=32),
        iso.FactorAnalysis(output_dimension=1),
        iso.Isomap(output_dimension=1, n_neighbors=5),
        iso.DiffusionMap(output_dimension=1, n_neighbors=5),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        iso.VAE(**EVIDENCE),
        iso.VAE(encoder="conv", **EVIDENCE),
        iso.IVAE(**EVIDENCE),
        iso.PCL(output_dimension=2, max_iterations=3, batch_size=32),
        iso.UMAP(output_dimension=1, n_neighbors=3, n_epochs=10),
        iso.TSNE(output_dimension=1, perplexity=2, n_iter=10, early_exaggeration_iter=5),
        iso.GPFA(output_dimension=1, em_max_iters=2),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks_of_the_rest_of_their_families(estimator, check):
    check(estimator)


def test_pipeline_and_grid_search_with_held_out_score():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.standard_normal((200, 4)), axis=0)
    pipeline = make_pipeline(StandardScaler(), iso.CEBRA("offset1-model", random_state=0, **QUICK))
    search = GridSearchCV(pipeline, {"cebra__output_dimension": [2, 3]}, cv=KFold(2))
    search.fit(x)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_tags_tell_of_labels_and_counts():
    """Checks feed scikit-learn's models with values: Poisson models say that they take counts."""
    tags = {
        name: (found.target_tags.required, found.input_tags.positive_only)
        for name, method in iso.METHODS.items()
        if isinstance(method(), Variational)
        for found in [get_tags(method())]
    }
    assert tags == {
        "vae": (False, False),
        "ivae": (True, False),
        "pivae": (True, True),
        "conv-pivae": (True, True),
        "ciivae": (True, False),
        "conv-ciivae": (True, False),
        "conv-poisson-ciivae": (True, True),
    }
    assert not get_tags(iso.PiVAE(prior="time")).target_tags.required
    assert not get_tags(iso.PiVAE(observation="gaussian")).input_tags.positive_only


def test_grid_search_over_numpy_integers_with_labels():
    rng = np.random.default_rng(0)
    u = rng.uniform(0, 1, 80)
    x = rng.poisson(np.exp(np.outer(np.sin(6 * u), rng.standard_normal(5)))).astype(float)
    model = iso.PiVAE(decoder="mlp", max_iterations=10, random_state=0)
    search = GridSearchCV(model, {"output_dimension": np.arange(1, 3)}, cv=KFold(2))
    search.fit(x, u)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_clone_keeps_settings():
    model = iso.CEBRA(output_dimension=5, channel_dropout=0.1)
    assert clone(model).get_params() == model.get_params()
