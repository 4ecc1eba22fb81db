"""Which study a capsule runs: the one it finds, or one that is made for the recordings it finds."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import StudyError
from ..studies import Study
from ..studies._check import expanded
from ..studies.find import Found
from ..studies.parameters import blocks_in, read_parameters, study_of_parameters
from .default_study import default_study
from .settings import Settings


def chosen_study(settings: Settings, found: Found) -> Study:
    """The study, with the seeds, folds and controls that parameters ask for.

    Raises
    ------
    StudyError
        There is nothing to run, or several studies and `study` does not choose one.
    """
    os.environ.setdefault("DATA", str(settings.data))  # study files may say ${DATA}
    path = _chosen(settings, found)
    if path is None:
        return _changed(default_study(settings, blocks_in(settings.data)), settings)
    if shaping := settings.of_default_study():
        raise StudyError(
            f"--{shaping[0]} shapes the study of recordings without a study file, and "
            f"{_shown(path, settings)} is one: change it there, or drop --{shaping[0]}"
        )
    try:
        return _changed(_read(path, settings, found), settings)
    except StudyError as error:
        raise StudyError(f"{_shown(path, settings)}: {error}") from error


def _chosen(settings: Settings, found: Found) -> Path | None:
    candidates = [*found.studies, *found.parameters]
    if settings.study is not None:
        return _named(settings, [*candidates, *found.broken], found)
    if found.broken:
        path, why = next(iter(found.broken.items()))
        raise StudyError(f"{_shown(path, settings)} {why}; mend it, or choose another with --study")
    if len(candidates) > 1:
        raise StudyError(
            f"{settings.data} holds {len(candidates)} studies "
            f"({_listed(candidates, settings)}): choose one with --study"
        )
    if not candidates and not found.recordings:
        raise StudyError(
            f"{settings.data} holds no study file (TOML with recordings and methods), no "
            "analysis_parameters.json and no recording (NWB, npz): attach a data asset that does"
        )
    return candidates[0] if candidates else None


def _named(settings: Settings, candidates: list[Path], found: Found) -> Path:
    """The candidate whose path ends as the parameter says, or whose name is."""
    wanted = str(settings.study)
    tail = Path(wanted).parts
    fits = [p for p in candidates if p.parts[-len(tail) :] == tail or p.stem == wanted]
    if len(fits) != 1:
        what = "fits no study" if not fits else "fits several studies"
        raise StudyError(
            f"--study {wanted!r} {what} in {settings.data}; there are: "
            f"{_listed(fits or candidates, settings) or 'none'}"
        )
    if fits[0] in found.broken:
        raise StudyError(f"{_shown(fits[0], settings)} {found.broken[fits[0]]}")
    return fits[0]


def _read(path: Path, settings: Settings, found: Found) -> Study:
    if path in found.parameters:
        parameters = read_parameters(path)
        named = "recordings" in (parameters.get("fixed_parameters") or {})
        assets = [] if named else blocks_in(settings.data)
        return study_of_parameters(parameters, assets, path.parent)
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    blocks = tables.get("recordings")
    if isinstance(blocks, list):
        tables["recordings"] = [_located(b, path.parent, settings.data) for b in blocks]
    tables.pop("cluster", None)  # a capsule is no login node
    return Study.from_dict(tables, path.parent)


def _located(block: Any, folder: Path, data: Path) -> Any:
    """A block whose file is found by its name where it is not where the study says."""
    path = block.get("path") if isinstance(block, Mapping) else None
    if not isinstance(path, str) or set(path) & set("*?["):
        return block
    there = folder / Path(expanded(path, "path")).expanduser()
    if there.exists():
        return block
    return {**block, "path": str(same_file(there, data))}


def same_file(path: Path, data: Path) -> Path:
    """The file below `data` that has the name of another, and as much of its path as any.

    Where `data` holds links of other names than their files have, it is that file itself.

    Raises
    ------
    StudyError
        There is none, or several have as much.
    """
    found = [p for p in walk(data) if p.name == path.name]
    alike = {p: _common_end(p, path) for p in found}
    best = [p for p in found if alike[p] == max(alike.values())]
    if len(best) == 1:
        return best[0]
    if not best and path.exists():
        return path
    what = f"several ({', '.join(map(str, best))})" if best else "none"
    raise StudyError(
        f"recording {path.name!r} is looked for by its name in {data}: there is {what}"
    )


def walk(data: Path) -> list[Path]:
    """Files and folders, links followed once, in a fixed order; not what lies in a Zarr store."""
    paths: list[Path] = []
    seen = set()
    for root, folders, files in os.walk(data, followlinks=True):
        if (real := os.path.realpath(root)) in seen or {".zgroup", "zarr.json"} & set(files):
            folders.clear()
            continue
        seen.add(real)
        paths += [Path(root) / name for name in [*folders, *files]]
    return sorted(paths)


def _common_end(a: Path, b: Path) -> int:
    pairs = zip(reversed(a.parts), reversed(b.parts), strict=False)
    return next((n for n, (x, y) in enumerate(pairs) if x != y), min(len(a.parts), len(b.parts)))


def _changed(study: Study, settings: Settings) -> Study:
    changed: dict[str, Any] = {}
    if settings.seeds is not None:
        changed["seeds"] = settings.seeds
    if settings.folds is not None:
        changed |= {"folds": settings.folds, "split": None}
    if settings.controls:
        changed["controls"] = ("permuted labels",)
    return replace(study, **changed)


def _shown(path: Path, settings: Settings) -> str:
    return str(path.relative_to(settings.data) if path.is_relative_to(settings.data) else path)


def _listed(paths: list[Path], settings: Settings) -> str:
    return ", ".join(_shown(path, settings) for path in paths)
