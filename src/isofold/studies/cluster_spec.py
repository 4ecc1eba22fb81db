"""The `[cluster]` block of a study file: jobs of a batch system in which its runs execute."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from .._extras import require
from ..errors import StudyError
from ._check import check_keys, check_names, check_type, near

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster

_KINDS = ("slurm",)
_WALLTIME = re.compile(r"(\d+-)?\d{1,3}(:\d{2}){0,2}")
_MEMORY = re.compile(r"\d+(\.\d+)? ?[KMGT]i?B", re.IGNORECASE)


@dataclass(frozen=True)
class ClusterSpec:
    """Jobs of SLURM, each with `cores` processes of one thread that share `memory`.

    Lost jobs (machines fail, time runs out) are submitted anew while runs are left.
    """

    memory: str
    kind: str = "slurm"
    queue: str | None = None
    account: str | None = None
    walltime: str = "01:00:00"
    cores: int = 1
    jobs: int = 1
    gres: str | None = None
    interface: str | None = None
    log_directory: str | None = None
    job_script_prologue: tuple[str, ...] = ()
    job_extra_directives: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Any, where: str = "cluster") -> ClusterSpec | None:
        """From a table or a `ClusterSpec`; None stays None.

        Raises
        ------
        StudyError
            A key or value is unknown; the message says which.
        """
        if given is None or isinstance(given, ClusterSpec):
            return given
        check_keys(given, [f.name for f in fields(cls)], where)
        if "memory" not in given:
            raise StudyError(f'{where} needs memory = "…": of one job, for example "8 GiB"')
        lists = ("job_script_prologue", "job_extra_directives")
        table: dict[str, Any] = dict(given)
        table |= {k: check_names(v, f"{where}.{k}") for k, v in given.items() if k in lists}
        spec = cls(**table)
        spec._check(where)
        return spec

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        table = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {k: v for k, v in table.items() if v}

    def submit(self, cluster: SLURMCluster) -> None:
        """Have SLURM start the jobs, and those that were lost anew.

        Raises
        ------
        StudyError
            There is no SLURM on this machine.
        """
        if shutil.which("sbatch") is None:
            raise StudyError(
                "[cluster] submits jobs with sbatch, which this machine has not: run on a login "
                "node, or here with --workers"
            )
        cluster.scale(jobs=self.jobs)

    def check_taken(self, cluster: SLURMCluster) -> None:
        """Wait until sbatch has answered for all jobs.

        Raises
        ------
        StudyError
            SLURM refuses jobs.
        """
        from distributed import Status

        while not cluster.workers:  # they appear when all are answered
            time.sleep(0.1)
        refused = [job for job in cluster.workers.values() if job.status == Status.created]
        if refused:
            for job in refused:
                job.status = Status.failed  # or closing would wait for them
            raise StudyError(
                f"SLURM refused {len(refused)} of {self.jobs} jobs; sbatch says above why: change "
                "[cluster], or run here with --workers"
            )

    def cluster(self) -> SLURMCluster:
        """The cluster; `job_script()` is what it submits.

        Raises
        ------
        MissingDependencyError
            dask-jobqueue is not installed.
        """
        from .executor import ONE_PROCESSOR

        jobqueue = require("dask_jobqueue", "slurm", "a [cluster] of SLURM")
        exports = [f"export {name}={value}" for name, value in ONE_PROCESSOR.items()]
        gres = [f"--gres={self.gres}"] if self.gres else []
        return jobqueue.SLURMCluster(
            cores=self.cores,
            processes=self.cores,  # one thread each
            memory=self.memory,
            queue=self.queue,
            account=self.account,
            walltime=self.walltime,
            interface=self.interface,
            log_directory=self.log_directory,
            job_name="isofold",
            job_script_prologue=[*exports, *self.job_script_prologue],
            job_extra_directives=[*gres, *self.job_extra_directives],
        )

    def _check(self, where: str) -> None:
        if self.kind not in _KINDS:
            raise StudyError(f"{where}.kind: unknown {self.kind!r}{near(self.kind, _KINDS)}")
        for name in ("cores", "jobs"):
            check_type(getattr(self, name), int, "a whole number", f"{where}.{name}")
            if getattr(self, name) < 1:
                raise StudyError(f"{where}.{name} must be at least 1, got {getattr(self, name)}")
        for name in ("queue", "account", "gres", "interface", "log_directory"):
            if getattr(self, name) is not None:
                check_type(getattr(self, name), str, "a text", f"{where}.{name}")
        check_type(self.walltime, str, 'a time such as "02:00:00"', f"{where}.walltime")
        if not _WALLTIME.fullmatch(self.walltime):
            raise StudyError(
                f'{where}.walltime must be a time such as "02:00:00" or "1-12:00:00", got '
                f"{self.walltime!r}"
            )
        check_memory(self.memory, f"{where}.memory")


def check_memory(text: Any, where: str) -> str:
    """An amount of memory with its unit, or `StudyError`.

    >>> check_memory("8 GiB", "memory")
    '8 GiB'
    """
    if not isinstance(text, str) or not _MEMORY.fullmatch(text.strip()):
        raise StudyError(f'{where} must be an amount such as "8 GiB" or "500 MB", got {text!r}')
    return text
