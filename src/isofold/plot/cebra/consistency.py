"""`plot_consistency`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError
from ._figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_consistency(
    scores: ArrayLike,
    pairs: ArrayLike | None = None,
    datasets: ArrayLike | None = None,
    ax: Axes | None = None,
    cmap: Any = "binary",
    text_color: str | None = "white",
    colorbar_label: str | None = "Consistency score (%)",
    title: str | None = None,
    figsize: tuple[float, float] = (5, 5),
    dpi: float = 100,
    **kwargs: Any,
) -> Axes:
    """Matrix of consistency in percent, as `cebra.plot_consistency`.

    Parameters
    ----------
    scores, pairs, datasets
        What `isofold.scores.consistency_score` returned.
    text_color
        Of the number in each cell; None for no numbers.
    colorbar_label
        None for no colour bar.
    kwargs
        For `Axes.imshow`, such as `vmin=0, vmax=100`.

    Raises
    ------
    DataError
        `pairs` or `datasets` are missing, or their numbers do not go together.

    Examples
    --------
    >>> ax = plot_consistency([0.9, 0.8], [["a", "b"], ["b", "a"]], ["a", "b"])
    >>> [text.get_text() for text in ax.texts]
    ['90.0', '80.0']
    """
    names, matrix = _percent(scores, pairs, datasets)
    axes: Any = new_axes(figsize, dpi) if ax is None else ax
    image = axes.imshow(matrix, cmap=cmap, **kwargs)
    if text_color is not None:
        for (row, column), value in np.ndenumerate(matrix):
            if np.isfinite(value):
                middle = {"ha": "center", "va": "center", "color": text_color}
                axes.text(column, row, f"{value:.1f}", **middle)
    if title is not None:
        axes.set_title(title)
    if colorbar_label is not None:
        bar = axes.figure.colorbar(image, ax=axes)
        bar.outline.set_visible(False)
        bar.ax.set_ylabel(colorbar_label, rotation=-90, va="bottom")
    ticks = np.arange(len(names))
    axes.set_xticks(ticks, labels=names, parse_math=False)
    upright = {"rotation": 90, "ha": "center", "rotation_mode": "anchor"}
    axes.set_yticks(ticks, labels=names, parse_math=False, **upright)
    axes.tick_params(left=False, bottom=False)
    axes.tick_params(axis="y", pad=10)
    axes.spines[:].set_visible(False)
    return axes


def _percent(scores: Any, pairs: Any, datasets: Any) -> tuple[list[str], NDArray]:
    """Names and the square matrix of scores in percent; the diagonal stays empty."""
    if pairs is None or datasets is None:
        raise DataError("Missing datasets or pairs: both are needed to plot consistency")
    values, compared = np.asarray(scores, dtype=float), np.asarray(pairs)
    if values.ndim != 1:
        raise DataError(f"Invalid scores dimensions: one score a pair, got {values.ndim}D")
    compared = compared[0] if compared.ndim == 3 else compared
    known = {tuple(pair): value for pair, value in zip(compared.tolist(), values, strict=False)}
    wanted = np.asarray(datasets).tolist()
    found = sorted({one for pair in known for one in pair})
    names = wanted if set(wanted) == set(found) else found
    if len(compared) != len(values) or len(values) != len(names) * (len(names) - 1):
        raise DataError(
            "Shape of the scores, datasets and pairs do not match: every ordered pair of two needs "
            f"one score, got {len(values)} scores, {len(compared)} pairs and {len(names)} names"
        )
    matrix = [[known.get((a, b), np.nan) for b in names] for a in names]
    return [str(name) for name in names], 100 * np.array(matrix, dtype=float)
