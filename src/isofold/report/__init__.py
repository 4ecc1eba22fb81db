"""The page of a study: results folder → one HTML file that opens with the network off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..studies import Results

__all__ = ["write_report"]


def write_report(results: Results | str | Path, path: str | Path | None = None) -> Path:
    """Write `report.html`: what was run on what, embeddings in 3-D, scores beside chance.

    One self-contained file of a few MB without any external address. The same results give the same
    bytes. Embeddings share 240,000 points, at most 3,000 a run, loss curves have 300; the page says
    how they were thinned. Samples selected in one picture (embedding, behaviour, trials) are marked
    in all of the recording; the page gives their numbers. Numbers in it are those of
    `Results.scores` and `Results.pairs`: read those, not the page, for further analysis.

    Parameters
    ----------
    results
        What `isofold.run` left: `Results`, or its folder.
    path
        Where to write; `report.html` in the results folder unless given.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    StudyError
        The folder holds no results.

    Examples
    --------
    >>> write_report("results/linear-track")  # doctest: +SKIP
    PosixPath('results/linear-track/report.html')
    """
    from ..studies import Results
    from .collect import collect
    from .page import render

    if isinstance(results, str | Path):
        results = Results(results)
    target = Path(results.path) / "report.html" if path is None else Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.part")
    partial.write_text(render(collect(results)), encoding="utf-8")
    partial.replace(target)
    return target
