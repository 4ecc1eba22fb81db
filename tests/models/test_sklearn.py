"""scikit-learn's own checks, and the tools of scikit-learn that users combine with."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import isofold as iso

QUICK = {"max_iterations": 3, "batch_size": 32, "num_negatives": 32, "time_offsets": 1}
WINDOW = "a row depends on its neighbours in time: that is what a window model is for"


def expected_failures(estimator):
    one_sample = getattr(estimator, "model_architecture", "offset1-model") == "offset1-model"
    if one_sample or getattr(estimator, "encoder", "conv") == "mlp":
        return {}
    names = ("check_methods_subset_invariance", "check_methods_sample_order_invariance")
    return dict.fromkeys(names, WINDOW)


@parametrize_with_checks(
    [
        iso.PCA(output_dimension=1),
        iso.CEBRA("offset1-model", output_dimension=2, **QUICK),
        iso.CEBRA("offset10-model", output_dimension=2, **QUICK),
        iso.TCL(output_dimension=1, max_iterations=3, batch_size=32),
        iso.PCL(output_dimension=2, max_iterations=3, batch_size=32),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)


def test_pipeline_and_grid_search_with_held_out_score():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.standard_normal((200, 4)), axis=0)
    pipeline = make_pipeline(StandardScaler(), iso.CEBRA("offset1-model", random_state=0, **QUICK))
    search = GridSearchCV(pipeline, {"cebra__output_dimension": [2, 3]}, cv=KFold(2))
    search.fit(x)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_clone_keeps_settings():
    model = iso.CEBRA(output_dimension=5, channel_dropout=0.1)
    assert clone(model).get_params() == model.get_params()
