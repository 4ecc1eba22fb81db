"""Where runs execute: processes of a Dask cluster, or one fresh process, each of one processor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Protocol

ONE_PROCESSOR = {
    "NPROC": "1",  # XLA splits sums by it, so that bits would depend on the machine
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""Environment of every process that fits; it must be there before JAX is imported."""

DEATHS = 7
"""Processes that may end under a run before it is suspected: many deaths are not its fault (jobs
lose their machines, the system kills what is large)."""


class ProcessDiedError(RuntimeError):
    """The process of a run ended without an answer, again and again."""


class Executor(Protocol):
    """Runs functions elsewhere."""

    @property
    def dashboard(self) -> str:
        """Address of a page that shows the work, or ""."""

    def each(
        self, function: Callable[..., Any], items: Sequence[Any], **shared: Any
    ) -> Iterator[tuple[Any, Any]]:
        """(item, `function(item, **shared)`) as they finish; an exception is the answer, too.

        What ends with its process is done again elsewhere, a number of times.
        """

    def close(self, now: bool = False) -> None:
        """Stop; `now` drops what has not finished."""


class SerialExecutor:
    """One run after the other, in one fresh process, for the same bits as on a cluster."""

    dashboard = ""

    def __init__(self) -> None:
        self._pool = self._started()

    def each(
        self, function: Callable[..., Any], items: Sequence[Any], **shared: Any
    ) -> Iterator[tuple[Any, Any]]:
        for item in items:
            yield item, self._answer(function, item, shared)

    def close(self, now: bool = False) -> None:
        processes = list((self._pool._processes or {}).values()) if now else []
        self._pool.shutdown(wait=not now, cancel_futures=now)
        for process in processes:
            process.terminate()

    def _answer(self, function: Callable[..., Any], item: Any, shared: Mapping[str, Any]) -> Any:
        for _ in range(DEATHS + 1):
            try:
                return self._pool.submit(function, item, **shared).result()
            except BrokenProcessPool:
                self._pool.shutdown()
                self._pool = self._started()
            except Exception as error:
                return error
        return ProcessDiedError(died(DEATHS + 1))

    @staticmethod
    def _started() -> futures.ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        with environment(ONE_PROCESSOR):
            pool = futures.ProcessPoolExecutor(1, context, initializer=_follow_parent)
            pool.submit(os.getpid).result()  # it starts here, inside the environment
        return pool


class HereExecutor:
    """This very process, for results that no other process can see (`memory://`)."""

    dashboard = ""

    def each(
        self, function: Callable[..., Any], items: Sequence[Any], **shared: Any
    ) -> Iterator[tuple[Any, Any]]:
        for item in items:
            try:
                yield item, function(item, **shared)
            except Exception as error:
                yield item, error

    def close(self, now: bool = False) -> None:
        """Nothing was started."""


def died(times: int, memory: str | None = None) -> str:
    """What is known of a run whose processes ended."""
    limit = f" of {memory} a worker" if memory else ""
    return (
        f"the process of this run ended {times} times without an answer: it crashed, was "
        f"killed, or used more than its memory{limit}; give it more (--memory, or memory of "
        "[cluster]), or a smaller problem"
    )


def ignore_ctrl_c() -> None:
    """A terminal sends it to the whole group; the main process alone decides what ends."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables for the processes that are started inside."""
    before = {k: os.environ.get(k) for k in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _follow_parent() -> None:
    """End with the main process, however that ends; the pool itself would wait for ever."""
    ignore_ctrl_c()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=[parent.sentinel], daemon=True).start()


def _end_after(sentinel: Any) -> None:
    wait([sentinel])
    os._exit(1)
