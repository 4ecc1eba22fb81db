"""What a capsule was told: by parameters, which are text, and by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import StudyError
from . import strings

MODES = ("all", "dispatch", "worker", "collect")
ORDER = ("study", "mode")
"""Parameters that may be given by place."""
FOLDERS = ("data", "results", "scratch")
LEAST = 1 << 30
"""Bytes of memory that a process needs."""
_OVERHEAD = 0.9
"""Share of the memory that processes may have; the rest is for the one that directs them."""

Text = str | None


@dataclass(frozen=True)
class Settings:
    """Parameters and environment of a capsule, checked.

    Of a default study (recordings without a study file) are `methods`, `labels`, `signal`,
    `width`, `rate`, `trials` and `dimension`.
    """

    data: Path
    results: Path
    scratch: Path
    mode: str = "all"
    study: str | None = None
    seeds: list[int] | None = None
    folds: int | None = None
    controls: bool = False
    methods: list[str] | None = None
    labels: list[str] | None = None
    signal: str | None = None
    width: float | None = None
    rate: float | None = None
    trials: str | None = None
    dimension: int | None = None
    process: str = "isofold"
    modality: str | None = None
    dry_run: bool = False
    workers: int = 1
    memory: str | None = None

    @classmethod
    def of(
        cls,
        given: Mapping[str, Text],
        places: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Settings:
        """From text.

        Parameters
        ----------
        given
            Parameters by name; "" and None are not given.
        places
            Parameters by place: `ORDER`.
        environment
            `CO_CPUS`, `CO_MEMORY` (bytes), `ISOFOLD_DATA`, `ISOFOLD_RESULTS`, `ISOFOLD_SCRATCH`;
            default: that of the process.

        Raises
        ------
        StudyError
            A value is of the wrong kind; the message names the parameter.

        Examples
        --------
        >>> settings = Settings.of({"seeds": "[0,1]", "folds": ""}, ["a.toml"], {"CO_CPUS": "4"})
        >>> settings.study, settings.seeds, settings.folds, settings.workers
        ('a.toml', [0, 1], None, 4)
        """
        told = _with_places({k: strings.given(v) for k, v in given.items()}, places)
        env = os.environ if environment is None else environment
        mode = told.get("mode") or "all"
        if mode not in MODES:
            raise StudyError(f"--mode must be one of {', '.join(MODES)}, got {mode!r}")
        workers, memory = _resources(told.get("workers"), env)
        return cls(
            **{name: _folder(name, told, env) for name in FOLDERS},
            mode=mode,
            study=told.get("study"),
            seeds=strings.wholes("seeds", told.get("seeds")),
            folds=strings.whole("folds", told.get("folds"), least=2),
            controls=strings.flag("controls", told.get("controls")),
            methods=strings.names("methods", told.get("methods")),
            labels=strings.names("labels", told.get("labels")),
            signal=told.get("signal"),
            width=strings.number("width", told.get("width")),
            rate=strings.number("rate", told.get("rate")),
            trials=told.get("trials"),
            dimension=strings.whole("dimension", told.get("dimension"), least=1),
            process=told.get("process") or "isofold",
            modality=_modality(told.get("modality")),
            dry_run=strings.flag("dry-run", told.get("dry_run")),
            workers=workers,
            memory=memory,
        )

    def of_default_study(self) -> list[str]:
        """Names of the parameters given that only shape a default study."""
        own = ("methods", "labels", "signal", "width", "rate", "trials", "dimension")
        return [name for name in own if getattr(self, name) is not None]


def _with_places(told: dict[str, Text], places: Sequence[str]) -> dict[str, Text]:
    if len(places) > len(ORDER):
        raise StudyError(
            f"by place there are {', '.join(ORDER)}; everything else is --name value, "
            f"got {list(places)}"
        )
    for name, value in zip(ORDER, map(strings.given, places), strict=False):
        if value is not None and told.get(name) not in (None, value):
            raise StudyError(f"--{name} is given twice: {told[name]!r} and, by place, {value!r}")
        told[name] = value or told.get(name)
    return told


def _folder(name: str, told: Mapping[str, Text], env: Mapping[str, str]) -> Path:
    given = told.get(name) or env.get(f"ISOFOLD_{name.upper()}") or f"/{name}"
    return Path(os.path.abspath(given))


def _modality(text: Text) -> Text:
    from ..writers.aind_metadata import MODALITIES

    if text is not None and text not in MODALITIES:
        raise StudyError(f"--modality must be one of {', '.join(MODALITIES)}, got {text!r}")
    return text


def _resources(workers: Text, env: Mapping[str, str]) -> tuple[int, str | None]:
    """Processes and the limit of each: no more than there are processors, and memory for."""
    processors = strings.whole("workers", workers, 1) or _environment("CO_CPUS", env)
    processors = processors or os.cpu_count() or 1
    memory = _environment("CO_MEMORY", env)
    if memory is None:
        return processors, None
    usable = int(memory * _OVERHEAD)
    processes = max(min(processors, usable // LEAST), 1)
    return processes, f"{usable // processes >> 20} MiB"


def _environment(name: str, env: Mapping[str, str]) -> int | None:
    text = strings.given(env.get(name))
    try:
        value = None if text is None else int(float(text))
    except ValueError:
        value = 0
    if value is not None and value < 1:
        raise StudyError(f"the environment variable {name} must be a number above 0, got {text!r}")
    return value
