"""Averages, responses, warping, trajectories: against plain loops and known courses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from trial_simulations import noise, tensor, two_conditions

import isofold as iso
from isofold import Recording, single_trial
from isofold.errors import DataError

# -- condition averages ---------------------------------------------------------------------------


def test_mean_and_sem_of_each_condition_leave_missing_samples_out():
    data = two_conditions(np.random.default_rng(0))
    data.values[3, 5:9, 1] = np.nan
    data.values[1::2, 30, 2] = np.nan
    found = single_trial.condition_average(data, by="side", n_bootstrap=50)
    assert found["condition"].values.tolist() == ["go", "stop"]
    for number, side in enumerate(["go", "stop"]):
        part = pd.DataFrame(data.values[data.side == side].reshape(30, -1))
        np.testing.assert_allclose(found["mean"][number].values.ravel(), part.mean(), atol=1e-12)
        np.testing.assert_allclose(found["sem"][number].values.ravel(), part.sem(), atol=1e-12)
        np.testing.assert_array_equal(found["n"][number].values.ravel(), part.count())
        known = part.count() > 1
        low, high = found["low"][number].values.ravel(), found["high"][number].values.ravel()
        assert ((low < part.mean()) & (part.mean() < high))[known].all()
        assert np.isnan(low[~known]).all()


def test_animals_count_once_each():
    x = np.r_[np.zeros(30), np.ones(2) * 9, np.ones(4) * 3][:, None, None]
    animal = np.r_[np.repeat("a", 30), np.repeat("b", 2), np.repeat("c", 4)]
    found = single_trial.condition_average(tensor(x, animal=animal), animal="animal")
    assert found["mean"].item() == pytest.approx(4.0)
    assert found["sem"].item() == pytest.approx(np.std([0, 9, 3], ddof=1) / np.sqrt(3))
    assert found["n_animals"].item() == 3
    assert found["low"].item() < 0 < 9 < found["high"].item()  # three animals say little
    alone = single_trial.condition_average(tensor(x)[:1])
    assert np.isnan(alone["low"].item())


@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_hold_the_truth(skewed):
    """Trials alone, and animals that differ: 95 % or, with animals, more."""
    rng = np.random.default_rng(1)
    n, inside, nested = 150, 0, 0
    owner = np.repeat(np.arange(6), 15)
    for draw in range(n):
        x = rng.exponential(size=90) - 1 if skewed else rng.normal(size=90)
        y = x + rng.normal(size=6)[owner]
        one = single_trial.condition_average(x[:, None, None], n_bootstrap=300, seed=draw)
        six = single_trial.condition_average(
            y[:, None, None], animal=owner, n_bootstrap=300, seed=draw
        )
        inside += one["low"].item() < 0 < one["high"].item()
        nested += six["low"].item() < 0 < six["high"].item()
    assert 0.88 * n <= inside <= 0.995 * n
    assert 0.90 * n <= nested


def test_draws_of_trials_and_animals():
    values = np.arange(12.0)
    animals = np.repeat(["x", "y", "z"], 4)
    draws = single_trial.hierarchical_bootstrap(values, animals, n_draws=4000, seed=1)
    assert draws.mean() == pytest.approx(5.5, abs=0.15)
    between, within = np.var([1.5, 5.5, 9.5]) / 3, np.var(np.arange(4)) / 12
    assert draws.var() == pytest.approx(between + within, rel=0.1)
    again = single_trial.hierarchical_bootstrap(values, animals, n_draws=4000, seed=1)
    np.testing.assert_array_equal(draws, again)
    assert single_trial.hierarchical_bootstrap(np.ones((5, 2, 3)), n_draws=7).shape == (7, 2, 3)


# -- responses ------------------------------------------------------------------------------------


def test_responses_recover_injected_bumps():
    rng = np.random.default_rng(2)
    t = np.arange(60) / 20 - 1
    height, latency = rng.uniform(2, 5, 40), rng.uniform(0.2, 1.2, 40)
    bump = height[:, None] * np.exp(-0.5 * ((t - latency[:, None]) / 0.15) ** 2)
    data = tensor(np.stack([bump, -bump], 2), side=np.resize(["l", "r"], 40))
    table = single_trial.responses(data, (0.0, 2.0), sign="either")
    assert len(table) == 80
    up = table[table["channel"] == "ch0"]
    np.testing.assert_allclose(up["peak"], height, rtol=0.02)
    np.testing.assert_allclose(up["latency"], latency, atol=0.026)
    np.testing.assert_allclose(up["onset"], latency - 0.15 * np.sqrt(2 * np.log(2)), atol=0.02)
    whole = single_trial.responses(data.isel(channel=[0]))
    np.testing.assert_allclose(whole["area"], height * 0.15 * np.sqrt(2 * np.pi), rtol=0.01)
    down = table[table["channel"] == "ch1"]
    np.testing.assert_allclose(down["peak"].to_numpy(), -up["peak"].to_numpy())
    np.testing.assert_allclose(down["onset"].to_numpy(), up["onset"].to_numpy())
    assert table["side"].tolist()[:2] == ["l", "r"]
    negative = single_trial.responses(data, (0, 2), sign="negative")
    assert (negative.loc[negative["channel"] == "ch1", "peak"] < -1.9).all()


def test_responses_of_censored_trials():
    x = np.ones((3, 10, 1))
    x[0, 4:], x[2] = np.nan, np.nan
    table = single_trial.responses(tensor(x))
    np.testing.assert_allclose(table["share"], [0.4, 1.0, 0.0])
    np.testing.assert_allclose(table["area"], [0.15, 0.45, np.nan])
    assert table.loc[2, ["mean", "peak", "latency", "onset"]].isna().all()


# -- warping --------------------------------------------------------------------------------------


def test_warping_lays_phases_over_one_another():
    """The signal is the phase of its trial: every warped trial is 0 to 1."""
    rng = np.random.default_rng(3)
    start = np.arange(12) * 10.0
    cue, choice = start + rng.uniform(1, 2, 12), start + rng.uniform(4, 9, 12)
    t = np.arange(0, 120, 0.02)
    row = np.minimum((t // 10).astype(int), 11)
    phase = (t - cue[row]) / (choice - cue)[row]
    trials = pd.DataFrame(
        {"start": (start * 50).astype(int), "stop": (start * 50 + 500).astype(int)}
    )
    recording = Recording(
        phase[:, None],
        rate=50.0,
        trials=trials.assign(cue=cue, choice=choice),
        events={"go": cue, "lick": np.sort(np.r_[choice, choice + 0.3])},
    )
    by_column = single_trial.warp(recording, "cue", "choice", n=31)
    by_event = single_trial.warp(recording, "go", "lick", n=31)
    aligned = recording.align("cue", (-1.0, 7.6), interpolate=True, nan="keep")
    by_tensor = single_trial.warp(aligned, 0.0, "choice", n=31)
    for warped in (by_column, by_event, by_tensor):
        np.testing.assert_allclose(warped.time, np.linspace(0, 1, 31))
        np.testing.assert_allclose(warped.duration, choice - cue)
        known = warped.valid.values
        assert known.mean() > 0.97
        want = np.broadcast_to(np.linspace(0, 1, 31)[None, :, None], known.shape)
        np.testing.assert_allclose(warped.values[known], want[known], atol=1e-9)


def test_warping_pairs_events_and_stays_inside_segments():
    recording = Recording(
        np.arange(40.0)[:, None],
        rate=1.0,
        trials=pd.DataFrame({"start": [0, 20], "stop": [20, 40]}),
        events={"a": [2.0, 5.0, 18.0, 30.0], "b": [7.0, 24.0, 35.0]},
    )
    warped = single_trial.warp(recording, "a", "b", n=3)
    np.testing.assert_array_equal(warped.event_time, [5.0, 18.0, 30.0])
    np.testing.assert_array_equal(warped.valid.values[1, :, 0], [True, False, False])
    np.testing.assert_allclose(warped.values[[0, 2], :, 0], [[5, 6, 7], [30, 32.5, 35]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", "b", 1), "n must be a whole number of at least 2"),
        (("b", "b"), "no trial has both events"),
        (("nose", "b"), "no event 'nose'"),
        (("late", "early"), "the second event must come after the first; 1 of 1 trials"),
    ],
)
def test_warping_refuses(arguments, message):
    trials = pd.DataFrame({"start": [0], "stop": [9], "late": [6.0], "early": [2.0]})
    recording = Recording(np.zeros((9, 1)), 1.0, trials=trials, events={"a": [2.0], "b": [5.0]})
    with pytest.raises(DataError, match=message):
        single_trial.warp(recording, *arguments)


# -- trajectories ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rat():
    return iso.simulate.place_cells(seed=0, n_laps=6, n_units=8)


def test_trajectories_are_the_samples_of_each_trial(rat):
    z = iso.PCA(output_dimension=2).fit_transform(rat)
    paths = single_trial.trajectories(z)
    assert paths.dims == ("trial", "time", "latent")
    for name in rat.trials.index:
        own = z.values[z.trial.values == name]
        path = paths.sel(trial=name).values
        np.testing.assert_array_equal(path[: len(own)], own)
        assert np.isnan(path[len(own) :]).all()
    assert "direction" in paths.coords  # constant in a lap, hence a column of the trials
    assert "position" not in paths.coords
    np.testing.assert_allclose(np.diff(paths.time), 1 / rat.rate)
    stops = single_trial.trajectories(z, "stop", (-0.5, 0.0))
    assert not np.isnan(stops).any()


def test_trajectories_around_events_of_the_recording(rat):
    z = iso.PCA(output_dimension=2).fit_transform(rat)
    middle = rat.trials[["start", "stop"]].mean(axis=1).astype(int).to_numpy()
    events = {"middle": rat.time[middle]}
    named = iso.Recording(rat.signal, rat.rate, start=rat.start, trials=rat.trials, events=events)
    paths = single_trial.trajectories(z, "middle", (-0.2, 0.2), recording=named)
    np.testing.assert_array_equal(paths.sel(time=0, method="nearest"), z.values[middle])
    test = rat.split(test=0.5)[1]
    assert single_trial.trajectories(iso.PCA(2).fit_transform(test)).sizes["trial"] == 3


def test_trajectories_refuse():
    with pytest.raises(DataError, match=r"takes an embedding \(time, latent\)"):
        single_trial.trajectories(np.zeros((3, 2)))
    bare = xr.DataArray(np.zeros((3, 2)), dims=("time", "latent"))
    with pytest.raises(DataError, match="samples with time and trial"):
        single_trial.trajectories(bare)
    placed = bare.assign_coords(time=[0.0, 0.1, 0.2], latent=[0, 1], trial=("time", [0, 1, 0]))
    with pytest.raises(DataError, match="trial 0 is in 2 pieces"):
        single_trial.trajectories(placed)
    outside = placed.assign_coords(trial=("time", [-1, -1, -1]))
    with pytest.raises(DataError, match="outside trials"):
        single_trial.trajectories(outside)
    with pytest.raises(DataError, match="window"):
        single_trial.trajectories(placed.assign_coords(trial=("time", [0, 0, 0])), "stop")


# -- what all refuse ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: single_trial.condition_average(np.zeros((3, 4))),
            "must be .trial, time",
        ),
        (
            lambda d: single_trial.condition_average(d, by="nose"),
            r"by='nose' is no column .*'side'",
        ),
        (lambda d: single_trial.condition_average(d, by=["a"]), "one value for each of the 60"),
        (lambda d: single_trial.condition_average(d, by=np.full(60, np.nan)), "missing in every"),
        (
            lambda d: single_trial.condition_average(d, by=np.linspace(0, 1.5, 60)),
            "must name classes, but the given column holds 60 different",
        ),
        (lambda d: single_trial.condition_average(d, animal=[None] * 60), "missing in trial 0"),
        (lambda d: single_trial.condition_average(d, level=1.0), "level must lie between"),
        (lambda d: single_trial.condition_average(d, n_bootstrap=-1), "n_bootstrap must be"),
        (lambda d: single_trial.condition_average(d.where(d < 1, np.inf)), "must be finite or NaN"),
        (lambda d: single_trial.condition_average(d[:0]), "must hold trials, times and channels"),
        (lambda d: single_trial.condition_average(d.astype(str)), "must hold real numbers"),
        (lambda d: single_trial.condition_average(d.rename(time="t")), "must have the dimensions"),
        (lambda d: single_trial.responses(d, (9, 10)), "holds no sample of the tensor"),
        (lambda d: single_trial.responses(d, sign="up"), "sign must be"),
        (lambda d: single_trial.responses(d, fraction=0), "fraction must lie"),
        (lambda d: single_trial.hierarchical_bootstrap([]), "at least one trial"),
        (lambda d: single_trial.hierarchical_bootstrap([1.0], ["a", "b"]), "one name for each"),
        (lambda d: single_trial.hierarchical_bootstrap([1.0], n_draws=0), "n_draws must be"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(DataError, match=message):
        call(two_conditions(np.random.default_rng(0)))


def test_one_fiber_without_a_channel_dimension():
    data = tensor(noise(np.random.default_rng(0), 8, 20, 1)).isel(channel=0, drop=True)
    assert single_trial.condition_average(data)["mean"].shape == (1, 20, 1)
