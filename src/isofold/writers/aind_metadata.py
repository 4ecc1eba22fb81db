"""`processing.json`, `data_description.json` and `quality_control.json` of AIND, as plain dicts.

Valid against aind-data-schema 2.9 (Processing 2.3.3, DataDescription and QualityControl 2.4.2),
which is not needed to write them. Times have a zone, keys hold neither "." nor "$" (the document
database refuses them), numbers are finite or null. Source: aind-data-schema, MIT.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_SCHEMA = (
    "https://raw.githubusercontent.com/AllenNeuralDynamics/aind-data-schema/main/"
    "src/aind_data_schema/core/"
)
MODALITIES = {
    "behavior": "Behavior",
    "behavior-videos": "Behavior videos",
    "ecephys": "Extracellular electrophysiology",
    "fib": "Fiber photometry",
    "icephys": "Intracellular electrophysiology",
    "one-photon": "One-photon imaging",
    "pophys": "Planar optical physiology",
    "slap2": "Random access projection microscopy",
}
"""Abbreviation → name of the modalities that have time series."""
UNKNOWN = "Unknown"
_DATETIME = r"\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}"
_RAW = re.compile(rf"^.+?_{_DATETIME}")
_LICENSES = ("MIT", "CC-BY-4.0")
_GROUPS = ("behavior", "ephys", "MSMA", "ophys", "NBA")
_STATUS = {"pass": "Pass", "fail": "Fail", "pending": "Pending"}


def data_process(
    name: str,
    process_type: str,
    start: datetime,
    end: datetime,
    code: Mapping[str, Any],
    *,
    stage: str = "Analysis",
    experimenters: Sequence[str] = (UNKNOWN,),
    **more: Any,
) -> dict[str, Any]:
    """One entry of `data_processes`.

    Parameters
    ----------
    name
        Unique among the processes of one file.
    process_type
        A process name of AIND: "Model training", "Model evaluation", "Analysis", …
    start, end
        With a time zone; a time without one is taken for UTC.
    code
        Of `code`.
    stage
        "Processing" or "Analysis".
    experimenters
        Who is responsible.
    more
        `pipeline_name`, `output_path`, `output_parameters`, `notes`, `resources`; None is left out.

    Examples
    --------
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> data_process("fit", "Model training", at, at, code("isofold", "0.1.0"))["end_date_time"]
    '2026-01-01T00:00:00+00:00'
    """
    return {
        "object_type": "Data process",
        "process_type": process_type,
        "name": name,
        "stage": stage,
        "code": dict(code),
        "experimenters": list(experimenters) or [UNKNOWN],
        "start_date_time": _iso(start),
        "end_date_time": _iso(end),
        **{key: plain(value) for key, value in more.items() if value is not None},
    }


def code(url: str, version: str, **more: Any) -> dict[str, Any]:
    """Code of a process or pipeline: `name`, `commit_hash`, `run_script`, `language`,
    `language_version`, `input_data` (names of assets) and `parameters` are optional.

    >>> code("https://example.org/isofold", "0.1.0", parameters={"bin.width": 0.1})["parameters"]
    {'bin_width': 0.1}
    """
    assets = more.pop("input_data", None)
    table: dict[str, Any] = {"object_type": "Code", "url": url, "version": version}
    if assets:
        table["input_data"] = [{"object_type": "Data asset", "name": name} for name in assets]
    return table | {key: plain(value) for key, value in more.items() if value is not None}


def processing(
    processes: Iterable[Mapping[str, Any]],
    parents: Mapping[str, Sequence[str]],
    pipelines: Sequence[Mapping[str, Any]] = (),
    notes: str | None = None,
) -> dict[str, Any]:
    """`processing.json`: processes in the order in which they began, and what each depends on.

    Parameters
    ----------
    processes
        Of `data_process`.
    parents
        Name → names of the processes whose output it takes; one that is not in it takes none.
    pipelines
        Of `code`, with a `name`.
    notes
        Anything else.

    Raises
    ------
    ValueError
        Two processes have one name, or a parent is none of them.
    """
    listed = sorted(processes, key=lambda p: (p["start_date_time"], p["end_date_time"]))
    names = [p["name"] for p in listed]
    if len(set(names)) < len(names):
        raise ValueError(f"processes must have different names, got {names}")
    graph = {name: list(parents.get(name, ())) for name in names}
    strangers = {p for listed in graph.values() for p in listed} - set(names)
    if strangers:
        raise ValueError(f"parents must be processes of the same file, got {sorted(strangers)}")
    return {
        **_head("Processing", "processing.py", "2.3.3"),
        "data_processes": listed,
        "pipelines": [dict(p) for p in pipelines] or None,
        "notes": notes,
        "dependency_graph": graph,
    }


def derived_description(
    sources: Sequence[Mapping[str, Any]],
    process: str,
    created: datetime,
    *,
    subject: str | None = None,
    modalities: Sequence[str] = ("behavior",),
    analysis: str = "analysis",
    simulated: bool = False,
) -> dict[str, Any]:
    """`data_description.json` of what was made from assets.

    One source gives its name, `<raw>_<process>_<date>_<time>`, where `<raw>` is the name of the
    raw asset also when the source was itself derived; several, or one without a dated name, give
    `<project>_<analysis>_<date>_<time>`. People, funding, institution, project and subject come
    from the sources.

    Parameters
    ----------
    sources
        Contents of their `data_description.json`, version 1 or 2; none is allowed.
    process
        What made it; underscores become hyphens.
    created
        With a time zone.
    subject, modalities
        Where no source says so; modalities are keys of `MODALITIES`.
    analysis
        Token of the name where there is not one source.
    simulated
        The data were never recorded.

    Examples
    --------
    >>> raw = {"name": "717531_2024-08-07_09-01-02", "subject_id": "717531"}
    >>> at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    >>> derived_description([raw], "isofold", at)["name"]
    '717531_2024-08-07_09-01-02_isofold_2026-01-02_03-04-05'
    """
    one = upgraded(sources[0]) if sources else {}
    several = [upgraded(source) for source in sources]
    subjects = {s["subject_id"] for s in several if s.get("subject_id")} or {subject}
    found = {m["abbreviation"]: m for s in several for m in s.get("modalities") or ()}
    named = [s["name"] for s in several if s.get("name")]
    project = one.get("project_name") or process
    return {
        **_head("Data description", "data_description.py", "2.4.2"),
        "license": one.get("license") or "CC-BY-4.0",
        "subject_id": _token(subjects.pop()) if len(subjects) == 1 else None,
        "creation_time": _iso(created),
        "tags": one.get("tags"),
        "name": _name(several, project, process, analysis, created),
        "institution": one.get("institution") or {"name": UNKNOWN},
        "funding_source": one.get("funding_source") or [{"funder": {"name": UNKNOWN}}],
        "data_level": "simulated" if simulated else "derived",
        "group": one.get("group"),
        "investigators": one.get("investigators") or [{"name": UNKNOWN}],
        "project_name": re.sub(r'[<>:;"/|?\\_]+', " ", project).strip() or process,
        "restrictions": one.get("restrictions"),
        "modalities": list(found.values()) or [_modality(m) for m in modalities],
        "source_data": named or None,
        "data_summary": one.get("data_summary"),
    }


def upgraded(description: Mapping[str, Any]) -> dict[str, Any]:
    """What a `data_description.json` of version 1 or 2 says, in the form of version 2.

    Institutions and funders keep their names, which must be among those that AIND knows. Version 1
    has `modality` for `modalities`, registries as tables and
    people as names.

    >>> upgraded({"modality": [{"name": "Fiber photometry", "abbreviation": "fib"}]})["modalities"]
    [{'name': 'Fiber photometry', 'abbreviation': 'fib'}]
    """
    given = dict(description)
    modalities = given.get("modalities", given.get("modality")) or []
    modalities = [modalities] if isinstance(modalities, Mapping) else modalities
    funding = [
        {
            "funder": _organization(f.get("funder")),
            "grant_number": f.get("grant_number"),
            "fundee": _people(f.get("fundee")) or None,
        }
        for f in given.get("funding_source") or ()
        if isinstance(f, Mapping) and _organization(f.get("funder"))
    ]
    return {
        "name": given.get("name"),
        "subject_id": given.get("subject_id"),
        "license": _one_of(_LICENSES, given.get("license")),
        "tags": given.get("tags"),
        "institution": _organization(given.get("institution")),
        "funding_source": funding,
        "investigators": _people(given.get("investigators")),
        "project_name": given.get("project_name"),
        "restrictions": given.get("restrictions"),
        "group": _one_of(_GROUPS, given.get("group")),
        "data_summary": given.get("data_summary"),
        "modalities": [
            {"name": m["name"], "abbreviation": m["abbreviation"]}
            for m in modalities
            if isinstance(m, Mapping) and {"name", "abbreviation"} <= set(m)
        ],
    }


def quality_metric(
    name: str,
    value: Any,
    status: str,
    at: datetime,
    *,
    modality: str,
    evaluator: str,
    stage: str = "Analysis",
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One metric of `quality_control.json`; `status` is "pass", "fail" or "pending".

    Raises
    ------
    ValueError
        Another status.
    """
    if str(status).lower() not in _STATUS:
        raise ValueError(f'status must be "pass", "fail" or "pending", got {status!r}')
    said = {
        "object_type": "QC status",
        "evaluator": evaluator,
        "status": _STATUS[str(status).lower()],
        "timestamp": _iso(at),
    }
    return {
        "object_type": "QC metric",
        "name": name,
        "modality": _modality(modality),
        "stage": stage,
        "value": plain(value),
        "status_history": [said],
        "description": description,
        "tags": {key: str(tag) for key, tag in (tags or {}).items()},
    }


