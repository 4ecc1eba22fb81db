"""Every architecture: published sizes, what an embedding sees, windows laid end to end."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from isofold.errors import DataError
from isofold.networks import ARCHITECTURES, Architecture, build, get_architecture

# Parameters for 100 channels, 32 hidden units, 8 outputs (cebra 0.6.1); (left, right); stride.
PUBLISHED = {
    "offset1-model": (4_952, (0, 1), 1),
    "offset1-model-v2": (5_608, (0, 1), 1),
    "offset1-model-v3": (5_608, (0, 1), 1),
    "offset1-model-v4": (7_720, (0, 1), 1),
    "offset1-model-v5": (7_720, (0, 1), 1),
    "offset1-model-mse": (102_008, (0, 1), 1),
    "offset1-model-mse-tanh": (102_008, (0, 1), 1),
    "offset5-model": (10_056, (2, 3), 1),
    "offset10-model": (16_520, (5, 5), 1),
    "offset10-model-mse": (16_520, (5, 5), 1),
    "offset10-model-mse-tanh": (16_520, (5, 5), 1),
    "offset15-model": (25_576, (7, 8), 1),
    "offset20-model": (32_040, (10, 10), 1),
    "offset36-model": (56_872, (18, 18), 1),
    "offset36-model-dropout": (56_872, (18, 18), 1),
    "offset36-model-more-dropout": (56_872, (18, 18), 1),
    "offset40-model": (63_080, (20, 20), 1),
    "offset50-model": (78_600, (25, 25), 1),
    "offset40-model-4x-subsample": (35_624, (20, 20), 4),
    "resample-model": (35_624, (20, 20), 4),
    "offset20-model-4x-subsample": (29_160, (10, 10), 4),
    "resample5-model": (29_160, (10, 10), 4),
    "offset4-model-2x-subsample": (18_808, (2, 2), 2),
    "resample1-model": (18_808, (2, 2), 2),
}
for a in (1, 5, 10, 15, 20, 25, 50, 100, 1000):
    for b in (1, 5, 10, 15, 20, 25, 50, 100, 1000):
        PUBLISHED[f"offset1-model-mse-clip-{a}-{b}"] = PUBLISHED["offset1-model-mse"]
for m in range(1, 11):
    for end in ("", "-tanh"):
        # One layer of 32 × 32 weights and 32 biases for each of the N, where cebra has one in all.
        size = 4_952 + (m - 1) * (32 * 32 + 32)
        PUBLISHED[f"offset1-model-mse-v2-{m}layers{end}"] = (size, (0, 1), 1)
        PUBLISHED[f"offset1-model-mse-resnet-{m}layers{end}"] = (size, (0, 1), 1)

ONE_OF_EACH_FAMILY = [
    "offset1-model-mse-clip-1-5",
    "offset1-model-mse-resnet-3layers-tanh",
    "offset10-model",
    "offset20-model-4x-subsample",
    "offset4-model-2x-subsample",
]
THE_OTHERS = sorted(ARCHITECTURES.keys() - set(ONE_OF_EACH_FAMILY))
EACH = [*ONE_OF_EACH_FAMILY, *(pytest.param(n, marks=pytest.mark.slow) for n in THE_OTHERS)]


def drawn(name, channels=6, hidden=8, out=3, causal=False):
    return build(
        get_architecture(name, causal), channels, channels, hidden, out, np.random.default_rng(0)
    )


@eqx.filter_jit
def embed(encoder, x, key=None, window=64):
    """Compiled: the layers one by one take seconds."""
    return encoder(x, key, window)


def rows(n, channels=6):
    return jax.random.normal(jax.random.key(n), (n, channels))


@eqx.filter_jit
def slope(encoder, x, k):
    return jax.grad(lambda x: encoder(x)[k].sum())(x)


def seen_by(encoder, k, n):
    """Input rows at which the derivative of output row k is not zero."""
    return np.flatnonzero(np.abs(np.asarray(slope(encoder, rows(n), jnp.asarray(k)))).sum(axis=1))


def test_names_are_those_of_the_peer_without_its_classifiers():
    assert ARCHITECTURES.keys() == PUBLISHED.keys()
    assert len(ARCHITECTURES) == 147 - 2


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_size_offset_and_stride_are_the_published_ones(name):
    parameters, offset, stride = PUBLISHED[name]
    encoder = build(ARCHITECTURES[name], 100, 100, 32, 8, np.random.default_rng(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(encoder)) == parameters
    for told in (encoder, ARCHITECTURES[name]):
        assert (told.offset, told.stride, told.receptive_field) == (offset, stride, sum(offset))


@pytest.mark.parametrize("name", EACH)
def test_a_row_sees_its_receptive_field_and_a_causal_one_no_future(name):
    encoder = drawn(name, causal=True)
    field, stride = encoder.receptive_field, encoder.stride
    assert encoder.offset == get_architecture(name, causal=True).offset == (field - 1, 1)
    for k in (0, 3):
        seen = seen_by(encoder, k, field + 6 * stride)
        assert (seen == np.arange(k * stride, k * stride + field)).all()
        # Output row k is the embedding of the sample t whose window begins there, at t − left.
        assert seen.max() == k * stride + encoder.offset[0]


@pytest.mark.parametrize("name", EACH)
def test_windows_end_to_end_give_the_embedding_of_each_alone(name):
    encoder = drawn(name)
    field, stride = encoder.receptive_field, encoder.stride
    windows = rows(5 * field).reshape(5, field, -1)
    z = embed(encoder, windows.reshape(5 * field, -1))
    assert z.shape == ((5 * field - field) // stride + 1, 3)
    for i, window in enumerate(windows):
        alone = embed(encoder, window)
        assert alone.shape == (1, 3)
        np.testing.assert_allclose(z[i * field // stride], alone[0], atol=1e-5)
    # Only models for the cosine distance have unit length.
    unit = np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-5)
    assert unit == encoder.normalize == ARCHITECTURES[name].normalize


@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
def test_padded_channels_change_nothing_and_do_not_learn(name):
    x = rows(60, 5)
    z = []
    for padded in (5, 9):
        encoder = build(ARCHITECTURES[name], 5, padded, 8, 2, np.random.default_rng(1))
        given = jnp.pad(x, ((0, 0), (0, padded - 5)))
        z.append(embed(encoder, given))
    np.testing.assert_allclose(*z, atol=1e-5)
    gradient = jax.jit(jax.grad(lambda encoder: encoder(given).sum()))(encoder)
    for layer, slope in zip(encoder.layers, gradient.layers, strict=True):
        for weight, change in zip(jax.tree.leaves(layer), jax.tree.leaves(slope), strict=True):
            if weight.ndim == 3 and weight.shape[1] in (9, 8 + 9):
                assert not np.asarray(weight[:, -4:]).any()
                assert not np.asarray(change[:, -4:]).any()


def test_clipped_and_squashed_outputs_stay_within():
    x = 100 * rows(200)
    z = np.asarray(embed(drawn("offset1-model-mse-clip-1-5"), x))
    assert (z.min(), z.max()) == (-1, 5)
    assert np.abs(np.asarray(drawn("offset1-model-mse-tanh")(x))).max() <= 1
    assert np.abs(np.asarray(drawn("offset1-model-mse")(x))).max() > 5


def test_n_layers_are_n_layers():
    encoder = drawn("offset1-model-mse-v2-3layers")
    weights = [w for w in jax.tree.leaves(encoder) if w.shape == (1, 8, 8)]
    assert len(weights) == 3
    assert not np.allclose(weights[0], weights[1])


def test_a_row_of_zeros_has_a_finite_gradient():
    zero = jax.tree.map(jnp.zeros_like, drawn("offset1-model"))
    assert np.isfinite(slope(zero, jnp.zeros((3, 6)), jnp.asarray(1))).all()


@pytest.mark.parametrize(
    ("name", "layers"), [("offset10-model", 1), ("resample-model", 2), ("resample1-model", 2)]
)
def test_input_layers_are_those_that_change_with_the_channels(name, layers):
    few, many = drawn(name, channels=6), drawn(name, channels=7)
    shapes = [[w.shape for w in jax.tree.leaves(e.layers[few.input_layers :])] for e in (few, many)]
    assert few.input_layers == layers
    assert shapes[0] == shapes[1]
    last_input = few.layers[layers - 1], many.layers[layers - 1]
    assert jax.tree.leaves(last_input[0])[0].shape != jax.tree.leaves(last_input[1])[0].shape


class TestDropout:
    """Offset 10 with dropout as in offset36-model-more-dropout, with a key and without."""

    layers = ("conv:2:u", "dropout:0.1", "gelu", *["skip:3:0.1"] * 3, "conv:3:o")
    encoder = build(Architecture(layers), 6, 6, 8, 3, np.random.default_rng(0))

    def test_is_off_without_a_key(self):
        plain = drawn("offset10-model")  # same seed, same weights
        np.testing.assert_allclose(embed(self.encoder, rows(80)), embed(plain, rows(80)), atol=1e-6)

    def test_has_dropout_tells_who_has_it(self):
        with_it = {name for name in ARCHITECTURES if drawn(name).has_dropout}
        assert with_it == {"offset36-model-dropout", "offset36-model-more-dropout"}

    def test_a_key_gives_the_same_masks_again_and_another_key_others(self):
        x = rows(80)
        a, b, c = (embed(self.encoder, x, jax.random.key(seed)) for seed in (0, 0, 1))
        assert (np.asarray(a) == np.asarray(b)).all()
        assert not np.allclose(a, c, atol=1e-3)

    def test_each_layer_draws_its_own_mask(self):
        two = build(
            Architecture(("dropout:0.5", "dropout:0.5"), normalize=False), 64, 64, 1, 1,
            np.random.default_rng(0),
        )  # fmt: skip
        y = np.asarray(two(jnp.ones((400, 64)), jax.random.key(0), window=1))
        # With one mask for both a half would stay.
        assert abs((y > 0).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / y.size)

    def test_each_window_has_masks_of_its_own(self):
        field = self.encoder.receptive_field
        x = jnp.tile(rows(field), (6, 1))
        z = embed(self.encoder, x, jax.random.key(0), field)[::field]
        distance = np.linalg.norm(np.asarray(z)[:, None] - np.asarray(z)[None], axis=2)
        assert distance[~np.eye(6, dtype=bool)].min() > 1e-3

    def test_masks_follow_the_rows_of_the_input_through_a_stride(self):
        layers = ("subsample:2:u:2", "dropout:0.5")
        encoder = build(
            Architecture(layers, normalize=False), 3, 3, 40, 1, np.random.default_rng(0)
        )
        y = np.asarray(encoder(jnp.ones((32, 3)), jax.random.key(0), window=8))
        masks = (y != 0).reshape(4, 4, -1)  # 4 runs of 8 rows, each 4 rows after the stride
        assert (masks == masks[:, :1]).all()
        assert (masks[0, 0] != masks[1, 0]).any()


def test_too_few_rows_are_told():
    with pytest.raises(DataError, match="needs at least its receptive field, 10 rows, got 9"):
        drawn("offset10-model")(rows(9))


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(DataError, match=r"must be one of .*did you mean 'offset10-model'"):
        get_architecture("offset10model")


@pytest.mark.parametrize("layer", ["relu", "conv:2", "skip", "gelu:1"])
def test_unknown_layer_is_told(layer):
    with pytest.raises(DataError, match=r"must be written like 'conv:2:u'.*got '" + layer):
        build(Architecture((layer, "conv:1:o")), 3, 3, 4, 2, np.random.default_rng(0))


def test_a_layer_without_units_is_told():
    with pytest.raises(DataError, match="every layer needs a unit, got 0 for 'u/2'"):
        drawn("offset1-model", hidden=1)
