"""Phy or Kilosort folder → `Session` with units."""

from __future__ import annotations

import ast
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session, spike_group
from ._checked import load_npy
from ._clock import check_events
from ._text_table import decoded

AREAS = ("area", "brain_area", "region", "location", "acronym")


def read_phy(path: Path, *, rate: float | None = None) -> Session:
    """Units by cluster id, with every column of the cluster tables.

    Spikes are `spike_times.npy` (samples) / rate, in s, split by `spike_clusters.npy` (or, not
    curated, `spike_templates.npy`). `rate` is read from params.py, which is parsed and not run.
    Columns: those of cluster_*.tsv (`KSLabel`, `ch`, `depth`, …); `quality`, the label of a person
    (`group`) or else Kilosort's; `area` where a table has one; `best_channel`, where the cluster's
    most frequent template is largest. Noise is kept: choose units="quality == 'good'".

    Raises
    ------
    ReadError
        A file is missing, the arrays differ in length, or no rate is known.
    """
    found: list[str] = []
    samples, clusters, templates = _spikes(path)
    hz = _rate(path, rate)
    order = np.argsort(clusters, kind="stable")
    ids, first = np.unique(clusters[order], return_index=True)
    times: dict[int, NDArray] = {}
    for unit, mine in zip(ids, np.split(samples[order], first[1:]), strict=True):
        times[int(unit)], more = check_events(f"unit {unit}", mine / hz)
        found += more
    table = _table(path, found).reindex(ids)
    table = _quality(table)
    channel = _best_channel(path, clusters, templates, ids)
    if channel is not None:
        table["best_channel"] = channel
    step = {"step": "read", "file": path.name, "format": "Phy", "rate": hz}
    return Session(
        units=spike_group(times, table),
        name=path.name,
        metadata={"warnings": found},
        provenance=(step,),
    )


def is_phy(path: Path) -> bool:
    return (path / "spike_times.npy").exists()


def _spikes(path: Path) -> tuple[NDArray, NDArray, NDArray | None]:
    """Samples, cluster and template of every spike."""
    samples = np.asarray(load_npy(path / "spike_times.npy")).reshape(-1)
    curated = path / "spike_clusters.npy"
    templates = None
    if (path / "spike_templates.npy").exists():
        templates = np.asarray(load_npy(path / "spike_templates.npy")).reshape(-1)
    clusters = (
        np.asarray(load_npy(curated)).reshape(-1)
        if curated.exists() or templates is None
        else templates
    )
    for name, values in (("spike_clusters", clusters), ("spike_templates", templates)):
        if values is not None and len(values) != len(samples):
            raise ReadError(
                f"{name}.npy must have one value a spike; it has {len(values)}, spike_times.npy "
                f"has {len(samples)}. Copy the folder again"
            )
    if samples.dtype.kind not in "iuf" or clusters.dtype.kind not in "iu":
        raise ReadError(
            f"{path.name}: spike_times.npy must hold samples and spike_clusters.npy whole numbers; "
            f"they hold {samples.dtype} and {clusters.dtype}"
        )
    if not len(samples):
        raise ReadError(f"{path.name}/spike_times.npy holds no spike")
    return samples.astype(float), clusters, templates


def _rate(path: Path, rate: float | None) -> float:
    if rate is None and (path / "params.py").exists():
        rate = _params(path / "params.py").get("sample_rate")
    if not isinstance(rate, int | float) or not (np.isfinite(rate) and rate > 0):
        raise ReadError(
            f"{path.name} says no sampling rate (sample_rate in params.py), or none above 0 "
            f"({rate!r}): give read(path, rate=...) in samples per second"
        )
    return float(rate)


def _params(path: Path) -> dict[str, Any]:
    """Assignments of plain values in a Python file; nothing of it is run."""
    out: dict[str, Any] = {}
    try:
        tree = ast.parse(decoded(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ReadError(
            f"params.py of {path.parent.name} is not Python ({error}); give read(path, rate=...)"
        ) from error
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                out[node.targets[0].id] = ast.literal_eval(node.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                continue  # an expression, which would have to be run
    return out


# -- what is known of a cluster -----------------------------------------------------------------


def _table(path: Path, found: list[str]) -> pd.DataFrame:
    """All columns of cluster_*.tsv by cluster id; cluster_info, which repeats them, comes first."""
    files = [*path.glob("cluster_*.tsv"), *path.glob("cluster_*.csv")]
    files.sort(key=lambda p: (p.stem != "cluster_info", p.name))
    out = pd.DataFrame(index=pd.Index([], name="cluster_id", dtype=int))
    for file in files:
        one = _cluster_table(file, found)
        new = one[[c for c in one if c not in out]]
        out = out.join(new, how="outer") if len(out) else new
    return out


def _cluster_table(file: Path, found: list[str]) -> pd.DataFrame:
    text = decoded(file)
    separator = max("\t,;", key=text.split("\n", 1)[0].count)
    try:
        with warnings.catch_warnings():  # pandas only warns of rows that are too long
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(io.StringIO(text), sep=separator, index_col=False)
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise ReadError(f"{file.name} is not a table ({error}); save it from Phy again") from error
    column = next((c for c in ("cluster_id", "id") if c in table), None)
    if column is None or not pd.api.types.is_integer_dtype(table[column]):
        raise ReadError(
            f"{file.name} needs a column cluster_id of whole numbers; its header is "
            f"{[str(c) for c in table.columns][:12]}. Is it whole?"
        )
    if table[column].duplicated().any():
        found.append(f"units: {file.name} names clusters twice; the last row of each is taken")
        table = table.drop_duplicates(column, keep="last")
    return table.set_index(column).rename_axis("cluster_id")


def _quality(table: pd.DataFrame) -> pd.DataFrame:
    """Text where the files say nothing is "", numbers NaN; `quality` and `area` by their names."""
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = (
                table[column].astype(object).where(table[column].notna(), "").astype(str)
            )
    words = [table[c] for c in ("group", "KSLabel") if c in table]
    if words and "quality" not in table:
        table["quality"] = words[0].where(words[0] != "", words[-1])
    area = next((c for c in AREAS if c in table), None)
    if area not in (None, "area"):
        table = table.rename(columns={area: "area"})
    return table


def _best_channel(
    path: Path, clusters: NDArray, templates: NDArray | None, ids: NDArray
) -> NDArray | None:
    """Channel of the largest peak-to-peak of each cluster's most frequent template."""
    if templates is None or not (path / "templates.npy").exists():
        return None
    waves = load_npy(path / "templates.npy")  # (template, sample, channel)
    if waves.ndim != 3 or not len(templates) or templates.max() >= len(waves):
        raise ReadError(
            f"templates.npy must be (template, sample, channel) with all that spike_templates.npy "
            f"names; it is {waves.shape}. Copy the folder again"
        )
    peak = np.array([int(np.ptp(wave, axis=0).argmax()) for wave in waves])
    pairs = pd.DataFrame({"cluster": clusters, "template": templates})
    counts = pairs.value_counts(sort=False).rename("n").reset_index()
    counts = counts.sort_values(["cluster", "n"], kind="stable").drop_duplicates(
        "cluster", keep="last"
    )
    channel = peak[counts.set_index("cluster")["template"].loc[ids].to_numpy(int)]
    if (path / "channel_map.npy").exists():
        order = np.asarray(load_npy(path / "channel_map.npy")).reshape(-1)
        if len(order) == waves.shape[2]:
            channel = order[channel]
    return channel.astype(np.int64)
