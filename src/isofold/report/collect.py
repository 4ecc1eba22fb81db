"""Results → what the page says, as plain data. Knows no figure and no HTML."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from ..errors import IsofoldError
from ..studies.axes import name_of
from ..studies.sweeps import Sweep
from ..studies.trial_answers import TrialAnswers
from ._attribution import Ranking, rankings
from ._diagnosis import Diagnosed, diagnosed
from .answer import answer, asked, headline, reach
from .claims import Claim, claims
from .measures import Measure, pair_measures, score_measures
from .panels import MOST_PANELS, Gallery, gallery
from .sessions import Cleaned, cleaned
from .variants import plain, with_variant

CURVE_POINTS = 300
"""A loss curve is drawn through at most this many means of neighbouring steps."""
MOST_CURVES = 200
SECTIONS = {
    "decode_trials": "Decoding of trials",
    "decode": "Decoding",
    "consistency": "Consistency",
    "goodness_of_fit": "Goodness of fit",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Curve:
    """Loss of one run, in means of `every` steps."""

    variant: str
    seed: str
    title: str
    step: np.ndarray
    loss: np.ndarray
    every: int
    held_out: pd.DataFrame | None = None
    """Step and bits on trials held out inside the fit, if the fit looked at any."""


@dataclass(frozen=True)
class Matrix:
    """Mean consistency of each pair, over folds and recordings (or seeds)."""

    variant: str
    between: str
    label: str
    table: pd.DataFrame


@dataclass(frozen=True)
class Page:
    """Everything on the page, in the order it is read."""

    name: str
    answer: str
    caveat: str
    claims: list[Claim]
    sweeps: list[Sweep]
    cleaned: list[Cleaned]
    trials: list[TrialAnswers]
    facts: list[tuple[str, str]]
    recordings: list[dict[str, str]]
    variants: list[dict[str, str]]
    gallery: Gallery
    measures: dict[str, list[Measure]]
    matrices: list[Matrix]
    rankings: list[Ranking]
    diagnosed: list[Diagnosed]
    curves: list[Curve]
    n_curves: int
    failed: list[dict[str, str]]
    runs: list[dict[str, str]]
    settings: dict[str, Any]
    study: dict[str, Any]
    manifest: dict[str, Any]
    command: str
    missing: list[str] = field(default_factory=list)
    """Parts of the results that could not be read, and why."""


def collect(results: Any) -> Page:
    """Read a results folder (`isofold.Results`, or anything with its attributes)."""
    runs = _in_study_order(with_variant(results.runs), results.study)
    scores, pairs = with_variant(results.scores), with_variant(results.pairs)
    order = list(dict.fromkeys(runs["variant"]))
    done = runs[runs["status"] == "done"]
    reader = _Reader(results)
    pictures = _pictures(done, reader)
    curves = _curves(done, reader)
    found = score_measures(scores, order) + pair_measures(pairs, order)
    sections = _sections(_as_asked(found, results.study))
    told = _told(results.study)
    first = headline([m for part in sections.values() for m in part], told)
    sweeps = results.sweeps()
    manifest = dict(results.manifest)
    return Page(
        name=str(results.study.get("name") or "Untitled study"),
        answer=asked(sweeps) or answer(first, told),
        caveat=reach(first) if first and not sweeps else "",
        claims=claims(results.claims()),
        sweeps=sweeps,
        cleaned=cleaned(results),
        trials=results.single_trials(),
        facts=_facts(runs, results.study),
        recordings=_recordings(runs, pictures),
        variants=_variants(runs, reader),
        gallery=pictures,
        measures=sections,
        matrices=_matrices(pairs, order),
        rankings=rankings(done, reader.attribution),
        diagnosed=diagnosed(done, reader.diagnosis),
        curves=curves,
        n_curves=len(done) if len(curves) == MOST_CURVES else len(curves),
        failed=_failed(runs),
        runs=_run_rows(runs, reader),
        settings={str(v): _settings(t, reader) for v, t in runs.groupby("variant", sort=False)},
        study=dict(results.study),
        manifest={k: v for k, v in manifest.items() if k not in ("command", "keys")},
        command=_command(manifest.get("command")),
        missing=reader.missing,
    )


class _Reader:
    """Reads the parts of runs; a part that is broken or absent is noted, not fatal."""

    def __init__(self, results: Any):
        self.results = results
        self.missing: list[str] = []
        self._last: tuple[str, Any] = ("", None)

    def has(self, key: str) -> bool:
        return self.embedding(key) is not None

    def embedding(self, key: str) -> Any:
        if self._last[0] != key:
            self._last = (key, self._read("embedding", key))
        return self._last[1]

    def log(self, key: str) -> pd.DataFrame:
        log = self._read("log", key)
        return pd.DataFrame({"step": [], "loss": []}) if log is None else log

    def attribution(self, key: str) -> pd.DataFrame | None:
        return self._read("attribution", key)

    def diagnosis(self, key: str) -> dict[str, Any]:
        return self._read("diagnosis", key) or {}

    def seconds(self, key: str) -> float:
        timing = self._read("timing", key) or {}
        return float(sum(v for v in timing.values() if isinstance(v, int | float)))

    def settings(self, key: str) -> dict[str, Any]:
        return self._read("settings", key) or {}

    def _read(self, what: str, key: str) -> Any:
        try:
            return getattr(self.results, what)(key)
        except (IsofoldError, OSError, KeyError, ValueError) as error:
            note = f"{what} of run {key}: {error}"
            if note not in self.missing:
                self.missing.append(note)
                _log.warning("the report leaves out the %s", note)
            return None


def _pictures(done: pd.DataFrame, reader: _Reader) -> Gallery:
    """Pictures of as many runs as the page holds; embeddings of the others are not even read."""
    readable = (key for key in _spread(done)["key"] if reader.has(key))
    shown = done[done["key"].isin(list(islice(readable, MOST_PANELS)))]
    left_out = len(done) - len(shown) if len(shown) == MOST_PANELS else 0
    return replace(gallery(shown, reader.embedding), n_left_out=left_out)


def _curves(done: pd.DataFrame, reader: _Reader) -> list[Curve]:
    """Losses of as many runs as the page holds."""
    found: dict[Any, Curve] = {}
    for index, run in _spread(done).iterrows():
        if len(found) == MOST_CURVES:
            break
        if curve := _curve(run, reader.log(run["key"])):
            found[index] = curve
    return [found[index] for index in sorted(found)]


def _spread(done: pd.DataFrame) -> pd.DataFrame:
    """Runs with the first of every method and recording in front, then the second, …"""
    turn = done.groupby(["variant", "recording"], sort=False).cumcount()
    return done.loc[turn.sort_values(kind="stable").index]


def _in_study_order(runs: pd.DataFrame, study: dict[str, Any]) -> pd.DataFrame:
    """Recordings and methods as the study names them, controls last."""
    order = {name_of(m): k for k, m in enumerate(study.get("methods", []))}
    place = runs["method"].astype(str).map(order).fillna(len(order))
    columns = ["is_control", "_place", "variant", "recording", "fold", "seed"]
    if len(runs):
        runs = runs.assign(_place=place).sort_values(columns, kind="stable", ignore_index=True)
    return runs.drop(columns="_place", errors="ignore")


def _facts(runs: pd.DataFrame, study: dict[str, Any]) -> list[tuple[str, str]]:
    done = int((runs["status"] == "done").sum())
    subjects = runs["subject"].dropna().map(str)
    facts = [("Recordings", str(runs["recording"].nunique()))]
    if (n := subjects[subjects != ""].nunique()) > 0:
        facts.append(("Animals", str(n)))
    methods = runs.loc[~runs["is_control"] & (runs["status"] == "done"), "variant"].nunique()
    facts.append(("Methods", str(methods)))
    facts.append(("Seeds", str(runs["seed"].nunique())))
    facts.append(("Held out", _split_text(study, runs)))
    failed = len(runs) - done
    facts.append(("Runs", f"{done} done" + (f", {failed} failed" if failed else "")))
    return facts


def _split_text(study: dict[str, Any], runs: pd.DataFrame) -> str:
    folds = runs["fold"].nunique()
    if folds > 1:
        return f"{folds} folds, by trial"
    share = dict(study.get("split") or {}).get("test")
    return f"{100 * float(share):.0f} % of the trials" if share else "one split, by trial"


def _recordings(runs: pd.DataFrame, pictures: Gallery) -> list[dict[str, str]]:
    rows = []
    for grid_number, grid in enumerate(pictures.grids):
        panel = next(p for p in pictures.panels if p.grid == grid_number)
        subject = runs.loc[runs["recording"].astype(str) == grid.recording, "subject"]
        trials = [np.unique(grid.trial.values[panel.split == part]) for part in (0, 1)]
        rows.append(
            {
                "recording": grid.recording,
                "animal": plain(subject.iloc[0]) if len(subject) else "",
                "samples": f"{grid.n_samples:,}",
                "from": f"{grid.time[0]:,.1f} s",
                "over": f"{grid.time[-1] - grid.time[0]:,.1f} s",
                "trials": str(len(grid.trial.categories)),
                "train / test": " / ".join(str(int((t >= 0).sum())) for t in trials),
                "labels": _few([f"{x.name} ({x.kind})" for x in grid.labels]) or "none",
            }
        )
    return rows


def _few(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _variants(runs: pd.DataFrame, reader: _Reader) -> list[dict[str, str]]:
    rows = []
    for variant, part in runs.groupby("variant", sort=False):
        done = int((part["status"] == "done").sum())
        seconds = [s for key in part["key"][part["status"] == "done"] if (s := reader.seconds(key))]
        settings = [
            reader.settings(k) for k in part.groupby("recording", sort=False)["key"].first()
        ]
        labels = dict.fromkeys(", ".join(map(str, s.get("labels") or [])) for s in settings)
        rows.append(
            {
                "method": str(variant),
                "trained with": " | ".join(labels).strip(" |") or "no labels",
                "seeds": ", ".join(sorted({plain(s) for s in part["seed"]}, key=_natural)),
                "folds": str(part["fold"].nunique() or 1),
                "runs done": f"{done} of {len(part)}",
                "median time": f"{np.median(seconds):.1f} s" if seconds else "",
            }
        )
    return rows


def _as_asked(found: list[Measure], study: dict[str, Any]) -> list[Measure]:
    """Scores that the study names come first, in its order."""
    asked = [(s.get("score"), s.get("label") or "") for s in study.get("scores", [])]

    def place(measure: Measure) -> int:
        what = (measure.score, measure.label)
        return asked.index(what) if what in asked else len(asked)

    return sorted(found, key=place)


def _told(study: dict[str, Any]) -> set[str]:
    """Methods whose embeddings were given the labels of test trials."""
    return {
        name_of(m)
        for m in study.get("methods", [])
        if isinstance(m, dict) and m.get("transform", {}).get("with_labels")
    }


def _sections(found: list[Measure]) -> dict[str, list[Measure]]:
    sections: dict[str, list[Measure]] = {}
    first = [m for score in SECTIONS for m in found if m.score == score]
    for measure in first + [m for m in found if m.score not in SECTIONS]:
        title = SECTIONS.get(measure.score, measure.score.replace("_", " ").capitalize())
        sections.setdefault(title, []).append(measure)
    return sections


def _matrices(pairs: pd.DataFrame, order: list[str]) -> list[Matrix]:
    if not len(pairs):
        return []
    keys = ["between", "label", "variant"]
    pairs = pairs.assign(label=pairs["label"].fillna(""), between=pairs["between"].fillna(""))
    found = []
    for (between, label, variant), part in pairs.groupby(keys, sort=False):
        table = part.groupby(["from", "to"])["value"].mean().unstack("to")
        names = sorted(set(table.index) | set(table.columns), key=_natural)
        found.append(
            Matrix(
                str(variant), str(between), str(label), table.reindex(index=names, columns=names)
            )
        )
    found.sort(key=lambda m: order.index(m.variant) if m.variant in order else len(order))
    return [m for m in found if len(m.table) > 1]


def _natural(name: object) -> tuple[int, float, str]:
    text = str(name)
    return (0, float(text), text) if text.replace(".", "", 1).isdigit() else (1, 0.0, text)


def _curve(run: pd.Series, log: pd.DataFrame) -> Curve | None:
    if not len(log) or "loss" not in log:
        return None
    every = -(-len(log) // CURVE_POINTS)
    step = log["step"] if "step" in log else pd.Series(range(len(log)))
    group = np.arange(len(log)) // every
    mean = pd.DataFrame({"step": step, "loss": log["loss"]}).astype(float).groupby(group).mean()
    seed, fold = plain(run["seed"]), plain(run["fold"])
    title = f"{run['recording']}, seed {seed}" + (f", fold {fold}" if fold else "")
    looks = None
    if "held_out_bits" in log:
        looks = log[["step", "held_out_bits"]].dropna()
    return Curve(
        str(run["variant"]), seed, title, mean["step"].to_numpy(), mean["loss"].to_numpy(), every,
        looks,
    )  # fmt: skip


def _command(command: Any) -> str:
    """As a shell takes it; a script of the user's own is run by python."""
    if not isinstance(command, list):
        return str(command or "")
    script = bool(command) and str(command[0]).endswith(".py")
    return shlex.join([*(["python"] if script else []), *map(str, command)])


def _failed(runs: pd.DataFrame) -> list[dict[str, str]]:
    failed = runs[runs["status"] == "error"]
    keys = ["key", "recording", "variant", "seed", "fold", "error"]
    return [{k: plain(row[k]) for k in keys} for _, row in failed.iterrows()]


def _run_rows(runs: pd.DataFrame, reader: _Reader) -> list[dict[str, str]]:
    rows = []
    for run in runs.to_dict("records"):
        keys = ("recording", "variant", "seed", "fold", "status", "key")
        row = {k: plain(run.get(k)) for k in keys}
        row["seconds"] = f"{reader.seconds(run['key']):.1f}" if run["status"] == "done" else ""
        rows.append(row)
    return rows


def _settings(part: pd.DataFrame, reader: _Reader) -> dict[str, Any]:
    """Settings of the first run of a variant; others differ from it by seed and fold only."""
    settings = reader.settings(part["key"].iloc[0])
    return {k: v for k, v in settings.items() if k not in ("key", "seed", "fold", "subject")}
