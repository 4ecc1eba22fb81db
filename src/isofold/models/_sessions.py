"""Which encoder embeds what, in a fit of several recordings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._missing import require_complete
from ..errors import DataError, SessionError
from ..recording import Recording
from ._embedding import as_embedding
from ._encode import at_edge, embed_joined, every
from ._inputs import Inputs, inputs_of, is_list_of_recordings, targets_of


def session_number(model: Any, session_id: int | str | None, recording: Any = None) -> int:
    """Place of a recording among those of the fit: by number, by name, or the only one."""
    if model.settings_["sessions"] == "joined":
        raise DataError(
            "sessions='joined' has one encoder for all recordings together: there is no score or "
            "stream of one; use transform([...all recordings...], with_labels=True)"
        )
    names = list(model.sessions_)
    if session_id is None and len(names) == 1:
        return 0
    wanted = session_id if session_id is not None else getattr(recording, "name", None)
    if isinstance(wanted, (int, np.integer)) and not isinstance(wanted, bool):
        if 0 <= wanted < len(names):
            return int(wanted)
    elif wanted in names:
        return names.index(wanted)
    rule = "No session_id provided, it must be" if wanted is None else "Invalid session_id, not"
    raise SessionError(
        f"{rule} one of the {len(names)} recordings of the fit: give a recording with one of the "
        f"names {names}, or session_id=0…{len(names) - 1}; got {wanted!r}"
    )


def require_channels(model: Any, number: int, recording: Recording) -> None:
    """Refuse a recording with other channels than the one that the model was fitted on."""
    expected = model.channels_[number]
    if recording.n_channels != expected:
        raise DataError(
            f"X has {recording.n_channels} features, but {type(model).__name__} is expecting "
            f"{expected} features as input: shape {recording.signal.shape} of recording "
            f"{recording.name!r} must have the channels of the one the model was fitted on"
        )


def require_all_channels(model: Any, channels: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Refuse to go on with other recordings than those of the fit."""
    if channels != expected:
        model.n_features_in_ = expected[0]
        given, wanted = (", ".join(map(str, n)) for n in (channels, expected))
        raise DataError(
            f"X has {given} features, but {type(model).__name__} is expecting {wanted} features as "
            "input: partial_fit goes on with the recordings of the fit; for other channels use "
            "fit(X, adapt=True)"
        )


def transform_one(model: Any, X: Any, session_id: int | str | None, trials: Any) -> Any:
    """Embed one recording or array with the encoder of its session."""
    # scikit-learn's own check of the channels where there is one recording; ours for several.
    inputs = inputs_of(model, X, trials=trials, reset=None if len(model.sessions_) > 1 else False)
    recording = inputs.recording
    number = session_number(model, session_id, X if isinstance(X, Recording) else None)
    require_channels(model, number, recording)
    if inputs.shape is None:
        require_complete(recording, used=np.ones(len(recording), bool))
    z, edge = model._embed_with(number, recording)
    return _given_back(model, number, inputs, z, edge, labels_used=False)


def transform_joined(model: Any, X: Any, with_labels: bool) -> list:
    """Embed all recordings of a joint encoder: each with the moments of the others that have its
    label."""
    if not with_labels:
        raise DataError(
            "sessions='joined' finds the moments of the recordings that go together by their "
            "labels: give all recordings of the fit and transform(..., with_labels=True)"
        )
    if not is_list_of_recordings(X) or len(X) != len(model.sessions_):
        raise DataError(f"give the {len(model.sessions_)} recordings {list(model.sessions_)}")
    inputs = [inputs_of(model, x, reset=None) for x in X]
    recordings = [one.recording for one in inputs]
    names = model.settings_["labels"]
    found = [one.recording.name for one in inputs if one.shape is None]
    if found and found != list(model.sessions_):
        raise DataError(
            f"give the recordings of the fit in their order, {list(model.sessions_)}, got {found}"
        )
    for number, recording in enumerate(recordings):
        require_channels(model, number, recording)
        require_complete(recording, names, np.ones(len(recording), bool))
    targets = targets_of(recordings, names)
    out = []
    for number, one in enumerate(inputs):
        partners = [
            np.arange(len(one.recording)) if n == number else _alike(targets[number], other)
            for n, other in enumerate(targets)
        ]
        z = embed_joined(model.encoder_, recordings, partners)
        edge = at_edge(model.encoder_, one.recording)
        out.append(_given_back(model, 0, one, z, edge, labels_used=True))
    return out


def _alike(wanted, there) -> NDArray[np.int64]:
    """For every sample the one of another recording with its label (class first, then nearest)."""
    from ..sampling.behavior import Nearest

    n = len(wanted.continuous if wanted.continuous is not None else wanted.classes)
    out = np.zeros(n, np.int64)
    groups = [(np.ones(n, bool), np.arange(_length(there)))]
    if wanted.classes is not None:
        groups = [
            (wanted.classes == c, np.flatnonzero(there.classes == c))
            for c in np.unique(wanted.classes)
        ]
    for mine, theirs in groups:
        if not len(theirs):
            raise DataError("a class of one recording is missing from another: drop its samples")
        if wanted.continuous is None:
            out[mine] = np.resize(theirs, np.sum(mine))
        else:
            nearest = Nearest(there.continuous[theirs])
            out[mine] = theirs[nearest(wanted.continuous[mine])]
    return out


def _length(targets) -> int:
    return len(targets.continuous if targets.continuous is not None else targets.classes)


def _given_back(
    model: Any, number: int, inputs: Inputs, z: NDArray, edge: NDArray, labels_used: bool
) -> Any:
    """An Embedding or an array, as the input was; rows that the model leaves out dropped."""
    stride = model.encoders_[number].stride
    keep = np.ones(len(z), bool)
    if stride > 1:
        keep &= every(stride, inputs.recording)
    if not model.pad_before_transform:
        keep &= ~edge
    if inputs.shape is not None:
        return inputs.give_back(z) if keep.all() else _rows(inputs, z, keep)
    found = as_embedding(z, inputs.recording, edge, type(model).__name__, labels_used)
    return found if keep.all() else found.isel(time=keep)


def _rows(inputs: Inputs, z: NDArray, keep: NDArray[np.bool_]) -> NDArray:
    if inputs.shape is None or len(inputs.shape) == 1:
        return z[keep]
    return z[keep].reshape(inputs.shape[0], -1, z.shape[1])
