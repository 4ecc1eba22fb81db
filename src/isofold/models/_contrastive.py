"""What contrastive estimators do: fit, go on, embed, score, save. Settings are the subclass's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError, UnsupportedError
from ..recording import Recording
from ..sampling import padded_size
from . import _encoders
from ._base import Estimator
from ._device import on_device
from ._dropin import compared, infonce_batches, weights
from ._encode import embed
from ._fit import fit_encoders, split_off, watch_information
from ._information import information
from ._inputs import (
    Inputs,
    gather,
    gather_several,
    inputs_of,
    is_list_of_recordings,
    positional,
    tables_of,
)
from ._sessions import (
    require_all_channels,
    require_channels,
    session_number,
    transform_joined,
    transform_one,
)
from ._settings import settings_of


class Contrastive(Estimator):
    """An estimator whose settings say which pairs of samples belong together. Abstract.

    `fit` leaves `encoders_`, `sessions_` and `channels_`, one entry a recording.
    """

    encoders_: tuple
    sessions_: tuple[str, ...]
    channels_: tuple[int, ...]
    loss_: NDArray[np.float64]
    losses_: NDArray[np.float64]
    temperatures_: NDArray[np.float64]
    num_negatives_: int | None

    # -- fit ----------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        *y: Any,
        labels: Sequence[str] | str | None = None,
        trials: Any = None,
        adapt: bool = False,
        callback: Callable[[int, Any], Any] | None = None,
        callback_frequency: int | None = None,
        **keyword: Any,
    ) -> Self:
        """Train from scratch; with `adapt`, retrain only the first layer for other channels."""
        y = positional(y, keyword)
        watch: dict[str, Any] = {"callback": callback, "callback_frequency": callback_frequency}
        if self.temperature_mode == "validation" and not adapt:
            from ._temperature import choose_temperature

            return choose_temperature(self, X, y, labels=labels, trials=trials, **watch)
        if self.n_init > 1 and not adapt:
            from ._seeds import keep_one

            return keep_one(self, X, y, labels=labels, trials=trials, **watch)
        inputs = self._gathered(X, y, labels, trials)
        settings = self._resolve(inputs)
        rng = np.random.default_rng(self.random_state)
        channels = [one.recording.n_channels for one in inputs]
        encoders = _encoders.draw(settings, channels, rng)
        steps = settings["max_iterations"]
        if adapt:
            encoders = (_encoders.with_new_input(encoders[0], self._trunk(inputs)),)
            steps = settings["max_adapt_iterations"]
        names = tuple(one.recording.name for one in inputs)
        if adapt and names[0] in ("", *self.sessions_):
            names = (str(len(self.sessions_)),)
        self._train(
            inputs, settings, names, encoders, steps, rng, adapt, callback, callback_frequency
        )
        return self

    def partial_fit(
        self,
        X: Any,
        *y: Any,
        labels: Sequence[str] | str | None = None,
        trials: Any = None,
        callback: Callable[[int, Any], Any] | None = None,
        callback_frequency: int | None = None,
    ) -> Self:
        """Train on for `max_iterations` steps, on the data given now."""
        watch: dict[str, Any] = {"callback": callback, "callback_frequency": callback_frequency}
        if not hasattr(self, "encoders_"):
            return self.fit(X, *y, labels=labels, trials=trials, **watch)
        expected = self.channels_
        inputs = self._gathered(X, y, labels, trials)
        settings = self._resolve(inputs)
        channels = tuple(one.recording.n_channels for one in inputs)
        require_all_channels(self, channels, expected)
        names = tuple(one.recording.name for one in inputs)
        if len(names) > 1 and names != self.sessions_:
            raise DataError(
                f"partial_fit goes on with the recordings of the fit, in their order: "
                f"{list(self.sessions_)}, got {list(names)}"
            )
        rng = np.random.default_rng(self.random_state)
        before = self.losses_, self.loss_, self.temperatures_
        self._train(
            inputs, settings, self.sessions_, self.encoders_, settings["max_iterations"], rng,
            False, callback, callback_frequency,
        )  # fmt: skip
        if before[0].shape[1] == self.losses_.shape[1]:  # one record of the same objectives
            now = self.losses_, self.loss_, self.temperatures_
            record = [np.concatenate(pair) for pair in zip(before, now, strict=True)]
            self.losses_, self.loss_, self.temperatures_ = record
        return self

    def _gathered(self, X, y, labels, trials) -> list[Inputs]:
        if is_list_of_recordings(X) and len(X) > 1:
            return gather_several(self, X, y, labels, trials)
        return [gather(self, X, y, labels, trials, reset=True)]

    def _resolve(self, inputs: Sequence[Inputs]) -> dict[str, Any]:
        return settings_of(self, inputs)

    def _trunk(self, inputs: Sequence[Inputs]):
        """The encoder whose upper layers `adapt` keeps."""
        if not hasattr(self, "encoders_"):
            raise DataError("adapt=True needs a fitted model; fit it on a first recording")
        if len(inputs) > 1:
            raise UnsupportedError(
                f"adapt=True takes one new recording, got {len(inputs)} (multisession); adapt to "
                "one after the other"
            )
        return self.encoders_[0]

    def _train(self, inputs, settings, names, encoders, steps, rng, adapt, callback, every) -> None:
        recordings, kept_out = split_off([one.recording for one in inputs], settings["validation"])
        held_out = watch_information(kept_out, settings) if kept_out else None
        before = (self.encoders_, self.sessions_, self.channels_) if adapt else ((), (), ())
        several = adapt and len(before[0]) > 1
        channels = tuple(one.recording.n_channels for one in inputs)

        def keep(trained) -> None:
            # After a fit of several recordings the adapted one joins them; else it takes the place.
            new = (trained.encoders, names, channels)
            sets = [a + b if several else b for a, b in zip(before, new, strict=True)]
            self.encoders_, self.sessions_, self.channels_ = map(tuple, sets)
            self.settings_, self.offset_ = settings, trained.encoders[0].offset
            self.output_dimension_ = int(settings["output_dimension"])
            self.temperatures_ = trained.temperatures
            self.temperature_ = float(trained.temperature[0])
            self.objective_temperature_ = tuple(map(float, trained.temperature))
            self.loss_, self.losses_ = trained.loss, trained.losses
            self.num_negatives_ = compared(settings, len(inputs))
            self.interrupted_ = trained.interrupted

        def report(done: int, trained) -> None:
            keep(trained)
            callback(done, self)

        if every is not None and callback is None:
            raise DataError("callback_frequency says how often callback runs: give callback too")
        with on_device(self.device):
            trained = fit_encoders(
                encoders, recordings, settings, int(steps), rng, adapt=adapt, held_out=held_out,
                callback=report if callback else None, callback_frequency=every,
                verbose=self.verbose,
            )  # fmt: skip
        best = held_out.best if held_out else None
        if best is not None:  # its weights, with the record of all steps
            trained = replace(trained, encoders=best.encoders, temperature=best.temperature)
        keep(trained)
        self.validation_ = held_out.table() if held_out else None

    # -- use ----------------------------------------------------------------------------------

    @property
    def encoder_(self):
        """The encoder of the only (or first) recording."""
        return self.encoders_[0]

    @property
    def n_features_(self) -> int | list[int]:
        """Channels of the recording, or of each of several."""
        return self.channels_[0] if len(self.channels_) == 1 else list(self.channels_)

    @property
    def num_sessions_(self) -> int | None:
        """Number of recordings of a fit of several, else None."""
        return None if len(self.sessions_) == 1 else len(self.sessions_)

    @property
    def num_sessions(self) -> int | None:
        """`num_sessions_`, as the `cebra` package has it too."""
        return self.num_sessions_

    @property
    def state_dict_(self) -> dict[str, Any]:
        """What users of the `cebra` package read here: weights, loss and temperature of each step.

        "model" holds arrays; "optimizer", "criterion" and "decode" are empty.
        """
        check_is_fitted(self, "encoders_")
        loss = np.asarray(self.loss_)
        return {
            "model": weights(self.encoders_, self.channels_),
            "optimizer": {},
            "loss": loss,
            "decode": [],
            "criterion": {},
            "version": version("isofold"),
            "log": {"total": loss, "temperature": self.temperatures_[:, 0]},
        }

    def transform(  # type: ignore[override]  # the order of arguments is that of `cebra`
        self,
        X: Any,
        batch_size: int | None = None,
        session_id: int | str | None = None,
        *,
        trials: Any = None,
        with_labels: bool = False,
    ) -> Any:
        """Embed every sample.

        Parameters
        ----------
        X
            As in `fit`. A list comes back as a list.
        batch_size
            Accepted for users of the `cebra` package; memory is bounded without it.
        session_id
            Which recording of a fit of several an array belongs to (its place or name).
        trials
            With a (time, channel) array: table of `start`, `stop`, walls for windows.
        with_labels
            For `sessions="joined"`: the labels of all recordings find the moments that go together.

        Raises
        ------
        MissingValuesError
            A sample is not finite; the message names channel and time.
        DataError
            The number of channels is not that of the fit, or no such session was fitted.
        """
        check_is_fitted(self, "encoders_")
        if batch_size is not None and batch_size < 1:
            raise DataError(f"batch_size must be at least 1, or None; got {batch_size}")
        if self.settings_["sessions"] == "joined":
            return transform_joined(self, X, with_labels)
        if is_list_of_recordings(X):
            walls = tables_of(X, trials)
            # Recordings bear the name of their session; arrays stand at its place.
            places = len(self.sessions_) > 1 and not isinstance(X[0], Recording)
            return [
                self.transform(x, batch_size, n if places else session_id, trials=table)
                for n, (x, table) in enumerate(zip(X, walls, strict=True))
            ]
        return transform_one(self, X, session_id, trials)

    def infonce_batches(
        self,
        X: Any,
        *y: Any,
        session_id: int | str | None = None,
        num_batches: int = 500,
        seed: int = 0,
    ) -> tuple[NDArray[np.float64], int]:
        """InfoNCE of batches drawn from one recording (nats, mean over objectives), and the number
        of negatives in each: what `isofold.scores.infonce_loss` asks."""
        return infonce_batches(self, X, y, session_id, num_batches, seed)

    def stream(self, session_id: int | str | None = None):
        """A `Stream` that takes one sample at a time and gives the newest point of a causal model.

        Raises
        ------
        DataError
            The model looks into the future: fit it with `causal=True`.
        """
        from ._stream import Stream

        check_is_fitted(self, "encoders_")
        number = session_number(self, session_id)
        encoder, n = self.encoders_[number], self.channels_[number]
        return Stream(encoder, n, encoder.offset, padded_size(n))

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        number = session_number(self, None, recording)
        require_channels(self, number, recording)
        return self._embed_with(number, recording)

    def _embed_with(self, number: int, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        with on_device(self.device):
            return embed(self.encoders_[number], recording)

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Information in bits of each evaluation batch, its unit, and what chance gives."""
        z, _ = self._embed(recording)
        bits, chance, _ = information(
            z, recording, self.settings_["objectives"], self.objective_temperature_,
            self.outside_trials, seed,
        )  # fmt: skip
        return bits, self.score_unit_, chance

    def _to_score(self, X, y, labels, trials) -> Inputs:
        if len(self.sessions_) > 1 and not is_list_of_recordings(X):
            return inputs_of(self, X, y, labels, trials, reset=None)
        return super()._to_score(X, y, labels, trials)

    def _scored(self, inputs: Inputs) -> Recording:
        wanted = self.settings_["labels"]
        if inputs.shape is not None and wanted and list(inputs.labels) != wanted:
            raise DataError(
                f"the model was fitted with {len(wanted)} label(s); give score() as many, "
                f"got {len(inputs.labels)}"
            )
        return inputs.recording

    def to(self, device: str) -> Self:
        """Use another device from now on: "cpu", "cuda", "cuda:1"."""
        with on_device(device):
            self.device = device
        return self

    # -- files --------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, NDArray]:
        return _encoders.to_arrays(self.encoders_) | {
            "losses": self.losses_, "loss": self.loss_, "temperatures": self.temperatures_
        }  # fmt: skip

    def _facts(self) -> dict[str, Any]:
        settings = self.settings_
        if callable(settings["model_architecture"]):
            settings = settings | {"model_architecture": None}
        return {
            "settings": settings,
            "temperature": list(self.objective_temperature_),
            "interrupted": self.interrupted_,
            "num_negatives": self.num_negatives_,
            "sessions": list(self.sessions_),
            "channels": list(self.channels_),
            "validation": _as_json(self.validation_),
            "temperatures_tried": _as_json(getattr(self, "temperatures_tried_", None)),
        }

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.settings_ = facts["settings"]
        if self.settings_["model_architecture"] is None:
            self.settings_ = self.settings_ | {"model_architecture": self.model_architecture}
        self.sessions_, self.channels_ = tuple(facts["sessions"]), tuple(facts["channels"])
        self.encoders_ = _encoders.from_arrays(self.settings_, self.channels_, arrays)
        self.offset_ = self.encoder_.offset
        self.output_dimension_ = int(self.settings_["output_dimension"])
        self.objective_temperature_ = tuple(facts["temperature"])
        self.temperature_ = facts["temperature"][0]
        self.loss_, self.losses_ = arrays["loss"], arrays["losses"]
        self.temperatures_ = arrays["temperatures"]
        self.interrupted_ = facts["interrupted"]
        self.num_negatives_ = facts["num_negatives"]
        table = facts["validation"]
        self.validation_ = None if table is None else pd.DataFrame(**table)
        if facts.get("temperatures_tried") is not None:
            self.temperatures_tried_ = pd.DataFrame(**facts["temperatures_tried"])


def _as_json(table: pd.DataFrame | None) -> dict[str, Any] | None:
    """Columns and rows, so that the order of the columns survives."""
    return None if table is None else table.to_dict("split", index=False)
