"""Embeddings on the page: one frame, shared samples, nothing bent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from isofold.plot._thin import thinned
from isofold.report.panels import POINT_BUDGET, gallery, procrustes


def cloud(turn=None, *, n=300, d=3, split=True, trials=10, **coords) -> xr.DataArray:
    points = np.random.default_rng(0).normal(size=(n, d)) * np.arange(d, 0, -1)
    points = points if turn is None else points @ turn
    trial = np.arange(n) * trials // n
    given = {"time": np.arange(n) * 0.1, "trial": ("time", trial)}
    if split:
        given["split"] = ("time", np.where(trial >= trials - 2, "test", "train"))
    return xr.DataArray(points, given | coords, ("time", "latent"))


def draw(**runs: xr.DataArray):
    table = pd.DataFrame({"key": list(runs), "recording": "rat1", "variant": "m", "method": "m"})
    table = table.assign(status="done", is_control=False, seed=range(len(runs)), fold=0)
    return gallery(table, runs.get)


def test_turned_reflected_and_scaled_runs_fall_onto_the_first():
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    made = draw(a=cloud(), b=3 * cloud(turn) + 5, c=cloud(np.diag([1.0, -1.0, 1.0])))
    a, b, c = (p.points for p in made.panels)
    np.testing.assert_allclose(a, b, atol=1e-9)
    np.testing.assert_allclose(a, c, atol=1e-9)


def test_alignment_uses_training_samples_only():
    moved = cloud()
    test = moved["split"].values == "test"
    moved.values[test] += 100
    a, b = draw(a=cloud(), b=moved).panels
    np.testing.assert_allclose(a.points[~test], b.points[~test], atol=1e-9)


def test_shapes_are_not_bent():
    z = cloud(d=3)
    (panel,) = draw(a=z).panels
    one = np.linalg.norm(z.values[0] - z.values[1:], axis=1)
    two = np.linalg.norm(panel.points[0] - panel.points[1:], axis=1)
    np.testing.assert_allclose(two / one, (two / one)[0])


def test_a_run_that_fits_badly_keeps_its_size():
    rng = np.random.default_rng(3)
    _, _, scale, _ = procrustes(rng.normal(size=(500, 3)), rng.normal(size=(500, 3)))
    assert scale == pytest.approx(1, abs=0.1)


def test_thinning_keeps_the_start_of_every_trial():
    trial = np.repeat(np.arange(4), [10, 3, 7, 20])
    kept, every, per_trial = thinned(np.arange(40), trial, 20)
    assert (every, per_trial) == (2, True)
    starts = np.searchsorted(trial, np.arange(4))
    assert set(starts) <= set(kept)
    assert all(np.all(np.diff(kept[trial[kept] == t]) == 2) for t in range(4))


def test_very_short_trials_do_not_break_the_limit():
    kept, every, per_trial = thinned(np.arange(1000), np.arange(1000), 100)
    assert (len(kept), every, per_trial) == (100, 10, False)


def test_samples_outside_trials_are_left_out_and_counted():
    z = cloud()
    split = np.where(np.arange(300) < 50, "outside", z["split"].values)
    (grid,) = draw(a=z.assign_coords(split=("time", split))).grids
    assert grid.n_left_out == 50
    assert grid.rows.min() == 50


def test_kinds_come_from_the_label_then_from_its_values():
    angle = ("time", np.linspace(0, 12, 300), {"kind": "circular"})
    many = ("time", np.arange(300))
    few = ("time", np.arange(300) % 3 - 1)
    (grid,) = draw(a=cloud(angle=angle, many=many, few=few)).grids
    kinds = {x.name: x.kind for x in grid.labels}
    assert kinds == {"angle": "circular", "many": "continuous", "few": "discrete"}
    by_name = {x.name: x for x in grid.labels}
    assert by_name["few"].categories == ["0", "1"]  # -1 is no value
    assert by_name["few"].values[0] == -1
    assert by_name["angle"].values.max() <= 2 * np.pi


def test_labels_on_both_sides_of_zero_are_signed():
    wave = ("time", np.sin(np.linspace(0, 12, 300)))
    speed = ("time", np.linspace(-0.1, 9, 300))
    gaps = ("time", np.where(np.arange(300) < 9, np.nan, np.linspace(-1, 1, 300)))
    never = ("time", np.full(300, np.nan))
    angle = ("time", np.linspace(-3, 3, 300), {"kind": "circular"})
    given = {"wave": wave, "speed": speed, "gaps": gaps, "never": never, "angle": angle}
    (grid,) = draw(a=cloud(**given)).grids
    assert {x.name for x in grid.labels if x.signed} == {"wave", "gaps"}


def test_labels_beyond_the_limit_are_left_out_and_counted():
    many = {f"x{k}": ("time", np.arange(300) % 2) for k in range(20)}
    (grid,) = draw(a=cloud(**many)).grids
    assert [x.name for x in grid.labels] == [f"x{k}" for k in range(16)]
    assert grid.labels_left_out == 4


def test_all_pictures_together_keep_to_the_budget():
    made = draw(**{f"r{k}": cloud(n=9000) for k in range(120)})
    assert made.limit == POINT_BUDGET // 120
    assert sum(len(p.points) for p in made.panels) <= 1.5 * POINT_BUDGET


@pytest.mark.parametrize("d", [1, 2, 3, 8])
def test_any_number_of_latents_is_drawn_in_three_columns(d):
    (panel,) = draw(a=cloud(d=d)).panels
    assert panel.points.shape == (300, 3)
    assert panel.latents == d
    assert 0 < panel.shown <= 1 + 1e-9


def test_another_clock_is_another_grid():
    made = draw(a=cloud(), b=cloud(n=150))
    assert [p.grid for p in made.panels] == [0, 1]


def test_runs_beyond_the_limit_are_counted():
    runs = {f"r{k}": cloud(n=20) for k in range(245)}
    made = draw(**runs)
    assert len(made.panels) == 240
    assert made.n_left_out == 5


def test_constant_embedding_does_not_break():
    z = cloud()
    (panel,) = draw(a=z.copy(data=np.zeros_like(z.values))).panels
    assert np.isfinite(panel.points).all()
