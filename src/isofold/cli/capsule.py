"""`isofold capsule`."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import IsofoldError

Text = str | None
Places = Annotated[
    list[str] | None, typer.Argument(metavar="[STUDY [MODE]]", help="The same by place.")
]
StudyName = Annotated[
    Text, typer.Option("--study", help="Which study file or analysis_parameters.json, of several.")
]
Mode = Annotated[Text, typer.Option("--mode", help="all (default), dispatch, worker or collect.")]
Data = Annotated[Text, typer.Option("--data", help="Folder of the input. Default: /data.")]
Out = Annotated[Text, typer.Option("--results", help="Folder of the output. Default: /results.")]
Scratch = Annotated[Text, typer.Option("--scratch", help="Folder of caches. Default: /scratch.")]
Workers = Annotated[Text, typer.Option("--workers", help="Processes. Default: CO_CPUS.")]
Seeds = Annotated[Text, typer.Option("--seeds", help='Instead of those of the study: "[0, 1]".')]
Folds = Annotated[Text, typer.Option("--folds", help='Instead of those of the study: "5".')]
Controls = Annotated[Text, typer.Option("--controls", help='"true": also permuted labels.')]
Methods = Annotated[Text, typer.Option("--methods", help='"pca, cebra-time". No study file only.')]
Labels = Annotated[Text, typer.Option("--labels", help="To decode. No study file only.")]
Signal = Annotated[Text, typer.Option("--signal", help='"units" or a series. No study file only.')]
Width = Annotated[Text, typer.Option("--width", help="Of a bin in s. No study file only.")]
Rate = Annotated[Text, typer.Option("--rate", help="Of arrays in Hz. No study file only.")]
Trials = Annotated[Text, typer.Option("--trials", help="Their table. No study file only.")]
Dimension = Annotated[Text, typer.Option("--dimension", help="Latent. No study file only.")]
Process = Annotated[Text, typer.Option("--process", help='In the name of the data: "isofold".')]
Modality = Annotated[Text, typer.Option("--modality", help='Of the data: "fib", "ecephys", …')]
DryRun = Annotated[Text, typer.Option("--dry-run", help='"true": say which runs there are.')]


def capsule(
    places: Places = None,
    study: StudyName = None,
    mode: Mode = None,
    data: Data = None,
    results: Out = None,
    scratch: Scratch = None,
    workers: Workers = None,
    seeds: Seeds = None,
    folds: Folds = None,
    controls: Controls = None,
    methods: Methods = None,
    labels: Labels = None,
    signal: Signal = None,
    width: Width = None,
    rate: Rate = None,
    trials: Trials = None,
    dimension: Dimension = None,
    process: Process = None,
    modality: Modality = None,
    dry_run: DryRun = None,
) -> None:
    """Run as a Code Ocean capsule: find a study in /data, write /results.

    The study is a study file, an analysis_parameters.json, or is made for the recordings that are
    found. Every value is text, as an App Panel passes it; "" is not given. CO_CPUS and CO_MEMORY
    set processes and their memory. Started again, it goes on where it was ended.
    """
    given = {k: v for k, v in locals().items() if k != "places"}
    from .. import capsule as package
    from ._show import console

    out = console()
    settings = package.Settings.of(given, places or ())
    outcome = package.run_capsule(
        settings, lambda line: out.print(line, soft_wrap=True, markup=False)
    )
    if outcome.failed:
        raise IsofoldError(
            f"{len(outcome.failed)} of {outcome.done + len(outcome.failed)} runs failed; "
            f"first: {outcome.failed[0]}"
        )
