"""`quality_control.json`: what is known of the recordings, and runs that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..studies.run_folder import read_json
from ..writers.aind_metadata import quality_control, quality_metric
from .runs import Run

Metric = Callable[..., dict[str, Any]]


def quality_of(runs: Sequence[Run], out: Path, modality: str, now: datetime) -> dict[str, Any]:
    """Checks of the cleaning, warnings of the files, and failures, each by recording and channel.

    Checks are rows {check, channel, value, threshold, status, reason} of
    `recordings/<name>/quality.json`, warnings are sentences of `warnings.json` beside it.
    """
    metric = partial(
        quality_metric,
        at=now,
        modality=modality,
        evaluator=f"isofold {__version__} (automated)",
    )
    metrics = [*_checks(out, metric), *_warnings(out, metric), *_failures(runs, metric)]
    return quality_control(metrics, ["recording", "channel"])


def _checks(out: Path, metric: Metric) -> Iterator[dict[str, Any]]:
    for path in sorted(out.glob("recordings/*/quality.json")):
        for row in read_json(path):
            tags = _tags(path.parent.name, row.get("channel"))
            yield metric(
                f"{row['check']}, {tags['channel']} ({tags['recording']})",
                row.get("value"),
                row.get("status") or "pending",
                stage="Processing",
                description=_rule(row),
                tags=tags,
            )


def _rule(row: Mapping[str, Any]) -> str | None:
    said = [str(row["reason"])] if row.get("reason") else []
    if row.get("threshold") is not None:
        said.append(f"threshold {row['threshold']}")
    return "; ".join(said) or None


def _warnings(out: Path, metric: Metric) -> Iterator[dict[str, Any]]:
    """Somebody has to look at them."""
    for path in sorted(out.glob("recordings/*/warnings.json")):
        tags = _tags(path.parent.name)
        for number, said in enumerate(read_json(path), 1):
            name = f"warning {number} ({tags['recording']})"
            yield metric(name, said, "pending", stage="Raw data", tags=tags)


def _failures(runs: Sequence[Run], metric: Metric) -> Iterator[dict[str, Any]]:
    for recording in sorted({str(run.settings["recording"]) for run in runs}):
        own = [run for run in runs if str(run.settings["recording"]) == recording]
        errors = [f"{run.name}: {run.error}" for run in own if run.error]
        yield metric(
            f"runs that failed ({recording})",
            len(errors),
            "fail" if errors else "pass",
            description="; ".join(errors) or "every run of the study is done",
            tags=_tags(recording),
        )


def _tags(recording: str, channel: Any = None) -> dict[str, str]:
    return {"recording": recording, "channel": "all" if channel is None else str(channel)}
