"""A model that embeds each sample by itself, whatever the library that learns it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ..scores._ranks import nearest, ranks, thinned, trust
from ..trials import expand
from ._base import Estimator
from ._inputs import gather, positional, used_segments

Floats = NDArray[np.float64]
CHANCE_DRAWS = 20
TRUST_NEIGHBORS = 15
TRUST_SAMPLES = 1500


class SampleModel(Estimator):
    """Learn from the samples of all trials; embed one sample at a time. Abstract.

    Subclasses say how to learn and how to place; goodness of fit is trustworthiness, unless they
    have a likelihood.
    """

    score_unit_ = "trustworthiness"
    output_dimension: int
    outside_trials: bool
    random_state: Any
    settings_: dict[str, Any]

    @abstractmethod
    def _learn(self, rows: Floats, seed: int) -> dict[str, Any]:
        """Learn from (time, channel); what was resolved, for `settings_`."""

    @abstractmethod
    def _place(self, rows: Floats) -> Floats:
        """Latents of new (time, channel), each row by itself."""

    def fit(self, X: Any, *y: Any, labels: Any = None, trials: Any = None, **keyword: Any) -> Self:
        """Learn the embedding; labels are accepted and not used."""
        inputs = gather(self, X, positional(y, keyword), labels, trials, reset=True)
        start, stop = used_segments(inputs.recording, self.outside_trials)
        rows = np.asarray(inputs.recording.signal, np.float64)[expand(start, stop)]
        seed = int(np.random.default_rng(self.random_state).integers(2**31))
        found = self._learn(rows, seed)
        self.output_dimension_ = self.output_dimension
        self.settings_ = {"output_dimension": self.output_dimension, **found}
        return self

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Trustworthiness of 15 neighbours per segment (of at most 1,500 evenly spaced samples).

        Chance: the embedding's rows in random order.
        """
        start, stop = used_segments(recording, self.outside_trials)
        keep = thinned(int((stop - start).sum()), TRUST_SAMPLES)
        segment = np.repeat(np.arange(len(start)), stop - start)[keep]
        rows = np.asarray(recording.signal, np.float64)[expand(start, stop)[keep]]
        k = min(TRUST_NEIGHBORS, (len(rows) - 1) // 2)
        if k < 1:
            raise DataError(f"trustworthiness needs at least 3 samples, got {len(rows)}")
        z, rank = self._place(rows), ranks(rows)
        rng = np.random.default_rng(seed)
        orders = [np.arange(len(z)), *(rng.permutation(len(z)) for _ in range(CHANCE_DRAWS))]
        values = [
            pd.Series(trust(rank, nearest(z[order], k))).groupby(segment).mean().to_numpy(float)
            for order in orders
        ]
        return np.asarray(values[0]), self.score_unit_, np.mean(values[1:], axis=1)

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        z = self._place(np.asarray(recording.signal, np.float64))
        return z, np.zeros(len(z), bool)


def require_dimension(given: int, most: int, why: str) -> None:
    """Refuse an output dimension that the method cannot give."""
    if not 1 <= given <= most:
        raise DataError(f"output_dimension must lie between 1 and {most} ({why}), got {given}")


def require_neighbors(given: int, n_rows: int, name: str = "n_neighbors") -> None:
    """Refuse more neighbours than there are other samples."""
    if not 1 <= given < n_rows:
        raise DataError(f"{name} must lie between 1 and {n_rows - 1} (samples − 1), got {given}")
