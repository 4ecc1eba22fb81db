"""What a fitted model says activity is: expected at a latent, over a grid of latents, and drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ._label_code import coded

if TYPE_CHECKING:
    import xarray as xr

BLOCK = 4096
"""Latents decoded at once."""

SPAN = (0.01, 0.99)
"""Quantiles of the model's own latents between which tuning is shown."""

UNIT = "expected activity per bin"


def expected(part: Any, z: NDArray) -> NDArray[np.float32]:
    """(row, channel) expected activity of the sample's own bin at latents (row, latent)."""
    import jax.numpy as jnp

    from ..objectives.observation import rate

    decoder, n = part.decoder, part.decoder.n_channels
    own = slice(0, n)
    if decoder.bins > 1:
        left = part.posterior.offset[0]
        own = slice(left * n, (left + 1) * n)
    found = []
    for first in range(0, len(z), BLOCK):
        drive = decoder(jnp.asarray(z[first : first + BLOCK], jnp.float32))
        mean = decoder.mean(drive) if decoder.observation == "gaussian" else rate(drive)
        found.append(np.asarray(mean[:, own]))
    return np.concatenate(found)


def draw_latents(model: Any, labels: Any, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n, latent) draws of p(z|u), labels given or drawn as often as they were in the fit."""
    import jax.numpy as jnp

    from ..training.evidence_step import split

    table = labels
    if not isinstance(table, pd.DataFrame):
        known = model.candidates_
        table = pd.DataFrame(index=range(int(table)))
        if model.code_.parts:
            weight = known["weight"].to_numpy(float)
            table = known.iloc[rng.choice(len(known), len(table), p=weight / weight.sum())]
    p = split(model.params_.prior(jnp.asarray(coded(model.code_, table))))
    deviation = np.exp(0.5 * np.asarray(p.log_variance, float))
    return np.asarray(p.mean, float) + deviation * rng.standard_normal(deviation.shape)


def tuning(model: Any, number: int, n: int) -> xr.DataArray:
    """Expected activity over a grid of two latents, or along each of another number."""
    import xarray as xr

    part = model.params_.parts[number]
    z = draw_latents(model, 5000, np.random.default_rng(0))
    low, high = np.quantile(z, SPAN, axis=0)
    grid = np.linspace(low, high, n)
    channel, attrs = np.arange(model.channels_[number]), {"unit": UNIT}
    if z.shape[1] == 2:
        points = np.stack(np.meshgrid(grid[:, 0], grid[:, 1], indexing="ij"), axis=-1)
        values = expected(part, points.reshape(-1, 2)).reshape(n, n, -1)
        coords: dict[str, Any] = {"latent_0": grid[:, 0], "latent_1": grid[:, 1]}
    else:
        points = np.tile(np.median(z, axis=0), (z.shape[1], n, 1))
        for k in range(z.shape[1]):
            points[k, :, k] = grid[:, k]
        values = expected(part, points.reshape(-1, z.shape[1])).reshape(z.shape[1], n, -1)
        coords = {"latent": np.arange(z.shape[1]), "step": np.arange(n)}
        coords["value"] = (("latent", "step"), grid.T)
    dims = (*list(coords)[:2], "channel")
    coords["channel"] = channel
    return xr.DataArray(values, dims=dims, coords=coords, name="tuning", attrs=attrs)


def sample(model: Any, number: int, labels: Any, seed: int) -> NDArray[Any]:
    """(n, channel) activity drawn from p(x|u): whole numbers where counts are modelled."""
    if not isinstance(labels, pd.DataFrame) and not (
        isinstance(labels, (int, np.integer)) and not isinstance(labels, bool) and labels > 0
    ):
        raise DataError(
            "sample takes how many (a whole number >= 1) or a DataFrame of labels, one sample for "
            f"each row, got {labels!r}"
        )
    rng = np.random.default_rng(seed)
    part = model.params_.parts[number]
    decoder, n = part.decoder, part.decoder.n_channels
    mean = expected(part, draw_latents(model, labels, rng)).astype(float)
    if decoder.observation == "gaussian":
        return rng.normal(mean, np.exp(0.5 * np.asarray(decoder.log_variance(), float)[:n]))
    if decoder.observation == "poisson":
        return rng.poisson(mean)
    size = np.exp(np.clip(np.asarray(decoder.log_size(), float)[:n], -20, 20))
    return rng.poisson(rng.gamma(size, mean / size))
