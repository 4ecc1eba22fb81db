"""Streaming: pushing a segment sample by sample is `transform` of a causal model."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold.errors import DataError, MissingValuesError
from isofold.models import _stream
from isofold.models._stream import Stream
from isofold.networks import ARCHITECTURES, Conv, Encoder, Gelu, Skip, build, get_architecture
from isofold.sampling import Layout
from isofold.training import encode

CHANNELS = 5


def encoder_of(name: str, seed: int = 0, causal: bool = True):
    architecture = get_architecture(name, causal=causal)
    return build(architecture, CHANNELS, 8, 8, 3, np.random.default_rng(seed))


def transformed(encoder, x, offset=None):
    """Embedding of one segment, by the path of `transform`."""
    offset = encoder.offset if offset is None else offset
    layout = Layout(x, np.array([0]), np.array([len(x)]), offset, 0, 8)
    return np.concatenate(list(encode(encoder, layout.blocks(4096))))


def opened(encoder):
    return Stream(encoder, CHANNELS, encoder.offset, n_padded=8)


def pushed(stream, x):
    return np.stack([stream.push(row) for row in x])


KINDS = [
    "offset1-model", "offset1-model-v4", "offset1-model-v5", "offset5-model", "offset10-model",
    "offset10-model-mse", "offset10-model-mse-tanh", "offset1-model-mse-clip-1-5",
    "offset36-model-more-dropout", "offset50-model", "offset1-model-mse-resnet-3layers-tanh",
    "offset20-model-4x-subsample", "offset4-model-2x-subsample",
]  # fmt: skip
"""Every layer of every named architecture."""


def test_every_layer_without_a_stride_takes_one_row_at_a_time():
    for name in ARCHITECTURES:
        encoder = encoder_of(name)
        assert (_stream.incremental(encoder) is None) == (encoder.stride > 1)
    layers = {type(layer) for name in ARCHITECTURES for layer in encoder_of(name).layers}
    assert layers == {type(layer) for name in KINDS for layer in encoder_of(name).layers}


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=6, deadline=None)
@given(length=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_streamed_segment_is_its_transform(name, length, seed):
    encoder = encoder_of(name, seed)
    x = np.random.default_rng(seed).standard_normal((length, CHANNELS)).astype(np.float32)
    z = pushed(opened(encoder), x)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, transformed(encoder, x), atol=1e-5)


@pytest.mark.parametrize("taps", [1, 2, 4, 5])
def test_a_skip_of_any_width_adds_the_row_that_the_encoder_adds(taps):
    rng = np.random.default_rng(taps)
    draw = lambda *shape: jnp.asarray(rng.standard_normal(shape), jnp.float32)  # noqa: E731
    skip = Skip(Conv(draw(taps, 8, 8), draw(8)))
    encoder = Encoder((skip, Gelu(), skip), normalize=False, causal=True)
    x = np.zeros((20, 8), np.float32)
    x[:, :CHANNELS] = rng.standard_normal((20, CHANNELS))
    z = pushed(Stream(encoder, 8, encoder.offset), x)
    np.testing.assert_allclose(z, transformed(encoder, x), rtol=1e-5, atol=1e-5 * np.abs(z).max())


class Foreign(eqx.Module):
    """A user's encoder: a moving average and maximum of four samples."""

    def __call__(self, x):
        windows = jnp.stack([x[j : len(x) - 3 + j] for j in range(4)])
        return jnp.concatenate([windows.mean(axis=0), windows.max(axis=0)], axis=1)


class Square(eqx.Module):
    """A layer of which the stream knows nothing."""

    taps: ClassVar[int] = 1
    stride: ClassVar[int] = 1

    def __call__(self, x, noise=None):
        return x * x


def test_an_encoder_of_the_users_own_streams_too():
    x = np.random.default_rng(0).standard_normal((12, CHANNELS)).astype(np.float32)
    z = pushed(Stream(Foreign(), CHANNELS, (3, 1)), x)
    before = np.concatenate([x[:1]] * 3 + [x])
    expected = [before[t : t + 4] for t in range(12)]
    np.testing.assert_allclose(
        z, [np.concatenate([w.mean(axis=0), w.max(axis=0)]) for w in expected], atol=1e-6
    )


