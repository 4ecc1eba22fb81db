"""The one training loop. It sees sources (pools of rows) and a problem: what to train, on what.

Batches are drawn on the host, in NumPy, for a chunk of steps ahead, while the chunk before is being
computed (`chunk.run_chunk`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import equinox as eqx
import jax
import numpy as np
import optax
from numpy.typing import NDArray

from ..sampling import Pool, Source
from .chunk import Fixed, Program, run_chunk

CHUNK = 25
"""Steps in one compiled call: long against its overhead, short for Ctrl-C and progress."""

Callback = Callable[[int, Any], bool | None]
"""(steps done, what is trained so far) → True to stop."""

Draw = Callable[[np.random.Generator, int, int], tuple[Any, Program]]
"""(generator, first step, number of steps) → a batch with a leading axis of CHUNK steps, and the
program that takes it."""


class Problem(Protocol):
    """What the loop trains."""

    params: Any
    """Modules and arrays, before the first step."""
    rates: NDArray[np.float64]
    """One learning rate a step."""
    hyper: Any
    """Traced settings: `beta1`, `beta2`, `epsilon`, `weight_decay`, and the program's own."""

    def trainable(self, arrays: Any) -> Any:
        """A 0 or 1 for every array of `params`."""

    def device_rows(self, number: int, pool: Pool) -> Any:
        """What of a recording's pool lies on the device."""

    def drawer(self, pools: Sequence[Pool]) -> Draw:
        """Draws batches from these pools."""

    def loss(self, done: int, record: Any) -> float:
        """What was minimised in the last of `done` steps, from its record."""

    def result(self, params: Any, record: Any, interrupted: bool) -> Any:
        """What comes back: modules as they are now, and the record of all steps (None: none)."""


def one_cycle(steps: int, peak: float) -> NDArray[np.float64]:
    """Learning rates that rise from peak/25 over 30 % of the steps and fall to nearly nothing.

    Both ways along half a cosine (Smith & Topin 2018).

    >>> rates = one_cycle(101, 1e-2)
    >>> int(rates.argmax()), float(rates.max())
    (30, 0.01)
    """
    at = np.arange(steps) / max(steps - 1, 1)
    up, down = at / 0.3, (at - 0.3) / 0.7
    low, end = peak / 25, peak / 1e4
    rise = low + (peak - low) * (1 - np.cos(np.pi * up)) / 2
    fall = end + (peak - end) * (1 + np.cos(np.pi * down)) / 2
    return np.where(at <= 0.3, rise, fall)


def run(
    problem: Problem,
    sources: Sequence[Source],
    rng: np.random.Generator,
    callback: Callback | None = None,
    callback_frequency: int | None = None,
    tick: Callable[[int, float], None] | None = None,
) -> Any:
    """Train; the result after the last step, or after the last chunk before Ctrl-C.

    `callback` runs every `callback_frequency` steps and after the last, `tick` (steps done, loss)
    after every chunk.
    """
    state = _State(problem, rng)
    every = callback_frequency if callback else None
    steps = len(problem.rates)
    try:
        for first, count, rows, batch, program in _chunks(problem, sources, rng, every):
            state.advance(first, count, rows, batch, program)
            done = first + count
            if tick:
                tick(done, state.last_loss())
            look = done == steps or (every and done % every == 0)
            if callback and look and callback(done, state.result()):
                break
    except KeyboardInterrupt:
        warnings.warn(
            f"interrupted after {state.steps} of {steps} steps; the model is usable, "
            "trained so far",
            RuntimeWarning,
            stacklevel=3,
        )
        return state.result(interrupted=True)
    return state.result()


class _State:
    """Parameters after the newest chunk, and the record of all."""

    def __init__(self, problem: Problem, rng: np.random.Generator):
        arrays, static = eqx.partition(problem.params, _is_array)
        self._problem, self._fixed = problem, Fixed(static)
        self._params = arrays
        zeros = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), arrays)
        self._adam = optax.ScaleByAdamState(count=np.int32(0), mu=zeros, nu=zeros)
        self._seed = np.uint32(rng.integers(2**31))
        self._chunk = partial(
            run_chunk,
            hyper=jax.tree.map(_traced, problem.hyper),
            trainable=problem.trainable(arrays),
            fixed=self._fixed,
        )
        self._record: list[tuple[int, Any]] = []
        """Steps and what was recorded, of every chunk."""

    def advance(self, first: int, count: int, rows, batch, program: Program) -> None:
        rates = np.zeros(CHUNK, np.float32)
        rates[:count] = self._problem.rates[first : first + count]
        params, adam, record = self._chunk(
            self._params, self._adam, rows, batch, rates, count, self._seed, first, program=program
        )
        if self._record:
            # At most one chunk runs ahead of the host, so that Ctrl-C and progress are prompt.
            jax.block_until_ready(self._record[-1][1])
        self._params, self._adam = params, adam
        self._record.append((count, record))

    @property
    def steps(self) -> int:
        return sum(count for count, _ in self._record)

    def last_loss(self) -> float:
        count, record = self._record[-1]
        last = jax.tree.map(lambda x: np.asarray(x)[count - 1], record)
        return self._problem.loss(self.steps, last)

    def result(self, interrupted: bool = False) -> Any:
        parts = [jax.tree.map(lambda x, n=n: np.asarray(x)[:n], r) for n, r in self._record]
        record = jax.tree.map(lambda *x: np.concatenate(x), *parts) if parts else None
        params = eqx.combine(self._params, self._fixed.modules)
        return self._problem.result(params, record, interrupted)


def _is_array(value: Any) -> bool:
    return isinstance(value, (jax.Array, np.ndarray))


def _traced(value):
    """Numbers as arrays, so that another value runs the same program."""
    return np.asarray(value, np.int32 if isinstance(value, int) else np.float32)


def _chunks(
    problem: Problem, sources: Sequence[Source], rng: np.random.Generator, every: int | None
) -> Iterator[tuple[int, int, tuple, Any, Program]]:
    """First step, number of steps, rows on the device, a batch for CHUNK steps and its program."""
    first, total = 0, len(problem.rates)
    pools: list[Pool] = []
    rows: list[Any] = []
    for new in zip(*[source.pools(rng) for source in sources], strict=True):
        if first >= total:
            return
        if not pools or any(a is not b for a, b in zip(new, pools, strict=True)):
            rows = [
                rows[n] if pools and pool is pools[n] else problem.device_rows(n, pool)
                for n, pool in enumerate(new)
            ]
            pools, draw = list(new), problem.drawer(new)
        count = min(CHUNK, total - first, every - first % every if every else CHUNK)
        batch, program = draw(rng, first, count)
        yield first, count, tuple(rows), batch, program
        first += count


def padded(steps: NDArray) -> NDArray:
    """CHUNK entries; steps that do not run repeat the first."""
    return np.concatenate([steps, np.repeat(steps[:1], CHUNK - len(steps), axis=0)])
