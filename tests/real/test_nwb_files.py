"""NWB files of others: sorted units without behaviour; trials and events without units."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter1d

import isofold as iso

PHY = {
    6: (11_020, 0.030333, 1087.352833),
    191: (4_690, 0.874333, 1087.258),
    206: (5_644, 0.028133, 1087.221833),
}

FORAGING = {
    "697062_2023-11-14_11-12-44": {
        "trials": 342, "choices": (135, 111, 96), "earned": (9, 6), "water": (97, 128),
        "licks": (1_081, 1_268), "rewards": (107, 135), "pulses": 75_341,
        "ends": (4312319.972480, 4315438.915488),
    },
    "697062_2023-11-15_10-02-05": {
        "trials": 265, "choices": (124, 85, 56), "earned": (66, 51), "water": (16, 19),
        "licks": (1_691, 987), "rewards": (82, 71), "pulses": 57_713,
        "ends": (4394107.557504, 4396381.735488),
    },
    "697062_2023-11-20_10-39-40": {
        "trials": 470, "choices": (299, 127, 44), "earned": (130, 61), "water": (0, 0),
        "licks": (5_085, 1_612), "rewards": (130, 65), "pulses": 0,
        "ends": (4828362.264480, 4832713.041504),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def phy(data):
    return iso.read(data("nwb_pynapple_phy") / "A8604-211122.nwb")


def test_phy_units_keep_their_ids(phy):
    assert list(phy.units.index) == [6, 191, 206]
    for unit, (n, first, last) in PHY.items():
        t = np.asarray(phy.units[unit].times())
        assert len(t) == n
        assert (t[0], t[-1]) == pytest.approx((first, last), abs=5e-7)
        assert (np.diff(t) > 0).all()
    assert sum(len(phy.units[k]) for k in PHY) == 21_354


def test_phy_short_intervals(phy):
    short = [int((np.diff(phy.units[k].times()) < 1e-3).sum()) for k in PHY]
    assert short == [0, 71, 6]


def test_phy_has_one_epoch_and_no_trials(phy):
    assert phy.trials is None
    assert phy.series == {}
    epochs = phy.intervals["epochs"]
    assert epochs[["start", "stop"]].to_numpy().tolist() == [[0.0, pytest.approx(1087.5289)]]
    assert epochs["tags"].tolist() == ["wake"]
    assert phy.subject is None


def test_phy_empty_words_break_nothing(phy):
    assert phy.units.metadata["area"].tolist() == ["", "", ""]
    assert phy.units.metadata["electrode_group"].tolist() == ["group0_psb"] * 3
    assert phy.metadata["warnings"] == []


def test_phy_electrodes(data):
    import h5py

    with h5py.File(data("nwb_pynapple_phy") / "A8604-211122.nwb") as file:
        electrodes = file["general/extracellular_ephys/electrodes"]
        assert len(electrodes["id"]) == 383
        assert not any(electrodes[axis][:].any() for axis in "xyz")


def test_phy_bins_without_trials(phy):
    recording = phy.restrict("epochs").bin(0.1)
    assert recording.signal.shape == (10_875, 3)
    last = 1087.5
    counted = sum(int((np.asarray(phy.units[k].times()) < last).sum()) for k in PHY)
    assert recording.signal.sum() == counted
    assert recording.trials is None
    assert recording.segments["trial"].tolist() == [0]
    assert recording.channels["unit"].tolist() == [6, 191, 206]


@pytest.fixture(scope="module", params=sorted(FORAGING))
def foraging(request, data):
    path = data("aind_dynamic_foraging_nwb") / f"{request.param}.nwb"
    return iso.read(path), FORAGING[request.param]


def test_foraging_trials(foraging):
    session, fact = foraging
    trials = session.trials
    assert len(trials) == fact["trials"]
    assert len(trials.columns) == 46
    response = trials["animal_response"]
    assert tuple((response == k).sum() for k in (0, 1, 2)) == fact["choices"]
    left, right = trials["rewarded_historyL"], trials["rewarded_historyR"]
    assert (left.sum(), right.sum()) == fact["earned"]
    assert not (left & right).any()
    assert (response[left] == 0).all()
    assert (response[right] == 1).all()
    assert (trials["auto_waterL"].sum(), trials["auto_waterR"].sum()) == fact["water"]
    assert (trials["start"].iloc[0], trials["stop"].iloc[-1]) == pytest.approx(
        fact["ends"], abs=1e-6
    )
    assert (trials["start"].to_numpy()[1:] >= trials["stop"].to_numpy()[:-1]).all()
    assert not trials.filter(like="laser_").select_dtypes("number").to_numpy().any()


def test_foraging_events(foraging):
    session, fact = foraging
    n = {k: len(v) for k, v in session.events.items()}
    assert (n["left_lick_time"], n["right_lick_time"]) == fact["licks"]
    rewards = (n["left_reward_delivery_time"], n["right_reward_delivery_time"])
    assert rewards == fact["rewards"]
    assert (n["FIP_rising_time"], n["FIP_falling_time"]) == (fact["pulses"], fact["pulses"])
    assert session.series == {}
    assert session.units is None
    assert session.subject == "697062"
    assert session.intervals == {}
    assert session.metadata["session_id"].endswith(".json")


def test_foraging_flaws_are_said(foraging):
    session, fact = foraging
    said = sorted(session.metadata["warnings"])
    copied = "its description 'The time of left licks' is that of left_lick_time"
    always = [f"{name}: {copied}" for name in ("FIP_falling_time", "FIP_rising_time")]
    always += [f"right_lick_time: {copied}", "subject: sex, age, genotype not given"]
    assert set(always) <= set(said)
    rest = [w for w in said if w not in always]
    assert rest.pop().endswith(".json' is the name of a file")
    assert {w.split(":")[0] for w in rest} == {"FIP_falling_time", "FIP_rising_time"}
    if fact["pulses"] == 0:
        assert all("its one time is NaN, which stands for none; no events" in w for w in rest)
        return
    steps = np.diff(session.events["FIP_rising_time"])
    assert steps.min() == pytest.approx(0.0015, abs=1e-4)
    early = "11 pulses come less than half a step (0.05011 s) after the last, down to 0.0015 s"
    assert any(w.startswith(f"FIP_rising_time: {early}") for w in rest)
    gaps = [w for w in rest if "1 gaps" in w and "longest 2.897 s" in w]
    assert len(gaps) == (2 if fact["pulses"] == 57_713 else 0)
    assert len(rest) == 2 + len(gaps)


# -- the Zarr folder with flawed photometry -------------------------------------------------------

ZARR = "behavior_717531_2024-08-07_09-01-02"
LIT = ("G_1", "G_2", "Iso_1", "Iso_2")


@pytest.fixture(scope="module")
def zarr(data):
    return iso.read(data("aind_dynamic_foraging_nwb") / f"{ZARR}.nwb")


@pytest.fixture(scope="module")
def said(zarr):
    """Warnings by series, without the name."""
    out: dict[str, list[str]] = {}
    for name, rest in (w.split(": ", 1) for w in zarr.metadata["warnings"]):
        out.setdefault(name, []).append(rest)
    return out


def test_zarr_holds_what_its_source_says(zarr):
    assert (zarr.name, zarr.subject, len(zarr.trials)) == (ZARR, "717531", 725)
    assert len(zarr.trials.columns) == 59
    response = zarr.trials["animal_response"]
    assert tuple((response == k).sum() for k in (0, 1, 2)) == (449, 223, 53)
    n = {name: len(series) for name, series in zarr.series.items()}
    assert (n["G_1"], n["Iso_1"], n["R_1"]) == (109_027, 109_032, 109_041)
    assert (n["G_1_preprocessed"], n["R_1_preprocessed"]) == (218_054, 218_082)
    assert len(n) == 12
    events = {name: len(times) for name, times in zarr.events.items()}
    assert events == {
        "FIP_falling_time": 109_060, "FIP_rising_time": 109_060, "left_lick_time": 2449,
        "right_lick_time": 1862, "left_reward_delivery_time": 177,
        "right_reward_delivery_time": 134, "optogenetics_time": 0,
    }  # fmt: skip
    pulses = zarr.events["FIP_rising_time"]
    np.testing.assert_array_equal(zarr.series["R_1"].times(), pulses[19:])
    assert not isinstance(zarr.series["G_1"].values, np.ndarray)  # in the folder until used


@pytest.mark.parametrize(
    ("color", "before", "end", "stretches"),
    [("G", "33.16", "683.5", 13), ("Iso", "16.5", "416.8", 8)],
)
def test_zarr_times_off_the_pulses(said, color, before, end, stretches):
    raw = [f"{color}_1", f"{color}_2"]
    for name in [*raw, *(f"{r}_preprocessed" for r in raw)]:
        off = [
            w for w in said[name] if w.startswith("times are not those of the pulses FIP_rising")
        ]
        assert len(off) == 1
        assert f"start {before} s before the first pulse and end {end} s before the last" in off[0]
        assert any(w.startswith("irregular steps") for w in said[name])
        crowded = rf"{stretches} stretches of about \d\d s hold 40 samples per second instead of 20"
        assert any(re.match(crowded, w) for w in said[name])


def test_zarr_disturbed_order(said):
    at = {"G": "1, 2, 3, 4, 5, 11, 16, 17, 18, 82", "Iso": "0, 2, 3, 5, 6, 9, 14, 16, 18, 21"}
    for name in LIT:
        (order,) = [w for w in said[name] if "order of samples is disturbed" in w]
        assert f"(about 25" in order  # noqa: F541
        assert f"at indices {at[name.split('_')[0]]} stand" in order


def test_zarr_repeats_missing_values_and_floor(said, zarr):
    for name in ("G_1", "G_2", "R_1", "R_2"):
        doubled = said[f"{name}_preprocessed"]
        assert any(w.startswith("every time occurs twice") for w in doubled)
        assert any(w.startswith("every time has two values, 100 % of them diff") for w in doubled)
    for name in ("Iso_1", "Iso_2"):
        assert any(w.startswith("one value is NaN, at index 108030") for w in said[name])
        assert "all 109032 values are NaN" in said[f"{name}_preprocessed"]
    for name in ("R_1", "R_2"):
        floor, unit = sorted(said[name])
        assert floor.startswith("sensor floor without signal: values stay at 257.")
        assert unit.startswith("unit 's' is one of time")
    for name in zarr.series:
        assert any(w.startswith("unit 's' is one of time") for w in said[name])


def test_zarr_words(said):
    assert said["optogenetics_time"] == ["its one time is NaN, which stands for none; no events"]
    assert said["right_lick_time"] == [
        "its description 'The time of left licks' is that of left_lick_time"
    ]


def test_zarr_accuses_nothing_else(said, zarr):
    """Clean clocks (red, pulses, licks, rewards) are not accused; each flaw is said once."""
    assert set(said) == {*zarr.series, "optogenetics_time", "right_lick_time"}
    assert {len(said[name]) for name in ("R_1", "R_2")} == {2}
    assert {len(said[name]) for name in ("G_1", "G_2")} == {5}
    assert {len(said[f"{name}_preprocessed"]) for name in ("R_1", "R_2")} == {3}
    assert {len(said[f"{name}_preprocessed"]) for name in ("G_1", "G_2")} == {6}


def dff(series):
    """The measure of SOURCE.md, in per cent."""
    values = np.array(series.values[:])
    values[:100] = np.median(values[100:300])
    slow = gaussian_filter1d(values, 1200)
    return 100 * (values / slow - 1)


def response(t, x, events):
    """Mean over [1, 3.25) s after minus [−2, 0) s before each event, and its standard error."""
    inside = events[(events - 2 > t[0]) & (events + 3.25 < t[-1])]
    each = []
    for event in inside:
        a, b, c, d = np.searchsorted(t, event + np.array([-2.0, 0.0, 1.0, 3.25]))
        if b > a and d > c:
            each.append(x[c:d].mean() - x[a:b].mean())
    return np.mean(each), np.std(each, ddof=1) / np.sqrt(len(each)), len(each)


def test_zarr_retimed_shows_the_response_to_reward(zarr):
    """Nothing with the times as stored; 3.91 % (0.28) with those of the pulses."""
    rewards = np.sort(
        np.concatenate([zarr.events[f"{s}_reward_delivery_time"] for s in ("left", "right")])
    )
    stored = zarr.series["G_2"]
    mean, error, n = response(np.asarray(stored.times()), dff(stored), rewards)
    assert n == 266
    assert mean == pytest.approx(0.10, abs=0.005)
    assert error == pytest.approx(0.22, abs=0.005)
    after = iso.preprocess.retime(zarr, series="G_*", pulses="FIP_rising_time")
    assert after.provenance[-1]["series"] == ["G_1", "G_2"]
    repaired = after.series["G_2"]
    mean, error, n = response(np.asarray(repaired.times()), dff(repaired), rewards)
    assert n == 311
    assert mean == pytest.approx(3.91, abs=0.005)
    assert error == pytest.approx(0.28, abs=0.005)
    left = [w.split(": ", 1)[1] for w in after.metadata["warnings"] if w.startswith("G_2: ")]
    assert len(left) == 3
    assert left[-1] == "times replaced by those of FIP_rising_time (retime)"
    assert "G_1_preprocessed: not retimed" in "; ".join(after.metadata["warnings"])


@pytest.mark.parametrize("suffix", [".nwb", ".nwb.zarr"])
def test_zarr_is_processed_and_written(zarr, tmp_path, suffix):
    after = iso.preprocess.retime(zarr, series="G_*", pulses="FIP_rising_time")
    recording = after.bin(0.5, signal="G_2")
    assert recording.signal.shape[1] == 1
    assert (recording.trial >= 0).sum() > 9000
    back = iso.read(after.to_nwb(tmp_path / f"x{suffix}"))
    assert back.provenance == after.provenance
    assert back.metadata == after.metadata
    pd.testing.assert_frame_equal(back.trials, after.trials, check_names=False)
    for name, series in after.series.items():
        np.testing.assert_array_equal(back.series[name].times(), series.times())
        np.testing.assert_array_equal(back.series[name].values[:], series.values[:])
    for name, times in after.events.items():
        np.testing.assert_array_equal(back.events[name], times)
