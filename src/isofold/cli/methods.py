"""`isofold methods`."""

from __future__ import annotations


def methods() -> None:
    """List the methods that a study or `isofold embed` can name."""
    from ..models import METHODS
    from ._show import console, table

    rows = [(name, method.labels, method.summary) for name, method in METHODS.items()]
    rows.append(("raw", "ignored", "no embedding: the signal itself, the floor of every score"))
    console().print(table(["method", "labels", "what it is"], rows))
