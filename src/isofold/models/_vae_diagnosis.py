"""Is a latent used, and can it be identified? What a fitted model shows on (held-out) data."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..recording import Recording
from ..trials import expand
from ._inputs import used_segments
from ._label_code import coded
from ._vae_use import rows_of
from ._vae_verdict import ACTIVE, verdict

WEIGHED = 1000
"""Samples whose mixture weight is looked at."""

DRAWS = 10, 50
"""Latents a sample that its two bounds, and the gain of their mixture, are estimated with."""

END = 0.01
"""How near to 0 or 1 a mixture weight is at an end."""

_FLAT = 1e-5
"""Spread over labels, relative to its size, below which a natural parameter does not vary."""


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """What keeps a latent variable model from being read: collapse, labels alone, too few labels.

    With g = 1 − v(z|x,u) / v(z|u) the gain of the data over the label prior, 0 where collapsed (for
    a product posterior v_u / (v_x + v_u)).

    Parameters
    ----------
    latents
        For each latent: `kl`, mean KL(q(z|x,u) ‖ p(z|u)) in nats; `gain`, mean g; `activity`, the
        variance over samples of the posterior mean less that of its label, in units of the prior
        variance; `active`, whether that is above .01 (Burda et al. 2016).
    label_swap
        Embedded with the labels of other samples, z′: R²(z′, prior mean of the wrong label) over
        the sum of that and R²(z′, z). 0: data decide; 1: labels decide. NaN without labels.
    weight_at_zero, weight_at_one
        Share of samples whose optimal mixture weight is below .01, q(z|x,u) alone, or above .99,
        q(z|x) alone; NaN unless the objective is such a mixture.
    rank, rank_needed, condition
        Of the natural parameters of p(z|u), as differences between labels: the latents are
        identifiable (up to a map of each) only if the rank is latents × parameters a latent
        (Khemakhem et al. 2020, Theorem 1). `condition` is largest over smallest singular value,
        each parameter scaled to one size. None and NaN without labels.
    verdict
        The same in sentences.

    Examples
    --------
    >>> found = Diagnosis(pd.DataFrame({"kl": [0.9], "active": [True]}), verdict=["All is well."])
    >>> print(found)
    Diagnosis
        kl  active
    0  0.9    True
    - All is well.
    """

    latents: pd.DataFrame
    label_swap: float = float("nan")
    weight_at_zero: float = float("nan")
    weight_at_one: float = float("nan")
    rank: int | None = None
    rank_needed: int | None = None
    condition: float = float("nan")
    verdict: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        rows = [f"{name}: {value}" for name, value in self._rows()]
        return "\n".join(
            ["Diagnosis", self.latents.round(3).to_string(), *rows]
            + [f"- {text}" for text in self.verdict]
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in self._rows()
        )
        say = "".join(f"<li>{escape(text)}</li>" for text in self.verdict)
        return f"{self.latents.round(3).to_html()}<table>{rows}</table><ul>{say}</ul>"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("label swap (0 data, 1 labels)", f"{self.label_swap:.2f}"),
            ("mixture weight at 0", f"{self.weight_at_zero:.2f}"),
            ("mixture weight at 1", f"{self.weight_at_one:.2f}"),
        ]
        rows = [(name, value) for name, value in rows if value != "nan"]
        if self.rank is not None:
            rows.append(("rank of the label prior", f"{self.rank} of {self.rank_needed}"))
            rows.append(("its condition", f"{self.condition:.3g}"))
        return rows


def diagnose(model: Any, number: int, recording: Recording, seed: int = 0) -> Diagnosis:
    """Look at a model on the samples of a recording that a fit would use."""
    settings = model.settings_
    start, stop = used_segments(recording, settings["outside_trials"], settings["labels"])
    used = expand(start, stop)
    code = model.code_.of(recording)
    z, p = _posterior_and_prior(model, number, recording, code, used)
    latents = _latents(z, p)
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    if model.code_.parts:
        other = code.copy()
        other[used] = code[rng.permutation(used)]
        wrong, prior = _posterior_and_prior(model, number, recording, other, used)
        found["label_swap"] = label_swap(wrong[0], z[0], prior[0])
        found |= _identifiable(model)
    if settings["objective"] in ("ci", "released"):
        some = used[np.linspace(0, len(used) - 1, min(len(used), WEIGHED)).astype(int)]
        weight = _mixture_weights(model, number, recording, code, some, seed)
        found["weight_at_zero"] = float(np.mean(weight < END))
        found["weight_at_one"] = float(np.mean(weight > 1 - END))
    said = verdict(latents, found, settings["objective"])
    return Diagnosis(latents, **found, verdict=said)


def label_swap(wrong: NDArray, right: NDArray, prior: NDArray) -> float:
    """How much of an embedding with wrong labels follows those: 0 nothing, 1 all; NaN where it
    varies with neither. All (time, latent)."""
    size = wrong.var(axis=0)
    by_label = float(np.sum(size * _r_squared(wrong, prior)))
    by_data = float(np.sum(size * _r_squared(wrong, right)))
    return by_label / (by_label + by_data) if by_label + by_data > 0 else float("nan")


def natural_rank(
    mean: NDArray, variance: NDArray, zero_mean: bool = False
) -> tuple[int, int, float]:
    """Rank of the differences between labels of the natural parameters m/v and −1/2v, the rank
    needed, and the condition number. Both arrays (label, latent).

    >>> mean = np.array([[0.0], [1.0], [2.0]])
    >>> natural_rank(mean, np.ones((3, 1)))[:2]  # the variance does not change
    (1, 2)
    """
    natural = -0.5 / variance
    if not zero_mean:
        natural = np.hstack([mean / variance, natural])
    # From their mean: the same rank as from any one label, and none is singled out.
    away = natural - natural.mean(axis=0)
    size = np.sqrt(np.mean(away**2, axis=0))
    flat = size <= _FLAT * np.sqrt(np.mean(natural**2, axis=0))
    away = np.where(flat, 0.0, away / np.where(flat, 1.0, size))
    needed = natural.shape[1]
    values = np.zeros(needed)
    found = np.linalg.svd(away, compute_uv=False)
    values[: len(found)] = found
    tolerance = max(away.shape) * np.finfo(np.float32).eps
    rank = int(np.sum(values > tolerance * values[0])) if values[0] > 0 else 0
    return rank, needed, float(values[0] / values[-1]) if rank == needed else float("inf")


def _posterior_and_prior(
    model: Any, number: int, recording: Recording, code: NDArray, used: NDArray
) -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray]]:
    """Mean and variance of q(z|x,u) and of p(z|u) at the samples in use."""
    from ..training.evidence_step import posteriors

    both, _ = rows_of(model.params_, number, recording, model.settings_, code)
    q1, q0, p = posteriors(model.params_.prior, _device(both[used]), _device(code[used]))
    q = q1 if model.settings_["objective"] == "direct" else q0
    return _moments(q), _moments(p)


def _latents(z: tuple[NDArray, NDArray], p: tuple[NDArray, NDArray]) -> pd.DataFrame:
    ratio = z[1] / p[1]
    shift = (z[0] - p[0]) / np.sqrt(p[1])
    kl = 0.5 * (ratio - 1 - np.log(ratio) + shift**2)
    activity = shift.var(axis=0)
    table = {
        "kl": kl.mean(axis=0),
        "gain": np.clip(1 - ratio, 0, 1).mean(axis=0),
        "activity": activity,
        "active": activity > ACTIVE,
    }
    return pd.DataFrame(table).rename_axis(index="latent")


def _identifiable(model: Any) -> dict[str, Any]:
    from ..training.evidence_step import split

    code = coded(model.code_, model.candidates_)
    mean, variance = _moments(split(model.params_.prior(_device(code))))
    rank, needed, condition = natural_rank(mean, variance, not model.settings_["prior_mean"])
    return {"rank": rank, "rank_needed": needed, "condition": condition}


def _mixture_weights(
    model: Any, number: int, recording: Recording, code: NDArray, some: NDArray, seed: int
) -> NDArray[np.float64]:
    """(sample,) the share of q(z|x) in the mixture that bounds the evidence best."""
    import jax

    from ..objectives.evidence import optimal_weight
    from ..objectives.gaussian import kl, sample
    from ..training.evidence_step import log_likelihood, posteriors
    from ._vae_labels import targets

    part = model.params_.parts[number]
    table = recording.segments
    walls = table["start"].to_numpy(), table["stop"].to_numpy()
    y = _device(targets(part, recording, walls)[some])
    both, _ = rows_of(model.params_, number, recording, model.settings_, code)
    q1, q0, p = posteriors(model.params_.prior, _device(both[some]), _device(code[some]))
    noise = jax.random.normal(jax.random.key(seed), (sum(DRAWS), *q1.mean.shape))

    def bound(q):
        # The same draws for both, so that their difference is known better than either.
        each = [
            log_likelihood(part.decoder, part.decoder(sample(q, e)), y) for e in noise[: DRAWS[0]]
        ]
        return sum(each) / len(each) - kl(q, p).sum(axis=-1)

    return np.asarray(optimal_weight(bound(q1) - bound(q0), q1, q0, noise[DRAWS[0] :]), float)


def _r_squared(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Squared correlation of each column; 0 where one does not vary."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.sum(a**2, axis=0) * np.sum(b**2, axis=0)
    return np.where(size > 0, np.sum(a * b, axis=0) ** 2 / np.where(size > 0, size, 1), 0.0)


def _moments(q: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.asarray(q.mean, float), np.exp(np.asarray(q.log_variance, float))


def _device(values: NDArray) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(values)
