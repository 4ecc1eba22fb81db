"""What an App Panel passes is text: "3", "true", "[0, 1]", "a, b", or "" for nothing."""

from __future__ import annotations

import json
from typing import Any

from ..errors import StudyError

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_NOTHING = ("", "none", "null")


def given(text: str | None) -> str | None:
    """The text without blanks around it; None for nothing.

    >>> given(" pca "), given(""), given("None")
    ('pca', None, None)
    """
    text = "" if text is None else text.strip()
    return None if text.lower() in _NOTHING else text


def flag(name: str, text: str | None) -> bool:
    """True or false; false for nothing.

    >>> flag("dry-run", "True"), flag("dry-run", "")
    (True, False)
    """
    text = given(text)
    if text is None or text.lower() in _FALSE:
        return False
    if text.lower() not in _TRUE:
        raise StudyError(f'--{name} must be "true" or "false", got {text!r}')
    return True


def whole(name: str, text: str | None, least: int = 0) -> int | None:
    """A whole number.

    >>> whole("folds", "3")
    3
    """
    value = number(name, text)
    if value is None:
        return None
    if value != int(value) or value < least:
        raise StudyError(f"--{name} must be a whole number of at least {least}, got {text!r}")
    return int(value)


def number(name: str, text: str | None) -> float | None:
    """A number."""
    text = given(text)
    if text is None:
        return None
    try:
        value = float(text)
        if value - value != 0:  # infinite, or none
            raise ValueError
    except ValueError:
        raise StudyError(f'--{name} must be a number such as "0.05", got {text!r}') from None
    return value


def names(name: str, text: str | None) -> list[str] | None:
    """Names, as a JSON list or with commas between.

    >>> names("labels", '["a", "b"]'), names("labels", "a, b")
    (['a', 'b'], ['a', 'b'])
    """
    values = _listed(name, text)
    return None if values is None else [str(value) for value in values]


def wholes(name: str, text: str | None) -> list[int] | None:
    """Whole numbers.

    >>> wholes("seeds", "[0, 1]"), wholes("seeds", "0,1"), wholes("seeds", "3")
    ([0, 1], [0, 1], [3])
    """
    values = _listed(name, text)
    if values is None:
        return None
    try:
        return [int(str(value)) for value in values]
    except ValueError:
        raise StudyError(f'--{name} must be whole numbers such as "[0, 1]", got {text!r}') from None


def _listed(name: str, text: str | None) -> list[Any] | None:
    text = given(text)
    if text is None:
        return None
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        values = json.loads(text.replace("'", '"'))
    except ValueError as error:
        raise StudyError(f'--{name} must be a list such as "[0, 1]", got {text!r}') from error
    return list(values)
