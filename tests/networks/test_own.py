"""A user's own encoder: what it states is tried, and what is wrong is told."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from isofold.errors import DataError
from isofold.networks import ARCHITECTURES, build, check_encoder

CHANNELS = 4


class Convolution(eqx.Module):
    """Equinox's own layers; what it states can be wrong."""

    conv: eqx.nn.Conv1d
    offset: tuple = eqx.field(static=True, default=(2, 3))

    def __call__(self, rows):
        return self.conv(rows.T).T


def convolution(taps=5, offset=(2, 3), **settings):
    conv = eqx.nn.Conv1d(CHANNELS, 3, taps, key=jax.random.key(0), **settings)
    return Convolution(conv, offset)


class Plain(eqx.Module):
    """A function of rows, weighted, with an offset of one sample."""

    weight: jax.Array
    function: object = eqx.field(static=True)
    offset: tuple = eqx.field(static=True, default=(0, 1))

    def __call__(self, rows):
        return self.function(rows @ self.weight)


def plain(function):
    return Plain(jax.random.normal(jax.random.key(0), (CHANNELS, 3)), function)


def test_a_right_encoder_becomes_one_of_ours():
    own = convolution()
    encoder = check_encoder(own, CHANNELS)
    x = jax.random.normal(jax.random.key(1), (30, CHANNELS))
    np.testing.assert_allclose(eqx.filter_jit(encoder)(x), own(x), atol=1e-6)
    assert encoder.offset == (2, 3)
    assert (encoder.receptive_field, encoder.stride) == (5, 1)
    assert (encoder.has_dropout, encoder.normalize) == (False, False)
    arrays, static = eqx.partition(encoder, eqx.is_array)
    assert len(jax.tree.leaves(arrays)) == 2
    hash((jax.tree.structure(static), tuple(jax.tree.leaves(static))))


def test_padded_channels_are_left_out():
    encoder = check_encoder(convolution(), CHANNELS)
    x = jax.random.normal(jax.random.key(1), (30, CHANNELS))
    padded = jnp.pad(x, ((0, 0), (0, 3)), constant_values=7)
    np.testing.assert_allclose(encoder(padded), encoder(x), atol=1e-6)


@pytest.mark.parametrize("name", ["offset1-model-mse", "offset20-model-4x-subsample"])
def test_our_encoders_pass(name):
    own = build(ARCHITECTURES[name], CHANNELS, CHANNELS, 6, 2, np.random.default_rng(0))
    encoder = check_encoder(own, CHANNELS)
    assert (encoder.offset, encoder.stride) == (own.offset, own.stride)
    assert encoder.normalize == ARCHITECTURES[name].normalize


@pytest.mark.parametrize("offset", [(4, 1), (0, 5)])
def test_the_window_may_lie_anywhere_about_its_sample(offset):
    assert check_encoder(convolution(offset=offset), CHANNELS).offset == offset


def test_key_and_window_are_handed_on_where_they_are_taken():
    class Noisy(eqx.Module):
        drop: eqx.nn.Dropout
        offset: tuple = eqx.field(static=True, default=(0, 1))

        def __call__(self, rows, *, key):
            return self.drop(rows, key=key, inference=key is None)

    encoder = check_encoder(Noisy(eqx.nn.Dropout(0.5)), CHANNELS)
    x = jnp.ones((50, CHANNELS))
    assert encoder.has_dropout
    assert (encoder(x) == x).all()
    assert (encoder(x, jax.random.key(0), 10) != x).any()

    class Windowed(Plain):
        def __call__(self, rows, key=None, window=1):
            return rows @ self.weight * window

    encoder = check_encoder(Windowed(jnp.ones((CHANNELS, 1)), None), CHANNELS)
    assert (encoder(x, None, 5) == 5 * encoder(x, None, 1)).all()


def test_arrays_of_numpy_are_trained_too():
    own = Plain(np.ones((CHANNELS, 2), np.float32), lambda x: x)
    arrays = eqx.filter(check_encoder(own, CHANNELS), eqx.is_array)
    assert len(jax.tree.leaves(arrays)) == 1


