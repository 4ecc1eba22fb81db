"""What attribution sees of a model and a recording: an encoder, and windows for it."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._rows import take
from ..errors import DataError
from ..models._inputs import used_segments
from ..models._sessions import session_number
from ..networks import Conv, Encoder
from ..recording import Recording
from ..sampling import padded_size
from ..trials import Ints, expand


def has_encoder(model: Any) -> bool:
    """Whether attribution works on the (fitted) model."""
    return hasattr(model, "encoders_") or hasattr(model, "components_")


def _encoder_of(model: Any, recording: Recording) -> Encoder:
    """The fitted encoder that embeds the recording: rows of padded channels → latents.

    PCA is an encoder of one linear layer on one sample.
    """
    check_is_fitted(model)
    if not has_encoder(model):
        raise DataError(
            "attribution needs a model with an encoder (CEBRA) or linear components (PCA), "
            f"got {type(model).__name__}"
        )
    if not hasattr(model, "encoders_"):
        _check_channels(recording, len(model.mean_))
        return _linear(model.components_, model.mean_)
    if model.settings_["sessions"] == "joined":
        raise DataError(
            "attribution looks at one recording, and an encoder of sessions='joined' needs all of "
            "them at once; fit with sessions='separate' or 'trunk'"
        )
    number = session_number(model, None, recording)
    _check_channels(recording, model.channels_[number])
    return model.encoders_[number]


def _check_channels(recording: Recording, expected: int) -> None:
    if recording.n_channels != expected:
        raise DataError(
            f"recording {recording.name!r} must have the {expected} channels that the model was "
            f"fitted on, got {recording.n_channels}"
        )


def _linear(components: NDArray, mean: NDArray) -> Encoder:
    components = np.asarray(components, np.float32)
    weight = np.zeros((1, padded_size(components.shape[1]), len(components)), np.float32)
    weight[0, : components.shape[1]] = components.T
    bias = -(components @ np.asarray(mean, np.float32))
    return Encoder((Conv(jnp.asarray(weight), jnp.asarray(bias)),), normalize=False)


def as_recording(X: Any) -> Recording:
    """A recording as it is; a (time, channel) array as one without labels."""
    return X if isinstance(X, Recording) else Recording(np.asarray(X), rate=1.0)


def chosen_samples(
    model: Any,
    recording: Recording,
    n_samples: int | None,
    seed: int,
    labels: tuple[str, ...] = (),
) -> tuple[Ints, Ints]:
    """All samples that a fit would use, and a random part of them, both sorted."""
    if n_samples is not None and n_samples < 1:
        raise DataError(f"n_samples must be at least 1, or None for all, got {n_samples}")
    used = expand(*used_segments(recording, getattr(model, "outside_trials", False), labels))
    if n_samples is None or n_samples >= len(used):
        return used, used
    rng = np.random.default_rng(seed)
    return used, np.sort(rng.choice(used, n_samples, replace=False))


def windows_at(recording: Recording, sample: Ints, encoder: Any) -> NDArray[np.float32]:
    """(sample, lag, padded channel): a window that leaves its segment repeats the segment's edge,
    as in `transform`."""
    left, right = encoder.offset
    start, stop = (recording.segments[k].to_numpy() for k in ("start", "stop"))
    segment = np.searchsorted(start, sample, side="right") - 1
    low, high = start[segment][:, None], stop[segment][:, None] - 1
    wanted = np.clip(sample[:, None] + np.arange(-left, right), low, high)
    unique, back = np.unique(wanted, return_inverse=True)
    rows = np.zeros((len(unique), padded_size(recording.n_channels)), np.float32)
    rows[:, : recording.n_channels] = take(recording.signal, unique)
    return rows[back.reshape(wanted.shape)]


def channel_moments(recording: Recording, used: Ints) -> tuple[NDArray, NDArray]:
    """Mean and standard deviation of each channel over the samples used, read in blocks."""
    blocks = np.array_split(used, max(1, len(used) // 65_536))
    read = lambda block: take(recording.signal, block).astype(float)  # noqa: E731
    mean = sum(read(block).sum(axis=0) for block in blocks) / len(used)
    square = sum(((read(block) - mean) ** 2).sum(axis=0) for block in blocks) / len(used)
    return mean, np.sqrt(square)
