"""CCA: how well two embeddings correlate along the directions where they do most."""

from __future__ import annotations

from typing import Any

from ._canonical import canonical, correlations
from ._halves import Fitter, Judge, Pair, held_out
from ._linear import Floats
from .score import Score


def cca(
    a: Any,
    b: Any,
    groups: Any = None,
    *,
    in_sample: bool = False,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """Mean correlation of a·u_k with b·v_k, (u_k, v_k) the canonical directions.

    Directions from odd trials, correlations from even trials, and back. Symmetric, and blind to any
    invertible linear map of either side; as many pairs as the narrower side has latents. A latent
    without a partner (rank lost) counts 0.

    Parameters
    ----------
    a, b, groups
        Two embeddings (or a signal) of the same samples; trial of each sample.
    in_sample
        All samples fitted and scored: rises with dimension.
    n_chance, seed
        Draws of the null, as in `recovery`.

    Raises
    ------
    DataError
        Lengths differ, values are missing, or there is only one trial.

    Notes
    -----
    Weighs all directions alike, those of tiny variance too: put it beside `cka`, which weighs by
    variance. Source: Hotelling, Biometrika 28, 321 (1936); held out as here since in-sample values
    of wide data are near 1 for noise.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.default_rng(0).normal(size=(300, 3))
    >>> round(float(cca(z, z @ np.array([[1, 2], [0, 1], [0, 0.5]]), n_chance=0)), 6)
    1.0
    """
    pair = Pair.of(a, b, groups, in_sample, name="other embedding")
    return held_out(pair, _fitter, "canonical correlation", n_chance, seed)


def _fitter(rows: Floats) -> Fitter:
    def fit(known: Floats) -> Judge:
        left, right = canonical(rows, known)
        n_pairs = min(rows.shape[1], known.shape[1])

        def judge(inputs: Floats, facts: Floats) -> float:
            return float(correlations(inputs @ left, facts @ right).diagonal().sum() / n_pairs)

        return judge

    return fit