# What a module does, against the sentence that it is refused with.
WRONG = {
    "window too long": (
        lambda: convolution(taps=5, offset=(5, 5)),
        r"states offset \(5, 5\) and stride 1, so from 32 rows it must make an array "
        r"\(23, latent\), got \(28, 3\); 5 samples in a window, like offset \(2, 3\), fit",
    ),
    "window too short": (
        lambda: convolution(taps=5, offset=(1, 2)),
        r"must make an array \(9, latent\), got \(7, 3\); 5 samples in a window",
    ),
    "padding": (
        lambda: convolution(padding=2),
        r"must make an array \(13, latent\), got \(17, 3\).* use no padding",
    ),
    "stride unstated": (
        lambda: convolution(stride=2),
        r"must make an array \(13, latent\), got \(7, 3\)",
    ),
    "3-D output": (lambda: plain(lambda z: z[:, :, None]), r"got \(5, 3, 1\)"),
    "1-D output": (lambda: plain(lambda z: z[:, 0]), r"got \(5,\)"),
    "normalised over time": (
        lambda: plain(lambda z: z - z.mean(axis=0)),
        "row 0 must be what it makes of input rows 0 to 0 alone; the two differ",
    ),
    "position code": (
        lambda: plain(lambda z: z + jnp.arange(len(z))[:, None]),
        "row 2 must be what it makes of input rows 2 to 2 alone",
    ),
    "backwards in time": (lambda: plain(lambda z: z[::-1]), "row 0 must be what it makes of"),
    "a faint look elsewhere": (
        lambda: plain(lambda z: z + 1e-6 * z.mean(axis=0)),
        "its row 0 may depend on input rows 0 to 0, got 0 to 4",
    ),
    "NaN": (lambda: plain(lambda z: jnp.log(z)), "must give finite numbers, got .* others of 15"),
    "no derivative": (
        lambda: plain(lambda z: jnp.where(z == z, z, 1) + jnp.sqrt(0 * z)),
        "must have finite derivatives",
    ),
    "not compilable": (
        lambda: plain(lambda z: z if z[0, 0] > 0 else -z),
        r"that JAX can compile; on \(5, 4\) it failed with TracerBoolConversionError",
    ),
    "channels": (
        lambda: Plain(jnp.ones((CHANNELS + 1, 2)), lambda z: z),
        r"on \(5, 4\) it failed with TypeError",
    ),
    "whole numbers": (
        lambda: Plain(jnp.ones((CHANNELS, 2), int), lambda z: z),
        r"must hold floats, got int32 at \.weight",
    ),
    "a key inside": (
        lambda: Plain((jnp.ones((CHANNELS, 2)), jax.random.key(0)), lambda z: z),
        r"must hold floats, got key<fry> at \.weight\[1\]",
    ),
    "not hashable": (
        lambda: Plain((jnp.ones((CHANNELS, 2)), {1, 2}), lambda z: z),
        "must be hashable: unhashable type: 'set'",
    ),
    "not a module": (lambda: jnp.tanh, "must be an instance of an Equinox module"),
    "class": (lambda: Convolution, "must be an instance of an Equinox module"),
    "no offset": (lambda: eqx.nn.Linear(4, 3, key=jax.random.key(0)), "must state offset .* None"),
}


@pytest.mark.parametrize(("module", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(module, message):
    with pytest.raises(DataError, match=message):
        check_encoder(module(), CHANNELS)


@pytest.mark.parametrize("offset", [5, (5,), (-1, 5), (5, 0), (2.0, 3), (True, 3), "12", None])
def test_an_offset_is_two_whole_numbers(offset):
    with pytest.raises(DataError, match="must state offset"):
        check_encoder(convolution(offset=offset), CHANNELS)


@pytest.mark.parametrize("stride", [0, 2, 2.5, None])
def test_a_stride_divides_the_window(stride):
    class Strided(Convolution):
        stride: object = eqx.field(static=True, default=1)

    with pytest.raises(DataError, match=r"that divides left \+ right = 5, got"):
        check_encoder(Strided(convolution().conv, (2, 3), stride), CHANNELS)
