"""Where runs execute: processes of a Dask cluster, or one fresh process, each of one processor."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager, suppress
from typing import Any, Protocol

ONE_PROCESSOR = {
    "NPROC": "1",  # XLA splits sums by it, so that bits would depend on the machine
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""Environment of every process that fits; it must be there before JAX is imported."""


class Executor(Protocol):
    """Runs functions elsewhere."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """A future with `result()`."""

    def as_completed(self, submitted: Iterable[Any]) -> Iterator[Any]:
        """The futures as they finish."""

    def close(self, now: bool = False) -> None:
        """Stop; `now` drops what has not finished."""


class SerialExecutor:
    """One run after the other, in one fresh process, for the same bits as on a cluster."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        with _environment(ONE_PROCESSOR):
            self._pool = futures.ProcessPoolExecutor(1, context, initializer=_ignore_ctrl_c)
            self._pool.submit(os.getpid).result()  # it starts here, inside the environment

    def submit(self, function: Callable[..., Any], *arguments: Any) -> futures.Future:
        return self._pool.submit(function, *arguments)

    def as_completed(self, submitted: Iterable[futures.Future]) -> Iterator[futures.Future]:
        return futures.as_completed(submitted)

    def close(self, now: bool = False) -> None:
        processes = list((self._pool._processes or {}).values()) if now else []
        self._pool.shutdown(wait=not now, cancel_futures=now)
        for process in processes:
            process.terminate()


class DaskExecutor:
    """Processes of a `LocalCluster`, or of a scheduler by address.

    The cluster listens on this machine only. A scheduler runs what it is sent: connect to one that
    you trust.
    """

    def __init__(self, workers: int | None = None, scheduler: str | None = None) -> None:
        import dask
        from distributed import Client, LocalCluster

        self._cluster = None
        if scheduler is None:
            # a worker that is started anew takes it from the configuration
            anew = {"distributed.nanny.pre-spawn-environ": ONE_PROCESSOR}
            with _environment(ONE_PROCESSOR), dask.config.set(anew):
                self._cluster = LocalCluster(
                    n_workers=workers or os.cpu_count(),
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
        self._client = Client(self._cluster or scheduler)
        if self._cluster is not None:
            self._client.run(_ignore_ctrl_c)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, pure=False)

    def as_completed(self, submitted: Iterable[Any]) -> Iterator[Any]:
        from distributed import as_completed

        return as_completed(list(submitted))

    def close(self, now: bool = False) -> None:
        if now:
            self._kill()
        with suppress(TimeoutError):  # what is slow to say goodbye has nothing more to say
            self._client.close(timeout=10)
            if self._cluster is not None:
                self._cluster.close(timeout=10)

    def _kill(self) -> None:
        """End the worker processes in the middle of what they do, for good."""
        for nanny in self._cluster.workers.values() if self._cluster else ():
            nanny.auto_restart = False
            if nanny.pid:
                os.kill(nanny.pid, signal.SIGKILL)


def make_executor(workers: int | None, serial: bool, scheduler: str | None) -> Executor:
    """The executor that the options ask for."""
    return SerialExecutor() if serial else DaskExecutor(workers, scheduler)


def _ignore_ctrl_c() -> None:
    # a terminal sends it to the whole group; the main process alone decides what ends
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
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
