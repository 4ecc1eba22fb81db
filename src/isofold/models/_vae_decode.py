"""Labels from activity: log p(u|x) over candidate labels, and the best of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ._label_code import coded
from ._vae_labels import log_posterior
from ._vae_use import label_evidence

PRIORS = ("empirical", "flat")


def posterior_of_labels(
    model: Any,
    number: int,
    recording: Recording,
    candidates: pd.DataFrame | None,
    n_samples: int,
    prior: str,
) -> tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.float64]]:
    """The candidates, (time, candidate) log p(u|x), and (time,) log p(x), in nats."""
    table, weight = _candidates(model, candidates, prior)
    code = coded(model.code_, table)
    found = label_evidence(model, number, recording, code, n_samples)
    return table, *log_posterior(found, weight)


def decodes(model: Any) -> bool:
    """Are there labels to decode? Before a fit the settings say; raises where there are none."""
    prior = model.AUTO["prior"] if model.prior == "auto" else model.prior
    if prior == "none":
        raise DataError(
            f"p(u|x) needs a label prior, and this {type(model).__name__} has none: fit a PiVAE, "
            "CIiVAE or IVAE with labels=[...]"
        )
    return True


def label_names(model: Any) -> list[str]:
    """What a fitted model can decode."""
    decodes(model)
    return [part.name for part in model.code_.parts]


def best_label(
    log_p: NDArray[np.float64], table: pd.DataFrame, name: str, joint: bool
) -> NDArray[Any]:
    """(time,) or (time, column) value of a label: of the best candidate (`joint`), or the best
    when the candidates of one value are summed."""
    columns = label_columns(table, name)
    if joint:
        chosen = table[columns].to_numpy()[log_p.argmax(axis=1)]
    else:
        value = table.groupby(columns, sort=False).ngroup().to_numpy()
        _, first = np.unique(value, return_index=True)
        member = value[:, None] == np.arange(len(first))
        chosen = table[columns].to_numpy()[first[(np.exp(log_p) @ member).argmax(axis=1)]]
    return chosen[:, 0] if columns == [name] else chosen


def wanted_label(model: Any, label: str | None) -> str:
    """The label to decode, or the only one."""
    names = label_names(model)
    if label is None and len(names) == 1:
        return names[0]
    if label not in names:
        raise DataError(
            f"predict decodes one label of the fit: give label= one of {names}, got {label!r}"
        )
    return label


def label_columns(table: pd.DataFrame, name: str) -> list[str]:
    """The columns of a label: its name, or name_0, name_1, … where it has several."""
    if name in table:
        return [name]
    several = [c for c in table.columns if str(c).rpartition("_")[0] == name]
    return sorted(several, key=lambda c: int(str(c).rpartition("_")[2]))


def _candidates(
    model: Any, candidates: pd.DataFrame | None, prior: str
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """The labels to consider, without their weights, and p(u), which sums to 1."""
    names = label_names(model)
    if prior not in PRIORS:
        raise DataError(f"prior must be one of {PRIORS}, got {prior!r}")
    table = model.candidates_ if candidates is None else candidates
    if not isinstance(table, pd.DataFrame) or not len(table):
        found = "no rows" if isinstance(table, pd.DataFrame) else type(table).__name__
        raise DataError(
            f"candidates must be a pandas DataFrame, one row a label value to consider, with the "
            f"columns {names}, got {found}"
        )
    weight = np.ones(len(table))
    if "weight" in table:
        if prior == "empirical":
            weight = table["weight"].to_numpy(float)
        table = table.drop(columns="weight")
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise DataError("weights of candidates must be 0 or more and finite, and not all 0")
    _check_values(model, table)
    return table.reset_index(drop=True), weight / weight.sum()


def _check_values(model: Any, table: pd.DataFrame) -> None:
    missing = table.columns[table.isna().any()].tolist()
    for part in model.code_.parts:
        if part.kind == "discrete" and part.name in table:
            known = np.isin(table[part.name].to_numpy(), part.classes)
            if not known.all():
                new = table.loc[~known, part.name].unique().tolist()
                raise DataError(
                    f"candidates of label {part.name!r} must be classes of the fit, "
                    f"{list(part.classes)}, got {new}"
                )
    if missing:
        raise DataError(f"candidates must have values, found NaN in {missing}: drop those rows")
