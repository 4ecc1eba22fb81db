"""A study from AIND's `analysis_parameters.json`.

    {"fixed_parameters": {…}, "distributed_parameters": [{…}, {…}]}

N assets × M distributed sets are N·M jobs. Each set is laid over the fixed parameters; what comes
out is content of a study file, nested or with dots ("bin.width"): keys of a `[[recordings]]` block
(`read`, `bin`, `steps`, …) hold for every asset, keys of the study (`seeds`, `folds`, `scores`, …)
for the whole, and `method` with its settings, or `methods`, say what is fitted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import StudyError
from . import recording_spec, spec
from ._check import check_keys, check_type
from .find import DESCRIPTION, MARKERS, asset_of, find
from .spec import Study

FIXED, DISTRIBUTED = MARKERS
_OF_RECORDINGS = [k for k in recording_spec._KEYS if k not in ("path", "name", "simulate", "folds")]
_OF_STUDY = [k for k in spec._KEYS if k not in ("recordings", "methods")]
_NAME = "analysis"
"""Of a study whose parameters do not name it."""

Table = dict[str, Any]


def study_of_parameters(
    parameters: Mapping[str, Any], assets: Sequence[Any], folder: str | Path = "."
) -> Study:
    """The study that a set of parameters asks of some assets.

    Parameters
    ----------
    parameters
        `{"fixed_parameters": {…}, "distributed_parameters": [{…}, …]}`; either may be missing.
    assets
        Paths of recordings, or `[[recordings]]` blocks of which the parameters are the rest.
        Blocks in `recordings` of the parameters themselves come before them.
    folder
        What relative paths are relative to.

    Raises
    ------
    StudyError
        A key or value is unknown; sets differ in what a study has only once; there is no asset.

    Examples
    --------
    >>> parameters = {
    ...     "fixed_parameters": {"method": "pca", "name": "sweep"},
    ...     "distributed_parameters": [{"output_dimension": 2}, {"output_dimension": 3}],
    ... }
    >>> blocks = [{"name": name, "simulate": {"name": "circle"}} for name in ("a", "b")]
    >>> study = study_of_parameters(parameters, blocks)
    >>> [m.name for m in study.methods], [r.name for r in study.recordings]
    (['pca output_dimension=2', 'pca output_dimension=3'], ['a', 'b'])
    """
    sets = [_Set(given, f"{DISTRIBUTED}[{n}]") for n, given in enumerate(_merged(parameters))]
    assets = [*_same("recordings", [s.assets for s in sets]), *assets]
    if not assets:
        raise StudyError(
            "parameters need recordings to run on: put NWB files (or others, as "
            'recordings = [{"path": …}] in fixed_parameters) beside them'
        )
    variants = _distinct([s.recording for s in sets])
    methods = _distinct([dict(method) for s in sets for method in s.methods])
    tables = _same("the study", [s.study for s in sets]) | {"seeds": _seeds(sets)}
    names = [_block(asset)["name"] for asset in assets]
    labels = _labels(variants, [""] * len(variants))
    tables["recordings"] = [
        _block(asset) | variant | {"name": f"{name} {label}".strip()}
        for asset, name in zip(assets, names, strict=True)
        for variant, label in zip(variants, labels, strict=True)
    ]
    tables["methods"] = [
        _named(method, label) | _only(method, sets, variants, labels, names)
        for method, label in zip(methods, _labels(methods, map(_name_of, methods)), strict=True)
    ]
    return Study.from_dict({"name": _NAME} | tables, folder)


def study_of_file(path: str | Path) -> Study:
    """The study of an `analysis_parameters.json`, on every recording below its folder.

    Raises
    ------
    StudyError
        It is no such file, or breaks a rule of a study.
    OSError
        The file cannot be read.
    """
    path = Path(path)
    parameters = read_parameters(path)
    named = "recordings" in _nested(parameters.get(FIXED, {}), str(path))
    try:
        return study_of_parameters(parameters, [] if named else blocks_in(path.parent), path.parent)
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from error


def read_parameters(path: Path) -> dict[str, Any]:
    """What the file says; a `StudyError` where it is of another kind."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise StudyError(f"{path} is not a JSON file: {error}") from error
    if not isinstance(content, dict) or not set(MARKERS) & set(content):
        raise StudyError(
            f"{path} is neither a study file (TOML) nor has it {FIXED} or {DISTRIBUTED}"
        )
    return content


def blocks_in(folder: Path) -> list[Table]:
    """A `[[recordings]]` block for every recording in a folder, with name and subject of its asset.

    Recordings of one name are told apart by where they lie.
    """
    found = find(folder)
    blocks = [_described(path, asset_of(path, found.assets)) for path in found.recordings]
    names = [block["name"] for block in blocks]
    for block, path in zip(blocks, found.recordings, strict=True):
        if names.count(block["name"]) > 1:
            block["name"] = path.relative_to(folder).with_suffix("").as_posix().replace("(", "[")
    return blocks


def _described(path: Path, asset: Path | None) -> Table:
    block = {"path": str(path.absolute()), "name": path.stem}
    try:
        text = "{}" if asset is None else (asset / DESCRIPTION).read_text(encoding="utf-8")
        about = json.loads(text)
    except (ValueError, OSError):
        return block
    known = {"name": about.get("name"), "subject": about.get("subject_id")}
    return block | {key: str(value) for key, value in known.items() if value}


