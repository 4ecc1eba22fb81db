"""What every part of a study file is checked with: messages that name the key and its place."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import StudyError


def check_keys(table: Any, known: Iterable[str], where: str) -> None:
    """Raise `StudyError` unless `table` is a mapping whose keys are all known."""
    if not isinstance(table, Mapping):
        raise StudyError(f"{where} must be a table of key = value, got {table!r}")
    known = list(known)
    for key in table:
        if key not in known:
            raise StudyError(f"{where}: unknown key {key!r}{near(key, known)}")


def check_type(value: Any, kinds: type | tuple[type, ...], what: str, where: str) -> None:
    """Raise `StudyError` unless the value is of a kind; True is no number."""
    wrong = isinstance(value, bool) and kinds is not bool
    if wrong or not isinstance(value, kinds):
        raise StudyError(f"{where} must be {what}, got {value!r}")


def check_names(names: Any, where: str) -> tuple[str, ...]:
    """A list of strings; a single string is a list of one."""
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
        raise StudyError(f"{where} must be a list of names, got {names!r}")
    return tuple(names)


def check_unique(names: list[str], where: str) -> None:
    """Raise `StudyError` naming the first name that stands twice."""
    for name in names:
        if names.count(name) > 1:
            raise StudyError(
                f"{where} must have different names, {name!r} stands twice: "
                'give each its own name = "…"'
            )


def near(name: object, known: Iterable[str]) -> str:
    """The end of a message: what was probably meant, and all there is.

    >>> near("sedes", ["name", "seeds"])
    " (did you mean 'seeds'?); known: name, seeds"
    """
    known = sorted(known)
    match = get_close_matches(str(name), known, n=1)
    meant = f" (did you mean {match[0]!r}?)" if match else ""
    return f"{meant}; known: {', '.join(known) or 'none'}"


def expanded(text: str, where: str) -> str:
    """`${NAME}` replaced from the environment."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise StudyError(
                f"{where}: the environment has no variable {name}; set it (export {name}=…) "
                f"or write the path out, got {text!r}"
            )
        return os.environ[name]

    return re.sub(r"\$\{(\w+)\}", value, text)


def check_folds(folds: Any, where: str) -> None:
    """A number of folds of at least 2, or a table that has it."""
    if isinstance(folds, Mapping):
        check_keys(folds, ("k", "how", "by"), where)
        folds = folds.get("k", "nothing")
    if folds is not None:
        check_type(folds, int, "a whole number (or {k = 5, how = …})", where)
        if folds < 2:
            raise StudyError(f"{where} must be at least 2, got {folds}; one split is split = {{…}}")


def check_window(given: Any, where: str) -> tuple[float, float]:
    """[start, stop] in seconds from an event."""
    numbers = isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 2
    if not numbers or not all(isinstance(t, int | float) and math.isfinite(t) for t in given):
        raise StudyError(f"{where} must be [start, stop] in seconds from the event, got {given!r}")
    if not given[0] < given[1]:
        raise StudyError(f"{where} must start before it stops, got {list(given)}")
    return float(given[0]), float(given[1])
