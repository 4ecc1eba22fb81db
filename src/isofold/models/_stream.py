"""An encoder in real time: one sample in, the newest embedding point out.

Every layer keeps the few inputs that its next output needs, so a sample costs one row of each
layer whatever the receptive field. NumPy only: at this size a call of a compiled program takes
longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from ..errors import DataError, MissingValuesError
from ..networks import Clip, Conv, Dropout, Encoder, Gelu, Residual, Skip, Tanh

Row = NDArray[np.float32]
Step = Callable[[Row], Row]
"""Takes the newest row of a layer's input, gives the newest of its output. A step with a past
begins with its first row repeated, as the edge of a segment is."""


class Stream:
    """The newest embedding point of a causal model, sample by sample.

    z_t = f(x_{t−L+1}, …, x_t) for a receptive field of L samples. Before the first sample of a
    trial stands that sample, repeated: pushing a whole segment gives what `transform` gives for it.

    Not for centred windows, whose newest point needs samples that are still to come, and not for
    many samples at hand: `transform` takes those in one go.

    Parameters
    ----------
    encoder
        `isofold.networks.Encoder`, or any module from (row, channel) to (fewer rows, latent).
    n_channels
        Channels of a sample.
    offset
        (left, right): the window of sample t is t − left … t + right − 1.
    n_padded
        Channels that the encoder expects, those beyond `n_channels` zero; None: the same.

    Raises
    ------
    DataError
        The window reaches beyond its own sample.

    Examples
    --------
    >>> import isofold as iso
    >>> model = iso.CEBRA("offset1-model", causal=True, output_dimension=2, max_iterations=1)
    >>> stream = model.fit(np.eye(30)).stream()
    >>> [stream.push(sample).shape for sample in np.eye(30)[:2]]
    [(2,), (2,)]
    """

    def __init__(
        self,
        encoder: Any,
        n_channels: int,
        offset: tuple[int, int],
        n_padded: int | None = None,
    ):
        if offset[1] != 1:
            raise DataError(
                "a stream needs a causal model, whose window ends with its own sample; this one "
                f"looks {offset[1] - 1} sample(s) ahead: fit with causal=True"
            )
        self._encoder, self._window = encoder, sum(offset)
        self._n_channels, self._n_padded = int(n_channels), int(n_padded or n_channels)
        self.reset()

    def reset(self) -> None:
        """Forget what was pushed: the next sample begins a trial."""
        self._step = incremental(self._encoder) or windowed(self._encoder, self._window)

    def push(self, sample: ArrayLike) -> Row:
        """Embedding (latent,) of the newest sample (channel,).

        Raises
        ------
        DataError
            Not one number for every channel.
        MissingValuesError
            A value is not finite; the message names the channel.

        A sample that is refused leaves the stream as it was.
        """
        row = np.zeros(self._n_padded, np.float32)
        row[: self._n_channels] = self._checked(sample)
        return self._step(row)

    def _checked(self, sample: ArrayLike) -> Row:
        values = np.asarray(sample)
        if values.dtype.kind not in "biuf" or values.shape != (self._n_channels,):
            raise DataError(
                f"a sample is (channel,), one number for each of {self._n_channels} channels; got "
                f"shape {values.shape} of dtype {values.dtype}; push one sample at a time"
            )
        with np.errstate(over="ignore"):  # what overflows is refused in the next line
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            channel = int(np.argmin(np.isfinite(values)))
            raise MissingValuesError(
                f"every value that is used must be finite in single precision; channel {channel} "
                "of this sample is not: push its last known value instead, or reset() after the "
                "gap"
            )
        return values


# -- layers --------------------------------------------------------------------------------------


def _gelu(x: Row) -> Row:
    return x * (1 + erf(x * np.float32(0.5**0.5))) / 2


class _Past:
    """The newest `length` rows, oldest first; the first row stands for those before it."""

    def __init__(self, length: int):
        self._length = length
        self._rows: NDArray[np.float32] | None = None

    def __call__(self, x: Row) -> NDArray[np.float32]:
        if self._rows is None:
            self._rows = np.tile(x, (self._length, 1))
        else:
            self._rows[:-1] = self._rows[1:]
            self._rows[-1] = x
        return self._rows


def _conv_step(layer: Conv) -> Step:
    taps, channels, units = layer.weight.shape
    weight = np.asarray(layer.weight).reshape(taps * channels, units)
    bias, past = np.asarray(layer.bias), _Past(taps)
    return lambda x: past(x).ravel() @ weight + bias


def _skip_step(layer: Skip) -> Step:
    shrink = layer.conv.weight.shape[0] - 1
    # The convolution ends with the newest row; what is added to it is the row in its middle.
    conv, past = _conv_step(layer.conv), _Past(shrink - shrink // 2 + 1)
    return lambda x: past(x)[0] + _gelu(conv(x))


def _residual_step(layer: Residual) -> Step:
    linear = _conv_step(layer.linear)

    def step(x: Row) -> Row:
        y = linear(x)
        shared = min(x.size, y.size)
        y[:shared] += x[:shared]
        return y

    return step


STEPS: dict[type, Callable[[Any], Step]] = {
    Conv: _conv_step,
    Gelu: lambda _: _gelu,
    Tanh: lambda _: np.tanh,
    Clip: lambda layer: lambda x: np.clip(x, -layer.below, layer.above),
    Dropout: lambda _: lambda x: x,
    Skip: _skip_step,
    Residual: _residual_step,
}
"""How each layer takes one row at a time. An encoder with a layer that is not here is handed its
whole window instead."""


def incremental(encoder: Any) -> Step | None:
    """The encoder one row at a time, or None where one of its layers does not know how."""
    if type(encoder) is not Encoder:
        return None
    if any(
        type(layer) not in STEPS or getattr(layer, "stride", 1) != 1 for layer in encoder.layers
    ):
        return None
    steps = [STEPS[type(layer)](layer) for layer in encoder.layers]

    def step(x: Row) -> Row:
        for one in steps:
            x = one(x)
        return x / np.sqrt(x @ x + np.float32(1e-12)) if encoder.normalize else x

    return step


def windowed(encoder: Any, length: int) -> Step:
    """Any encoder, on the newest `length` rows."""
    import equinox as eqx

    past, encode = _Past(length), eqx.filter_jit(encoder)
    return lambda x: np.asarray(encode(past(x)))[-1]
