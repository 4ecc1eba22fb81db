"""Control: the same model fitted to labels that belong to other samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from ..errors import DataError
from ..recording import Recording
from ._inputs import inside
from .chance import blocks, surrogate
from .decode import decode
from .score import Score


def control(
    model: Any,
    recording: Recording | tuple[Recording, Recording],
    *,
    labels: str | Sequence[str],
    n: int = 10,
    seed: int = 0,
    score: Callable[[Any, Any], Any] | None = None,
) -> Score:
    """Score of a model fitted with its labels, beside clones fitted with permuted labels.

    Every clone is fitted to training labels in which each trial takes the samples of a random
    trial from a random start on (trial columns: the trials' values change places). All are judged
    alike, with the true labels, on trials that no fit has seen. `p` says whether the labels brought
    anything: an embedding that is no better than its controls shows the signal (or the labels'
    own structure), not a relation of the two.

    Parameters
    ----------
    model
        Anything `sklearn.base.clone` takes, with `fit(recording, labels=[...])` and `transform`.
        Not changed.
    recording
        A recording, whose last fifth of trials is held out, or (training, test).
    labels
        Labels (or trial columns) given to `fit`.
    n
        Refits with permuted labels.
    score
        (training embedding, test embedding) → number or `Score`; default: R² or accuracy of the
        first label by `decode`.

    Raises
    ------
    DataError
        A label is unknown, or fewer than one control is asked for.

    Notes
    -----
    Takes n + 1 fits. For the chance of a given embedding `decode` is enough.

    Examples
    --------
    PCA takes no notice of labels, so its controls are as good as it is:

    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=10, n_units=10, rate=10.0)
    >>> score = control(iso.PCA(2), rat, labels=["position"], n=3)
    >>> float(np.ptp([*score.chance, score.value]))
    0.0
    """
    names = [labels] if isinstance(labels, str) else list(labels)
    if not names or n < 1:
        raise DataError(f"control needs labels and n >= 1, got labels={names}, n={n}")
    train, test = recording if isinstance(recording, tuple) else recording.split(test=0.2)
    for name in names:
        train.label(name)  # raises where unknown
    judge = score or (lambda a, b: decode(a, b, label=names[0], n_chance=0))

    def judged(fitted_to: Recording) -> Any:
        fitted = clone(model).fit(fitted_to, labels=names)
        return judge(fitted.transform(train), fitted.transform(test))

    real = judged(train)
    rng = np.random.default_rng(seed)
    chance = np.array([float(judged(permuted(train, names, rng))) for _ in range(n)])
    base = real if isinstance(real, Score) else Score(float(real), "score")
    settings = {"control": "permuted labels", "labels": names, "n": n, "control_seed": seed}
    return replace(base, chance=chance, split="test", settings={**base.settings, **settings})


def permuted(recording: Recording, names: Sequence[str], rng: np.random.Generator) -> Recording:
    """The recording with some of its labels (moved together) belonging to other samples."""
    trial = recording.trial
    within = np.flatnonzero(inside(trial))
    single = len(pd.unique(trial[within])) < 2
    index = np.arange(recording.n_samples)
    index[within] = within[surrogate(blocks(len(within)) if single else trial[within], rng)]
    own = {k: v[index] if k in names else v for k, v in recording.labels.items()}
    trials, columns = recording.trials, [k for k in names if k not in recording.labels]
    if columns and trials is not None:
        order = rng.permutation(len(trials))
        trials = trials.assign(**{k: trials[k].to_numpy()[order] for k in columns})
    return replace(recording, labels=own, trials=trials)
