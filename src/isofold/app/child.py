"""`python -m isofold.app.child STUDY OUT [WORKERS]`: one study in a process of its own.

Standard input is a line to the app: when it closes, because the app is gone or says so, the study
is stopped as by Ctrl-C, and runs that are done are kept.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

FAILED, WRONG, STOPPED = 1, 2, 130
"""Exit codes: runs failed, the study could not be run, it was stopped."""


def main(study: str, out: str, workers: str = "1") -> int:
    """Run it; the exit code."""
    from ..errors import IsofoldError
    from ..studies import Study, run

    # a shell that starts the app in the background has it ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_stop_with_the_app, daemon=True).start()
    try:
        spec = Study.from_toml(Path(study))
        count = int(workers)
        results = run(
            spec, out, workers=count if count > 1 else None, serial=count <= 1, progress=False
        )
    except KeyboardInterrupt:
        return STOPPED
    except (IsofoldError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return WRONG
    return FAILED if (results.runs["status"] == "error").any() else 0


def _stop_with_the_app() -> None:
    while os.read(0, 1):  # sys.stdin would be locked when the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
