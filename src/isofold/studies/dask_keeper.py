"""As many workers as were asked for, whatever becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

LOOK, GRACE = 1.0, 60.0
"""Seconds between two looks; after which a worker that is gone does not come back by itself."""


class Keeper:
    """Has a Dask cluster start anew what has ended for good.

    A nanny starts its worker again, but not one that is killed while it starts; a job of a batch
    system ends with its machine or its time, and Dask would wait for it for ever.
    """

    def __init__(self, cluster: Any, start: Callable[[], None]):
        from tornado.ioloop import PeriodicCallback

        self._cluster, self._start = cluster, start
        self._alive: dict[Any, float] = {}
        self._looks = PeriodicCallback(self._look, LOOK * 1000)
        cluster.loop.add_callback(self._looks.start)

    def stop(self) -> None:
        """Let the cluster shrink."""
        self._cluster.loop.add_callback(self._looks.stop)

    def _look(self) -> None:
        workers = self._cluster.workers
        for name in [name for name in workers if self._is_over(name)]:
            self._alive.pop(name, None)
            self._cluster.loop.add_callback(workers.pop(name).close)
        if len(workers) < len(self._cluster.worker_spec):
            self._start()

    def _is_over(self, name: Any) -> bool:
        from distributed import Status

        names = [str(w["name"]) for w in self._cluster.scheduler_info["workers"].values()]
        if any(n == str(name) or n.startswith(f"{name}-") for n in names):  # of several in a job
            self._alive[name] = monotonic()
        elif monotonic() - self._alive.get(name, monotonic()) > GRACE:
            return True
        return self._cluster.workers[name].status in (Status.failed, Status.closed)
