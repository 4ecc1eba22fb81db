"""`isofold embed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Out

File = Annotated[Path, typer.Argument(metavar="PATH", exists=True, help="A recording.")]
Name = Annotated[str, typer.Option("--method", help="See `isofold methods`.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", help="A label to train with and to decode. Repeat for more."),
]
Also = Annotated[
    list[str] | None, typer.Option("--decode", help="A label to decode only. Repeat for more.")
]
Width = Annotated[float | None, typer.Option("--width", help="Width of a bin in seconds.")]
Signal = Annotated[str, typer.Option("--signal", help='"units", or the name of a series.')]
Trials = Annotated[str | None, typer.Option("--trials", help="Table of trials.")]
Dimension = Annotated[int, typer.Option("--dimension", min=1, help="Latent dimensions.")]
Seed = Annotated[int, typer.Option("--seed", min=0)]
Test = Annotated[float, typer.Option("--test", help="Share of the trials that is held out.")]
Rate = Annotated[
    float | None, typer.Option("--rate", help="Samples per second, for arrays without time.")
]


def embed(
    path: File,
    method: Name,
    label: Labels = None,
    decode: Also = None,
    width: Width = None,
    signal: Signal = "units",
    trials: Trials = None,
    dimension: Dimension = 3,
    seed: Seed = 0,
    test: Test = 0.2,
    rate: Rate = None,
    out: Out = None,
) -> None:
    """Make one embedding and save it with its scores on held-out trials.

    The folder is that of a study with a single run: model.isofold, embedding.zarr, scores.parquet,
    report.html, and study.toml to start a larger study from.
    """
    from .. import studies
    from ..models import METHODS
    from ._show import console, show_results

    if method in METHODS and METHODS[method].labels == "required" and not label:
        raise typer.BadParameter(f"{method} learns from labels: name them with --label")
    label, decode = label or [], decode or []
    binned: dict[str, Any] = {"signal": signal, "labels": [*label, *decode]}
    binned |= {k: v for k, v in (("width", width), ("trials", trials)) if v is not None}
    recording: dict[str, Any] = {"path": str(path.resolve()), "bin": binned}
    if rate is not None:
        recording["read"] = {"rate": rate}
    settings = {} if method == "raw" else {"output_dimension": dimension}
    study = studies.Study.from_dict(
        {
            "name": f"{path.stem}-{method}",
            "seeds": [seed],
            "split": {"test": test},
            "recordings": [recording],
            "methods": [{"method": method, "labels": label, **settings}],
        }
    )
    results = studies.run(study, out or Path("results") / study.name, serial=True)
    show_results(results, console())
    if (results.runs["status"] == "error").any():
        raise typer.Exit(1)