class _Set:
    """One set of parameters, by what its keys are about."""

    def __init__(self, table: Table, where: str):
        self.assets = table.pop("recordings", [])
        self.study = {k: table.pop(k) for k in _OF_STUDY if k in table}
        self.recording = {k: table.pop(k) for k in _OF_RECORDINGS if k in table}
        self.seeds = self.study.pop("seeds", None)
        if "methods" in table:
            self.methods = [
                m if isinstance(m, Mapping) else {"method": m} for m in table["methods"]
            ]
            check_keys(table, ("methods",), f"{where}, beside methods")
        elif "method" in table:
            self.methods = [table]
        else:
            raise StudyError(
                f'{where} needs "method" (with its settings beside it) or "methods"; got only '
                f"{', '.join([*self.study, *self.recording, *table]) or 'nothing'}"
            )


def _merged(parameters: Mapping[str, Any]) -> list[Table]:
    check_keys(parameters, MARKERS, "analysis parameters")
    fixed = _nested(parameters.get(FIXED) or {}, FIXED)
    sets = parameters.get(DISTRIBUTED) or [{}]
    if not isinstance(sets, list):
        raise StudyError(f"{DISTRIBUTED} must be a list of tables, got {sets!r}")
    return [_laid_over(fixed, _nested(s, f"{DISTRIBUTED}[{n}]")) for n, s in enumerate(sets)]


def _nested(given: Any, where: str) -> Table:
    """{"bin.width": 0.1} → {"bin": {"width": 0.1}}"""
    check_keys(given, given if isinstance(given, Mapping) else (), where)
    table: Table = {}
    for key, value in given.items():
        check_type(key, str, "a name", where)
        value = _nested(value, f"{where}.{key}") if isinstance(value, Mapping) else value
        for part in reversed(key.split(".")):
            value = {part: value}
        table = _laid_over(table, value)
    return table


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Table:
    both = {k: v for k, v in above.items() if isinstance(v, Mapping)}
    inner = {
        k: _laid_over(below[k], v) for k, v in both.items() if isinstance(below.get(k), Mapping)
    }
    return {**below, **above, **inner}


def _seeds(sets: Sequence[_Set]) -> list[Any]:
    """Seeds of a combination of recording and method are those of all its sets."""
    seeds: dict[str, list[Any]] = {}
    for one in sets:
        given = [0] if one.seeds is None else one.seeds
        given = given if isinstance(given, list) else [given]
        known = seeds.setdefault(_text([one.recording, one.methods]), [])
        known += [seed for seed in given if seed not in known]
    return _same("seeds", [sorted(s, key=str) for s in seeds.values()])


def _same(what: str, values: Sequence[Any]) -> Any:
    """What a study has once."""
    for number, value in enumerate(values):
        if value != values[0]:
            raise StudyError(
                f"a study has one value for {what}, {DISTRIBUTED} has several: {values[0]!r} and, "
                f"in [{number}], {value!r}; put it in {FIXED}, or make two files"
            )
    return values[0]


def _distinct(tables: Sequence[Table]) -> list[Table]:
    return list({_text(table): table for table in tables}.values())


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _labels(tables: Sequence[Table], names: Any) -> list[str]:
    """For tables of one name, the values by which they differ."""
    names = list(names)
    labels = []
    for table, name in zip(tables, names, strict=True):
        alike = [_leaves(t) for t, n in zip(tables, names, strict=True) if n == name]
        own = _leaves(table)
        keys = sorted({key for leaves in alike for key in leaves})
        differ = [k for k in keys if len({_text(leaves.get(k)) for leaves in alike}) > 1]
        said = [f"{k.split('.')[-1]}={_short(own[k])}" for k in differ if k in own]
        labels.append(" ".join(said))
    return labels


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else _text(value)
    return text.replace("(", "[").replace(")", "]")


def _leaves(table: Mapping[str, Any], before: str = "") -> Table:
    leaves: Table = {}
    for key, value in table.items():
        inner = _leaves(value, f"{before}{key}.") if isinstance(value, Mapping) else {}
        leaves |= inner or {f"{before}{key}": value}
    return leaves


def _block(asset: Any) -> Table:
    block = dict(asset) if isinstance(asset, Mapping) else {"path": str(asset)}
    return {"name": Path(str(block.get("path", "recording"))).stem, **block}


def _name_of(method: Table) -> str:
    return str(method.get("name", method.get("method")))


def _named(method: Table, label: str) -> Table:
    return method | ({"name": f"{_name_of(method)} {label}"} if label else {})


def _only(
    method: Table,
    sets: Sequence[_Set],
    variants: Sequence[Table],
    labels: Sequence[str],
    names: Sequence[str],
) -> Table:
    """The recordings that a method is for, where that is not all of them."""
    wanted = [s.recording for s in sets if method in s.methods]
    chosen = [label for v, label in zip(variants, labels, strict=True) if v in wanted]
    if len(chosen) == len(variants):
        return {}
    return {"recordings": [f"{name} {label}".strip() for name in names for label in chosen]}
