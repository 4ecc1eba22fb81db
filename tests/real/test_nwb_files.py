"""NWB files of others: sorted units without behaviour; trials and events without units."""

from __future__ import annotations

import numpy as np
import pytest

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
    said = "; ".join(session.metadata["warnings"])
    if fact["pulses"] == 57_713:
        steps = np.diff(session.events["FIP_rising_time"])
        assert (steps > 0.1).sum() == 1
        assert steps.max() == pytest.approx(2.897, abs=5e-4)
        assert "FIP_rising_time: 1 gaps" in said
        assert "longest 2.897 s" in said
    elif fact["pulses"] == 0:
        assert "FIP_rising_time: 1 of 1 event times are NaN" in said
    else:
        assert said == ""


def test_zarr_folder_is_named_as_such(data):
    path = data("aind_dynamic_foraging_nwb") / "behavior_717531_2024-08-07_09-01-02.nwb"
    with pytest.raises(iso.errors.ReadError, match="NWB-Zarr is not read yet"):
        iso.read(path)
