"""A map against the connections that are known to exist."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError


def auc(map: ArrayLike, truth: ArrayLike) -> float:
    """Area under the ROC curve of |map| as a detector of true connections.

    The chance that a connected entry is larger than an unconnected one; .5 is guessing. Latents
    must be in the order of the truth.

    Parameters
    ----------
    map
        (latent, channel), for example `Attribution.maps["jf"]`.
    truth
        Same shape, boolean: whether the latent depends on the channel.

    Raises
    ------
    DataError
        Shapes differ, the truth is not boolean or holds one class only, or the map is not finite.

    Examples
    --------
    >>> auc([[3.0, -2.0, 0.1]], [[True, True, False]])
    1.0
    """
    from sklearn.metrics import roc_auc_score

    values, true = np.asarray(map, float), np.asarray(truth)
    if values.shape != true.shape:
        raise DataError(f"map and truth must have one shape, got {values.shape} and {true.shape}")
    if true.dtype != bool and not np.isin(true, (0, 1)).all():
        raise DataError(f"truth must be boolean (connected or not), got dtype {true.dtype}")
    if true.all() or not true.any():
        raise DataError("truth must hold connected and unconnected entries, got only one kind")
    if not np.isfinite(values).all():
        raise DataError("map must be finite, it holds NaN or infinity")
    return float(roc_auc_score(true.ravel().astype(bool), np.abs(values).ravel()))
