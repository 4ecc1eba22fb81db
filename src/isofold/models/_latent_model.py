"""What fitted latent variable models do: embed with and without labels, decode, score, save."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording
from . import _vae_use
from ._base import Estimator
from ._device import on_device
from ._embedding import as_embedding
from ._inputs import Inputs, inputs_of, is_list_of_recordings, tables_of
from ._label_code import LabelCode
from ._sessions import require_channels, session_number
from ._vae_store import arrays_of, params_of


class LatentModel(Estimator):
    """A fitted model of signal and label given a latent. Abstract: subclasses fit.

    `params_` holds one label prior, and posterior and decoder of each recording; `code_` says how
    labels are coded, `candidates_` which to consider where none is given.
    """

    device: str
    params_: Any
    code_: LabelCode
    candidates_: pd.DataFrame
    settings_: dict[str, Any]
    sessions_: tuple[str, ...]
    channels_: tuple[int, ...]

    # -- embed --------------------------------------------------------------------------------

    def transform(  # type: ignore[override]  # labels may be given
        self,
        X: Any,
        *y: Any,
        with_labels: bool = False,
        posterior: str = "auto",
        session_id: int | str | None = None,
        trials: Any = None,
    ) -> Any:
        """Embed every sample as the mean of a posterior.

        Parameters
        ----------
        X
            As in `fit`. A list comes back as a list.
        *y
            Labels of an array, with `with_labels`.
        with_labels
            Use the labels: the mean of q(z|x,u). `attrs["labels_used"]` says so.
        posterior
            Without labels: "encoder", the mean of q(z|x); "marginal", the mean of
            Σ p(u|x) q(z|x,u) over `candidates_`, what the model believes where the label is not
            known; "auto" is the one that the objective trains (`default_posterior`).
        session_id
            Which recording of a fit of several an array belongs to (its place or name).
        trials
            With a (time, channel) array: table of `start`, `stop`, walls for windows.

        Raises
        ------
        MissingValuesError
            A sample, or a label that is used, has no value.
        DataError
            The number of channels is not that of the fit; a class that the fit has not seen.
        """
        check_is_fitted(self, "params_")
        if is_list_of_recordings(X):
            walls = tables_of(X, trials)
            places = len(self.sessions_) > 1 and not isinstance(X[0], Recording)
            return [
                self.transform(
                    x, *[v[n] for v in y], with_labels=with_labels, posterior=posterior,
                    session_id=n if places else session_id, trials=table,
                )
                for n, (x, table) in enumerate(zip(X, walls, strict=True))
            ]  # fmt: skip
        number, inputs = self._one(X, y, session_id, trials, with_labels)
        with on_device(self.device):
            z, edge = _vae_use.embed_mean(
                self, number, inputs.recording, with_labels, self._posterior(posterior)
            )
        if inputs.shape is not None:
            return inputs.give_back(z)
        return as_embedding(z, inputs.recording, edge, type(self).__name__, with_labels)

    @property
    def default_posterior(self) -> str:
        """ "encoder" where q(z|x) is trained as a posterior, "marginal" where it is only the factor
        that labels are multiplied with."""
        objective = self.settings_["objective"]
        unlabelled = self.settings_["prior"] == "none"
        return "encoder" if unlabelled or objective in ("ci", "released") else "marginal"

    def _posterior(self, name: str) -> str:
        if name not in ("auto", "encoder", "marginal"):
            raise DataError(f"posterior must be 'auto', 'encoder' or 'marginal', got {name!r}")
        chosen = self.default_posterior if name == "auto" else name
        if chosen == "encoder" and _vae_use.labels_seen(self.settings_):
            raise DataError(
                f"the encoder of {type(self).__name__} takes labels: without them use "
                "posterior='marginal'"
            )
        return "encoder" if self.settings_["prior"] == "none" else chosen

    def _one(
        self, X: Any, y: tuple, session_id: int | str | None, trials: Any, with_labels: bool
    ) -> tuple[int, Inputs]:
        """The place of the only input among the recordings of the fit, and the input, checked."""
        inputs = inputs_of(
            self, X, y, trials=trials, reset=None if len(self.sessions_) > 1 else False
        )
        recording = inputs.recording
        number = session_number(self, session_id, X if isinstance(X, Recording) else None)
        require_channels(self, number, recording)
        used = self.settings_["labels"] if with_labels else []
        if inputs.shape is not None and with_labels and list(inputs.labels) != used:
            raise DataError(
                f"the model was fitted with {len(used)} label(s); give as many arrays, got "
                f"{len(inputs.labels)}"
            )
        if inputs.shape is None or used:
            require_complete(recording, used, np.ones(len(recording), bool))
        return number, inputs

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        number = session_number(self, None, recording)
        require_channels(self, number, recording)
        with on_device(self.device):
            return _vae_use.embed_mean(self, number, recording, False, self._posterior("auto"))

    # -- score --------------------------------------------------------------------------------

    @property
    def score_unit_(self) -> str:
        """Unit of `score`."""
        return _vae_use.unit(self.settings_)

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Evidence of each segment over that of constant rates, its unit, and the same with labels
        of other samples."""
        number = session_number(self, None, recording)
        require_channels(self, number, recording)
        with on_device(self.device):
            values, chance = _vae_use.goodness(self, number, recording, seed)
        return values, self.score_unit_, chance

    def _to_score(self, X, y, labels, trials) -> Inputs:
        return inputs_of(self, X, y, labels, trials, None if len(self.sessions_) > 1 else False)

    def _scored(self, inputs: Inputs) -> Recording:
        wanted = self.settings_["labels"]
        if inputs.shape is not None and wanted and list(inputs.labels) != wanted:
            raise DataError(
                f"the model was fitted with {len(wanted)} label(s); give score() as many, "
                f"got {len(inputs.labels)}"
            )
        return inputs.recording

    # -- files --------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, NDArray]:
        return arrays_of(self.params_) | {
            "loss": np.asarray(self.loss_),
            **{f"log.{name}": self.log_[name].to_numpy() for name in self.log_},
        }

    def _facts(self) -> dict[str, Any]:
        table = self.validation_
        return {
            "settings": self.settings_,
            "code": self.code_.to_json(),
            "candidates": self.candidates_.to_dict("split", index=False),
            "sessions": list(self.sessions_),
            "channels": list(self.channels_),
            "interrupted": self.interrupted_,
            "validation": None if table is None else table.to_dict("split", index=False),
        }

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.settings_ = facts["settings"]
        self.code_ = LabelCode.from_json(facts["code"])
        self.candidates_ = pd.DataFrame(**facts["candidates"])
        self.sessions_, self.channels_ = tuple(facts["sessions"]), tuple(facts["channels"])
        self.params_ = params_of(arrays, self.settings_, self.code_, self.channels_)
        self.loss_, self.interrupted_ = arrays["loss"], facts["interrupted"]
        self.log_ = pd.DataFrame(
            {k.removeprefix("log."): v for k, v in arrays.items() if k.startswith("log.")}
        )
        self.output_dimension_ = int(self.settings_["output_dimension"])
        self.offset_ = self.params_.parts[0].posterior.offset
        table = facts["validation"]
        self.validation_ = None if table is None else pd.DataFrame(**table)
