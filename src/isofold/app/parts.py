"""Pieces that several pages are made of. Text stays text: Dash puts strings into text nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

_SHORT = 28
"""Characters of a cell that is not wrapped."""


def link(text: str, page: str, **asked: str) -> Any:
    """A link to a page of the app."""
    from dash import dcc

    return dcc.Link(text, href=f"{page}?{urlencode(asked)}" if asked else page)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    """A table; columns of numbers to the right."""
    from dash import html

    numeric = [bool(rows) and all(is_number(row[k]) for row in rows) for k in range(len(heads))]
    classes = ["n" if n else None for n in numeric]
    head = [
        html.Th(h, scope="col", className=c) for h, c in zip(heads, classes, strict=True)
    ]  # fmt: skip
    body = [
        html.Tr([cell(v, c) for v, c in zip(row, classes, strict=True)]) for row in rows
    ]  # fmt: skip
    return html.Div(html.Table([html.Thead(html.Tr(head)), html.Tbody(body)]), className="scroll")


def cell(content: Any, kind: str | None = None) -> Any:
    """One cell; what is short stays in one line."""
    from dash import html

    short = isinstance(content, str) and len(content) <= _SHORT
    return html.Td(content, className=kind or ("short" if short else None))


def aria(**said: str) -> dict[str, Any]:
    """Attributes that tell what a part of the page is or does, for who does not see it.

    >>> aria(label="Pages")
    {'aria-label': 'Pages'}
    """
    return {f"aria-{name}": value for name, value in said.items()}


def is_number(content: Any) -> bool:
    """Whether a cell holds a number, or nothing where others hold one.

    >>> is_number("−0.5"), is_number("rat1"), is_number("")
    (True, False, True)
    """
    if not isinstance(content, str):
        return False
    try:
        float(content.replace("−", "-") or "0")
    except ValueError:
        return False
    return True


def field(name: str, control: Any, hint: str = "") -> Any:
    """A control with its name above it."""
    from dash import html

    also = [html.Small(hint, className="fine")] if hint else []
    return html.Div([html.Label(name, htmlFor=getattr(control, "id", None)), control, *also],
                    className="field")  # fmt: skip


def dropdown(id_: Any, options: Sequence[Any], value: Any = None, **more: Any) -> Any:
    """A dropdown; options are values, or (value, name)."""
    from dash import dcc

    named = [o if isinstance(o, tuple) else (o, o) for o in options]
    return dcc.Dropdown(
        id=id_,
        options=[{"value": v, "label": str(name) or "–"} for v, name in named],
        value=value,
        **{"clearable": False, "searchable": len(named) > 12} | more,
    )
