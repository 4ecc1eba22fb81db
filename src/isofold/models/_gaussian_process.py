"""Latents that are Gaussian processes, seen through a linear map and independent noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, toeplitz

from ._sample_model import Floats


@dataclass(frozen=True, eq=False)
class Processes:
    """x_t = C z_t + d + noise, latent i with k(t, s) = (1 − ε) exp(−γ_i (t − s)²/2) + ε [t = s]."""

    loadings: Floats
    mean: Floats
    noise_variance: Floats
    gamma: Floats
    eps: Floats

    def infer(self, pieces: list[Floats]) -> tuple[list[Floats], Floats]:
        """E[z | piece], (time, latent) each, and the log-likelihood of each piece in nats.

        With L Lᵀ the prior's covariance and G = Cᵀ R⁻¹ C at each sample, everything follows from
        the Cholesky factor of A = I + Lᵀ G L, one for each length of piece.
        """
        weight = self.loadings / self.noise_variance[:, None]
        latents, nats = [], np.empty(len(pieces))
        factor = lru_cache(self._factor)
        constant = np.log(2 * np.pi * self.noise_variance).sum()
        for i, piece in enumerate(pieces):
            root, chol, log_det = factor(len(piece))
            centred = piece - self.mean
            seen = root.T @ (centred @ weight).T.ravel()
            found = cho_solve(chol, seen)
            latents.append((root @ found).reshape(-1, len(piece)).T)
            square = np.sum(centred**2 / self.noise_variance) - seen @ found
            nats[i] = -0.5 * (square + len(piece) * constant + log_det)
        return latents, nats

    def _factor(self, n: int) -> tuple[Floats, tuple, float]:
        """L, the Cholesky factor of A and log |A|; rows are latent by latent."""
        n_latents = len(self.gamma)
        root = np.zeros((n_latents * n, n_latents * n))
        for i, (gamma, eps) in enumerate(zip(self.gamma, self.eps, strict=True)):
            column = (1 - eps) * np.exp(-0.5 * gamma * np.arange(n) ** 2)
            column[0] = 1.0
            own = slice(i * n, (i + 1) * n)
            root[own, own] = cholesky(toeplitz(column), lower=True)
        precision = self.loadings.T @ (self.loadings / self.noise_variance[:, None])
        blocks = root.reshape(n_latents, n, -1)
        spread = np.einsum("ij,jtk->itk", precision, blocks).reshape(root.shape)
        chol = cho_factor(np.eye(len(root)) + root.T @ spread, lower=True)
        return root, chol, 2 * float(np.log(np.diag(chol[0])).sum())
