"""A progress bar with steps/s, loss and time left; silent where nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(steps: int, show: bool) -> Iterator[Callable[[int, float], None] | None]:
    """Yield a function (steps done, loss) that moves the bar, or None where there is no bar."""
    if not show:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield None
        return
    columns = (
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps"),
        TextColumn("{task.fields[rate]} steps/s"),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("fit", total=steps, loss="–", rate="–")

        def tick(done: int, loss: float) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:.0f}" if speed else "–"
            bar.update(task, completed=done, loss=f"{loss:.3f}", rate=rate)

        yield tick
