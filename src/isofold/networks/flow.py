"""A decoder that cannot fold: an injection, then blocks of volume-preserving couplings (GIN).

Sorrenson, Rother & Köthe, "Disentanglement by Nonlinear ICA with General Incompressible-flow
Networks" (ICLR 2020), with the injection of Zhou & Wei, "pi-VAE" (NeurIPS 2020).
"""

from __future__ import annotations

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..errors import DataError
from .perceptron import Perceptron, perceptron

SCALE = 0.1
"""Bound of each log scale before their mean is taken off."""


class Coupling(eqx.Module):
    """(a, b) → (b · exp(s(a)) + t(a), a) with Σ s = 0: volume stays, and it can be undone.

    s = [SCALE · tanh(first outputs), 0] minus its mean. (The published code gives the last scale
    all the rest, −Σ s, which grows with the number of channels and overflows.)
    """

    net: Perceptron

    def __call__(self, x: Float[Array, "row d"]) -> Float[Array, "row d"]:
        n = x.shape[1] // 2
        a, b = x[:, :n], x[:, n:]
        scale, shift = self._scale_and_shift(a)
        return jnp.concatenate([b * jnp.exp(scale) + shift, a], axis=1)

    def inverse(self, y: Float[Array, "row d"]) -> Float[Array, "row d"]:
        """x of a given y."""
        n = y.shape[1] - y.shape[1] // 2
        a = y[:, n:]
        scale, shift = self._scale_and_shift(a)
        return jnp.concatenate([a, (y[:, :n] - shift) * jnp.exp(-scale)], axis=1)

    def _scale_and_shift(self, a: Array) -> tuple[Array, Array]:
        out = self.net(a)
        free = (out.shape[1] + 1) // 2 - 1
        scale = SCALE * jnp.tanh(out[:, :free])
        scale = jnp.pad(scale, ((0, 0), (0, 1)))
        return scale - scale.mean(axis=1, keepdims=True), out[:, free:]


class Flow(eqx.Module):
    """(row, latent) → (row, d): [z, t(z)], then for each block a permutation and two couplings.

    Not for d ≤ latent: an injection needs room.
    """

    injection: Perceptron
    couplings: tuple[tuple[Coupling, Coupling], ...]
    permutations: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def __call__(self, z: Float[Array, "row latent"]) -> Float[Array, "row d"]:
        x = jnp.concatenate([z, self.injection(z)], axis=1)
        for order, pair in zip(self.permutations, self.couplings, strict=True):
            x = _reordered(order, x)
            for coupling in pair:
                x = coupling(x)
        return x


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _reordered(order: tuple[int, ...], x: Array) -> Array:
    """Columns in another order; its derivative is a gather too, not a scatter."""
    return x[:, np.asarray(order)]


def _forward(order: tuple[int, ...], x: Array) -> tuple[Array, None]:
    return _reordered(order, x), None


def _backward(order: tuple[int, ...], _, dx: Array) -> tuple[Array]:
    return (dx[:, np.argsort(order)],)


_reordered.defvjp(_forward, _backward)


def flow(
    n_latents: int,
    n_out: int,
    hidden: int,
    activation: str,
    rng: np.random.Generator,
    bias: np.ndarray | None = None,
    blocks: int = 2,
) -> Flow:
    """Draw a flow whose output is near `bias` (n_out,), and `bias` at z = 0 if φ(0) = 0.

    Raises
    ------
    DataError
        There are not more channels than latents, or fewer than three.
    """
    if n_out <= n_latents or n_out < 3:
        raise DataError(
            f"the flow decoder maps {n_latents} latents into more channels (at least 3), got "
            f"{n_out}; use decoder='mlp', or fewer latents"
        )
    injection = perceptron((n_latents, hidden, hidden, n_out - n_latents), activation, rng)
    first, rest = n_out // 2, n_out - n_out // 2
    sizes = (first, hidden, hidden, 2 * rest - 1)
    pairs = [
        tuple(Coupling(perceptron(sizes, activation, rng)) for _ in range(2)) for _ in range(blocks)
    ]
    # Permutations are part of the architecture: those of the published models.
    orders = [tuple(np.random.RandomState(n).permutation(n_out).tolist()) for n in range(blocks)]
    if bias is not None:
        last, final = pairs[-1]
        # The final coupling reads what the last one was told: taken off again, it adds nothing.
        pairs[-1] = (
            _shifted(last, bias[rest:], first),
            _blind_to(_shifted(final, bias[:rest], rest), bias[rest:]),
        )
    return Flow(injection, tuple(pairs), tuple(orders))  # type: ignore[arg-type]


def _shifted(coupling: Coupling, bias: np.ndarray, n: int) -> Coupling:
    """The coupling with the shift of its first n outputs set."""
    old = np.array(coupling.net.biases[-1])
    at = (len(old) + 1) // 2 - 1
    old[at : at + n] = bias
    return eqx.tree_at(
        lambda c: c.net.biases, coupling, (*coupling.net.biases[:-1], jnp.asarray(old))
    )


def _blind_to(coupling: Coupling, mean: np.ndarray) -> Coupling:
    """The coupling with the mean of its input taken off by the first bias."""
    first = coupling.net.biases[0] - jnp.asarray(mean) @ coupling.net.weights[0]
    return eqx.tree_at(lambda c: c.net.biases[0], coupling, first)


def log_determinant(module, x: Float[Array, " d"]) -> float:
    """log |det| of the derivative of a map of R^d to itself, at one point."""
    jacobian = jax.jacrev(lambda v: module(v[None])[0])(x)
    return float(jnp.linalg.slogdet(jacobian)[1])