def quality_control(
    metrics: Sequence[Mapping[str, Any]], grouping: Sequence[str], notes: str | None = None
) -> dict[str, Any]:
    """`quality_control.json`; `grouping` are keys of tags."""
    return {
        **_head("Quality control", "quality_control.py", "2.4.2"),
        "metrics": [dict(metric) for metric in metrics],
        "notes": notes,
        "default_grouping": list(grouping),
    }


def plain(value: Any) -> Any:
    """What JSON and the document database take: no dots in keys, no NaN, no NumPy.

    >>> plain({"a.b": [float("nan"), (1, 2)]})
    {'a_b': [None, [1, 2]]}
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {re.sub(r"[.$]", "_", str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _head(kind: str, file: str, version: str) -> dict[str, str]:
    return {"object_type": kind, "describedBy": _SCHEMA + file, "schema_version": version}


def _iso(at: datetime) -> str:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def _name(
    sources: Sequence[Mapping[str, Any]],
    project: str,
    process: str,
    analysis: str,
    created: datetime,
) -> str:
    raw = _RAW.match(str(sources[0].get("name") or "")) if len(sources) == 1 else None
    label = f"{raw.group()}_{_token(process)}" if raw else f"{_token(project)}_{_token(analysis)}"
    return f"{label}_{created.astimezone(UTC):%Y-%m-%d_%H-%M-%S}"


def _token(text: Any) -> str | None:
    """Part of a name, which holds no underscore."""
    return None if text is None else re.sub(r'[<>:;"/|? \\_]+', "-", str(text)).strip("-")


def _modality(abbreviation: str) -> dict[str, str]:
    return {"name": MODALITIES[abbreviation], "abbreviation": abbreviation}


def _one_of(known: Sequence[str], value: Any) -> str | None:
    return value if value in known else None


def _organization(given: Any) -> dict[str, Any] | None:
    """Its name, by which the schema knows the rest."""
    name = given.get("name") if isinstance(given, Mapping) else given
    return {"name": name} if name else None


def _people(given: Any) -> list[dict[str, Any]]:
    """Version 1 has names joined by commas, or tables with registries of another form."""
    listed = given.split(",") if isinstance(given, str) else given or []
    names = [p.get("name") if isinstance(p, Mapping) else p for p in listed]
    return [{"name": name.strip()} for name in names if name and name.strip()]
