"""Pieces that several pages are made of. Text stays text: Dash puts strings into text nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode


def link(text: str, page: str, **asked: str) -> Any:
    """A link to a page of the app."""
    from dash import dcc

    return dcc.Link(text, href=f"{page}?{urlencode(asked)}" if asked else page)


def table(heads: Sequence[str], rows: Sequence[Any], caption: str = "") -> Any:
    """A table; a row is a list of cells, or a finished `html.Tr`."""
    from dash import html

    body = [r if isinstance(r, html.Tr) else html.Tr([cell(c) for c in r]) for r in rows]
    head = html.Thead(html.Tr([html.Th(h, scope="col") for h in heads]))
    first = [html.Caption(caption)] if caption else []
    return html.Div(html.Table([*first, head, html.Tbody(body)]), className="scroll")


def cell(content: Any) -> Any:
    """One cell; numbers to the right."""
    from dash import html

    is_number = isinstance(content, str) and content[:1] in set("0123456789-−") and _number(content)
    return html.Td(content, className="n" if is_number else None)


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


def _number(text: str) -> bool:
    try:
        float(text.replace("−", "-"))
    except ValueError:
        return False
    return True
