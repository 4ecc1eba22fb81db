"""The three files of metadata beside the results, from the runs as they lie on disk."""

from __future__ import annotations

import json
import os
import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..studies import run_folder
from ..studies.find import DESCRIPTION
from ..studies.keys import code_version
from ..studies.run_folder import run_path, write_json
from ..writers import aind_metadata as aind
from .quality import quality_of
from .runs import Run, read_run
from .settings import Settings

PROCESSING, QUALITY = "processing.json", "quality_control.json"


def write_metadata(
    results: Path,
    out: Path,
    keys: Sequence[str],
    settings: Settings,
    assets: Sequence[Path],
    began: datetime,
) -> None:
    """Write `processing.json`, `data_description.json` and `quality_control.json` to `results`.

    Parameters
    ----------
    results
        Folder of the three files.
    out
        Folder of the runs.
    keys
        The runs.
    settings
        Of the capsule.
    assets
        Folders with the `data_description.json` of the input.
    began
        When this capsule did.
    """
    now = datetime.now(UTC)
    runs = [read_run(out, key) for key in keys]
    sources = _descriptions(assets)
    modality = settings.modality or _modality(out, sources)
    content = {
        PROCESSING: _processing(runs, out, settings, sources, began, now),
        DESCRIPTION: aind.derived_description(
            sources,
            settings.process,
            now,
            subject=_subject(runs),
            modalities=[modality],
            analysis=out.name,
        ),
        QUALITY: quality_of(runs, out, modality, now),
    }
    for name, table in content.items():
        write_json(results / name, table)


def _processing(
    runs: Sequence[Run],
    out: Path,
    settings: Settings,
    sources: Sequence[Mapping[str, Any]],
    began: datetime,
    now: datetime,
) -> dict[str, Any]:
    pipeline = _pipeline()
    common: dict[str, Any] = {
        "experimenters": _experimenters(sources),
        "pipeline_name": pipeline[0]["name"] if pipeline else None,
        "resources": {
            "object_type": "Resource usage",
            "os": platform.system(),
            "architecture": platform.machine(),
            "cpu_cores": settings.workers,
        },
    }
    assets = [name for s in sources if (name := s.get("name"))]
    processes: list[dict[str, Any]] = []
    parents: dict[str, list[str]] = {}
    for run in runs:
        made = list(_processes_of(run, settings.results, out, assets, common))
        processes += made
        parents |= {late["name"]: [early["name"]] for early, late in pairwise(made)}
    inputs = {r.settings["recording"]: {"sha256": r.settings["input"]} for r in runs}
    whole = aind.data_process(
        f"isofold {settings.mode}",
        "Analysis",
        began,
        now,
        _code(assets, {"capsule": _told(settings), "inputs": inputs, "study": _study(out)}),
        output_path=_relative(out, settings.results),
        **common,
    )
    leaves = {p["name"] for p in processes} - {name for some in parents.values() for name in some}
    parents[whole["name"]] = sorted(leaves)
    return aind.processing([*processes, whole], parents, pipeline)


def _processes_of(
    run: Run, results: Path, out: Path, assets: Sequence[str], common: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Training, and evaluation of what was trained."""
    keys = ("recording", "subject", "estimator", "labels", "settings", "seed", "fold", "control")
    given = {k: run.settings.get(k) for k in (*keys, "resolved", "axes")}
    code = _code(assets, given | {"key": run.key, "input_sha256": run.settings["input"]})
    path = _relative(run_path(out, run.key), results)
    more = {"output_path": path, **common}
    name = f"{run.name}: training"
    notes = f"failed: {run.error}" if run.error else None
    yield aind.data_process(
        name, "Model training", run.start, run.trained, code, notes=notes, **more
    )
    if not run.error:
        name = f"{run.name}: evaluation"
        yield aind.data_process(name, "Model evaluation", run.trained, run.end, code, **more)


def _code(assets: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Any]:
    url, commit = _source()
    return aind.code(
        url,
        code_version(),
        name="isofold",
        commit_hash=commit,
        run_script="code/run",
        language="Python",
        language_version=platform.python_version(),
        input_data=assets,
        parameters=parameters,
    )


def _source() -> tuple[str, str | None]:
    """Where this isofold came from, if it was installed from a repository, and its commit."""
    try:
        text = metadata.distribution("isofold").read_text("direct_url.json") or "{}"
    except metadata.PackageNotFoundError:
        text = "{}"
    about = json.loads(text)
    if "vcs_info" not in about:  # a folder of the machine that built the image says nothing
        return "isofold", None
    return about["url"], about["vcs_info"].get("commit_id")


def _pipeline() -> list[dict[str, Any]]:
    """`PIPELINE_NAME`, `PIPELINE_VERSION`, `PIPELINE_URL` of the environment."""
    name, url = os.environ.get("PIPELINE_NAME"), os.environ.get("PIPELINE_URL")
    if not name and not url:
        return []
    name = name or str(url).rstrip("/").rsplit("/", 1)[-1]
    version = os.environ.get("PIPELINE_VERSION") or "unknown"
    return [aind.code(url or name, version, name=name)]


def _told(settings: Settings) -> dict[str, Any]:
    own = vars(settings).items()
    return {k: v for k, v in own if v is not None and not isinstance(v, Path)}


def _study(out: Path) -> dict[str, Any]:
    """As it was run, without what only this machine knows."""
    path = out / run_folder.STUDY
    tables = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for block in tables.get("recordings", ()):
        block.pop("path", None)
    return tables


def _relative(path: Path, results: Path) -> str:
    return path.relative_to(results).as_posix() if path.is_relative_to(results) else path.name


def _descriptions(assets: Sequence[Path]) -> list[dict[str, Any]]:
    """What the assets say of themselves; one that says nothing legible is left out."""
    listed = []
    for asset in assets:
        try:
            listed.append(json.loads((asset / DESCRIPTION).read_text(encoding="utf-8-sig")))
        except (ValueError, OSError):
            continue
    return [about for about in listed if isinstance(about, dict)]


def _experimenters(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    people = [p["name"] for s in sources for p in aind.upgraded(s)["investigators"]]
    return list(dict.fromkeys(people))


def _subject(runs: Sequence[Run]) -> str | None:
    subjects = {run.settings.get("subject") for run in runs}
    return subjects.pop() if len(subjects) == 1 else None


def _modality(out: Path, sources: Sequence[Mapping[str, Any]]) -> str:
    """Of the input, or of what is embedded: counts of units, else a fluorescence."""
    for source in sources:
        for found in aind.upgraded(source)["modalities"]:
            if found["abbreviation"] in aind.MODALITIES:
                return str(found["abbreviation"])
    path = out / run_folder.STUDY
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return "fib" if '"signal" = "' in text and '"signal" = "units"' not in text else "ecephys"
