"""Results: the folder that a study leaves."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..errors import StudyError
from . import run_folder
from .embedding_store import load_embedding
from .place import place_of
from .run_folder import ANSWERS, MANIFEST, PAGE, PAIRS, SCORES, STUDY, read_json, run_path

if TYPE_CHECKING:
    import xarray as xr

    from .sweeps import Sweep
    from .trial_answers import TrialAnswers

_READ_OF_ALL = (
    *(run_folder.DONE, run_folder.ERROR, run_folder.SETTINGS, run_folder.TIMING, run_folder.LOG),
)
"""Small files that a table of all runs, or their page, reads."""

RUN_COLUMNS = ["key", "recording", "subject", "method", "seed", "fold", "control"]
SCORE_COLUMNS = [
    *RUN_COLUMNS[:6], "split", "control", "labels_used", "score", "label", "decoder", "part",
    "value", "unit", "low", "high", "chance_mean", "chance_hi", "n",
]  # fmt: skip
PAIR_COLUMNS = [
    "recording", "subject", "method", "seed", "fold", "split", "control", "labels_used",
    "score", "between", "label", "from", "to",
    "value", "unit", "chance_mean", "chance_hi", "n",
]  # fmt: skip


class Results:
    """What a study left in a folder; reads each part when it is first asked for.

    `runs`, `scores` and `pairs` are tables that pandas and pyarrow read as they stand. In all of
    them `control` is "none" or the name of a control ("permuted labels"), `split` is the part of
    the recording that was scored, and columns `set.<name>` hold the settings of the method. In
    `scores` the row with `part` "all" is the score itself, with its 95 % interval (`low`, `high`);
    other rows are its parts ("trial 3") and further numbers. Decoding a continuous label has two
    rows "all": its R², and its `unit` "median error" in the unit of the label. In `pairs`,
    `between` is "runs" (`from` and `to` are seeds of one recording and fold) or "datasets" (they
    are recordings, of one seed).

    Parameters
    ----------
    path
        Folder that `isofold.run` wrote, or its address (`s3://…`). Of results at an address,
        `path` is a temporary folder here with what was read of them.

    Raises
    ------
    StudyError
        The folder holds no results, or a key names no run.

    Examples
    --------
    >>> results = open_results("results/track")  # doctest: +SKIP
    >>> results.scores.query("part == 'all' and unit == 'R²'")  # doctest: +SKIP
    """

    def __init__(self, path: str | Path):
        self._place = place_of(path)
        self._place.pull(STUDY, MANIFEST)
        self.path = self._place.path
        self.address = str(path)
        if not (self.path / STUDY).is_file():
            raise StudyError(
                f"a results folder holds study.toml; {self.address!r} does not: "
                "give the folder that isofold run wrote (--out)"
            )

    @property
    def page(self) -> str:
        """Where the report is; the place of the results where there is none."""
        return f"{self.address.rstrip('/')}/{PAGE}" if self._place.has(PAGE) else self.address

    @cached_property
    def study(self) -> dict[str, Any]:
        """The study as it was run."""
        return tomllib.loads((self.path / STUDY).read_text(encoding="utf-8"))

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Versions, platform, fingerprints of the input, command and date; {} before the end."""
        path = self.path / MANIFEST
        return read_json(path) if path.exists() else {}

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a finished run: `RUN_COLUMNS`, status "done" or "error", error, set.*

        Runs that an earlier study left in the folder (`resume`) are not among them.
        """
        self._place.pull_runs(*_READ_OF_ALL)
        keys = run_folder.finished(self.path)
        wanted = set(self.manifest.get("keys", keys))
        rows = [self._row(key) for key in keys if key in wanted]
        table = pd.DataFrame(rows, columns=None if rows else [*RUN_COLUMNS, "status", "error"])
        return table.sort_values([*RUN_COLUMNS[1:], "key"], ignore_index=True)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a score, part and run."""
        return self._table(SCORES, SCORE_COLUMNS)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """One row a pair of runs or recordings."""
        return self._table(PAIRS, PAIR_COLUMNS)

    def claims(self) -> pd.DataFrame:
        """Which claims of the study hold; one row a claim, in its order.

        Values are paired by recording, fold and seed (pair of seeds, pair of recordings);
        `difference` is the mean of `mean` − `than_mean`, its sign turned so that positive speaks
        for the claim. `verdict` is "holds" where its 95 % interval (`low`, `high`) lies above
        `margin`, "does not hold" where it lies below, "not decided" where it does neither or there
        are too few repeats, and "cannot be answered" where runs failed or are missing. `over` says
        what the interval is taken over: "folds × recordings", seeds averaged, or "seeds" as well
        where those are fewer than three. `sentence` says it in words, `detail` is its part in
        brackets.

        Raises
        ------
        StudyError
            study.toml holds a claim that is none.
        """
        from .claims import answered

        return answered(self)

    def sweeps(self) -> list[Sweep]:
        """Scores along the axes of the study: its `[[sweeps]]` blocks, each with a `table` (one row
        a line and value of the axis), the `runs` behind it and `findings` in words.

        Raises
        ------
        StudyError
            study.toml holds a sweep that is none.
        """
        from .sweeps import swept

        return swept(self)

    def session_facts(self) -> dict[str, dict[str, Any]]:
        """Recording → what its session was cleaned of: "warnings.json", "quality.json" (lists) and
        "traces.parquet" (a table), as far as they are there."""
        found = {}
        for recording, folder in self._answered():
            facts: dict[str, Any] = {}
            for path in sorted(folder.glob("*.json")):
                facts[path.name] = read_json(path)
            for path in sorted(folder.glob("*.parquet")):
                facts[path.name] = pd.read_parquet(path)
            found[recording] = facts
        return found

    def single_trials(self) -> list[TrialAnswers]:
        """What each `[[single_trials]]` block found in each of its recordings."""
        from .trial_answers import TrialAnswers

        return [
            TrialAnswers.read(path.parent)
            for _, folder in self._answered()
            for path in sorted(folder.glob("trials_*/about.json"))
        ]

    def _answered(self) -> list[tuple[str, Path]]:
        """Recordings with answers of their own, in the study's order, and their folders."""
        from .axes import name_of

        self._place.pull(ANSWERS)
        names = [name_of(r) for r in self.study.get("recordings", [])]
        folders = [(n, self.path / ANSWERS / run_folder.file_name(n)) for n in names]
        return [(n, folder) for n, folder in folders if folder.is_dir()]

    def settings(self, key: str) -> dict[str, Any]:
        """What the run was given, and what its "auto" settings resolved to (`resolved`)."""
        return read_json(self._file(key, run_folder.SETTINGS))

    def log(self, key: str) -> pd.DataFrame:
        """Step, loss, and what else the training noted; no rows where nothing was trained."""
        return pd.read_parquet(self._file(key, run_folder.LOG))

    def attribution(self, key: str) -> pd.DataFrame:
        """Channels ranked by what they give each label (`isofold.attribution.rank`); no rows where
        the study did not ask, or the method has no encoder."""
        self._file(key, run_folder.SETTINGS)
        path = self._pulled(key, run_folder.ATTRIBUTION)
        return pd.read_parquet(path) if path.exists() else pd.DataFrame()

    def diagnosis(self, key: str) -> dict[str, Any]:
        """What the model says of its latents on held-out trials (`Diagnosis` as plain data); {}
        where it cannot say, and for controls."""
        self._file(key, run_folder.SETTINGS)
        path = self._pulled(key, run_folder.DIAGNOSIS)
        return read_json(path) if path.exists() else {}

    def timing(self, key: str) -> dict[str, float]:
        """Seconds of each stage of the run."""
        return read_json(self._file(key, run_folder.TIMING))

    def embedding(self, key: str) -> xr.DataArray:
        """(time, latent) with coordinates time in s, trial, every label, `split`, `edge`."""
        return load_embedding(self._file(key, run_folder.EMBEDDING))

    def model(self, key: str) -> Any:
        """The fitted model."""
        from ..models import load

        return load(self._file(key, run_folder.MODEL))

    def __repr__(self) -> str:
        done = int((self.runs["status"] == "done").sum())
        return f"<Results {self.address!r}: {done} runs done, {len(self.runs) - done} failed>"

    def _file(self, key: str, name: str) -> Path:
        if not run_folder.status(self.path, key):
            for mark in (run_folder.DONE, run_folder.ERROR):
                self._pulled(key, mark)
        status = run_folder.status(self.path, key)
        if not status:
            raise StudyError(f"no run {key!r} in {self.address!r}; Results.runs lists the keys")
        path = self._pulled(key, name)
        if not path.exists():
            what = "failed" if status == "error" else "is done"
            raise StudyError(f"run {key!r} {what} and has no {name}; Results.runs['status'] tells")
        return path

    def _pulled(self, key: str, name: str) -> Path:
        path = run_path(self.path, key) / name
        if not path.exists():
            self._place.pull(f"runs/{key}/{name}")
        return path

    def _row(self, key: str) -> dict[str, Any]:
        settings = self.settings(key)
        row = {name: settings.get(name) for name in RUN_COLUMNS}
        row["status"] = run_folder.status(self.path, key)
        row["error"] = ""
        if row["status"] == "error":
            error = read_json(run_path(self.path, key) / run_folder.ERROR)
            row["error"] = f"{error['type']}: {error['message']}"
        values = {**settings.get("settings", {}), **settings.get("axes", {})}
        return row | {f"set.{k}": v for k, v in values.items()}

    def _table(self, name: str, columns: list[str]) -> pd.DataFrame:
        self._place.pull(name)
        path = self.path / name
        return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=columns)


def open_results(path: str | Path) -> Results:
    """Open the folder that a study left.

    Raises
    ------
    StudyError
        The folder holds no results.

    Examples
    --------
    >>> open_results("nowhere")
    Traceback (most recent call last):
    isofold.errors.StudyError: a results folder holds study.toml; 'nowhere' does not: ...
    """
    return Results(path)
