"""The flow decoder: volume, inverse, bounds, what is published, and where it begins."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from isofold.errors import DataError
from isofold.networks import flow, log_determinant
from isofold.networks.flow import SCALE, _reordered

SIZES = [(1, 3), (2, 8), (3, 9)]


def make(n_latents=2, n_out=9, hidden=12, activation="tanh", seed=0, **options):
    return flow(n_latents, n_out, hidden, activation, np.random.default_rng(seed), **options)


def loud(found, factor=20.0):
    """The flow with weights so large that every bound is reached."""
    arrays, rest = eqx.partition(found, eqx.is_array)
    return eqx.combine(jax.tree.map(lambda a: factor * a, arrays), rest)


def points(d, n=3, spread=2.0):
    return jnp.asarray(spread * np.random.default_rng(d).standard_normal((n, d)), jnp.float32)


def square_part(found):
    """All after the injection: a map of R^d to itself."""

    def stack(x):
        for order, pair in zip(found.permutations, found.couplings, strict=True):
            x = _reordered(order, x)
            for coupling in pair:
                x = coupling(x)
        return x

    return stack


# -- volume and inverse ---------------------------------------------------------------------------


@pytest.mark.parametrize(("n_latents", "d"), SIZES)
def test_the_square_part_keeps_volume(n_latents, d):
    found = make(n_latents, d)
    stack = jax.jit(square_part(found))
    for x in points(d):
        assert log_determinant(stack, x) == pytest.approx(0, abs=2e-5)
    for coupling in found.couplings[0]:
        assert log_determinant(coupling, x) == pytest.approx(0, abs=1e-5)


def test_log_determinant_sees_what_does_not_keep_volume():
    assert log_determinant(lambda x: 2 * x, jnp.ones(3)) == pytest.approx(3 * np.log(2), 1e-6)


@pytest.mark.parametrize("d", [3, 4, 9, 30])
def test_couplings_can_be_undone(d):
    x = points(d, n=20)
    for coupling in make(2, d).couplings[0]:
        np.testing.assert_allclose(coupling.inverse(coupling(x)), x, atol=1e-5)
        np.testing.assert_allclose(coupling(coupling.inverse(x)), x, atol=1e-5)


def test_the_latent_can_be_read_back_from_the_output():
    """Undo couplings and permutations: what is left is [z, t(z)]. No two latents fold together."""
    found, z = make(2, 11), points(2, n=30)
    x = found(z)
    for order, pair in zip(found.permutations[::-1], found.couplings[::-1], strict=True):
        for coupling in pair[::-1]:
            x = coupling.inverse(x)
        x = x[:, np.argsort(order)]
    np.testing.assert_allclose(x[:, :2], z, atol=1e-5)
    np.testing.assert_allclose(x[:, 2:], found.injection(z), atol=1e-5)


@pytest.mark.parametrize("d", [3, 8, 101])
def test_scales_are_bounded_however_large_the_weights(d):
    for coupling in loud(make(2, d)).couplings[0]:
        scale, _ = coupling._scale_and_shift(points(d // 2, n=50, spread=10))
        assert scale.shape == (50, d - d // 2)
        np.testing.assert_allclose(scale.sum(axis=1), 0, atol=1e-5)
        assert 0.49 * SCALE < np.abs(scale).max() <= 2 * SCALE


# -- what the published model fixes ---------------------------------------------------------------


def test_permutations_are_those_of_numpys_legacy_generator():
    assert make(2, 9).permutations == (
        (7, 2, 1, 4, 8, 6, 3, 0, 5),  # np.random.seed(0), permutation(9)
        (8, 2, 6, 7, 1, 0, 4, 3, 5),
    )
    assert make(2, 9, seed=5).permutations == make(2, 9).permutations
    assert len(make(2, 9, blocks=3).permutations) == 3


def test_couplings_share_no_weights():
    found = make()
    nets = [coupling.net for pair in found.couplings for coupling in pair]
    first = [np.asarray(net.weights[0]) for net in nets]
    for i, a in enumerate(first):
        for b in first[:i]:
            assert a is not b
            assert np.abs(a - b).max() > 0.01


def test_shapes_of_layers():
    found = make(2, 9, hidden=12)  # halves of 4 and 5
    assert [w.shape for w in found.injection.weights] == [(2, 12), (12, 12), (12, 7)]
    for pair in found.couplings:
        for coupling in pair:
            assert [w.shape for w in coupling.net.weights] == [(4, 12), (12, 12), (12, 2 * 5 - 1)]


@pytest.mark.parametrize(("n_latents", "d"), [(2, 2), (3, 2), (1, 2), (5, 5)])
def test_too_few_channels_are_refused(n_latents, d):
    with pytest.raises(
        DataError,
        match=rf"maps {n_latents} latents into more channels \(at least 3\), got {d}; "
        "use decoder='mlp', or fewer latents",
    ):
        make(n_latents, d)


def test_an_unknown_activation_is_refused_with_those_there_are():
    with pytest.raises(DataError, match=r"activation must be one of \['gelu', .*got 'sine'"):
        make(activation="sine")


# -- gradients and where it begins ----------------------------------------------------------------


def test_derivative_of_a_reordering_is_that_of_indexing():
    rng = np.random.default_rng(0)
    order = tuple(rng.permutation(7).tolist())
    x, weight = jnp.asarray(points(7)), jnp.asarray(rng.standard_normal((3, 7)), jnp.float32)
    found = jax.grad(lambda v: (weight * jnp.sin(_reordered(order, v))).sum())(x)
    wanted = jax.grad(lambda v: (weight * jnp.sin(v[:, np.asarray(order)])).sum())(x)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert (_reordered(order, x) == x[:, np.asarray(order)]).all()


def test_gradient_is_that_of_finite_differences():
    found, z = make(), jnp.asarray(points(2, n=4))

    @jax.jit
    def total(v):
        return jnp.cos(found(v)).sum()

    slope, h = jax.grad(total)(z), 1e-2
    for row in range(4):
        for k in range(2):
            step = jnp.zeros_like(z).at[row, k].set(h)
            measured = (total(z + step) - total(z - step)) / (2 * h)
            assert slope[row, k] == pytest.approx(float(measured), abs=5e-3)


@pytest.mark.parametrize(
    ("activation", "d"), [("gelu", 4), ("gelu", 9), ("tanh", 9), ("leaky-relu", 9), ("xtanh", 8)]
)
def test_it_begins_at_the_bias_of_every_channel(activation, d):
    """Of both halves: the final coupling sees the bias of the other half and must not answer."""
    bias = np.linspace(-6, 2, d).astype(np.float32)
    found = make(2, d, activation=activation, bias=bias)
    np.testing.assert_allclose(found(jnp.zeros((1, 2)))[0], bias, atol=1e-5)
    # Around it the latent moves every channel a little, none far.
    moved = np.asarray(found(points(2, n=200, spread=1.0))) - bias
    assert moved.std(axis=0).min() > 0.01
    assert moved.std(axis=0).max() < 4


def test_a_bias_changes_nothing_of_what_is_drawn():
    plain, biased = make(2, 9), make(2, 9, bias=np.ones(9, np.float32))
    weights = [
        [w for pair in f.couplings for c in pair for w in c.net.weights] for f in (plain, biased)
    ]
    assert eqx.tree_equal(*weights)
