"""How far a study is: a bar on a terminal, silence elsewhere, or a function of the caller."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

Report = Callable[[int, int, str], None]
"""Called with the number of runs done, of all runs, and what was just done."""


class Progress(Protocol):
    """What is told of every run."""

    def begin(self, total: int, done: int, dashboard: str) -> None:
        """How many runs there are, and were done before; where Dask shows them."""

    def advance(self, what: str, failed: bool) -> None:
        """One more is done."""


@contextmanager
def reporting(progress: Report | bool | None) -> Iterator[Progress]:
    """`None` asks whether standard error is a terminal; `False` is silent."""
    if callable(progress):
        yield Told(progress)
    elif progress is False or (progress is None and not sys.stderr.isatty()):
        yield Told(lambda done, total, what: None)
    else:
        bar = Bar()
        try:
            yield bar
        finally:
            bar.stop()


class Told:
    """A function of the caller."""

    def __init__(self, report: Report):
        self._report, self._done, self._total = report, 0, 0

    def begin(self, total: int, done: int, dashboard: str) -> None:
        self._total, self._done = total, done
        self._report(done, total, "")

    def advance(self, what: str, failed: bool) -> None:
        self._done += 1
        self._report(self._done, self._total, what)


class Bar:
    """Runs done of all, failed ones, time left; Dask's dashboard once, above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        names = ("failed", "left", "what")
        columns = [TextColumn(f"{{task.fields[{name}]}}") for name in names]
        console = Console(stderr=True)
        self._bar = RichProgress(
            TextColumn("runs"), BarColumn(), MofNCompleteColumn(), *columns, console=console
        )
        self._task = self._bar.add_task("", total=None, failed="", left="", what="")
        self._failed, self._run, self._to_run, self._start = 0, 0, 0, monotonic()

    def begin(self, total: int, done: int, dashboard: str) -> None:
        if dashboard:
            self._bar.console.print(f"Dask's dashboard: {dashboard}")
        self._to_run, self._start = total - done, monotonic()
        self._bar.update(self._task, total=total, completed=done)
        self._bar.start()

    def advance(self, what: str, failed: bool) -> None:
        self._run += 1
        self._failed += failed
        seconds = time_left(monotonic() - self._start, self._run, self._to_run)
        self._bar.update(
            self._task,
            advance=1,
            failed=f"[red]{self._failed} failed[/red]" if self._failed else "",
            left=f"{clock(seconds)} left",
            what=what,
        )

    def stop(self) -> None:
        self._bar.stop()


def time_left(seconds: float, run: int, to_run: int) -> float:
    """Seconds that the runs left take, as long each as those before; what was done before the
    start took no time and does not count.

    >>> time_left(10.0, run=2, to_run=6)
    20.0
    """
    return seconds / run * (to_run - run)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> clock(75), clock(3675.4)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
