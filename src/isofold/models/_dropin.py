"""What the score helpers of the `cebra` package ask of a fitted contrastive model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError, UnsupportedError
from ..recording import Recording
from ..sampling import padded_size
from ._information import information
from ._inputs import inputs_of, is_list_of_arrays, is_list_of_recordings
from ._sessions import require_channels, session_number


def label_types(recording: Recording, names: Any) -> list[list]:
    """Kind and number of columns of each label."""
    return [[recording.kind(n), int(np.prod(recording.label(n).shape[1:]))] for n in names]


def compared(settings: dict[str, Any], n_recordings: int) -> int | None:
    """Negatives that every reference of a training step meets; None for a full batch."""
    if settings["batch_size"] is None:
        return None
    several = 1 if settings["sessions"] == "joined" else n_recordings
    return int(settings["num_negatives"]) * several


def weights(encoders: Sequence[Any], channels: Sequence[int]) -> dict[str, NDArray]:
    """Arrays by recording, layer and number; weights (unit, channel, tap), padding cut off."""
    import equinox as eqx
    import jax

    found = {}
    for recording, (encoder, n) in enumerate(zip(encoders, channels, strict=False)):
        surplus = padded_size(n) - n if len(encoders) == len(channels) else 0
        for number, layer in enumerate(getattr(encoder, "layers", (encoder,))):
            first = number < getattr(encoder, "input_layers", 0)
            for k, leaf in enumerate(jax.tree.leaves(eqx.filter(layer, eqx.is_array))):
                value = np.asarray(leaf)
                if value.ndim == 3:
                    value = value.transpose(2, 1, 0)
                    value = value[:, : value.shape[1] - (surplus if first else 0)]
                found[f"{recording}.{number}.{k}"] = value
    return found


def infonce_batches(
    model: Any, X: Any, y: tuple, session_id: int | str | None, num_batches: int, seed: int
) -> tuple[NDArray[np.float64], int]:
    """InfoNCE of each batch in nats, and the number of negatives in it."""
    check_is_fitted(model, "encoders_")
    settings = model.settings_
    _require_one(model, X, y)
    number = session_number(model, session_id, X if isinstance(X, Recording) else None)
    fitted = settings["label_types"]
    if not isinstance(X, Recording) and len(y) != len(fitted):
        raise DataError(
            f"Number of index invalid: the model was fitted with {len(fitted)} label(s), got "
            f"{len(y)}"
        )
    inputs = inputs_of(model, X, y, reset=None)
    require_channels(model, number, inputs.recording)
    if inputs.shape is not None:
        _require_alike(label_types(inputs.recording, inputs.labels), fitted)
    z, _ = model._embed_with(number, inputs.recording)
    whole = settings["batch_size"] is None
    # A full batch holds every pair there is: the next would be the same.
    bits, _, n_negatives = information(
        z, inputs.recording, settings["objectives"], model.objective_temperature_,
        model.outside_trials, seed, 1 if whole else num_batches, settings["batch_size"],
        settings["num_negatives"],
    )  # fmt: skip
    return np.log(n_negatives) - bits * np.log(2), n_negatives


def _require_one(model: Any, X: Any, y: tuple) -> None:
    if model.settings_["sessions"] == "joined":
        raise UnsupportedError("a joined model embeds all recordings at once: no loss of one")
    if is_list_of_recordings(X):
        raise UnsupportedError(
            f"Data invalid: the loss is that of one recording, got {len(X)}; call once for each "
            "with its session_id"
        )
    lists = [values for values in y if is_list_of_arrays(values)]
    if lists:
        raise UnsupportedError(
            f"Labels invalid: the loss is that of one recording, got labels of {len(lists[0])}"
        )


def _require_alike(given: list[list], fitted: list[list]) -> None:
    for n, (mine, theirs) in enumerate(zip(given, fitted, strict=True)):
        if mine != theirs:
            raise DataError(
                f"Labels invalid: label {n} of the fit was {theirs[0]} with {theirs[1]} column(s), "
                f"got {mine[0]} with {mine[1]}"
            )
