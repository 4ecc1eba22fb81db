"""A model at a glance."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import isofold as iso


def model(latents=3, *, temperature=True):
    """As a fitted one: what `overview` uses of it."""
    fitted = {"transform": lambda X: np.asarray(X)[:, :latents], "loss_": [3.0, 2.0, 1.5]}
    if temperature:
        fitted["state_dict_"] = {"log": {"temperature": [1.0, 0.9, 0.8]}}
    return SimpleNamespace(**fitted)


X = np.random.default_rng(0).normal(size=(20, 5))


def test_loss_temperature_and_embedding():
    loss, temperature, points = iso.plot.overview(model(), X).data
    assert list(loss.y) == [3.0, 2.0, 1.5]
    assert list(temperature.y) == [1.0, 0.9, 0.8]
    np.testing.assert_array_equal(points.z, X[:, 2])


@pytest.mark.parametrize("latents", [1, 2, 3, 5])
@pytest.mark.parametrize("temperature", [True, False])
def test_axes_have_their_own_names(latents, temperature):
    made = iso.plot.overview(model(latents, temperature=temperature), X, backend="matplotlib")
    made.canvas.draw()
    names = [(a.get_xlabel(), a.get_ylabel()) for a in made.axes]
    wanted = [("sample", "latent 1"), ("latent 1", "latent 2"), ("latent 1", "latent 2")]
    assert names[-1] == wanted[min(latents, 3) - 1]
    curves = [("", "loss"), ("step", "temperature")] if temperature else [("step", "loss")]
    assert names[:-1] == curves


def test_a_model_without_loss_shows_its_embedding():
    figure = iso.plot.overview(iso.PCA(output_dimension=3).fit(X), X, color=X[:, 0], title="t")
    assert [t.type for t in figure.data] == ["scatter3d"]
    assert figure.layout.title.text == "t"


def test_classes_have_a_legend_and_thinning_its_note():
    n = 30_000
    points = np.random.default_rng(0).normal(size=(n, 3))
    figure = iso.plot.overview(model(), points, color=np.repeat(["a", "b"], n // 2))
    assert figure.layout.showlegend
    assert [t.name for t in figure.data if t.showlegend] == ["a", "b"]
    assert "15,000 of 30,000" in figure.layout.annotations[0].text


def test_refuses_models_that_are_not_fitted():
    with pytest.raises(NotFittedError):
        iso.plot.overview(iso.CEBRA(), X)
