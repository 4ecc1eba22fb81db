"""The choice of a library that every function of `isofold.plot` gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from ..errors import DataError

if TYPE_CHECKING:
    import plotly.graph_objects as go

BACKENDS = ("plotly", "matplotlib")
_DESCRIBED = """backend
    "plotly" for a `plotly.graph_objects.Figure`, "matplotlib" for a `matplotlib.figure.Figure`
    (`pip install "isofold[figures]"`), which pyplot does not know of.
ax
    Axes of matplotlib to draw on, instead of a new figure; they are returned.
"""


def either_backend(function: Callable[..., go.Figure]) -> Callable[..., Any]:
    """The function with two more keywords, `backend` and `ax`.

    Examples
    --------
    >>> from isofold import plot
    >>> type(plot.loss([3.0, 2.0, 1.5], backend="matplotlib")).__module__
    'matplotlib.figure'
    """

    @wraps(function)
    def drawn(*args: Any, backend: str = "plotly", ax: Any = None, **kwargs: Any) -> Any:
        if backend not in BACKENDS:
            raise DataError(f"backend must be one of {BACKENDS}, got {backend!r}")
        figure = function(*args, **kwargs)
        if backend == "plotly" and ax is None:
            return figure
        from ._matplotlib import draw

        return draw(figure, ax)

    signature = inspect.signature(function)
    only = inspect.Parameter.KEYWORD_ONLY
    more = [
        inspect.Parameter("backend", only, default="plotly", annotation="str"),
        inspect.Parameter("ax", only, default=None, annotation="Any"),
    ]
    drawn.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), *more], return_annotation="Any"
    )
    drawn.__doc__ = _described(inspect.getdoc(function) or "")
    return drawn


def _described(doc: str) -> str:
    """The docstring with both keywords at the end of its parameters."""
    head, section, rest = doc.partition("Parameters\n----------\n")
    known, blank, after = rest.partition("\n\n")
    return f"{head}{section}{known}\n{_DESCRIBED}{blank[1:]}{after}"
