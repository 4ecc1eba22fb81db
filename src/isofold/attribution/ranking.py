"""Channels ranked by what they give each label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array
from numpy.typing import NDArray

from ..networks import Encoder
from ..recording import Recording
from ._chunks import window_chunks
from ._encoder import _encoder_of, chosen_samples
from ._gradients import jacobian
from ._read_out import Floats, ReadOut, encoded

COLUMNS = ["label", "channel", "share", "rank", "chance_mean", "chance", "r2"]


def rank(
    model: Any,
    recording: Recording,
    labels: Sequence[str] | str,
    *,
    n_samples: int | None = 2048,
    n_chance: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Channels ranked by what they give each label, through the embedding.

    A label y is read from the embedding by ridge regression, ŷ = w·f(x), its penalty chosen by
    trial; the chain rule takes the read-out to the channels, ∂ŷ/∂x = w·J. A channel gives

        g_c = σ_c · mean over samples and lags of |w·J|,  share_c = g_c / Σ g

    with σ_c its standard deviation, so that units do not matter. Circular labels are read as
    cosine and sine, discrete ones as one column a class, and g is the mean over columns.

    Chance is the share with labels that are unrelated to the signal (every trial takes those of a
    random trial, turned by a random amount): what the channel gives to any read-out of this
    embedding. A share beyond it is particular to the label. Where `r2` is not above 0 the label
    cannot be read from the embedding, and the ranks say nothing.

    Parameters
    ----------
    model
        Fitted CEBRA or PCA.
    recording
        Preferably held out: read-outs are fitted here, the model was not.
    labels
        Names of labels or trial columns.
    n_samples
        Random samples for J; None is all. Read-outs use every sample.
    n_chance
        Draws of chance.
    seed
        Of samples and draws.

    Returns
    -------
    DataFrame
        One row a label and channel, in order of rank: `COLUMNS`. `chance` is the 95th percentile
        of the draws; `r2` is the read-out's, held out by trial.

    Raises
    ------
    DataError
        A label is unknown, constant, or has one class; fewer than two trials.
    MissingValuesError
        Signal or label is missing for a sample inside trials.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=8, n_units=6)
    >>> table = rank(iso.PCA(output_dimension=2).fit(rat), rat, "position", n_chance=20)
    >>> list(table.columns), round(table["share"].sum(), 6)
    (['label', 'channel', 'share', 'rank', 'chance_mean', 'chance', 'r2'], 1.0)
    """
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    encoder = _encoder_of(model, recording)
    columns = [encoded(recording, name) for name in names]
    used, sample = chosen_samples(model, recording, n_samples, seed, names)
    z = np.asarray(model.transform(recording), float)[used]
    readout = ReadOut(z, recording.trial[used])
    rng = np.random.default_rng([seed, 1])
    fits = [readout.fit_with_chance(y[used], name, n_chance, rng) for name, y in columns]
    weights = np.concatenate([w.reshape(-1, z.shape[1]) for w, _ in fits])
    given = _given(encoder, recording, sample, weights) * _deviation(recording, used)
    tables, first = [], 0
    for name, (w, r2) in zip(names, fits, strict=True):
        part = given[first : first + w.shape[0] * w.shape[1]]
        first += len(part)
        tables.append(_table(name, recording, part.reshape(*w.shape[:2], -1).mean(axis=1), r2))
    return pd.concat(tables, ignore_index=True)


def _given(encoder: Encoder, recording: Recording, sample, weights: Floats) -> Floats:
    """(read-out, channel) mean over samples and lags of |w·J|."""
    total: Any = 0.0
    read_outs = jnp.asarray(weights, jnp.float32)
    for n, windows in window_chunks(encoder, recording, sample):
        real = jnp.arange(len(windows)) < n
        total = total + np.asarray(_sum_chunk(encoder, windows, read_outs, real))
    return total[:, : recording.n_channels].astype(float) / len(sample)


@eqx.filter_jit
def _sum_chunk(encoder: Encoder, windows: Array, weights: Array, real: Array) -> Array:
    each = jacobian(encoder, windows, windows[0, 0])

    def of(w):
        size = jnp.abs(jnp.einsum("d,bdcl->bcl", w, each)).mean(axis=2)
        return jnp.sum(size * real[:, None], axis=0)

    return jax.lax.map(of, weights)


def _deviation(recording: Recording, used: NDArray) -> Floats:
    """Standard deviation of each channel over the samples used, in blocks."""
    from .._rows import take

    parts = [take(recording.signal, p) for p in np.array_split(used, max(1, len(used) // 65_536))]
    n = len(used)
    mean = sum(p.sum(axis=0, dtype=float) for p in parts) / n
    return np.sqrt(sum(((p - mean) ** 2).sum(axis=0, dtype=float) for p in parts) / n)


def _table(name: str, recording: Recording, given: Floats, r2: float) -> pd.DataFrame:
    """`given` (draw, channel); the first is the label itself, the others are chance."""
    total = given.sum(axis=1, keepdims=True)
    share = given / np.where(total > 0, total, 1)
    table = pd.DataFrame(
        {
            "label": name,
            "channel": list(recording.channels.index),
            "share": share[0],
            "rank": 0,
            "chance_mean": share[1:].mean(axis=0),
            "chance": np.quantile(share[1:], 0.95, axis=0),
            "r2": r2,
        }
    )
    table = table.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[COLUMNS]
