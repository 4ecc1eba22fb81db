"""A results folder as `isofold run` leaves it, made without training: a rat on a track."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from isofold.studies._toml import to_toml
from isofold.studies.embedding_store import save_embedding
from isofold.studies.run_folder import write_json, write_text

SCORE_COLUMNS = [
    "key", "recording", "subject", "method", "seed", "fold", "split", "control", "labels_used",
    "score", "label", "decoder", "part", "value", "unit", "low", "high", "chance_mean",
    "chance_hi", "n",
]  # fmt: skip
PAIR_COLUMNS = [
    "recording", "subject", "method", "seed", "fold", "split", "control", "labels_used", "score",
    "between", "label", "from", "to", "value", "unit", "chance_mean", "chance_hi",
    "n",
]  # fmt: skip
QUALITY = {"pca": 0.55, "cebra-time": 0.25, "cebra-behavior": 0.1}
"""Noise of the fake embeddings: the smaller, the better the fake scores."""


def embedding(
    quality: float,
    seed: int,
    *,
    laps: int = 24,
    lap_samples: int = 60,
    labels: tuple[str, ...] = ("position", "direction", "phase"),
    latents: int = 3,
    test_laps: range | None = None,
    extra: dict[str, str] | None = None,
) -> xr.DataArray:
    """A loop (out and back) that drifts a little with time, turned at random by the seed.

    `extra`: further labels by name, each like "speed" (signed) or "outcome" (one a lap).
    """
    rng = np.random.default_rng([seed, int(quality * 100)])
    lap = np.repeat(np.arange(laps), lap_samples)
    inside = np.tile(np.linspace(0, 1, lap_samples), laps)
    direction = np.where(lap % 2 == 0, "out", "back")
    position = 1.6 * np.where(lap % 2 == 0, inside, 1 - inside)
    angle = np.pi * np.where(lap % 2 == 0, inside, 1 + inside)
    ring = np.stack([np.cos(angle), np.sin(angle), 0.5 * np.sin(2 * angle)], axis=1)
    points = ring + quality * rng.normal(size=ring.shape) + 0.01 * lap[:, None]
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    points = points @ turn
    if latents > 3:
        points = np.hstack([points, 0.05 * rng.normal(size=(len(points), latents - 3))])
    held = test_laps if test_laps is not None else range(int(laps * 0.8), laps)
    coords = {
        "time": ("time", 10.0 + np.arange(len(lap)) * 0.1 + lap * 2.0),
        "trial": ("time", lap),
        "split": ("time", np.where(np.isin(lap, held), "test", "train")),
        "edge": ("time", (inside < 0.03) | (inside > 0.97)),
    }
    every = {"position": position, "direction": direction, "phase": angle % (2 * np.pi)}
    coords |= {name: ("time", every[name]) for name in labels}
    kinds = {"phase": "circular"} if "phase" in labels else {}
    more = {"speed": np.sin(angle) - 0.2, "outcome": np.where(lap % 5 == 0, "error", "reward")}
    coords |= {name: ("time", more[like]) for name, like in (extra or {}).items()}
    return xr.DataArray(points[:, :latents], coords, ("time", "latent"), attrs={"kinds": kinds})


def write_results(
    folder: Path,
    *,
    name: str = "linear-track",
    recordings: tuple[str, ...] = ("rat1",),
    methods: dict[str, float] | None = None,
    seeds: tuple[int, ...] = (0, 1, 2),
    folds: tuple[int, ...] = (0,),
    labels: tuple[str, ...] = ("position", "direction", "phase"),
    latents: int = 3,
    control: bool = True,
    failed: int = 1,
    done: bool = True,
    scored: bool = True,
    lap_samples: int = 60,
    grid: tuple[float, ...] = (),
    ranked: tuple[str, ...] = (),
    channels: int = 24,
    claims: tuple[dict, ...] = (),
    diagnosed: tuple[str, ...] = (),
    collapsed: int = 0,
    **more: Any,
) -> Path:
    """Write the folder and return it; `more` goes to `embedding`."""
    folder.mkdir(parents=True, exist_ok=True)
    methods = QUALITY if methods is None else methods
    write_text(
        folder / "study.toml",
        f"name = {_toml(name)}\nseeds = {list(seeds)}\n"
        + (f"folds = {len(folds)}\n" if len(folds) > 1 else "")
        + "".join(f"[[methods]]\nmethod = {_toml(m)}\n" for m in methods)
        + (_claimed(recordings, claims, failed) if claims else ""),
    )
    arms = [(m, q, "none") for m, q in methods.items()]
    arms += [(f"cebra-time (temperature={g})", 0.3, "none") for g in grid]
    if control and "cebra-behavior" in methods:
        arms.append(("cebra-behavior", 0.9, "permuted labels"))
    scores: list[dict] = []
    for rat, recording in enumerate(recordings):
        for method, quality, what in arms:
            for fold in folds:
                for seed in seeds:
                    run = _run(recording, f"animal {rat}", method, seed, fold, what)
                    if done:
                        shape = {"labels": labels, "latents": latents, "lap_samples": lap_samples}
                        _write_run(folder, run, quality, folds, **shape, **more)
                    if done and method in diagnosed and what == "none":
                        path = folder / "runs" / run["key"] / "diagnosis.json"
                        write_json(path, _diagnosis(seed, latents, collapsed))
                    if done and ranked and what == "none":
                        ranks = pd.concat([_ranks(run, label, channels) for label in ranked])
                        ranks.to_parquet(folder / "runs" / run["key"] / "attribution.parquet")
                    if done and scored:
                        scores += _scores(run, quality)
    for number in range(failed):
        run = _run(recordings[0], "animal 0", "mind", number, 0, "none")
        _write_failed(folder, run)
    if scored and done:
        pd.DataFrame(scores, columns=SCORE_COLUMNS).to_parquet(folder / "scores.parquet")
        _pairs(recordings, arms, seeds, folds).to_parquet(folder / "pairs.parquet")
    write_json(folder / "manifest.json", _manifest(folder, recordings))
    return folder


def _claimed(recordings, claims, failed) -> str:
    """The rest of a study file: what claims are checked against, and the claims."""
    between = {"score": "consistency", "between": "datasets", "labels": ["position", "direction"]}
    tables = {
        "methods": [{"method": "mind"}] if failed else [],
        "recordings": [{"name": r} for r in recordings],
        "scores": [
            *({"score": "decode", "label": name} for name in ("position", "direction")),
            *({"score": score} for score in ("goodness_of_fit", "consistency")),
            *([between] if len(recordings) > 1 else []),
        ],
        "claims": list(claims),
    }
    return to_toml({k: v for k, v in tables.items() if v})


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _run(recording, subject, method, seed, fold, control) -> dict:
    arm = f"{recording}-{method}-{control}-{seed}-{fold}"
    return {
        "key": sha256(arm.encode()).hexdigest()[:12], "recording": recording, "subject": subject,
        "method": method, "seed": seed, "fold": fold, "control": control,
        "settings": {"output_dimension": 3, "model_architecture": "offset10-model"},
        "labels": ["position", "direction"] if method == "cebra-behavior" else [],
        "resolved": {} if method == "pca" else {"learning_rate": 0.02, "max_iterations": 250},
        "n_train": 1152, "n_test": 288, "input": "ab" * 32, "code": "0.1.0",
    }  # fmt: skip


def _write_run(folder, run, quality, folds, **shape) -> None:
    path = folder / "runs" / run["key"]
    path.mkdir(parents=True)
    write_json(path / "settings.json", run)
    held = (
        range(24)[run["fold"] * 24 // len(folds) :][: 24 // len(folds)] if len(folds) > 1 else None
    )
    z = embedding(quality, run["seed"], test_laps=held, **shape)
    save_embedding(z, path / "embedding.zarr")
    log = pd.DataFrame({"step": pd.Series(dtype=int), "loss": pd.Series(dtype=float)})
    if run["method"] != "pca":
        step = np.arange(0, 250)
        rng = np.random.default_rng(run["seed"])
        loss = 6.2 - 2.2 * (1 - quality) * (1 - np.exp(-step / 40)) + 0.04 * rng.normal(size=250)
        log = pd.DataFrame({"step": step, "loss": loss})
    log.to_parquet(path / "log.parquet")
    write_json(path / "timing.json", {"fit": 2.31, "transform": 0.12, "score": 0.7})
    (path / "done").touch()


def _diagnosis(seed: int, latents: int, collapsed: int) -> dict:
    """The last `collapsed` latents are, in runs of seed 0."""
    rng = np.random.default_rng(seed)
    gone = [seed == 0 and k >= latents - collapsed for k in range(latents)]
    of = [
        {"kl": 0.0, "gain": 0.001, "activity": 0.0, "active": False}
        if lost
        else {"kl": 1.4, "gain": 0.8 - 0.1 * rng.random(), "activity": 0.5, "active": True}
        for lost in gone
    ]
    swap = 0.6 if seed == 0 else 0.2
    more = {"label_swap": swap, "weight_at_zero": 0.1, "weight_at_one": 0.25, "condition": 12.0}
    rank = {"rank": 2 * latents, "rank_needed": 2 * latents}
    return {"latents": of, **more, **rank, "verdict": ["All <b>latents</b> carry activity."]}


def _ranks(run, label, channels) -> pd.DataFrame:
    """The lower its number, the more a channel gives; the first three lie beyond chance."""
    rng = np.random.default_rng(run["seed"])
    share = 0.7 ** np.arange(channels) * rng.uniform(0.95, 1.05, channels)
    share /= share.sum()
    first = {"label": label, "channel": [f"unit <{k}>" for k in range(channels)], "share": share}
    chance = {"chance_mean": 0.04, "chance": 0.12, "sensitivity": 1 / channels}
    table = pd.DataFrame(first | chance | {"r2": -0.1 if label == "phase" else 0.6})
    return table.sort_values("share", ascending=False).assign(rank=np.arange(1, channels + 1))


def _write_failed(folder, run) -> None:
    path = folder / "runs" / run["key"]
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / "settings.json", run)
    message = "signal has NaN in channel 'unit 3', first at 12.4 s; fill('drop') resolves it"
    write_json(
        path / "error.json",
        {"type": "MissingValuesError", "message": message, "traceback": "Traceback: <b>line</b> 3"},
    )


def _scores(run: dict, quality: float) -> list[dict]:
    rng = np.random.default_rng([run["seed"], run["fold"], int(quality * 100)])
    first = {
        k: run[k] for k in ("key", "recording", "subject", "method", "seed", "fold", "control")
    }
    first |= {"n": 288, "split": "test", "labels_used": ", ".join(run["labels"])}
    near = lambda value, width: value + width * rng.normal()  # noqa: E731
    rows = [
        ("decode", "position", "knn", near(0.92 - 0.75 * quality, 0.015), "R²", -0.02, 0.06),
        (
            "decode",
            "direction",
            "knn",
            min(1, near(1 - 0.4 * quality, 0.01)),
            "accuracy",
            0.5,
            0.57,
        ),
    ]
    if run["method"] != "pca":
        fit = near(3.4 - 2 * quality, 0.06)
        rows.append(("goodness_of_fit", "", "", fit, "bits", 0.0, 0.05))
    else:
        rows.append(("goodness_of_fit", "", "", 0.31, "variance explained", np.nan, np.nan))
    table = []
    for score, label, decoder, value, unit, chance, edge in rows:
        common = first | {"score": score, "label": label, "decoder": decoder, "unit": unit}
        whole = {"part": "all", "value": value, "low": value - 0.06, "high": value + 0.05}
        table.append(common | whole | {"chance_mean": chance, "chance_hi": edge})
        if score != "decode":
            continue
        for trial in range(4 * run["fold"], 4 * run["fold"] + 4):
            moved = 0.05 * np.sin(trial) + 0.02 * rng.normal()
            table.append(common | {"part": f"trial {trial}", "value": value + moved})
        if label == "position":
            error = near(0.05 + 0.35 * quality, 0.012)
            bounds = {"low": error * 0.8, "high": error * 1.3, "chance_mean": 0.47}
            table.append(common | bounds | {"part": "all", "value": error, "unit": "median error"})
            table.append(common | {"part": "mean_error", "value": error * 1.2, "unit": ""})
    return table


def _pairs(recordings, arms, seeds, folds) -> pd.DataFrame:
    rows = []
    for method, quality, control in arms:
        if control != "none":
            continue
        common = {"method": method, "control": control, "split": "test", "score": "consistency"}
        common |= {"unit": "R²", "n": 288, "labels_used": ""}
        for fold in folds:
            for r in recordings:
                group = {"recording": r, "fold": fold, "between": "runs", "label": ""}
                rows += _group(common | group, [str(s) for s in seeds], quality, fold)
            for seed in seeds:
                group = {"seed": seed, "fold": fold, "between": "datasets"}
                group |= {"label": "position, direction"}
                rows += _group(common | group, list(recordings), quality * 1.3, fold + seed)
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def _group(common: dict, names: list[str], quality: float, seed: int) -> list[dict]:
    rng = np.random.default_rng([seed, int(100 * quality)])
    pairs = [(a, b) for a in names for b in names if a != b]
    values = np.clip(0.98 - 0.5 * quality + 0.02 * rng.normal(size=len(pairs)), 0, 1)
    chance = {"chance_mean": 0.02, "chance_hi": 0.07}
    return [
        common | chance | {"from": a, "to": b, "value": v}
        for (a, b), v in zip(pairs, values, strict=True)
    ]


def _manifest(folder: Path, recordings: tuple[str, ...]) -> dict:
    return {
        "study": "linear-track",
        "isofold": "0.1.0",
        "python": "3.11.9",
        "platform": "Linux-x86_64",
        "packages": {"jax": "0.8.0", "numpy": "2.4.6", "scikit-learn": "1.8.0", "scipy": "1.17.1"},
        "inputs": {r: {"file": f"{r}.nwb", "sha256": "ab" * 32} for r in recordings},
        "command": ["isofold", "run", "study.toml", "--out", "results"],
        "started": "2026-11-22T05:00:00+00:00",
        "keys": sorted(p.name for p in (folder / "runs").glob("*")),
    }
