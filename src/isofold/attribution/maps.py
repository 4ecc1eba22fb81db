"""Attribution maps: how much each latent depends on each channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ..recording import Recording
from ..trials import Ints
from ._chunks import window_chunks
from ._encoder import _encoder_of, as_recording, channel_moments, chosen_samples
from ._gradients import METHODS as _COMPUTE
from ._gradients import PATH_STEPS, embedded

Floats = NDArray[np.float64]

METHODS = tuple(_COMPUTE)
_INVERTED = ("jacobian", "neuron-gradient")
_KEYS = {"jacobian": "jf"}
RELATIVE_CUTOFF = 1e-4
"""Singular values below this share of the largest are rounding: an encoder of unit length has one
that is 0, along the embedding itself, and float32 leaves about 1e-6 of it."""


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """What each channel gives each latent; arrays are (latent, channel) unless said.

    Parameters
    ----------
    values
        Mean over samples of the mean over lags, with sign. Where the sign changes along the
        embedding (a ring), this cancels: then read `maps`.
    absolute
        Mean over samples and lags of the absolute value.
    lags
        (latent, channel, lag): mean over samples of the absolute value; lag k is sample
        t + `settings["lags"][k]`.
    inverse
        Mean over samples of |pseudo-inverse of the mean over lags|, transposed; None where the
        method gives no derivative. It asks which channels the latents would write to, and
        separates channels that share inputs.
    maps
        The same and more under the names of the `cebra` package, each the mean over samples of
        |·|: "jf" (mean over lags first), "jf-convabs" (mean of |J| over lags), and both with
        "-inv-svd" or "-inv-lsq", which are one pseudo-inverse. Other methods have their own name
        in place of "jf".
    channels
        Names of the channels.
    settings
        How it was computed.
    """

    values: Floats
    absolute: Floats
    lags: Floats
    inverse: Floats | None
    maps: Mapping[str, Floats]
    channels: tuple[Any, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """One row a latent and channel: value, absolute, and inverse where there is one."""
        latents, channels = self.values.shape
        table = {
            "latent": np.repeat(np.arange(latents), channels),
            "channel": list(self.channels) * latents,
            "value": self.values.ravel(),
            "absolute": self.absolute.ravel(),
        }
        if self.inverse is not None:
            table["inverse"] = self.inverse.ravel()
        return pd.DataFrame(table)

    def __repr__(self) -> str:
        latents, channels, lags = self.lags.shape
        return (
            f"<Attribution by {self.settings.get('method')}: {latents} latents x {channels} "
            f"channels x {lags} lags, mean of {self.settings.get('n_samples')} samples>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        total = self.absolute.sum(axis=0)
        table = pd.DataFrame(self.absolute.T, index=pd.Index(self.channels, name="channel"))
        table.columns = [f"latent {k}" for k in range(table.shape[1])]
        first = table.iloc[np.argsort(-total)[:10]]
        return f"<p>{escape(repr(self))}; mean |·|, largest first</p>{first.to_html()}"


def attribution(
    model: Any,
    recording: Recording | ArrayLike,
    *,
    method: str = "jacobian",
    n_samples: int | None = 2048,
    seed: int = 0,
    baseline: str | ArrayLike = "mean",
    steps: int = PATH_STEPS,
) -> Attribution:
    """How much each latent depends on each channel, averaged over samples.

    By J_t = ∂f/∂x_t, or by what f(x) loses against a baseline x₀. Attributions are in latent per
    unit of the channel ("jacobian") or in latent: bring channels to one scale before the fit, or
    compare them with `rank`, which does. Windows stay inside their segment, as in `transform`. The
    model is not changed.

    Not for a claim about cause: it says what the model uses, and a channel that copies another may
    get nothing. Latents of two fits have no common order.

    Parameters
    ----------
    model
        Fitted CEBRA or PCA.
    recording
        What to look at, preferably held out; an array is (time, channel).
    method
        "jacobian"; "neuron-gradient", the same, output by output; "ablation", f(x) − f(x with one
        channel at one lag at baseline), the slowest; "integrated-gradients", which sums over
        inputs to f(x) − f(x₀) (Gauss–Legendre).
    n_samples
        Random samples to average over; None is all.
    seed
        Of the choice of samples.
    baseline
        "mean" of each channel over the samples used, "zeros", or (channel,) values; not used by
        the first two methods.
    steps
        Nodes of "integrated-gradients". Where f turns sharply on the way (unit length near the
        origin) the sum misses f(x) − f(x₀): `settings["gap"]`, the mean of |difference|, says by
        how much; then raise it.

    Raises
    ------
    DataError
        The model has no encoder, channels do not match, or a setting breaks a rule.
    MissingValuesError
        A sample is not finite.

    References
    ----------
    Schneider, González Laiz, Filippova, Frey & Mathis, Time-series attribution maps with
    regularized contrastive learning, AISTATS 2025. Sundararajan, Taly & Yan, Axiomatic attribution
    for deep networks, ICML 2017.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=4, n_units=5)
    >>> model = iso.PCA(output_dimension=2).fit(rat)
    >>> found = iso.attribution.attribution(model, rat)
    >>> np.allclose(found.values, model.components_), found.maps["jf"].shape
    (True, (2, 5))
    """
    recording = as_recording(recording)
    _check_method(method, steps)
    encoder = _encoder_of(model, recording)
    used, sample = chosen_samples(model, recording, n_samples, seed)
    start = _baseline(baseline, recording, used)
    sums = _Sums(_KEYS.get(method, method), method in _INVERTED)
    for each, gap in _attributed(encoder, recording, sample, method, start, steps):
        sums.add(each, gap)
    left, right = encoder.offset
    settings = {
        "method": method,
        "n_samples": len(sample),
        "seed": seed,
        "steps": steps if method == "integrated-gradients" else None,
        "baseline": None if method in _INVERTED else start.tolist(),
        "lags": list(range(-left, right)),
    }
    return sums.result(tuple(recording.channels.index), settings)


def of_samples(
    model: Any,
    recording: Recording | ArrayLike,
    samples: Iterable[int],
    *,
    method: str = "jacobian",
    baseline: str | ArrayLike = "mean",
    steps: int = PATH_STEPS,
) -> NDArray[np.float32]:
    """Attributions of single samples, (sample, latent, channel, lag): what `attribution` averages.

    Not for many samples of many channels, which fill the memory. Parameters and errors are those
    of `attribution`; `samples` are numbers of samples inside trials.

    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=4, n_units=5)
    >>> first = int(rat.trials["start"].iloc[0])
    >>> of_samples(iso.PCA(output_dimension=2).fit(rat), rat, [first, first + 1]).shape
    (2, 2, 5, 1)
    """
    recording = as_recording(recording)
    _check_method(method, steps)
    encoder = _encoder_of(model, recording)
    used, _ = chosen_samples(model, recording, None, 0)
    sample = np.asarray(list(samples), np.int64)
    if not len(sample) or not np.isin(sample, used).all():
        raise DataError(
            f"samples must be numbers of samples inside trials of recording {recording.name!r}, "
            f"at least one; not so: {np.setdiff1d(sample, used)[:5].tolist()}"
        )
    start = _baseline(baseline, recording, used)
    chunks = _attributed(encoder, recording, sample, method, start, steps)
    return np.concatenate([each for each, _ in chunks])


def pseudo_inverse(maps: NDArray) -> NDArray:
    """Moore–Penrose inverse of each (latent, channel) matrix, transposed back to that shape."""
    return np.swapaxes(np.linalg.pinv(maps, rcond=RELATIVE_CUTOFF), -1, -2)


def _attributed(
    encoder: Any, recording: Recording, sample: Ints, method: str, baseline: Floats, steps: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32] | None]]:
    """(sample, latent, channel, lag) in chunks, and for integrated gradients what their sums miss,
    (sample, latent)."""
    on_path = method == "integrated-gradients"
    compute = partial(_COMPUTE[method], steps=steps) if on_path else _COMPUTE[method]
    for n, windows in window_chunks(encoder, recording, sample):
        start = jnp.zeros(windows.shape[2]).at[: len(baseline)].set(baseline)
        each = np.asarray(compute(encoder, windows, start))[:n, :, : recording.n_channels]
        gap = None
        if on_path:
            away = embedded(encoder, windows) - embedded(encoder, jnp.zeros_like(windows) + start)
            gap = each.sum(axis=(2, 3)) - np.asarray(away)[:n]
        yield each, gap


class _Sums:
    """Sums over samples of everything that an `Attribution` averages."""

    def __init__(self, key: str, inverted: bool):
        self._key, self._inverted, self._n = key, inverted, 0
        self._sums: dict[str, Any] = {}

    def add(self, each: NDArray, gap: NDArray | None) -> None:
        """(sample, latent, channel, lag), (sample, latent)"""
        mean, size = each.mean(axis=3), np.abs(each)
        parts = {"": mean, "convabs": size.mean(axis=3)}
        new = {"values": mean, "lags": size, "jf": np.abs(mean), "convabs": parts["convabs"]}
        if gap is not None:
            new["gap"] = np.abs(gap).mean(axis=1)
        if self._inverted:
            new |= {"inv": np.abs(pseudo_inverse(mean))}
            new |= {"convabs-inv": np.abs(pseudo_inverse(parts["convabs"]))}
        for name, values in new.items():
            self._sums[name] = self._sums.get(name, 0.0) + values.sum(axis=0, dtype=np.float64)
        self._n += len(each)

    def result(self, channels: tuple[Any, ...], settings: Mapping[str, Any]) -> Attribution:
        mean = {name: total / self._n for name, total in self._sums.items()}
        key = self._key
        maps = {key: mean["jf"], f"{key}-convabs": mean["convabs"]}
        for how in ("svd", "lsq") if self._inverted else ():
            maps[f"{key}-inv-{how}"] = mean["inv"]
            maps[f"{key}-convabs-inv-{how}"] = mean["convabs-inv"]
        if "gap" in mean:
            settings = {**settings, "gap": float(mean["gap"])}
        return Attribution(
            mean["values"], mean["convabs"], mean["lags"], mean.get("inv"), maps, channels, settings
        )


def _check_method(method: str, steps: int) -> None:
    if method not in METHODS:
        raise DataError(f"method must be one of {list(METHODS)}, got {method!r}")
    if steps < 1:
        raise DataError(f"steps must be at least 1, got {steps}")


def _baseline(baseline: str | ArrayLike, recording: Recording, used: Ints) -> Floats:
    """(channel,) what stands for an input that is not there."""
    if isinstance(baseline, str):
        if baseline == "zeros":
            return np.zeros(recording.n_channels)
        if baseline == "mean":
            return channel_moments(recording, used)[0]
        raise DataError(f"baseline must be 'mean', 'zeros' or (channel,) values, got {baseline!r}")
    values = np.asarray(baseline, float)
    if values.shape != (recording.n_channels,) or not np.isfinite(values).all():
        raise DataError(
            f"baseline must be one finite value a channel, ({recording.n_channels},), got shape "
            f"{values.shape}"
        )
    return values
