"""What contrastive learning can and cannot hold, where the answer is known."""

import numpy as np
import pytest

import isofold as iso

DCL = {
    "model_architecture": "offset1-model-mse",
    "distance": "euclidean",
    "conditional": "time",
    "time_offsets": 1,
    "temperature": 1.0,
    "output_dimension": 3,
    "learning_rate": 1e-3,
    "batch_size": 1024,
    "num_negatives": 4096,
    "max_iterations": 1000,
    "random_state": 0,
}


@pytest.mark.parametrize("dimension", [2, 3])
def test_cosine_models_live_on_a_sphere_and_euclidean_ones_do_not(dimension):
    lorenz = iso.simulate.lorenz(0, n_samples=600, n_units=12, mixing="nonlinear", n_trials=6)
    few = {"output_dimension": dimension, "max_iterations": 40, "random_state": 0}
    few |= {"batch_size": 64, "num_negatives": 64, "conditional": "time"}

    def norms(**settings):
        z = iso.CEBRA(**few, **settings).fit(lorenz).transform(lorenz)
        return np.linalg.norm(z.values, axis=1)

    np.testing.assert_allclose(norms(model_architecture="offset1-model"), 1, atol=1e-5)
    free = norms(model_architecture="offset1-model-mse", distance="euclidean")
    assert free.std() > 0.05 * free.mean()


def recovered(dt, process_noise):
    lorenz = iso.simulate.lorenz(
        0, n_samples=20_000, n_trials=100, dt=dt, process_noise=process_noise, method="euler"
    )
    train, test = lorenz.split(test=0.2)
    z = iso.CEBRA(**DCL).fit(train).transform(test)
    return float(iso.scores.recovery(z, test.truth, n_chance=0))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_contrastive_learning_of_time_needs_noise_that_dominates_drift():
    """Gonzalez Laiz, Schmidt & Schneider, ICLR 2025: R² .999 against .455 (100 times the steps)."""
    assert recovered(dt=0.0005, process_noise=0.1) > 0.97
    assert recovered(dt=0.01, process_noise=0.001) < 0.7
