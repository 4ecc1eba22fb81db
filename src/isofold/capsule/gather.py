"""Runs that were done elsewhere, by workers or by an earlier capsule, are taken over."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from ..studies import Study
from ..studies.integrity import DONE, damage
from ..studies.plan import begun, planned
from ..studies.run_folder import run_path


def gather(study: Study, out: Path, folders: list[Path]) -> int:
    """Copy the runs of a study that `folders` have and `out` lacks; how many there were.

    A run is known by its key, so what another study, version or input has left stays where it is;
    so does what is damaged or failed.
    """
    plan = planned(study, out, resume=True)
    begun(plan)
    taken = 0
    for task in plan.left:
        known = (run_path(folder, task.key) for folder in folders)
        whole = next((run for run in known if (run / DONE).exists() and not damage(run)), None)
        if whole is not None:
            _copy(whole, run_path(out, task.key))
            taken += 1
    return taken


def _copy(run: Path, target: Path) -> None:
    temporary = target.with_name(f".tmp-{target.name}-{uuid4().hex[:8]}")
    try:
        shutil.copytree(run, temporary)
        shutil.rmtree(target, ignore_errors=True)  # one that failed
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
