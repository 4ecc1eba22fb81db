"""One file a run, for whatever starts processes: SLURM arrays, Nextflow, Code Ocean.

job_<key>.json    format, version
                  study         its tables, as in a study file, paths absolute
                  task, key     which of its runs, in the order in which they unroll
                  fingerprints  of the recordings
                  results       folder or address
                  code          version of isofold
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import StudyError
from . import run_folder
from .integrity import DONE
from .keys import code_version
from .load import located
from .one_run import execute, warm
from .place import same_place
from .plan import Plan, begun, fingerprint_of, planned
from .spec import Study
from .tasks import Task, unrolled

FORMAT, VERSION = "isofold job", 1


def dispatch(study: Study, jobs: str | Path, out: str | Path, resume: bool = False) -> list[Path]:
    """Write one job file a run that is not done; each is run by `work`, in any order, at one time.

    Afterwards `run` with the same study and `out` starts no run and writes the tables and the page.

    Parameters
    ----------
    study
        What to run; `estimators` of its own have no name that another process could know.
    jobs
        Folder of the job files, new or empty of others.
    out
        Folder or address of the results.
    resume
        As in `run`.

    Raises
    ------
    StudyError
        `out` holds something else, `jobs` holds jobs of another study, or the study has estimators
        of its own.
    """
    if study.estimators:
        raise StudyError(
            f"job files know methods by name; estimators {sorted(study.estimators)} are given as "
            "objects: use isofold.run"
        )
    plan = planned(study, out, resume)
    folder = Path(jobs)
    files = {folder / f"job_{t.key}.json": _job(plan, n) for n, t in enumerate(plan.tasks)}
    others = sorted(set(folder.glob("job_*.json")) - set(files))
    if others:
        raise StudyError(f"{str(folder)!r} holds jobs of another study ({others[0].name}, …)")
    begun(plan)
    left = {t.key for t in plan.left}
    folder.mkdir(parents=True, exist_ok=True)
    for path, job in files.items():
        if job["key"] in left:
            run_folder.write_json(path, job)
        else:
            path.unlink(missing_ok=True)
    return [path for path, job in files.items() if job["key"] in left]


def work(job: str | Path) -> str:
    """Run a job file; "done", or the error, which is recorded.

    Raises
    ------
    StudyError
        It is no job, of another version of isofold, or the input is not what it was.
    """
    warm()  # before the study brings JAX in
    task, results = _read(Path(job))
    if execute(task, results) == DONE:
        return DONE
    place = same_place(results)
    name = f"runs/{task.key}/{run_folder.ERROR}"
    place.pull(name)
    error = run_folder.read_json(place.path / name)
    return f"{error['type']}: {error['message']}"


def _job(plan: Plan, number: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "study": plan.study.to_dict(),
        "task": number,
        "key": plan.tasks[number].key,
        "fingerprints": dict(plan.fingerprints),
        "results": plan.place.address,
        "code": code_version(),
    }


def _read(path: Path) -> tuple[Task, str]:
    try:
        job = json.loads(path.read_text(encoding="utf-8"))
        format_, version = job["format"], job["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} is not a job file of isofold dispatch ({error})") from error
    if (format_, version) != (FORMAT, VERSION):
        raise StudyError(f"{path} is {format_!r} {version!r}, this isofold runs {VERSION}")
    if job["code"] != code_version():
        raise StudyError(
            f"{path} is for isofold {job['code']}, this is {code_version()}: dispatch again, or "
            "install that version here"
        )
    task = unrolled(Study(**job["study"]), job["fingerprints"])[job["task"]]
    recording = located(task.recording, same_place(job["results"]))
    if recording.path and not Path(recording.path).exists():
        raise StudyError(
            f"recording {recording.name!r}: no file {recording.path!r} on this machine"
        )
    if fingerprint_of(recording) != task.fingerprint:
        raise StudyError(
            f"recording {recording.name!r} has changed since {path.name} was written: "
            "dispatch again"
        )
    return task, job["results"]
