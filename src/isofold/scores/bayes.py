"""Poisson naive Bayes: position from counts, the field's decoder of raw activity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.special import logsumexp

from ..errors import DataError
from ..trials import Ints
from ._linear import Floats

KINDS = ("continuous", "circular", "discrete")


class PoissonBayes:
    """Posterior of a label from counts of independent Poisson units, with occupancy as prior.

    log p(y, d | n) = log occupancy(y, d) + Σᵤ [nᵤ log λᵤ(y, d) − λᵤ(y, d)] + const, with λ the
    mean count of a unit in each cell of label y × nuisance class d (for example the direction of
    running), shrunk towards the unit's mean by one pseudo-sample.

    Parameters
    ----------
    n_bins
        Even bins of a continuous label (from least to most of training) or circular one.
    kind
        "continuous", "circular" (radians) or "discrete" (one bin a class).
    smoothing
        Standard deviation of a Gaussian over bins, on counts and occupancy alike, in bins.

    Raises
    ------
    DataError
        `kind` is unknown, there are fewer than two bins, or counts are negative.

    Notes
    -----
    Counts must be those of one window width in training and test; units are taken as independent
    given the label. Not for z-scored or negative signals. Source: Zhang et al., J Neurophysiol
    1998.

    Examples
    --------
    >>> counts = np.array([[9, 0], [8, 1], [0, 9], [1, 8]])
    >>> model = PoissonBayes(kind="discrete").fit(counts, np.array([0, 0, 1, 1]))
    >>> model.predict(np.array([[7, 1], [0, 7]]))
    array([0, 1])
    """

    def __init__(self, n_bins: int = 40, kind: str = "continuous", smoothing: float = 0.0):
        if kind not in KINDS:
            raise DataError(f"kind must be one of {KINDS}, got {kind!r}")
        if n_bins < 2:
            raise DataError(f"n_bins must be at least 2, got {n_bins}")
        self.n_bins, self.kind, self.smoothing = n_bins, kind, smoothing

    def fit(self, counts: NDArray, label: NDArray, nuisance: NDArray | None = None) -> PoissonBayes:
        """Counts (time, unit), label (time,), nuisance (time,) → tuning curves and occupancy.

        Raises
        ------
        DataError
            Counts are negative, or lengths differ.
        """
        counts, label = _counts(counts), np.asarray(label).reshape(len(counts), -1)
        if label.shape[1] != 1:
            raise DataError(
                f"naive Bayes decodes one label column, got {label.shape[1]}; decode one by one"
            )
        bins = self._grid(label[:, 0])
        classes = np.zeros(len(bins)) if nuisance is None else np.asarray(nuisance)
        self.nuisance_classes_, code = np.unique(classes, return_inverse=True)
        shape = (len(self.centres_), len(self.nuisance_classes_))
        cell = bins * shape[1] + code
        occupancy = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
        spikes = [np.bincount(cell, unit, minlength=occupancy.size) for unit in counts.T]
        sums = np.stack(spikes, axis=1).astype(float).reshape(*shape, counts.shape[1])
        occupancy, sums = self._smooth(occupancy), self._smooth(sums)
        mean = np.maximum(counts.mean(axis=0), 1e-6)
        self.rates_ = (sums + mean) / (occupancy + 1)[..., None]
        with np.errstate(divide="ignore"):
            self.log_prior_ = np.log(occupancy / occupancy.sum())
        return self

    def posterior(self, counts: NDArray) -> Floats:
        """(time, bin, nuisance class), sums to 1 over the last two axes."""
        counts = _counts(counts)
        if counts.shape[1] != self.rates_.shape[-1]:
            raise DataError(
                f"counts have {counts.shape[1]} units, the decoder was fitted on "
                f"{self.rates_.shape[-1]}"
            )
        rates = self.rates_.reshape(-1, counts.shape[1])
        log = counts @ np.log(rates).T - rates.sum(axis=1) + self.log_prior_.ravel()
        log -= logsumexp(log, axis=1, keepdims=True)
        return np.exp(log).reshape(len(counts), *self.log_prior_.shape)

    def predict(self, counts: NDArray, estimate: str = "mean") -> NDArray:
        """Label of every sample, the nuisance summed out: posterior "mean" or "map"."""
        if estimate not in ("mean", "map"):
            raise DataError(f"estimate must be 'mean' or 'map', got {estimate!r}")
        weight = self.posterior(counts).sum(axis=2)
        if estimate == "map" or self.kind == "discrete":
            return self.centres_[weight.argmax(axis=1)]
        if self.kind == "circular":
            return np.angle(weight @ np.exp(1j * self.centres_))
        return weight @ self.centres_

    def predict_nuisance(self, counts: NDArray) -> NDArray:
        """Most probable nuisance class of every sample, the label summed out."""
        return self.nuisance_classes_[self.posterior(counts).sum(axis=1).argmax(axis=1)]

    def _grid(self, label: NDArray) -> Ints:
        if self.kind == "discrete":
            self.centres_, bins = np.unique(label, return_inverse=True)
            return bins
        circular = self.kind == "circular"
        values = np.mod(label, 2 * np.pi) if circular else label
        low, high = (0.0, 2 * np.pi) if circular else (values.min(), values.max())
        edges = np.linspace(low, high, self.n_bins + 1)
        self.centres_ = (edges[:-1] + edges[1:]) / 2
        return np.searchsorted(edges[1:-1], values, side="right")

    def _smooth(self, table: Floats) -> Floats:
        if not self.smoothing or self.kind == "discrete":
            return table
        if self.kind == "circular":
            return gaussian_filter1d(table, self.smoothing, axis=0, mode="wrap")
        return gaussian_filter1d(table, self.smoothing, axis=0, mode="reflect")


def _counts(counts: NDArray) -> Floats:
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != 2 or not np.isfinite(counts).all() or (counts < 0).any():
        raise DataError(
            "naive Bayes needs finite counts >= 0 (time, unit); use spike counts, not z-scored or "
            "smoothed-and-centred signals"
        )
    return counts
