"""Align: one embedding laid over another after the fact, fitted on train and scored on test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from ..errors import DataError
from ._canonical import correlations
from ._inputs import is_embedding, rows_of, split_of
from ._linear import Floats, LeastSquares, Sums, percentiles, r2, resampled
from ._matching import SameLabels, SameSamples, match
from .procrustes import rotation
from .score import Score

HOW = ("linear", "orthogonal", "signs")


@dataclass(frozen=True, eq=False)
class Alignment:
    """A map from one embedding to another: ẑ = scale · z @ matrix + shift. Made by `align`.

    Parameters
    ----------
    matrix
        (latent, latent of the reference): any numbers ("linear"), orthogonal, or with a single 1
        or -1 in every row and column ("signs").
    shift
        (latent of the reference,).
    scale
        Size of the reference over that of the embedding; 1 but for "orthogonal".
    how
        As in `align`.

    Examples
    --------
    >>> turn = Alignment(np.array([[0.0, -1.0], [1.0, 0.0]]), np.zeros(2))
    >>> turn(np.array([[1.0, 2.0]]))
    array([[ 2., -1.]])
    """

    matrix: Floats
    shift: Floats
    scale: float = 1.0
    how: str = "linear"
    _fitted: SameSamples | SameLabels | None = field(default=None, repr=False)

    def apply(self, z: Any) -> Any:
        """The embedding in the space of the reference; an Embedding keeps its coordinates.

        Raises
        ------
        DataError
            The number of latents is not that of the embedding that was aligned.
        """
        rows = rows_of(z, "embedding")
        if rows.shape[1] != len(self.matrix):
            raise DataError(
                f"the alignment was fitted on {len(self.matrix)} latents, got {rows.shape[1]}; "
                "every embedding needs an alignment of its own"
            )
        moved = self.scale * rows @ self.matrix + self.shift
        if not is_embedding(z):
            return moved
        coords = {name: values for name, values in z.coords.items() if "latent" not in values.dims}
        coords["latent"] = np.arange(moved.shape[1])
        attrs = {**z.attrs, "aligned": self.how}
        return type(z)(moved, dims=("time", "latent"), coords=coords, attrs=attrs, name=z.name)

    def __call__(self, z: Any) -> Any:
        return self.apply(z)

    def score(
        self,
        z: Any,
        reference: Any,
        *,
        labels: Sequence[Any] | str | None = None,
        groups: Any = None,
        n_chance: int = 100,
        seed: int = 0,
    ) -> Score:
        """R² of the reference by the aligned embedding, for trials that the fit has not seen.

        R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)², uniform mean over the latents of the reference, of samples
        or of label bins, as in the fit.

        Parameters
        ----------
        z, reference
            Both of test trials.
        labels, groups
            As in `align`. Names of labels given there need not be given again.
        n_chance, seed
            Draws of the null: samples (or labels) move as in `scores.surrogate`, in the fitted
            and in the scored trials, and the map is fitted again.

        Returns
        -------
        Score
            Matched by samples: `parts` a trial, `interval` over trials. `also["matches"]` is the
            number of samples, or of bins that both have.

        Raises
        ------
        DataError
            As in `align`.
        """
        test = self._match(z, reference, labels, groups)
        rows, known = test.rows()
        _require(rows, 2, test.matched_by)
        found = self.apply(rows)
        if known.shape[1] != len(self.shift):
            raise DataError(
                f"the reference was fitted with {len(self.shift)} latents, got {known.shape[1]}"
            )
        score = Score(
            value=r2(known, found),
            unit="R²",
            chance=self._chance(test, n_chance, seed),
            also={"matches": float(len(known))},
            split=split_of([z, reference]),
            settings={"how": self.how, "matched_by": test.matched_by}
            | {"n_chance": n_chance, "seed": seed},
        )
        return score if isinstance(test, SameLabels) else _by_trial(score, test, found, seed)

    def _match(self, z: Any, reference: Any, labels: Any, groups: Any) -> SameSamples | SameLabels:
        fitted = self._fitted
        if not isinstance(fitted, SameLabels):
            return match(z, reference, labels, groups)
        if labels is None and not fitted.named:
            raise DataError(
                "this alignment was matched by the values of labels; give score() those of the "
                "test trials: labels=[of the embedding, of the reference]"
            )
        labels = fitted.labels if labels is None else labels
        return match(z, reference, labels, groups, fitted.bins)

    def _chance(self, test: SameSamples | SameLabels, n_chance: int, seed: int) -> Floats:
        rng, draws = np.random.default_rng(seed), []
        for _ in range(n_chance if self._fitted is not None else 0):
            assert self._fitted is not None
            moved = _fit(*self._fitted.rows(rng), self.how)
            rows, known = test.rows(rng)
            draws.append(r2(known, moved.apply(rows)))
        return np.asarray(draws, dtype=float)


def align(
    z: Any,
    reference: Any,
    *,
    labels: Sequence[Any] | str | None = None,
    how: str = "linear",
    groups: Any = None,
    bins: int | None = None,
) -> Alignment:
    """The map that lays an embedding over a reference; fit it on training trials.

    "linear": any matrix and shift, by least squares. "orthogonal": rotation or reflection, one
    scale and a shift (Procrustes). "signs": each latent is matched to one of the reference by
    |correlation| (Hungarian method), flipped where that is negative, and shifted to its mean; what
    is left is not explained by names and signs of axes.

    Parameters
    ----------
    z, reference
        (time, latent), of training trials.
    labels
        None: rows are the same samples, as in two fits of one recording. For different recordings
        or animals what is matched is the mean embedding in bins of the labels: names of
        coordinates, e.g. ["position", "direction"], or one entry for each of the two embeddings:
        (time,), (time, k) or a list of arrays. Discrete ones are crossed.
    how
        "linear", "orthogonal" or "signs".
    groups
        Trial of each sample (with labels: two arrays). Default: the `trial` coordinate, else ten
        contiguous blocks. Samples of trial -1 are left out; chance moves trials.
    bins
        Bins a continuous label; default 100 cells over all continuous labels.

    Returns
    -------
    Alignment
        Call it with embeddings of any trials; `score` it on test trials.

    Raises
    ------
    DataError
        `how` is unknown; lengths or times differ without labels; "orthogonal" or "signs" of
        different numbers of latents; too few samples or shared bins; values are missing.

    Notes
    -----
    Not a measure of likeness by itself: a linear map of many latents explains much. Read the score
    on test trials beside its chance, and `consistency` for all pairs at once.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(300, 2))
    >>> other = -z[:, ::-1]  # flipped, and in another order
    >>> found = align(other[:200], z[:200], how="signs")
    >>> found.matrix.tolist(), float(found.score(other[200:], z[200:], n_chance=0))
    ([[0.0, -1.0], [-1.0, 0.0]], 1.0)
    """
    if how not in HOW:
        raise DataError(f"how must be one of {HOW}, got {how!r}")
    fitted = match(z, reference, labels, groups, bins)
    rows, known = fitted.rows()
    if how != "linear" and rows.shape[1] != known.shape[1]:
        raise DataError(
            f"how={how!r} maps latents to as many: got {rows.shape[1]} and {known.shape[1]}; use "
            "how='linear'"
        )
    _require(rows, rows.shape[1] + 2 if how == "linear" else 2, fitted.matched_by)
    return replace(_fit(rows, known, how), _fitted=fitted)


def _fit(rows: Floats, known: Floats, how: str) -> Alignment:
    if how == "linear":
        return Alignment(*LeastSquares(rows).coefficients(known), how=how)
    mean, target, scale = rows.mean(axis=0), known.mean(axis=0), 1.0
    if how == "orthogonal":
        matrix, scale = rotation(rows - mean, known - target)
    else:
        matrix = _signs(correlations(rows, known))
    return Alignment(matrix, target - scale * mean @ matrix, scale, how)


def _signs(correlation: Floats) -> Floats:
    matrix = np.zeros_like(correlation)
    at = linear_sum_assignment(-np.abs(correlation))
    matrix[at] = np.where(correlation[at] < 0, -1.0, 1.0)
    return matrix


def _require(rows: Floats, needed: int, matched_by: str) -> None:
    if len(rows) < needed:
        what = "bins of labels that both embeddings fill" if matched_by == "labels" else "samples"
        raise DataError(
            f"{needed} or more {what} are needed, got {len(rows)}; give more trials"
            + (", fewer bins, or labels that overlap" if matched_by == "labels" else "")
        )


def _by_trial(score: Score, test: SameSamples, found: Floats, seed: int) -> Score:
    codes, names = pd.factorize(test.trials)
    sums = Sums.of(test.pair.truth, found, codes)
    parts = pd.Series(sums.parts(), index=pd.Index(names, name="trial"), name="R²")
    interval = score.interval
    if len(names) > 1:
        interval = percentiles(sums.r2(resampled(len(names), seed)))
    settings = {**score.settings, "interval_over": "trials"}
    return replace(score, parts=parts, interval=interval, settings=settings)
