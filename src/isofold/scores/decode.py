"""Decode: how well a label of held-out trials can be read from an embedding."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints, fold_of
from . import _decoders as decoders_
from ._inputs import (
    Label,
    as_label,
    coordinate,
    inside,
    is_embedding,
    recording_of,
    require_trials,
    require_values,
    rows_of,
    same_length,
    split_of,
    trials_of,
    trials_or_blocks,
)
from ._linear import Floats, percentiles, resampled
from ._targets import Target
from .chance import surrogate
from .score import Score

N_FOLDS = 5
MOST_VALIDATION_ROWS = 1500


def decode(
    z_train: Any,
    y_train: Any = None,
    z_test: Any = None,
    y_test: Any = None,
    *,
    label: str | None = None,
    decoder: Any = "knn",
    groups: Any = None,
    kind: str | None = None,
    nuisance: Any = None,
    n_chance: int = 100,
    seed: int = 0,
    **options: Any,
) -> Score:
    """Read a label from an embedding: fitted on training trials, scored on test trials.

    Continuous labels: R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)², `also` the median and mean absolute error in
    the label's own unit. Circular ones (radians): R² of (cos, sin) and the wrapped error. Classes:
    accuracy, `also` balanced accuracy and macro F1.

    Parameters
    ----------
    z_train, y_train, z_test, y_test
        `decode(z_train, z_test, label="position")` with embeddings that carry the label, or
        `decode(z_train, y_train, z_test, y_test)` with arrays (time, latent) and (time,).
    label
        Name of the coordinate to decode.
    decoder
        "knn" (k, and cosine or Euclidean distance), "ridge" (alpha), "logistic" and "svm" (C),
        "bayes" (Poisson naive Bayes, for counts), or an estimator with `fit` and `predict`. What
        stands in brackets is chosen by cross-validation over training trials, or given by name.
    groups
        (training, test) arrays of the trial of each sample. Default: the `trial` coordinate, else
        ten contiguous blocks. Samples of trial -1 are left out.
    kind
        "continuous", "circular" or "discrete" where dtype or coordinate do not say it.
    nuisance
        For "bayes": a discrete label (name, or the values of the training samples) that tuning
        depends on too, for example direction; it is summed out.
    n_chance, seed
        Draws of the null: in training and test alike every trial takes the labels of a random
        trial from a random start on (`scores.surrogate`), then the decoder is fitted again (knn
        and ridge choose their settings again; svm uses at most 1,000 training samples).
    **options
        `metric`, `k`; `alpha`; `C`; `n_bins`, `smoothing`, `estimate` ("mean", "map").

    Returns
    -------
    Score
        `parts` has one value a test trial (1 − its mean squared error / variance of all test
        samples); `interval` resamples test trials.

    Raises
    ------
    DataError
        Lengths differ, the label is missing, constant or has classes that training lacks.

    Notes
    -----
    The embedding must not have been fitted on the test trials. Do not compare across labels.

    Examples
    --------
    >>> y = np.tile(np.linspace(0, 1, 50), 8)
    >>> z = np.c_[np.cos(3 * y), np.sin(3 * y)]
    >>> score = decode(z[:300], y[:300], z[300:], y[300:], decoder="ridge", n_chance=20)
    >>> score.value > 0.9 > score.chance_hi
    True
    """
    train, test = _parts(z_train, y_train, z_test, y_test, label, groups, kind)
    target = Target.of(train.label, test.label)
    truth = target.encode(test.label)
    if not target.discrete and np.any(np.ptp(truth, axis=0) == 0):
        raise DataError(f"{test.label.name} is constant in the test trials: R² is undefined")
    y = target.encode(train.label)
    if nuisance is not None:
        y, options = _with_nuisance(y, train, z_train, nuisance, decoder, options)
    method = decoders_.named(decoder, target, train.rows, options)
    if options.keys() - {"n_nuisance"}:
        raise DataError(f"decoder {decoder!r} has no option {sorted(options)}")

    tuner = _Tuner(method, target, train)
    setting = tuner.choose(y)
    predicted = method.fit(train.rows, test.rows)(y, [setting])[0]
    parts, interval = _by_trial(target, truth, predicted, test.trials, seed)
    chance, guess = _chance(tuner, train, test, y, truth, setting, n_chance, seed)
    split = split_of([test.source])
    return Score(
        value=target.score(truth, predicted),
        unit=target.unit,
        parts=parts,
        interval=interval,
        chance=chance,
        also=_also(target, truth, predicted, test.trials, guess, seed),
        split="test" if split == "as given" else split,
        settings={
            "decoder": decoder if isinstance(decoder, str) else type(decoder).__name__,
            "chosen": setting,
            "label": train.label.name,
            "kind": target.kind,
            "n_chance": n_chance,
            "seed": seed,
            "interval_over": "trials",
        },
    )


def _by_trial(
    target: Target, truth: Floats, predicted: Floats, trials: NDArray, seed: int
) -> tuple[pd.Series, tuple[float, float]]:
    codes, names = pd.factorize(trials)
    parts, draws = target.by_trial(truth, predicted, codes, resampled(len(names), seed))
    series = pd.Series(parts, index=pd.Index(names, name="trial"), name=target.unit)
    return series, percentiles(draws) if len(names) > 1 else (float("nan"), float("nan"))


def _also(
    target: Target,
    truth: Floats,
    predicted: Floats,
    trials: NDArray,
    guess: float | None,
    seed: int,
) -> dict[str, float]:
    also = target.also(truth, predicted)
    if not target.discrete:
        also |= _error_interval(target.errors(truth, predicted), pd.factorize(trials)[0], seed)
    return also if guess is None else also | {"median_error_chance": guess}


# -- what is decoded from what ---------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    rows: Floats
    label: Label
    trials: NDArray
    keep: NDArray[np.bool_]
    source: Any

    def take(self, rows: NDArray) -> _Part:
        return replace(self, rows=self.rows[rows], label=self.label[rows], trials=self.trials[rows])


def _parts(z_train, y_train, z_test, y_test, label, groups, kind) -> tuple[_Part, _Part]:
    if isinstance(z_test, str):  # decode(z_train, z_test, "position")
        z_test, label = None, z_test
    if label is not None:
        if y_test is not None or (y_train is not None and z_test is not None):
            raise DataError(
                "label= names a coordinate of the embeddings; give decode(z_train, z_test, "
                "label=...) or decode(z_train, y_train, z_test, y_test)"
            )
        z_test = y_train if z_test is None else z_test
        y_train = coordinate(z_train, label, "the training embedding")
        y_test = coordinate(z_test, label, "the test embedding") if z_test is not None else None
    if y_train is None or z_test is None or y_test is None:
        raise DataError(
            "decode needs decode(z_train, z_test, label='...') or "
            "decode(z_train, y_train, z_test, y_test)"
        )
    given = (None, None) if groups is None else groups
    if len(given) != 2:
        raise DataError(f"groups must be (training trials, test trials), got {len(given)} arrays")
    _warn_if_shared(z_train, z_test)
    train = _part(z_train, y_train, given[0], kind, "training embedding")
    test = _part(z_test, y_test, given[1], kind, "test embedding")
    if train.rows.shape[1] != test.rows.shape[1]:
        raise DataError(
            f"training and test embeddings must have the same dimensions, got "
            f"{train.rows.shape[1]} and {test.rows.shape[1]}"
        )
    require_trials(train.trials, "decoding with settings chosen inside the training part")
    return train, test


def _part(z: Any, y: Any, groups: Any, kind: str | None, name: str) -> _Part:
    rows = rows_of(z, name)
    named = isinstance(y, Label)
    label = as_label(y.values, kind or y.kind, y.name) if named else as_label(y, kind)
    same_length(len(rows), len(label.values), f"the {name}", f"its {label.name}")
    trials = trials_or_blocks(trials_of(z, groups, len(rows), f"the {name}"), len(rows))
    keep = inside(trials)
    if not keep.any():
        raise DataError(f"every sample of the {name} lies outside trials (trial -1)")
    where = np.flatnonzero(keep)
    require_values(label[where], z if keep.all() else None)
    return _Part(rows[where], label[where], trials[where], keep, z)


def _warn_if_shared(z_train: Any, z_test: Any) -> None:
    both = [z for z in (z_train, z_test) if is_embedding(z) and "time" in z.coords]
    if len(both) == 2 and recording_of(both[0]) == recording_of(both[1]):
        shared = np.intersect1d(both[0]["time"].values, both[1]["time"].values)
        if len(shared):
            warnings.warn(
                f"{len(shared)} samples of the test embedding have times that are also in "
                "training; held-out trials must not be shared",
                stacklevel=4,
            )


def _with_nuisance(y, train: _Part, z_train, nuisance, decoder, options):
    if decoder != "bayes":
        raise DataError(f"nuisance= is for decoder='bayes', got decoder={decoder!r}")
    named = isinstance(nuisance, str)
    values = coordinate(z_train, nuisance, "the training embedding").values if named else nuisance
    same_length(len(train.keep), len(values), "the training embedding", "nuisance")
    classes, code = np.unique(np.asarray(values)[train.keep], return_inverse=True)
    return np.column_stack([y, code]), options | {"n_nuisance": len(classes)}


# -- settings and chance ---------------------------------------------------------------------


class _Tuner:
    """Chooses a setting by cross-validation over training trials; inputs are prepared once."""

    def __init__(self, method: decoders_.Decoder, target: Target, train: _Part):
        self.method, self.target = method, target
        thin = _thinned(len(train.rows), method.most_rows)
        self.rows, rows = thin, train.rows[thin]
        codes, names = pd.factorize(train.trials[thin])
        fold = fold_of(len(names), min(N_FOLDS, len(names)), "interleaved")[codes]
        self.folds: list[tuple[decoders_.Predictor, Ints, Ints]] = []
        smallest = min(int(np.sum(fold != k)) for k in np.unique(fold))
        self.settings = list(method.settings(smallest))
        for k in np.unique(fold) if len(self.settings) > 1 else ():
            fit, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            held = held[_thinned(len(held), MOST_VALIDATION_ROWS // len(np.unique(fold)))]
            self.folds.append((method.fit(rows[fit], rows[held]), fit, held))

    def choose(self, y: Floats) -> Any:
        if len(self.settings) == 1:
            return self.settings[0]
        y, width = y[self.rows], None if self.target.discrete else y.shape[1]
        guesses: list[list[Floats]] = [[] for _ in self.settings]
        for predict, fit, _ in self.folds:
            for mine, guess in zip(guesses, predict(y[fit], self.settings), strict=True):
                mine.append(guess)
        held = y[np.concatenate([h for *_, h in self.folds])]
        width = guesses[0][0].shape[1]
        scores = [self.target.score(held[:, :width], np.concatenate(g)) for g in guesses]
        return self.settings[int(np.argmax(scores))]


def _thinned(n: int, most: int | None) -> Ints:
    if most is None or n <= most:
        return np.arange(n)
    return np.linspace(0, n - 1, max(most, 1)).round().astype(np.int64)


def _chance(
    tuner: _Tuner,
    train: _Part,
    test: _Part,
    y: Floats,
    truth: Floats,
    setting: Any,
    n: int,
    seed: int,
) -> tuple[Floats, float | None]:
    """Score, and mean over draws of the median error, with labels that know nothing of rows."""
    if n == 0:
        return np.empty(0), None
    method, target, rng = tuner.method, tuner.target, np.random.default_rng(seed)
    predict = method.fit(train.rows[tuner.rows], test.rows)
    values, errors = np.empty(n), np.empty(n)
    for draw in range(n):
        moved = y[surrogate(train.trials, rng)]
        facts = truth[surrogate(test.trials, rng)]
        mine = tuner.choose(moved) if method.retune else setting
        guess = predict(moved[tuner.rows], [mine])[0]
        values[draw] = target.score(facts, guess)
        errors[draw] = np.nan if target.discrete else np.median(target.errors(facts, guess))
    return values, None if target.discrete else float(errors.mean())


def _error_interval(errors: Floats, codes: Ints, seed: int, n_draws: int = 200) -> dict[str, float]:
    trials = [errors[codes == k] for k in range(codes.max() + 1)]
    if len(trials) < 2:
        return {}
    rng = np.random.default_rng([seed, 2])
    picks = rng.integers(len(trials), size=(n_draws, len(trials)))
    medians = np.array([np.median(np.concatenate([trials[i] for i in row])) for row in picks])
    low, high = percentiles(medians)
    return {"median_error_low": low, "median_error_high": high}
