"""A results folder as `isofold run` leaves it, made without training: a rat on a track."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from isofold.studies.embedding_store import save_embedding
from isofold.studies.results import PAIR_COLUMNS, SCORE_COLUMNS
from isofold.studies.run_folder import write_json, write_text

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
) -> xr.DataArray:
    """A loop (out and back) that drifts a little with time, turned at random by the seed."""
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
) -> Path:
    """Write the folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "study.toml", f"name = {_toml(name)}\nseeds = {list(seeds)}\n")
    methods = QUALITY if methods is None else methods
    arms = [(m, q, "none", g) for m, q in methods.items() for g in (grid or (None,))]
    if control and "cebra-behavior" in methods:
        arms.append(("cebra-behavior", 0.9, "permuted labels", grid[0] if grid else None))
    scores: list[dict] = []
    for rat, recording in enumerate(recordings):
        for method, quality, what, step in arms:
            for fold in folds:
                for seed in seeds:
                    run = _run(recording, f"animal {rat}", method, seed, fold, what, step)
                    if done:
                        _write_run(folder, run, quality, labels, latents, lap_samples, folds)
                    if done and scored:
                        scores += _scores(run, quality)
    for number in range(failed):
        run = _run(recordings[0], "animal 0", "mind", number, 0, "none", None)
        _write_failed(folder, run)
    if scored and done:
        table = pd.DataFrame(scores)
        table.reindex(columns=[*SCORE_COLUMNS, *_set_columns(table)]).to_parquet(
            folder / "scores.parquet"
        )
        _pairs(recordings, arms, seeds, folds).to_parquet(folder / "pairs.parquet")
    write_json(folder / "manifest.json", _manifest(folder, recordings))
    return folder


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _run(recording, subject, method, seed, fold, control, step) -> dict:
    settings = {"output_dimension": 3, "model_architecture": "offset10-model"}
    settings |= {} if step is None else {"temperature": step}
    arm = f"{recording}-{method}-{control[:4]}-{step}"
    return {
        "key": sha256(f"{arm}-{seed}-{fold}".encode()).hexdigest()[:12], "recording": recording, "subject": subject,
        "method": method, "seed": seed, "fold": fold, "control": control, "settings": settings,
        "labels": ["position", "direction"] if method == "cebra-behavior" else [],
        "resolved": {} if method == "pca" else {"learning_rate": 0.02, "max_iterations": 250},
    }  # fmt: skip


def _write_run(folder, run, quality, labels, latents, lap_samples, folds) -> None:
    path = folder / "runs" / run["key"]
    path.mkdir(parents=True)
    write_json(path / "settings.json", run)
    noise = quality * (1 + (0 if run["settings"].get("temperature") in (None, 1.0) else 0.4))
    held = range(24)[run["fold"] * 24 // len(folds) :][: 24 // len(folds)] if len(folds) > 1 else None
    z = embedding(
        noise, run["seed"], labels=labels, latents=latents, lap_samples=lap_samples, test_laps=held
    )
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
    step = run["settings"].get("temperature")
    quality = quality * (1 if step in (None, 1.0) else 1.4)
    first = {k: run[k] for k in ("key", "recording", "subject", "method", "seed", "fold", "control")}
    first |= {f"set.{k}": v for k, v in run["settings"].items()} | {"n": 288, "split": "test"}
    first["labels_used"] = ", ".join(run["labels"])
    near = lambda value, width: value + width * rng.normal()  # noqa: E731
    rows = [
        ("decode", "position", near(0.92 - 0.75 * quality, 0.015), "R²", -0.02, 0.06),
        ("decode", "position", near(0.05 + 0.35 * quality, 0.012), "m (median error)", 0.47, 0.42),
        ("decode", "direction", min(1, near(1 - 0.4 * quality, 0.01)), "accuracy", 0.5, 0.57),
    ]
    if run["method"] != "pca":
        rows.append(("goodness_of_fit", None, near(3.4 - 2 * quality, 0.06), "bits", 0.0, 0.05))
    else:
        rows.append(("goodness_of_fit", None, near(0.31, 0.002), "variance explained", None, None))
    table = []
    for score, label, value, unit, chance, edge in rows:
        common = first | {
            "score": score, "label": label, "unit": unit, "chance_mean": chance, "chance_hi": edge,
        }  # fmt: skip
        table.append(common | {"part": "all", "value": value})
        table += [common | {"part": f"trial {t}", "value": near(value, 0.1)} for t in (19, 20)]
    return table


def _pairs(recordings, arms, seeds, folds) -> pd.DataFrame:
    rows = []
    for method, quality, control, step in arms:
        common = {
            "method": method, "control": control, "split": "test", "score": "consistency",
            "unit": "R²", "chance_mean": 0.02, "chance_hi": 0.07, "n": 288,
            "labels_used": "",
        } | ({} if step is None else {"set.temperature": step})  # fmt: skip
        for a in seeds:
            for b in seeds:
                rng = np.random.default_rng([a, b, int(quality * 100)])
                value = float(np.clip(0.98 - 0.5 * quality + 0.02 * rng.normal(), 0, 1))
                rows += [
                    common | {"recording": r, "subject": "", "fold": f, "seed": None, "between": "runs",
                              "label": None, "from": str(a), "to": str(b), "value": value}
                    for r in recordings for f in folds if a != b
                ]  # fmt: skip
        for a in recordings:
            for b in recordings:
                rows += [
                    common | {"recording": None, "subject": "", "fold": f, "seed": s,
                              "between": "datasets", "label": "position", "from": a, "to": b,
                              "value": 0.9 - 0.5 * quality}
                    for s in seeds for f in folds if a != b
                ]  # fmt: skip
    return pd.DataFrame(rows).reindex(
        columns=[*PAIR_COLUMNS, *(["set.temperature"] if arms and arms[0][3] is not None else [])]
    )


def _set_columns(table: pd.DataFrame) -> list[str]:
    return [c for c in table.columns if str(c).startswith("set.")]


def _manifest(folder: Path, recordings: tuple[str, ...]) -> dict:
    return {
        "command": "isofold run study.toml --out results",
        "date": "2026-11-22T05:00:00+00:00",
        "versions": {"isofold": "0.1.0", "python": "3.11.9", "jax": "0.8.0", "numpy": "2.4.6"},
        "platform": "Linux x86_64, 2 processors",
        "inputs": {r: {"path": f"{r}.nwb", "sha256": "ab" * 32, "channels": 48} for r in recordings},
    }
