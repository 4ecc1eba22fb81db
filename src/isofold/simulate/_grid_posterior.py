"""p(x|u) and posterior means of a two-dimensional latent, summed on a grid.

Between nodes the likelihood is taken as linear, L(z) ≈ Σ_g L(z_g) hat_g(z). A Gaussian prior times
such a hat has a closed form, so that priors much narrower than a cell are summed exactly, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtr

from ..errors import DataError
from ._latent_label import LabelPrior, Labels, LatentLabel
from ._lift import Floats

N_NODES = 90
"""Nodes along each latent dimension."""

REACH = 4.0
"""Standard deviations of p(z|u) that the grid spans; mass beyond falls to its edge."""

BLOCK = 256
"""Samples at a time: (block, nodes²) is 16 MB."""

COARSEST = 2.0
"""Largest mean divergence of p(x|z) between neighbouring nodes, nats. At 2 log p(x|u) is off by
.03 nat a sample (rms, without bias); the published data sets have .01 to .2 and .005 nat."""


@dataclass(frozen=True)
class Grid:
    """Evenly spaced nodes along both dimensions, (node, 2)."""

    axes: Floats

    @classmethod
    def of(cls, prior: LabelPrior) -> Grid:
        mean, reach = prior.mean(prior.grid), REACH * np.sqrt(prior.variance(prior.grid))
        low, high = (mean - reach).min(axis=0), (mean + reach).max(axis=0)
        return cls(np.linspace(low, high, N_NODES))

    @property
    def points(self) -> Floats:
        """(node, node, 2)"""
        return np.stack(np.meshgrid(*self.axes.T, indexing="ij"), axis=-1)

    def weights(self, prior: LabelPrior, labels: Labels) -> tuple[Floats, Floats]:
        """p(z|u) on the nodes of each dimension, two of (label, node)."""
        mean, sd = prior.mean(labels), np.sqrt(prior.variance(labels))
        first, second = (hat_weights(self.axes[:, k], mean[:, k], sd[:, k]) for k in (0, 1))
        return first, second

    def marginal(self, prior: LabelPrior) -> Floats:
        """p(z) on the nodes, (node, node)."""
        first, second = self.weights(prior, prior.grid)
        return first.T @ second / len(first)


def with_labels(
    likelihood: Floats, first: Floats, second: Floats, axes: Floats
) -> tuple[Floats, Floats]:
    """p(x|u) (sample,) and E[z|x,u] (sample, 2) from p(x|z) (sample, node, node)."""
    along = likelihood @ np.stack([second, second * axes[:, 1]], axis=-1)
    p = np.einsum("na,na->n", first, along[..., 0])
    z1 = np.einsum("na,na->n", first * axes[:, 0], along[..., 0])
    z2 = np.einsum("na,na->n", first, along[..., 1])
    return p, np.column_stack([z1, z2]) / p[:, None]


def without_labels(likelihood: Floats, marginal: Floats, points: Floats) -> Floats:
    """E[z|x] (sample, 2) from p(x|z) (sample, node, node)."""
    p = np.tensordot(likelihood, marginal, 2)
    return np.tensordot(likelihood, marginal[..., None] * points, 2) / p[:, None]


@dataclass(frozen=True)
class Likelihood:
    """p(x|z) at the nodes, as log p = x · natural − normaliser + base(x); mean = E[x|z].

    natural and mean are (node, node, unit), normaliser (node, node).
    """

    natural: Floats
    mean: Floats
    normaliser: Floats
    base: Callable[[Floats], Floats]

    @classmethod
    def of(cls, m: Floats, data: LatentLabel) -> Likelihood:
        if data.observation == "poisson":
            log_rate = data.prior.gain * np.tanh(m)
            rate = np.exp(log_rate)
            return cls(log_rate, rate, rate.sum(axis=-1), lambda x: -gammaln(x + 1).sum(axis=1))
        precision = data.noise**-2
        constant = 0.5 * m.shape[-1] * np.log(2 * np.pi / precision)
        return cls(
            precision * m,
            m,
            0.5 * precision * np.square(m).sum(axis=-1),
            lambda x: -0.5 * precision * np.square(x).sum(axis=1) - constant,
        )

    def require_smooth(self, marginal: Floats) -> None:
        """Refuse a likelihood that is narrower than the cells of the grid."""
        divergences = []
        for axis in (0, 1):
            step = np.diff(self.natural, axis=axis) * np.diff(self.mean, axis=axis)
            weight = marginal[1:] if axis == 0 else marginal[:, 1:]
            divergences.append(float(np.sum(weight * step.sum(axis=-1))))
        if max(divergences) > COARSEST:
            raise DataError(
                f"ceilings are summed on {N_NODES} × {N_NODES} nodes and need p(x|z) to be wider "
                f"than a cell, but it changes by {max(divergences):.2g} nats from node to node (at "
                f"most {COARSEST:g}); use fewer units or more noise"
            )

    def scaled(self, x: Floats) -> tuple[Floats, Floats]:
        """p(x|z) over its largest (sample, node, node), and the log of that (sample,)."""
        flat = self.natural.reshape(-1, x.shape[1])
        log_p = x @ flat.T - self.normaliser.ravel()
        top = log_p.max(axis=1)
        scaled = np.exp(log_p - top[:, None]).reshape(-1, *self.normaliser.shape)
        return scaled, top + self.base(x)


def hat_weights(nodes: Floats, mean: Floats, sd: Floats) -> Floats:
    """E[hat_k(z)], z ~ N(mean, sd²), of the hats on evenly spaced nodes: (label, node).

    With H(g) = E[(z − g)₊] it is the second difference of H over the spacing; the hats at both
    ends stay 1 beyond the grid, so that each row sums to 1.
    """
    spacing = nodes[1] - nodes[0]
    sd = np.maximum(sd, 1e-6 * spacing)[:, None]
    t = (mean[:, None] - nodes) / sd
    above = sd * (t * ndtr(t) + np.exp(-0.5 * t**2) / np.sqrt(2 * np.pi))
    slope = np.diff(above, axis=1) / spacing
    return np.maximum(np.diff(slope, axis=1, prepend=-1.0, append=0.0), 0.0)
