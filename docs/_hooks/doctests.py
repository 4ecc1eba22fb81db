"""Docstrings whose example stands in the text, without a heading: it is code there, too."""

from __future__ import annotations

import re
from typing import Any

import griffe

_DOCTEST = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.M)


def fenced(docstring: str) -> str:
    """Doctests between fences, so that `[1][0]` in them is no link.

    >>> print(fenced("Sum." + chr(10) * 2 + ">>> 1 + 1" + chr(10) + "2"))
    Sum.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    return _DOCTEST.sub(lambda found: f"```pycon\n{found[0]}\n```", docstring)


class Doctests(griffe.Extension):
    """Fences every docstring as it is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring and "\nExamples\n---" not in obj.docstring.value:
            obj.docstring.value = fenced(obj.docstring.value)
