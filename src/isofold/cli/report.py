"""`isofold report`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="Folder of results.")
]


class Format(StrEnum):
    """What figures are saved as."""

    pdf = "pdf"
    png = "png"
    svg = "svg"


def _a_size(size: str | None) -> str | None:
    from ..errors import DataError
    from ..plot.save import width_mm

    try:
        if size is not None:
            width_mm(size)
    except DataError as error:
        raise typer.BadParameter(str(error)) from error
    return size


Figures = Annotated[
    Format | None,
    typer.Option("--format", help="Write every figure as a file of this kind, not the page."),
]
Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="SIZE",
        callback=_a_size,
        help="Width of figures: one-column (85 mm, the default), two-columns (174 mm), or mm.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        file_okay=False,
        help="Where to write. Default: figures to DIR/figures, the page to DIR.",
    ),
]


def report(folder: Folder, format: Figures = None, size: Size = None, out: Out = None) -> None:
    """Write report.html of a folder of results once more, or its figures as files.

    The page is one file that opens with the network off. Figures have text of 8 pt, which stays
    text in PDF and SVG; captions.txt beside them tells what each shows.
    """
    from ._show import console

    if format is None:
        from ..report import write_report

        if size is not None:
            raise typer.BadParameter("it is the width of figures: give --format with it",
                                     param_hint="--size")  # fmt: skip
        page = write_report(folder, None if out is None else out / "report.html")
        console().print(f"report: {page}")
        return
    from ..report.figure_files import write_figures

    written = write_figures(folder, out, format=format.value, size=size or "one-column")
    where = written[0].parent if written else out or folder / "figures"
    console().print(f"figures: {len(written)} in {where}")
