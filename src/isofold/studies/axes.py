"""Axes of a study: one block of a study file becomes one method (or recording) a point.

    grid = {temperature = [0.1, 1.0], output_dimension = [2, 3]}     all combinations
    zip = {model_architecture = ["a", "b"], distance = ["x", "y"]}   first with first, …
    sample = {n = 20, temperature = {low = 0.1, high = 10.0, log = true}}   drawn at random

A dot leads inside: `simulate.noise`, `bin.width`, `steps.smooth.sigma`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..errors import StudyError
from ._check import check_keys, check_type, near

AXES = ("grid", "zip", "sample")
"""Keys of a block under which axes stand."""
_RANGE = ("low", "high", "log", "whole")

Point = Mapping[str, Any]


def split(block: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The block without its axes, and the axes."""
    axes = {k: block[k] for k in AXES if k in block}
    return {k: v for k, v in block.items() if k not in AXES}, axes


def points(axes: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Every point of the axes, as setting → value; one empty point without axes.

    >>> points({"grid": {"a": [1, 2]}, "zip": {"b": [3, 4], "c": [5, 6]}}, "methods[0]")[:2]
    [{'a': 1, 'b': 3, 'c': 5}, {'a': 1, 'b': 4, 'c': 6}]
    """
    parts: list[list[dict[str, Any]]] = [
        _read[kind](axes[kind], f"{where}.{kind}") if kind in axes else [{}] for kind in AXES
    ]
    names = [name for part in parts for name in part[0]]
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"{where}: {name!r} is an axis twice; keep it in one of {list(AXES)}")
    return [{**a, **b, **c} for a, b, c in product(*parts)]


def named(name: str, point: Point) -> str:
    """A name with its point.

    >>> named("circle", {"simulate.noise": 0.1, "simulate.turns": 2})
    'circle (noise=0.1, turns=2)'
    """
    shown = (f"{k.removeprefix('simulate.')}={_text(v)}" for k, v in point.items())
    return f"{name} ({', '.join(shown)})" if point else name


def put(block: Mapping[str, Any], point: Point, where: str) -> dict[str, Any]:
    """The block with the values of the point in their places."""
    table = dict(block)
    for key, value in point.items():
        _put(table, key.split("."), value, f"{where}: axis {key!r}")
    return table


def one_point(point: Point) -> dict[str, Any]:
    """Axes that hold this point alone: so a study writes out what it has unrolled."""
    return {"grid": {key: [value] for key, value in point.items()}} if point else {}


def point_of(block: Mapping[str, Any]) -> dict[str, Any]:
    """The point of a block that a study wrote out (axes of one value)."""
    return points(split(block)[1], "")[0]


def name_of(block: Mapping[str, Any], without: Sequence[str] = ("path",)) -> str:
    """The name, with its point, of a block that a study wrote out.

    >>> block = {"method": "pca", "grid": {"output_dimension": [2], "x": [3]}}
    >>> name_of(block), name_of(block, without=["x"])
    ('pca (output_dimension=2, x=3)', 'pca (output_dimension=2)')
    """
    name = str(block.get("name") or block.get("method"))
    return named(name, {k: v for k, v in point_of(block).items() if k not in without})


def _put(table: dict[str, Any], path: list[str], value: Any, where: str) -> None:
    first, *rest = path
    if not rest:
        table[first] = value
    elif first == "steps":
        table[first] = _put_step(table.get(first, ()), rest, value, where)
    else:
        inside = table.get(first, {})
        if not isinstance(inside, Mapping):
            raise StudyError(f"{where} leads into {first!r}, which is no table: {inside!r}")
        table[first] = dict(inside)
        _put(table[first], rest, value, where)


def _put_step(steps: Any, path: list[str], value: Any, where: str) -> list[Any]:
    """Steps with an option of the one of that name set."""
    steps = [{s: {}} if isinstance(s, str) else s for s in steps]
    names = [next(iter(s), "") if isinstance(s, Mapping) else "" for s in steps]
    if len(path) != 2 or names.count(path[0]) != 1:
        raise StudyError(
            f"{where}: an axis over a step is steps.<name>.<option>, of a step that stands once in "
            f"the block's steps; those are {names}"
        )
    name, option = path
    return [
        {name: {**s[name], option: value}} if n == name else s
        for s, n in zip(steps, names, strict=True)
    ]


def _grid(table: Any, where: str) -> list[dict[str, Any]]:
    values = _lists(table, where)
    return [dict(zip(values, point, strict=True)) for point in product(*values.values())]


def _zip(table: Any, where: str) -> list[dict[str, Any]]:
    values = _lists(table, where)
    if len({len(v) for v in values.values()}) > 1:
        lengths = {k: len(v) for k, v in values.items()}
        raise StudyError(f"{where}: lists that go together must be of one length, got {lengths}")
    return [dict(zip(values, point, strict=True)) for point in zip(*values.values(), strict=True)]


def _lists(table: Any, where: str) -> dict[str, Sequence[Any]]:
    if not isinstance(table, Mapping) or not table:
        raise StudyError(f"{where} must be a table of setting = [values], got {table!r}")
    for key, values in table.items():
        if not isinstance(values, list | tuple) or not values:
            raise StudyError(f"{where}.{key} must be a list of values to try, got {values!r}")
    return dict(table)


def _sample(table: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(table, Mapping) or "n" not in table:
        raise StudyError(f"{where} needs n: how many points to draw, got {table!r}")
    check_type(table["n"], int, "a whole number", f"{where}.n")
    check_type(table.get("seed", 0), int, "a whole number", f"{where}.seed")
    ranges = {k: v for k, v in table.items() if k not in ("n", "seed")}
    if table["n"] < 1 or not ranges:
        raise StudyError(f"{where} needs n of at least 1 and a setting to draw, got {dict(table)}")
    rng = np.random.default_rng(table.get("seed", 0))
    columns = {k: _drawn(v, table["n"], rng, f"{where}.{k}") for k, v in sorted(ranges.items())}
    return [
        dict(zip(ranges, row, strict=True))
        for row in zip(*(columns[k] for k in ranges), strict=True)
    ]


def _drawn(given: Any, n: int, rng: np.random.Generator, where: str) -> list[Any]:
    if isinstance(given, list | tuple) and given:
        return [given[k] for k in rng.integers(len(given), size=n)]
    if not isinstance(given, Mapping) or not {"low", "high"} <= set(given):
        raise StudyError(
            f"{where} must be a list to choose from or {{low = …, high = …}}, got {given!r}"
            f"{near('', _RANGE)}"
        )
    check_keys(given, _RANGE, where)
    for end in ("low", "high"):
        check_type(given[end], (int, float), "a number", f"{where}.{end}")
    low, high = float(given["low"]), float(given["high"])
    log, whole = bool(given.get("log", False)), bool(given.get("whole", False))
    if not low < high or (log and low <= 0):
        raise StudyError(
            f"{where} needs low < high{', both above 0 for log = true' if log else ''}, "
            f"got {low:g} and {high:g}"
        )
    if whole:  # each whole number from low to high gets an equal stretch
        low, high = low - 0.5, high + 0.5
    draw = np.exp(rng.uniform(np.log(low), np.log(high), n)) if log else rng.uniform(low, high, n)
    return np.rint(draw).astype(int).tolist() if whole else draw.tolist()


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_read = {"grid": _grid, "zip": _zip, "sample": _sample}
