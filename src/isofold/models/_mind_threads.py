"""Threads of MIND: work that releases Python's lock, with bits that do not depend on their number.

Every task writes what is its own, and BLAS and OpenMP are held to one thread a task: sums would
depend on how many there are, and for matrices of 50 × 50 threads cost more than they bring.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def one_thread_a_task() -> AbstractContextManager:
    """Hold BLAS and OpenMP to one thread inside the block."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def n_threads() -> int:
    """As many as `NPROC` says, or as the machine has processors."""
    return int(os.environ.get("NPROC") or os.cpu_count() or 1)


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`function` of every item, in order.

    >>> in_threads(abs, [-1, 2])
    [1, 2]
    """
    items = list(items)
    if min(n_threads(), len(items)) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(n_threads()) as pool:
        return list(pool.map(function, items))