def test_an_unknown_layer_makes_the_whole_encoder_run_on_its_window():
    known = encoder_of("offset10-model")
    encoder = eqx.tree_at(
        lambda e: e.layers, known, (*known.layers[:2], Square(), *known.layers[2:])
    )
    assert _stream.incremental(encoder) is None
    assert _stream.incremental(known) is not None
    x = np.random.default_rng(0).standard_normal((15, CHANNELS)).astype(np.float32)
    z = pushed(opened(encoder), x)
    np.testing.assert_allclose(z, transformed(encoder, x, (9, 1)), atol=1e-5)


def test_reset_begins_a_trial():
    encoder = encoder_of("offset10-model")
    x, other = np.random.default_rng(0).standard_normal((2, 14, CHANNELS))
    stream = opened(encoder)
    pushed(stream, other)
    carried = stream.push(x[0])
    stream.reset()
    fresh = pushed(stream, x)
    assert np.abs(carried - fresh[0]).max() > 1e-3
    assert (pushed(opened(encoder), x) == fresh).all()


def test_points_already_given_do_not_change():
    encoder = encoder_of("offset1-model-mse")
    stream = opened(encoder)
    first = stream.push(np.ones(CHANNELS))
    before = first.copy()
    stream.push(np.zeros(CHANNELS))
    assert (first == before).all()


@pytest.mark.parametrize(
    ("sample", "error", "message"),
    [
        (np.zeros(CHANNELS + 1), DataError, r"one number for each of 5 channels; got shape \(6,\)"),
        (np.zeros((1, CHANNELS)), DataError, r"got shape \(1, 5\) .* push one sample at a time"),
        (0.0, DataError, r"got shape \(\)"),
        (["a"] * CHANNELS, DataError, "of dtype <U1"),
        ([None] * CHANNELS, DataError, "of dtype object"),
        (np.zeros(CHANNELS, complex), DataError, "of dtype complex128"),
        ([0, 0, np.nan, 0, 0], MissingValuesError, "must be finite .* channel 2 of this sample"),
        ([0, np.inf, 0, 0, 0], MissingValuesError, "channel 1 of this sample"),
        ([0, 0, 0, 0, 1e300], MissingValuesError, "finite in single precision; channel 4"),
    ],
)
def test_a_refused_sample_loses_nothing(sample, error, message):
    encoder = encoder_of("offset10-model")
    x = np.random.default_rng(0).standard_normal((12, CHANNELS))
    expected = pushed(opened(encoder), x)
    stream = opened(encoder)
    for at, row in enumerate(x):
        if at in (0, 7):
            with pytest.raises(error, match=message):
                stream.push(sample)
        assert (stream.push(row) == expected[at]).all()


def test_counts_and_booleans_are_samples():
    encoder = encoder_of("offset1-model")
    stream = opened(encoder)
    counts = np.array([0, 1, 2, 3, 1], np.uint8)
    assert (stream.push(counts) == stream.push(counts.astype(float))).all()
    assert stream.push([True] * CHANNELS).shape == (3,)


def test_a_centred_model_cannot_stream():
    encoder = encoder_of("offset10-model", causal=False)
    with pytest.raises(DataError, match=r"looks 4 sample\(s\) ahead: fit with causal=True"):
        Stream(encoder, CHANNELS, encoder.offset)


def test_a_fitted_model_streams_what_it_transforms():
    x = np.random.default_rng(0).standard_normal((60, CHANNELS)).astype(np.float32)
    quick = {"max_iterations": 2, "batch_size": 16, "random_state": 0}
    model = iso.CEBRA("offset5-model", causal=True, **quick).fit(x)
    stream = model.stream()
    np.testing.assert_allclose(pushed(stream, x), model.transform(x), atol=1e-5)
    trials = np.stack([x[:20], x[20:40]])
    for trial, z in zip(trials, model.transform(trials), strict=True):
        stream.reset()
        np.testing.assert_allclose(pushed(stream, trial), z, atol=1e-5)
    with pytest.raises(DataError, match="fit with causal=True"):
        iso.CEBRA("offset5-model", **quick).fit(x).stream()
