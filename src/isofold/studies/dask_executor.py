"""Runs on Dask: a cluster on this machine, jobs of SLURM, or any scheduler by address."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import StudyError
from .dask_keeper import Keeper
from .executor import DEATHS, ONE_PROCESSOR, ProcessDiedError, died, environment, ignore_ctrl_c

if TYPE_CHECKING:
    from .cluster_spec import ClusterSpec

SETTINGS = {
    # a worker that is started anew takes it from the configuration
    "distributed.nanny.pre-spawn-environ": ONE_PROCESSOR,
    "distributed.scheduler.allowed-failures": DEATHS,
    # One run at a time: a pause would wait for memory that nobody frees. At .95 of the limit the
    # process is started anew, and its run with it.
    "distributed.worker.memory.pause": False,
}
"""What differs from Dask's defaults where a cluster is started here."""

_BATCH = 500
"""Runs that are sent at a time, so that the first start while the last are sent."""


class DaskExecutor:
    """Processes of a `LocalCluster`, jobs of SLURM, or a scheduler by address.

    The local cluster listens on this machine only. A scheduler runs what it is sent: connect to
    one that you trust.
    """

    def __init__(
        self,
        workers: int | None = None,
        scheduler: str | None = None,
        memory: str | None = None,
        cluster: ClusterSpec | None = None,
    ) -> None:
        self._memory = memory or (cluster.memory if cluster else None)
        self._cluster: Any = None
        self._closing = ExitStack()
        try:
            if scheduler is None:
                self._start(workers or os.cpu_count() or 1, memory, cluster)
            else:
                self._client = self._closing.enter_context(_connected(scheduler))
        except BaseException:
            self._closing.close()
            raise

    def _start(self, workers: int, memory: str | None, spec: ClusterSpec | None) -> None:
        """A cluster, first without workers: one that dies while it starts must not end it."""
        import dask
        from distributed import Client

        # for as long as it lives, since workers are started all the time
        self._closing.enter_context(environment(ONE_PROCESSOR))
        self._closing.enter_context(dask.config.set(SETTINGS))
        self._cluster = spec.cluster() if spec else _local(memory)
        self._closing.callback(_patiently, self._cluster.close)
        self._client = Client(self._cluster)
        self._closing.callback(_patiently, self._client.close)
        self._client.register_plugin(_no_ctrl_c())
        start = (
            partial(spec.submit, self._cluster) if spec else partial(self._cluster.scale, workers)
        )
        start()
        if spec:
            spec.check_taken(self._cluster)
        self._closing.callback(Keeper(self._cluster, start).stop)

    @property
    def dashboard(self) -> str:
        return str(self._client.dashboard_link or "")

    def each(
        self, function: Callable[..., Any], items: Sequence[Any], **shared: Any
    ) -> Iterator[tuple[Any, Any]]:
        from distributed import KilledWorker

        suspects = []
        for item, answer in self._together(function, items, shared):
            if isinstance(answer, KilledWorker):
                suspects.append(item)
            else:
                yield item, answer
        for item in suspects:
            ((_, answer),) = self._together(function, [item], shared)
            if isinstance(answer, KilledWorker):
                times = 2 * (answer.allowed_failures + 1)
                answer = ProcessDiedError(died(times, self._memory))
            yield item, answer

    def _together(
        self, function: Callable[..., Any], items: Sequence[Any], shared: Mapping[str, Any]
    ) -> Iterator[tuple[Any, Any]]:
        """What waits at a worker that dies is blamed for it like what ran there, so a
        `KilledWorker` is sure only of what runs alone."""
        from distributed import as_completed

        if not items:
            return
        futures = self._client.map(function, items, pure=False, batch_size=_BATCH, **shared)
        waiting = dict(zip((f.key for f in futures), items, strict=True))
        answers = as_completed(futures, with_results=True, raise_errors=False)
        del futures  # what is answered is let go of
        for future, answer in answers:
            if future.status == "error":
                answer = answer[1]
            if future.cancelled() or future.status == "lost":
                raise StudyError(
                    "the connection to Dask's scheduler is lost; runs that are done are kept, "
                    "the same command goes on"
                )
            yield waiting.pop(future.key), answer

    def close(self, now: bool = False) -> None:
        if now:
            self._kill()
        self._closing.close()

    def _kill(self) -> None:
        """End the worker processes here in the middle of what they do, for good."""
        for nanny in getattr(self._cluster, "workers", {}).values():
            if getattr(nanny, "pid", None):
                nanny.auto_restart = False
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL)


def _local(memory: str | None) -> Any:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        memory_limit=memory or "auto",
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )


def _connected(scheduler: str) -> Any:
    from distributed import Client

    try:
        return Client(scheduler)
    except (OSError, ValueError) as error:
        raise StudyError(
            f"no Dask scheduler answers at {scheduler!r} ({error}); start one there "
            "(dask scheduler), or leave --scheduler out to run here"
        ) from error


def _patiently(close: Callable[..., Any]) -> None:
    with suppress(TimeoutError):  # what is slow to say goodbye has nothing more to say
        close(timeout=10)


def _no_ctrl_c() -> Any:
    from distributed import WorkerPlugin

    class NoCtrlC(WorkerPlugin):
        """Every worker of ours, also one that is started later."""

        name = "isofold-no-ctrl-c"

        def setup(self, worker: Any) -> None:
            ignore_ctrl_c()

    return NoCtrlC()
