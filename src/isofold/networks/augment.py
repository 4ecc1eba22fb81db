"""Random changes of the input in training: masks of channels and of time, thinned counts.

The four masks are those of the `cebra` package 0.6 (`masking_kwargs`): RandomNeuronMask and the
like multiply by 0 and nothing makes up for it. ChannelDropout and PoissonThinning keep the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import isfinite
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from ..errors import DataError
from .thinning import binomial

ONE_ULP = 1 + 1e-6
"""Shares are float32: 0.3 of 10 is 3, not 2."""


def augment(
    key: jax.Array,
    x: Float[Array, "row channel"],
    window: int,
    kinds: tuple[str, ...],
    values: tuple[Any, ...],
    n_channels: int | jax.Array | None = None,
) -> Float[Array, "row channel"]:
    """x with one of `kinds`, picked at random, applied to each run of `window` rows on its own.

    `kinds` and `values` come from `parse_masking`; values may be traced. Of several choices of a
    value one is picked for the whole call. Channels beyond `n_channels` are padding: blocks lie
    before them.

    >>> kinds, values = parse_masking({"RandomNeuronMask": 0.5})
    >>> y = augment(jax.random.key(0), jnp.ones((6, 4)), 3, kinds, values)
    >>> bool((y[:3] == y[0]).all()), bool((y[3:] == y[3]).all())
    (True, True)
    """
    if not kinds:
        return x
    key, choose = jax.random.split(key)
    n_channels = x.shape[1] if n_channels is None else n_channels
    windows = x.reshape(-1, window, x.shape[1])
    changed = [
        partial(_CHANGES[kind], key, windows, value=jnp.asarray(value), n_channels=n_channels)
        for kind, value in zip(kinds, values, strict=True)
    ]
    if len(changed) == 1:
        return changed[0]().reshape(x.shape)
    return jax.lax.switch(jax.random.randint(choose, (), 0, len(kinds)), changed).reshape(x.shape)


def _neurons(key, x, value, n_channels):
    """Each channel of a run, with the ratio as probability."""
    key, ratio = _one_of(key, value)
    return x * jax.random.bernoulli(key, 1 - ratio, (x.shape[0], 1, x.shape[2]))


def _timesteps(key, x, value, n_channels):
    """Each row of a run, with the ratio as probability."""
    key, ratio = _one_of(key, value)
    return x * jax.random.bernoulli(key, 1 - ratio, (*x.shape[:2], 1))


def _neuron_block(key, x, value, n_channels):
    """⌊channels · ratio⌋ channels side by side, the first uniform among those possible."""
    key, ratio = _one_of(key, value)
    size = jnp.floor(n_channels * ratio * ONE_ULP).astype(int)
    first = jax.random.randint(key, (x.shape[0], 1, 1), 0, n_channels - size + 1)
    channel = jnp.arange(x.shape[2])
    return x * ((channel < first) | (channel >= first + size))


def _time_block(key, x, value, n_channels):
    """⌊rows · rate⌋ different rows of a run, and the `length` − 1 that follow each in the run."""
    rate, length = value
    runs, rows, _ = x.shape
    count = jnp.minimum(jnp.floor(rows * rate * ONE_ULP), rows - 1).astype(int)
    # The rows with the `count` lowest of as many random numbers are a uniform choice.
    draw = jax.random.uniform(key, (runs, rows))
    start = draw < jnp.take(jnp.sort(draw, axis=1), count, axis=1)[:, None]
    # A row is masked if there are more starts up to it than up to `length` rows before.
    total = jnp.pad(jnp.cumsum(start, axis=1), ((0, 0), (1, 0)))
    before = jnp.maximum(jnp.arange(1, rows + 1) - length.astype(int), 0)
    return x * (total[:, 1:] == total[:, before])[:, :, None]


def _channel_dropout(key, x, value, n_channels):
    """As RandomNeuronMask; the channels that stay are multiplied by 1/(1 − ratio)."""
    key, ratio = _one_of(key, value)
    keep = jax.random.bernoulli(key, 1 - ratio, (x.shape[0], 1, x.shape[2]))
    return x * (keep / (1 - ratio))


def _thinning(key, x, value, n_channels):
    """Each event of a count is lost with the ratio as probability: Binomial(x, k)/k, k = 1 − ratio.

    Thinned Poisson counts are Poisson counts.
    """
    key, ratio = _one_of(key, value)
    return binomial(key, x, 1 - ratio) / (1 - ratio)


_CHANGES: dict[str, Callable[..., Array]] = {
    "RandomNeuronMask": _neurons,
    "RandomTimestepMask": _timesteps,
    "NeuronBlockMask": _neuron_block,
    "TimeBlockMask": _time_block,
    "ChannelDropout": _channel_dropout,
    "PoissonThinning": _thinning,
}
_RESCALED = ("ChannelDropout", "PoissonThinning")


def _one_of(key: jax.Array, choices: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Another key, and one of the choices."""
    key, choose = jax.random.split(key)
    return key, choices[jax.random.randint(choose, (), 0, choices.shape[0])]


