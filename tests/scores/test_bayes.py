import numpy as np
import pytest
from scipy.stats import poisson
from scores_helpers import laps

from isofold.errors import DataError
from isofold.scores import PoissonBayes, decode


def place_cells(seed=0, n_trials=20, length=60, n_units=15, depends=True):
    """Poisson counts of fields on a track; with `depends`, fields move with direction."""
    rng = np.random.default_rng(seed)
    position, trials = laps(n_trials, length)
    direction = trials % 2
    centre = rng.uniform(0, 1, (2 if depends else 1, n_units))
    field = centre[direction if depends else np.zeros_like(direction)]
    rate = 0.05 + 4 * np.exp(-0.5 * ((position[:, None] - field) / 0.08) ** 2)
    return rng.poisson(rate), position, direction, trials


def test_posterior_is_that_of_a_loop_over_poisson_pmfs():
    counts, position, direction, _ = place_cells(n_trials=4, n_units=3)
    model = PoissonBayes(n_bins=5).fit(counts, position, direction)
    found = model.posterior(counts[:6])
    prior = np.exp(model.log_prior_)
    for t in range(6):
        joint = np.zeros((5, 2))
        for i in range(5):
            for j in range(2):
                joint[i, j] = prior[i, j] * np.prod(poisson.pmf(counts[t], model.rates_[i, j]))
        assert np.allclose(found[t], joint / joint.sum())


def test_rates_and_prior_are_means_and_occupancy():
    counts = np.array([[2, 0], [4, 0], [0, 6]])
    model = PoissonBayes(kind="discrete").fit(counts, np.array([0, 0, 1]))
    mean = counts.mean(axis=0)
    assert np.allclose(model.rates_[0, 0], (mean + np.array([6, 0])) / 3)
    assert np.allclose(model.rates_[1, 0], (mean + np.array([0, 6])) / 2)
    assert np.allclose(np.exp(model.log_prior_[:, 0]), [2 / 3, 1 / 3])


def test_mean_and_map_find_position_and_direction():
    counts, position, direction, trials = place_cells()
    train = trials < 14
    model = PoissonBayes(n_bins=30).fit(counts[train], position[train], direction[train])
    for estimate in ("mean", "map"):
        guess = model.predict(counts[~train], estimate)
        assert np.median(np.abs(guess - position[~train])) < 0.06
    assert np.mean(model.predict_nuisance(counts[~train]) == direction[~train]) > 0.9


def test_cells_that_were_never_visited_have_no_probability():
    counts = np.ones((6, 2))
    model = PoissonBayes(n_bins=3).fit(counts, np.array([0, 0, 0, 1.0, 1, 1]))
    posterior = model.posterior(counts)
    assert np.isfinite(posterior).all()
    assert np.all(posterior[:, 1] == 0)


def test_circular_means_cross_the_wrap():
    rng = np.random.default_rng(0)
    angle = rng.uniform(-np.pi, np.pi, 3000)
    centre = np.linspace(-np.pi, np.pi, 12, endpoint=False)
    counts = rng.poisson(5 * np.exp(3 * (np.cos(angle[:, None] - centre) - 1)))
    model = PoissonBayes(n_bins=36, kind="circular", smoothing=1).fit(counts[:2000], angle[:2000])
    error = np.angle(np.exp(1j * (model.predict(counts[2000:]) - angle[2000:])))
    assert np.median(np.abs(error)) < 0.2
    assert np.max(np.abs(error)) < 2.0


def test_decode_sums_out_the_nuisance():
    counts, position, direction, trials = place_cells(n_units=8)
    train = trials < 14
    data = counts[train], position[train], counts[~train], position[~train]
    options = {"decoder": "bayes", "groups": (trials[train], trials[~train]), "n_bins": 30}
    plain = decode(*data, **options, n_chance=20)
    knows = decode(*data, **options, nuisance=direction[train], n_chance=20)
    assert knows.value > plain.value + 0.02
    assert knows.chance_hi < 0.1 < knows.value
    far = position > 0.5
    classes = decode(
        counts[train], far[train], counts[~train], far[~train],
        decoder="bayes", groups=options["groups"], n_chance=10,
    )  # fmt: skip
    assert classes.unit == "accuracy"
    assert classes.value > 0.7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PoissonBayes(kind="place"), "kind must be one of"),
        (lambda: PoissonBayes(n_bins=1), "n_bins must be at least 2"),
        (lambda: PoissonBayes().fit(-np.ones((4, 2)), np.arange(4.0)), "finite counts >= 0"),
        (lambda: PoissonBayes().fit(np.ones((4, 2)), np.ones((4, 2))), "one label column, got 2"),
        (
            lambda: PoissonBayes().fit(np.ones((4, 2)), np.arange(4.0)).posterior(np.ones((1, 3))),
            "counts have 3 units",
        ),
        (
            lambda: (
                PoissonBayes().fit(np.ones((4, 2)), np.arange(4.0)).predict(np.ones((1, 2)), "x")
            ),
            "estimate must be 'mean' or 'map'",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(DataError, match=message):
        make()
