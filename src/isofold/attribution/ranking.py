"""Channels ranked by what they give each label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array

from ..errors import DataError
from ..models._encode import embed
from ..networks import Encoder
from ..recording import Recording
from ..scores.chance import surrogate
from ..trials import Ints
from ._chunks import window_chunks
from ._encoder import _encoder_of, channel_moments, chosen_samples
from ._gradients import integrated_gradients, jacobian
from ._read_out import Floats, ReadOut, encoded

COLUMNS = ["label", "channel", "share", "rank", "chance_mean", "chance", "sensitivity", "r2"]
PATH_STEPS = 16
"""Nodes of the path from the mean signal: fewer than a map takes, since samples are averaged."""


def rank(
    model: Any,
    recording: Recording,
    labels: Sequence[str] | str,
    *,
    n_samples: int | None = 1024,
    n_chance: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Channels ranked by what they give each label, through the embedding.

    A label y is read from the embedding by ridge regression, ŷ = w·f(x), its penalty chosen by
    trial. Integrated gradients (the chain rule w·J along the path from the mean signal) split
    every ŷ_t exactly into parts a_c of the channels, and

        share_c = |cov_t(a_c, y)| / Σ_c |cov_t(a_c, y)|

    is what a channel carries of the label. Chance is the same with labels unrelated to the signal:
    every trial takes those of a random trial, turned by a random amount. Circular labels are read
    as cosine and sine, discrete ones as one column a class; the covariance is averaged over
    columns. `sensitivity`, σ_c · mean |w·J_c| as a share, says how strongly ŷ answers to the
    channel, whether or not that has to do with y.

    A small share beyond chance may be an interaction: a channel that blurs what others say.
    Where `r2` is not above 0 the label cannot be read from the embedding, and ranks say nothing.
    Not for the data of the fit, where an encoder has learned noise too.

    Parameters
    ----------
    model
        Fitted CEBRA or PCA.
    recording
        Held out: read-outs are fitted here, the model was not.
    labels
        Names of labels or trial columns.
    n_samples
        Random samples to average over; None is all. Read-outs use every sample.
    n_chance
        Draws of chance.
    seed
        Of samples and draws.

    Returns
    -------
    DataFrame
        One row a label and channel in order of rank: `COLUMNS`. `chance` is the 95th percentile of
        the draws; `r2` is the read-out's, held out by trial.

    Raises
    ------
    DataError
        A label is unknown, constant, or has one class; fewer than two trials.
    MissingValuesError
        Signal or label is missing for a sample inside trials.

    Examples
    --------
    >>> import isofold as iso
    >>> train, test = iso.simulate.place_cells(seed=0, n_laps=12, n_units=6).split(test=0.5)
    >>> table = rank(iso.PCA(output_dimension=2).fit(train), test, "position", n_chance=20)
    >>> table["rank"].tolist(), round(float(table["share"].sum()), 6)
    ([1, 2, 3, 4, 5, 6], 1.0)
    """
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    if not names or n_chance < 2:
        raise DataError(f"rank needs labels and n_chance >= 2, got {names} and {n_chance}")
    encoder = _encoder_of(model, recording)
    used, sample = chosen_samples(model, recording, n_samples, seed, names)
    columns = [encoded(recording, name, used) for name in names]
    z = np.asarray(embed(encoder, recording)[0], float)[used]
    readout = ReadOut(z, recording.trial[used])
    fits = [readout.fit(y) for y in columns]
    read = _Read(encoder, jnp.asarray(np.concatenate([w for w, _ in fits]).T, jnp.float32))
    parts, slopes = _parts(read, recording, used, sample)
    rng = np.random.default_rng([seed, 1])
    at, first, tables = np.searchsorted(used, sample), 0, []
    for name, y, (weights, r2) in zip(names, columns, fits, strict=True):
        mine = slice(first, first := first + len(weights))
        draws = [y, *(y[surrogate(readout.trials, rng)] for _ in range(n_chance))]
        given = np.stack([_covariance(parts[:, mine], draw[at]) for draw in draws])
        tables.append(_table(name, recording, given, slopes[mine].mean(axis=0), r2))
    return pd.concat(tables, ignore_index=True)


class _Read(eqx.Module):
    """An encoder and linear read-outs of its latents, as one encoder."""

    encoder: Encoder
    weights: Array

    def __call__(self, x: Array) -> Array:
        return self.encoder(x) @ self.weights

    @property
    def offset(self) -> tuple[int, int]:
        return self.encoder.offset


def _parts(read: _Read, recording: Recording, used: Ints, sample: Ints) -> tuple[Floats, Floats]:
    """(sample, column, channel) part of each read-out; (column, channel) σ · mean |slope|."""
    mean, deviation = channel_moments(recording, used)
    parts, slopes, n_channels = [], 0.0, recording.n_channels
    for n, windows in window_chunks(read, recording, sample):
        start = jnp.zeros(windows.shape[2]).at[:n_channels].set(mean)
        path = integrated_gradients(read, windows, start, PATH_STEPS)
        parts.append(np.asarray(path[:n, :, :n_channels].sum(axis=3), float))
        slope = np.abs(jacobian(read, windows, start))[:n, :, :n_channels]
        slopes = slopes + slope.mean(axis=3).sum(axis=0, dtype=float)
    return np.concatenate(parts), slopes * deviation / len(sample)


def _covariance(parts: Floats, y: Floats) -> Floats:
    """(channel,) mean over columns of |cov(part, y)|."""
    each = np.einsum("tkc,tk->kc", parts - parts.mean(axis=0), y - y.mean(axis=0))
    return np.abs(each).mean(axis=0) / len(y)


def _table(
    name: str, recording: Recording, given: Floats, slope: Floats, r2: float
) -> pd.DataFrame:
    """`given` (draw, channel): the first is of the label itself, the others are chance."""
    share = given / (given[0].sum() or 1.0)
    table = pd.DataFrame(
        {
            "label": name,
            "channel": list(recording.channels.index),
            "share": share[0],
            "rank": 0,
            "chance_mean": share[1:].mean(axis=0),
            "chance": np.quantile(share[1:], 0.95, axis=0),
            "sensitivity": slope / (slope.sum() or 1.0),
            "r2": r2,
        }
    )
    table = table.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[COLUMNS]
