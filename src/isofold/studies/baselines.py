"""What an embedding has to beat: the recording itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from ..recording import Recording

if TYPE_CHECKING:
    import xarray as xr


class Raw(BaseEstimator):
    """The signal as its own embedding, z_t = x_t: the floor of every decoding score.

    To let it see what a model of ten samples sees, give its method a step that sums over the same
    window; counts stay counts, as a Bayes decoder needs them:
    `steps = [{window_sum = {duration = 0.25}}]`.

    Parameters
    ----------
    random_state
        Unused; every method of a study has one.

    Examples
    --------
    >>> recording = Recording(np.arange(4.0)[:, None], rate=1.0)
    >>> Raw().fit(recording).transform(recording).values.ravel()
    array([0., 1., 2., 3.])
    """

    def __init__(self, random_state: int | None = None):
        self.random_state = random_state

    def fit(self, recording: Recording, labels: Any = None) -> Raw:
        """Nothing is learned."""
        return self

    def transform(self, recording: Recording) -> xr.DataArray:
        """(time, channel) as (time, latent), with the coordinates of an embedding."""
        from ..models._embedding import as_embedding

        edge = np.zeros(len(recording), bool)
        return as_embedding(np.asarray(recording.signal), recording, edge, "raw")


BASELINES = {"raw": Raw}
"""Methods of a study that are no methods: they learn nothing."""
