"""The command line. One file a command; its docstring is its help.

Exit codes: 0; 1 what went wrong in the work; 2 wrong use; 130 Ctrl-C; 143 SIGTERM.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ..errors import IsofoldError, StudyError
from .capsule import capsule
from .demo import demo
from .dispatch import dispatch
from .embed import embed
from .inspect import inspect
from .methods import methods
from .report import report
from .run import run
from .worker import worker

WORK, USE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
"""Exit codes."""

app = typer.Typer(
    name="isofold",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command in (demo, inspect, embed, run, report, methods, dispatch, worker, capsule):
    app.command()(_command)


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Low-dimensional embeddings of physiological recordings that can be trusted.

    Exit codes: 0; 1 for what went wrong in the work; 2 for wrong use; 130 for Ctrl-C, 143 for
    SIGTERM.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("isofold: %(message)s"))
    log = logging.getLogger("isofold")  # not the root: libraries keep to themselves
    log.handlers = [handler]
    log.setLevel(logging.DEBUG if debug else logging.WARNING)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(call(sys.argv[1:] if arguments is None else list(arguments)))


def call(arguments: list[str]) -> int:
    """Run a command; its exit code. Expected errors become one line on standard error."""
    debug = arguments[:1] == ["--debug"]
    try:
        app(args=arguments, prog_name="isofold")
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else int(bool(leave.code))
        if code in (INTERRUPTED, TERMINATED):  # typer says nothing
            _say("interrupted; runs that are done are kept")
        return code
    except (IsofoldError, OSError) as error:
        if debug:
            raise
        _say(str(error))
        return USE if isinstance(error, StudyError) else WORK
    return 0


def _terminate(signum: int, frame: Any) -> None:
    """As Ctrl-C: a batch system says so before it kills."""
    raise SystemExit(TERMINATED)


def _say(message: str) -> None:
    sys.stderr.write(f"isofold: {' '.join(message.split())}\n")