def parse_masking(
    masking_kwargs: Mapping[str, Any] | Collection[tuple[str, Any]] | None,
) -> tuple[tuple[str, ...], tuple[NDArray[np.float32], ...]]:
    """Names and the choices of each, from a dictionary or pairs (name, value).

    A value is a ratio between 0 and 1, a list of ratios to pick from, or (min, max, step), which
    stands for min, min + step, … up to max; of "TimeBlockMask" it is (rate, length). Raises
    DataError for anything else.

    >>> parse_masking((("RandomNeuronMask", (0.1, 0.3, 0.1)), ("TimeBlockMask", (0.2, 3))))
    (('RandomNeuronMask', 'TimeBlockMask'),
     (array([0.1, 0.2, 0.3], dtype=float32), array([0.2, 3. ], dtype=float32)))
    """
    if masking_kwargs is None:
        return (), ()
    try:
        given = dict(masking_kwargs)
        once = len(given) == len(masking_kwargs)
    except (TypeError, ValueError):
        given, once = {}, False
    if not once:
        raise DataError(
            "masking_kwargs must be pairs (name, value) with every name once, or a dictionary, "
            f"got {masking_kwargs!r}; for example (('RandomNeuronMask', 0.3),)"
        )
    for kind in given:
        if kind not in _CHANGES:
            raise DataError(f"a mask must be one of {list(_CHANGES)}, got {kind!r}")
    values = (_block(v) if k == "TimeBlockMask" else _ratios(k, v) for k, v in given.items())
    return tuple(given), tuple(np.array(value, np.float32) for value in values)


def _ratios(kind: str, value: Any) -> list[float]:
    """The ratios that a value stands for."""
    rule = f"{kind} must be a ratio between 0 and 1, a list of ratios, or (min, max, step)"
    if isinstance(value, tuple):
        if len(value) != 3 or not all(_is_number(part) for part in value):
            raise DataError(f"{rule}, got {value!r}; several ratios to pick from are a list")
        low, high, step = (float(part) for part in value)
        top = 1 if kind not in _RESCALED else np.nextafter(1, 0)
        if not (0 <= low < high <= top and 0 < step <= high - low):
            raise DataError(
                f"{rule} with 0 <= min < max <= 1 and 0 < step <= max - min, got {value!r}"
                + ("; its max is below 1" if kind in _RESCALED else "")
            )
        return [low + step * i for i in range(int((high - low) / step * ONE_ULP) + 1)]
    choices = value if isinstance(value, list) else [value]
    if not choices or not all(_is_number(part) and 0 < part < 1 for part in choices):
        raise DataError(f"{rule}, got {value!r}; 0.3 is a common one")
    return [float(part) for part in choices]


def _block(value: Any) -> list[float]:
    """Rate and length."""
    if (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(_is_number(part) for part in value)
        and 0 < value[0] < 1
        and value[1] == int(value[1]) > 0
    ):
        return [float(part) for part in value]
    raise DataError(
        "TimeBlockMask must be (rate, length) with a rate between 0 and 1 and a whole number of "
        f"samples, got {value!r}; for example (0.1, 5)"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)


def check_counts(kinds: tuple[str, ...], signal: NDArray) -> None:
    """Raise DataError where counts are to be thinned and the signal does not hold counts."""
    if "PoissonThinning" in kinds:
        wrong = (signal < 0) | (signal != np.floor(signal))
        if wrong.any():
            raise DataError(
                "PoissonThinning needs counts (whole numbers, none negative), got "
                f"{int(wrong.sum())} other values, the first {signal[wrong].flat[0]}; leave it "
                "out, or give counts that are not smoothed or scaled"
            )
