"""What every estimator shares: input forms, embeddings, files. Subclasses say how to embed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._missing import require_complete
from ..recording import Recording
from ._embedding import as_embedding
from ._files import write_model
from ._inputs import Inputs, gather, is_list_of_recordings, positional

OWN_ENCODER = "an encoder of its own"
"""Stands in a file for a function, which is never written."""


class Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A scikit-learn transformer that takes arrays and recordings. Abstract."""

    n_features_in_: int

    @abstractmethod
    def fit(self, X: Any, *y: Any, labels: Any = None, trials: Any = None, **options: Any) -> Self:
        """Learn from X."""

    @abstractmethod
    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        """One row per sample, and which rows used a window repeated at an edge."""

    @abstractmethod
    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Goodness of fit in equal parts, its unit, and draws of what chance gives."""

    @abstractmethod
    def _arrays(self) -> dict[str, NDArray]:
        """Fitted arrays by name, for `save`."""

    @abstractmethod
    def _facts(self) -> dict[str, Any]:
        """Fitted values that are not arrays, as JSON, for `save`."""

    @abstractmethod
    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        """Undo `_arrays` and `_facts`."""

    def fit_transform(self, X: Any, *y: Any, **options: Any) -> Any:
        """`fit`, then `transform` of the same input."""
        self.fit(X, *y, **options)
        return self.transform(X)

    def transform(self, X: Any, trials: pd.DataFrame | None = None) -> Any:
        """Embed every sample.

        Parameters
        ----------
        X
            `Recording` → xarray (time, latent); (time, channel) → (time, latent);
            (trial, time, channel) → (trial, time, latent); a list of them → a list.
        trials
            With a (time, channel) array: table of `start`, `stop` in samples, walls for windows.

        Raises
        ------
        MissingValuesError
            A sample is not finite; the message names channel and time.
        DataError
            The number of channels is not that of the fit.
        """
        check_is_fitted(self)
        if is_list_of_recordings(X):
            return [self.transform(one, trials=trials) for one in X]
        inputs = gather(self, X, trials=trials)
        recording = inputs.recording
        if inputs.shape is None:
            require_complete(recording, used=np.ones(len(recording), bool))
        z, edge = self._embed(recording)
        if inputs.shape is None:
            return as_embedding(z, recording, edge, type(self).__name__)
        return inputs.give_back(z)

    def score(
        self,
        X: Any,
        *y: Any,
        labels: Sequence[str] | None = None,
        trials: pd.DataFrame | None = None,
        **keyword: Any,
    ) -> float:
        """Goodness of fit on (held-out) data, in `score_unit_`; higher is better."""
        check_is_fitted(self)
        recording = self._scored(self._to_score(X, positional(y, keyword), labels, trials))
        return float(np.mean(self.goodness_parts(recording)[0]))

    def _to_score(self, X: Any, y: tuple, labels: Any, trials: Any) -> Inputs:
        """One checked recording; subclasses that know several find the one it belongs to."""
        return gather(self, X, y, labels, trials)

    def _scored(self, inputs: Inputs) -> Recording:
        """The recording to score; subclasses check its labels."""
        return inputs.recording

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file with settings in its header; `isofold.load` reads it."""
        check_is_fitted(self)
        header = {
            "estimator": type(self).__name__,
            "params": {k: _named(v) for k, v in self.get_params(deep=False).items()},
            "n_features_in": int(self.n_features_in_),
            "facts": self._facts(),
        }
        return write_model(path, header, self._arrays())

    @property
    def _n_features_out(self) -> int:
        return int(self.output_dimension_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _named(value: Any) -> Any:
    """A constructor setting, or what stands for a function in a file."""
    return OWN_ENCODER if callable(value) else value
