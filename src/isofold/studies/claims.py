"""Which claims of a study its scores bear out: verdict, numbers, and one plain sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import StudyError
from ._bootstrap import FEWEST, crossed_interval
from ._numbers import bracket, number
from .claim_rows import Layout, Side, paired
from .claim_spec import CHANCE, ClaimSpec
from .score_spec import label_of

HOLDS, FAILS = "holds", "does not hold"
OPEN, UNANSWERED = "not decided", "cannot be answered"

CLAIM_COLUMNS = [
    "says", "verdict", "detail", "sentence",
    "score", "label", "decoder", "between", "unit", "recording", "better", "than", "margin",
    "mean", "than_mean", "difference", "low", "high", "n_recordings", "n_folds", "n_seeds", "over",
]  # fmt: skip
_TEXTS = ["label", "decoder", "between", "unit", "recording", "over"]
_NUMBERS = ["margin", "mean", "than_mean", "difference", "low", "high"]
_COUNTS = ["n_recordings", "n_folds", "n_seeds"]


def answered(results: Any) -> pd.DataFrame:
    """One row a claim, `CLAIM_COLUMNS`; `Results.claims` says what they mean."""
    tables = results.study.get("claims", ())
    claims = [ClaimSpec.of(table, f"claims[{n}]") for n, table in enumerate(tables)]
    layout = Layout.of(results.study)
    rows = [_answer(claim, results, layout) for claim in claims]
    table = pd.DataFrame(rows, columns=CLAIM_COLUMNS)
    table[_TEXTS] = table[_TEXTS].fillna("").astype(str)
    kinds = dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(_COUNTS, "Int64")
    return table.astype(kinds | {"than": object})


def _answer(claim: ClaimSpec, results: Any, layout: Layout) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(claim, name, None) for name in CLAIM_COLUMNS}
    try:
        values, side = paired(claim, results, layout)
    except StudyError as error:
        row |= {"verdict": UNANSWERED, "detail": str(error)}
    else:
        row |= _numbers(claim, values, side)
        row["detail"] = _detail(claim, row)
    verdict = row["verdict"][0].upper() + row["verdict"][1:]
    return row | {"sentence": f"{verdict}: {claim.says} ({row['detail']})"}


def _numbers(claim: ClaimSpec, values: pd.DataFrame, side: Side) -> dict[str, Any]:
    gain = _gains(claim, *(values[k].to_numpy(dtype=float) for k in ("mean", "than_mean")))
    factors, over = _factors(values, side, gain)
    interval = crossed_interval(gain, factors)
    low, high = interval or (np.nan, np.nan)
    verdict = HOLDS if low > claim.margin else FAILS if high < claim.margin else OPEN
    return {
        "verdict": verdict,
        "label": label_of(side.spec),
        "decoder": side.spec.decoder,
        "between": None if side.spec.of_one_run else side.spec.between,
        "unit": values["unit"].iloc[0],
        "mean": values["mean"].mean(),
        "than_mean": values["than_mean"].mean(),
        "difference": gain.mean(),
        "low": low,
        "high": high,
        "over": over if interval else "",
    } | {f"n_{what}": _count(values, columns) for what, columns in _columns(side).items()}


def _gains(claim: ClaimSpec, mean: NDArray, than_mean: NDArray) -> NDArray[np.float64]:
    """What speaks for the claim is positive; a difference of rounding is none."""
    gain = than_mean - mean if claim.lower_is_better else mean - than_mean
    return np.where(np.isclose(mean, than_mean, rtol=1e-6, atol=1e-9), 0.0, gain)


def _columns(side: Side) -> dict[str, list[str]]:
    """Where the rows say their recording (one, or the two compared), fold and seed."""
    if side.spec.of_one_run:
        return {"recordings": ["recording"], "folds": ["fold"], "seeds": ["seed"]}
    if side.spec.between == "runs":
        return {"recordings": ["recording"], "folds": ["fold"], "seeds": ["from", "to"]}
    return {"recordings": ["from", "to"], "folds": ["fold"], "seeds": ["seed"]}


def _factors(
    values: pd.DataFrame, side: Side, gain: NDArray[np.float64]
) -> tuple[list[NDArray[np.integer]], str]:
    """What is drawn anew: folds × recordings; where they are fewer than three, seeds as well."""
    at = _columns(side)
    if at["recordings"] == ["recording"]:
        factors = [values.groupby(["recording", "fold"]).ngroup().to_numpy()]
    else:  # recordings that are compared with each other cross the folds
        factors = [_levels(values, at["folds"]), _levels(values, at["recordings"])]
    if max(len(np.unique(levels)) for levels in factors) >= FEWEST:
        return factors, "folds × recordings"
    if np.allclose(gain, gain[0]):
        return factors, ""  # the seeds repeat one measurement: no interval
    return [*factors, _levels(values, at["seeds"])], "seeds"


def _levels(values: pd.DataFrame, columns: list[str]) -> NDArray[np.integer]:
    """(row, column), a number for each name, whichever column it stands in."""
    names = values[columns].to_numpy().astype(str)
    return pd.factorize(names.ravel())[0].reshape(names.shape)


def _count(values: pd.DataFrame, columns: list[str]) -> int:
    return len(np.unique(values[columns].to_numpy().astype(str)))


def _detail(claim: ClaimSpec, row: dict[str, Any]) -> str:
    """ "position: R² 0.84 against 0.62, +0.22 [0.15, 0.28], 3 folds × 5 seeds"."""
    against = {CHANCE: " by chance"}.get(str(claim.than), "")
    what = row["label"] if row["score"] == "decode" else row["score"].replace("_", " ")
    means = f"{number(row['mean'])} against {number(row['than_mean'])}{against}"
    parts = [f"{what}: {row['unit']} {means}", _gap(claim, row)]
    if claim.margin > 0:
        parts.append(f"asked is more than {number(claim.margin)}")
    elif claim.margin < 0:
        parts.append(f"a loss of up to {number(-claim.margin)} is allowed")
    if claim.recording:
        parts.append(f"only {claim.recording}")
    parts.append(_repeats(row))
    return ", ".join(parts) + _reach(row)


def _gap(claim: ClaimSpec, row: dict[str, Any]) -> str:
    gap, low, high = (row[k] for k in ("difference", "low", "high"))
    if claim.lower_is_better:  # the sign of an error's difference would have to be explained
        word = "better" if gap >= 0 else "worse"
        gap, low, high = (gap, low, high) if gap >= 0 else (-gap, -high, -low)
        shown = f"{word} by {number(gap)}"
    else:
        shown = f"{'+' if gap >= 0 else ''}{number(gap)}"
    return f"{shown} {bracket((low, high))}" if np.isfinite(low) else shown


def _repeats(row: dict[str, Any]) -> str:
    counts = [
        (row["n_recordings"], "recording"),
        (row["n_folds"], "fold"),
        (row["n_seeds"], "seed"),
    ]
    several = [f"{n} {what}s" for n, what in counts if n > 1]
    return " × ".join(several) or "one run"


def _reach(row: dict[str, Any]) -> str:
    """What the interval cannot say."""
    if row["over"] == "seeds":
        return (
            "; fewer than 3 folds × recordings, so the interval is over seeds too: it shows the "
            "luck of training, not how other trials would come out"
        )
    return "" if row["over"] else "; too few repeats for an interval"
