"""Label prior, posterior and decoder as a fit draws them: published sizes, windows, start."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter1d

import isofold as iso
from isofold.errors import DataError
from isofold.models._encode import embed
from isofold.networks import Posterior, perceptron, posterior, prior
from isofold.networks.deconvolution import Widen, deconvolution
from isofold.networks.posterior import gaussian_kernel
from isofold.networks.prior import Standard, Table
from isofold.training.evidence import EvidencePlan, _Evidence
from isofold.training.evidence_step import Program

RNG = np.random.default_rng


def counts(n_units, n=60, rate=0.5):
    return RNG(n_units).poisson(rate, (n, n_units)).astype(float)


def drawn(x, *labels, **settings):
    """A model as drawn, not trained."""
    model = iso.PiVAE(max_iterations=0, batch_size=8, random_state=0, **settings)
    return model.fit(x, *labels)


def n_trained(params):
    """Numbers that training changes: of prior with posterior, and of the decoder."""
    plan = EvidencePlan(np.zeros(1), np.ones(1), 1, Program("elbo"))
    on = _Evidence(params, (), plan).trainable(params)

    def size(values, switches):
        pairs = zip(jax.tree.leaves(values), jax.tree.leaves(switches), strict=True)
        return sum(value.size for value, switch in pairs if switch)

    part, switch = params.parts[0], on.parts[0]
    first = size((params.prior, part.posterior), (on.prior, switch.posterior))
    return first, size(part.decoder, switch.decoder)


# -- the published models -------------------------------------------------------------------------

CONTINUOUS = np.linspace(0, 1, 60)
DIRECTION = np.arange(60) // 30
EIGHT = np.arange(60) % 8
RAT = (CONTINUOUS, DIRECTION)
CONV = {"encoder": "conv", "target": "window"}
PUBLISHED = {"encoder_hidden": (60, 60), "prior_hidden": (20, 20)}


@pytest.mark.parametrize(
    ("n_units", "labels", "settings", "published"),
    [
        (100, (CONTINUOUS,), {"decoder_hidden": 25}, (20_228, 21_269)),
        (120, RAT, {"decoder_hidden": 30}, (22_668, 30_474)),
        (192, (EIGHT,), {"decoder_hidden": 48, "output_dimension": 4}, (31_032, 77_272)),
        (120, RAT, {"decoder_hidden": 300} | CONV, (35_020, 2_977_794)),
    ],
    ids=["sim-continuous", "rat", "macaque", "conv-pivae"],
)
@pytest.mark.filterwarnings("ignore:4 latents are identifiable from 9")
def test_parameter_counts_are_those_of_the_published_models(n_units, labels, settings, published):
    model = drawn(counts(n_units), *labels, **PUBLISHED, **settings)
    assert n_trained(model.params_) == published


def test_scaling_of_channels_is_not_trained():
    params = drawn(counts(6), CONTINUOUS, observation="gaussian").params_
    on = _Evidence(params, (), EvidencePlan(np.zeros(1), np.ones(1), 1, Program("elbo")))
    part = on.trainable(params).parts[0]
    constants = (part.posterior.shift, part.posterior.scale, part.decoder.shift)
    assert not any((*constants, part.decoder.scale, part.mean))
    assert part.decoder.spread == 1
    assert all(jax.tree.leaves(on.trainable(params).prior))


# -- label prior ----------------------------------------------------------------------------------


def test_without_labels_the_prior_is_standard_normal():
    found = prior(0, True, 3, (20,), "tanh", False, RNG(0))
    assert isinstance(found, Standard)
    assert not np.any(found(jnp.zeros((5, 0))))
    assert found(jnp.zeros((5, 0))).shape == (5, 6)


def test_classes_look_up_their_row():
    found, rows = prior(4, True, 2, (20,), "tanh", False, RNG(0)), jnp.array([2, 0])
    assert isinstance(found, Table)
    np.testing.assert_allclose(found(jnp.eye(4)[rows]), found.values[rows])
    assert np.abs(found.values).max() <= 0.05


@pytest.mark.parametrize("discrete", [True, False])
def test_a_prior_of_variances_has_no_mean(discrete):
    u = jnp.eye(3)
    both = np.asarray(prior(3, discrete, 2, (20, 20), "tanh", True, RNG(0))(u))
    assert not both[:, :2].any()
    assert np.std(both[:, 2:], axis=0).min() > 0
    free = prior(3, discrete, 2, (20, 20), "tanh", False, RNG(0))(u)
    np.testing.assert_array_equal(free[:, 2:], both[:, 2:])
    assert np.any(free[:, :2])


# -- posterior ------------------------------------------------------------------------------------


def make(encoder, n_channels=5, smoothing=1.5, architecture="offset10-model"):
    rng = RNG(1)
    return posterior(
        encoder, n_channels, 2, hidden=(6,), activation="tanh", architecture=architecture,
        num_hidden_units=8, smoothing=smoothing, shift=rng.normal(size=n_channels),
        scale=rng.uniform(0.5, 2, n_channels), rng=rng,
    )  # fmt: skip


@pytest.mark.parametrize("encoder", ["mlp", "conv", "smooth"])
def test_single_windows_are_those_of_the_long_array(encoder):
    look = make(encoder)
    left, right = look.offset
    rows = jnp.asarray(RNG(0).standard_normal((50, 8)), jnp.float32)  # three channels of padding
    index = jnp.asarray(RNG(2).integers(left, 50 - right + 1, 20))
    whole = look(rows)
    assert whole.shape == (50 - look.receptive_field + 1, 4)
    np.testing.assert_allclose(look.at(rows, index), whole[index - left], atol=2e-6)
    np.testing.assert_allclose(look(rows.at[:, 5:].set(9.0)), whole)


def test_windows_of_each_encoder():
    assert (make("mlp").receptive_field, make("mlp").offset) == (1, (0, 1))
    assert (make("conv").receptive_field, make("conv").offset) == (10, (5, 5))
    assert (make("smooth").receptive_field, make("smooth").offset) == (13, (6, 7))


def test_any_architecture_serves_without_its_sphere_but_none_that_subsamples():
    assert not make("conv", architecture="offset5-model").mean.normalize
    with pytest.raises(DataError, match="does not subsample, got 'offset4-model-2x-subsample'"):
        make("conv", architecture="offset4-model-2x-subsample")


def test_transposed_convolutions_mirror_the_window():
    rng = np.random.default_rng(0)
    for bins in (2, 3, 5, 10, 15):
        net = deconvolution(3, 7, bins, 8, np.arange(7.0).tolist(), rng)
        assert net(jnp.zeros((4, 3))).shape == (4, bins * 7)
    # One unit impulse in: each tap of the weights comes out at its own place.
    widen = Widen(jnp.arange(6.0).reshape(3, 1, 2), jnp.zeros(2))
    impulse = jnp.zeros((1, 4, 1)).at[0, 1, 0].set(1.0)
    expected = np.zeros((6, 2))
    expected[1:4] = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(widen(impulse)[0], expected)
    with pytest.raises(DataError, match="explains a window of two bins or more, got 1"):
        deconvolution(3, 7, 1, 8, [0.0] * 7, rng)


def test_scaling_comes_before_the_network():
    look, rows = make("mlp"), jnp.asarray(RNG(0).standard_normal((7, 5)), jnp.float32)
    scaled = (rows - look.shift) * look.scale
    wanted = jnp.hstack([look.mean(scaled), look.log_variance(scaled)])
    np.testing.assert_allclose(look(rows), wanted, atol=1e-6)


def test_mean_and_variance_are_networks_of_their_own():
    look, rows = make("mlp"), jnp.asarray(RNG(0).standard_normal((7, 5)), jnp.float32)
    changed = perceptron((5, 6, 2), "tanh", RNG(9))
    both, other = look(rows), Posterior(changed, look.log_variance, look.shift, look.scale)(rows)
    np.testing.assert_array_equal(both[:, 2:], other[:, 2:])
    assert np.abs(both[:, :2] - other[:, :2]).max() > 0.01


@pytest.mark.parametrize("width", [0.5, 1.0, 2.5])
def test_smoothing_is_that_of_scipy_inside_each_trial(width):
    """An identity behind the smoothing shows it as it is; trials end in their own last sample."""
    identity = perceptron((3, 3), "tanh", RNG(0))
    identity = jax.tree.map(lambda a: jnp.eye(3) if a.ndim == 2 else a, identity)
    look = Posterior(identity, identity, jnp.zeros(3), jnp.ones(3), gaussian_kernel(width))
    lengths = [4, 30, 17]
    x = RNG(0).standard_normal((sum(lengths), 3))
    stop = np.cumsum(lengths)
    trials = pd.DataFrame({"start": stop - lengths, "stop": stop})
    found, edge = embed(look, iso.Recording(x, 1.0, trials=trials))
    reach = len(look.kernel) // 2
    assert reach == int(np.ceil(4 * width))
    for a, b in zip(trials["start"], trials["stop"], strict=True):
        wanted = gaussian_filter1d(x[a:b], width, axis=0, mode="nearest", radius=reach)
        np.testing.assert_allclose(found[a:b, :3], wanted, atol=1e-6)
        assert edge[a:b].sum() == min(2 * reach, b - a)
    assert sum(gaussian_kernel(width)) == pytest.approx(1)


# -- decoder --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["flow", "mlp"])
@pytest.mark.parametrize("observation", ["poisson", "negative-binomial"])
def test_rates_begin_at_the_mean_counts(kind, observation):
    x = RNG(0).poisson(np.geomspace(0.05, 3000, 9), (400, 9)).astype(float)
    u = np.linspace(0, 1, 400)
    part = drawn(x, u, decoder=kind, observation=observation).params_.parts[0]
    rates = jax.nn.softplus(part.decoder(jnp.zeros((1, 2)))[0])
    np.testing.assert_allclose(rates, x.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(part.mean, x.mean(axis=0), rtol=1e-5)
    if observation == "negative-binomial":
        np.testing.assert_allclose(part.decoder.log_size(), 3.0)


@pytest.mark.parametrize("kind", ["flow", "mlp", "conv"])
def test_a_window_begins_at_the_mean_counts_in_every_bin(kind):
    x = RNG(0).poisson(np.geomspace(0.1, 5, 6), (60, 6)).astype(float)
    part = drawn(x, CONTINUOUS, decoder=kind, **CONV).params_.parts[0]
    rates = jax.nn.softplus(part.decoder(jnp.zeros((1, 2)))).reshape(10, 6)
    np.testing.assert_allclose(rates, np.tile(x.mean(axis=0), (10, 1)), rtol=1e-4)


def test_a_silent_unit_begins_low_and_finite():
    x = counts(5)
    x[:, 2] = 0
    part = drawn(x, CONTINUOUS).params_.parts[0]
    drive = part.decoder(jnp.zeros((1, 2)))[0]
    assert float(jax.nn.softplus(drive[2])) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("kind", ["flow", "mlp"])
def test_values_begin_at_mean_and_variance_of_the_channels(kind):
    x = RNG(0).normal([100, -2, 0, 5], [3, 0.1, 1, 20], (500, 4))
    model = drawn(x, np.linspace(0, 1, 500), decoder=kind, observation="gaussian")
    say = model.params_.parts[0].decoder
    np.testing.assert_allclose(say.mean(say(jnp.zeros((1, 2))))[0], x.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(say.log_variance(), np.log(x.var(axis=0)), atol=1e-3)


def test_moments_are_those_of_the_trials_of_the_fit():
    x = RNG(0).normal(0, 1, (90, 4))
    x[60:] += 50
    trials = pd.DataFrame({"start": [0, 30], "stop": [30, 60]})
    recording = iso.Recording(x, 1.0, labels={"u": np.linspace(0, 1, 90)}, trials=trials)
    for outside, used in ((False, x[:60]), (True, x)):
        settings = {"max_iterations": 0, "outside_trials": outside, "random_state": 0}
        part = iso.CIiVAE(**settings).fit(recording, labels=["u"]).params_.parts[0]
        np.testing.assert_allclose(part.mean, used.mean(axis=0), rtol=1e-4)
        np.testing.assert_allclose(part.posterior.scale, 1 / used.std(axis=0), rtol=1e-4)
