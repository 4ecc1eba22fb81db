"""Rat CA1 on a linear track: every number of its fact table, through NWB, `read` and `bin`."""

from __future__ import annotations

import numpy as np
import pytest

import isofold as iso

SPIKES = [1748, 106, 352, 88, 875, 305, 145, 113, 408, 557, 1613, 491, 270, 984, 1381, 7959]
SPIKES += [931, 71, 477, 1183, 487, 816, 479, 44, 1065, 92, 41, 2127, 901, 1179, 1541]
LABELS = ["position", "direction", "speed"]


@pytest.fixture(scope="module")
def session(data, nelpy, tmp_path_factory):
    raw = nelpy.linear_track(data("nelpy_linear_track"))
    return iso.read(raw.to_nwb(tmp_path_factory.mktemp("nwb") / "linear-track.nwb"))


@pytest.fixture(scope="module")
def run(session):
    """All bins of 25 ms, 4443 to 5362 s."""
    return session.restrict("run").bin(0.025, labels=LABELS)


@pytest.fixture(scope="module")
def running(session):
    return session.restrict("running").bin(0.025, labels=LABELS)


def test_raw_trajectory(data, nelpy):
    folder = data("nelpy_linear_track")
    file = folder / "trajectory.videoPositionTracking"
    raw = nelpy.records(file)
    assert file.read_bytes().index(b"<End settings>\n") + 15 == 197
    assert (len(raw), raw["time"][0], raw["time"][-1]) == (118_965, 131_910_951, 191_383_668)
    assert raw["time"][[0, -1]] / 30_000 == pytest.approx([4397.0317, 6379.4556], abs=5e-5)
    assert [raw[c].min() for c in "xy"] == [133, 1]
    assert [raw[c].max() for c in "xy"] == [554, 479]
    assert not raw["x2"].any()
    assert not raw["y2"].any()
    assert (np.flatnonzero(np.diff(raw["time"].astype(int)) == 0) + 1).tolist() == [45_598]
    path = nelpy.trajectory(folder)
    assert len(path.tick) == 118_964
    assert (np.diff(path.tick) > 0).all()
    steps = np.diff(path.t)
    assert steps.max() == pytest.approx(0.111, abs=1e-3)
    assert ((steps > 0.0158) & (steps < 0.0178)).mean() > 0.985


def test_raw_spikes(data, nelpy):
    from scipy.io import loadmat

    folder = data("nelpy_linear_track")
    tetrodes = loadmat(folder / "spikes.mat")["spikes"][0, 0][0, 0].ravel()
    assert [t.size for t in tetrodes] == [22, 0, 14, 10, 0, 0, 0, 0, 20, 22, 0, 0, 10]
    assert sum(c.size > 0 for t in tetrodes for c in t.ravel()) == 37
    times, _ = nelpy.spikes(folder)
    every = np.concatenate(list(times.values()))
    assert np.abs(every * 30_000 - np.rint(every * 30_000)).max() < 1e-4
    ticks = {k: np.rint(t * 30_000).astype(int) for k, t in times.items()}
    shared = np.unique(np.concatenate(list(ticks.values())), return_counts=True)[1]
    assert (shared > 1).sum() == 766
    assert len(np.intersect1d(ticks[24], ticks[28])) == 289
    assert len(np.intersect1d(ticks[19], ticks[27])) == 157


def test_units_survive_the_file(session):
    times = [np.asarray(session.units[k].times()) for k in session.units.index]
    assert [len(t) for t in times] == SPIKES
    assert sum(SPIKES) == 28_829
    assert all((np.diff(t) > 0).all() for t in times)
    assert min(t[0] for t in times) == pytest.approx(4397.002300, abs=5e-7)
    assert max(t[-1] for t in times) == pytest.approx(6365.147267, abs=5e-7)


def test_position_along_the_track(session):
    t, s = session.series["position"].times(), np.asarray(session.series["position"].values[:])
    on = (t >= 4443) & (t <= 5362)
    assert (s[on].min(), s[on].max()) == pytest.approx((191, 622), abs=1)


def test_laps(session):
    laps = session.trials
    assert len(laps) == 47
    assert laps["direction"].value_counts().to_dict() == {"right": 24, "left": 23}
    assert (laps["direction"].to_numpy()[:-1] != laps["direction"].to_numpy()[1:]).all()
    assert laps["direction"].iloc[[0, -1]].tolist() == ["right", "right"]
    seconds = (laps["stop"] - laps["start"]).to_numpy()
    found = [seconds.min(), seconds.max(), np.median(seconds)]
    assert found == pytest.approx([2.73, 62.58, 3.68], abs=0.005)
    assert seconds.sum() == pytest.approx(395.9, abs=0.05)
    ends = laps[["start", "stop"]].to_numpy()[[0, -1]].ravel()
    assert ends == pytest.approx([4449.113, 4452.361, 5331.939, 5343.185], abs=5e-4)
    assert ((seconds > 8).sum(), np.flatnonzero(seconds > 8)[0]) == (10, 21)


@pytest.mark.parametrize(("low", "high"), [(150, 460), (170, 440), (200, 410), (220, 390)])
def test_lap_count_does_not_hang_on_thresholds(data, nelpy, low, high):
    laps = nelpy.passes(nelpy.trajectory(data("nelpy_linear_track")), low, high)
    assert laps["direction"].value_counts().to_dict() == {"right": 24, "left": 23}


def test_all_bins(run):
    assert run.signal.shape == (36_760, 31)
    assert run.signal.sum() == 13_910
    assert run.rate == 40.0
    assert run.time[0] == pytest.approx(4443.0125)


def test_bins_in_laps(run):
    inside = run.trial >= 0
    assert inside.sum() == 15_834
    assert run.signal[inside].sum() == 8_167
    assert len(run.trials) == 47


@pytest.mark.parametrize(
    ("speed", "bins", "spikes"), [(20, 7_989, 6_095), (30, 7_368, 5_881), (40, 6_881, 5_692)]
)
def test_running_bins(run, speed, bins, spikes):
    along = run.labels["speed"] * np.where(run.labels["direction"] == "right", 1, -1)
    chosen = (run.trial >= 0) & (along > speed)
    assert chosen.sum() == pytest.approx(bins, rel=0.01)
    assert run.signal[chosen].sum() == pytest.approx(spikes, rel=0.01)


def test_running_intervals_give_the_same_bins(run, running):
    along = run.labels["speed"] * np.where(run.labels["direction"] == "right", 1, -1)
    chosen = (run.trial >= 0) & (along > 30)
    np.testing.assert_array_equal(running.signal, run.signal[chosen])
    np.testing.assert_allclose(running.time, run.time[chosen], atol=1e-6)
    assert not np.isnan(running.labels["position"]).any()
    held = np.abs(running.labels["position"] - run.labels["position"][chosen])
    assert held.max() < 2  # px; at the ends of a bout the nearest sample stands in


def test_shape_of_the_running_bins(running):
    right = running.labels["direction"] == "right"
    assert right.sum() == pytest.approx(3_554, rel=0.01)
    assert (~right).sum() == pytest.approx(3_814, rel=0.01)
    lengths = (running.trials["stop"] - running.trials["start"]).to_numpy()
    assert (lengths.min(), np.median(lengths), lengths.max()) == (110, 142, 298)
    assert len(running) * 0.025 == pytest.approx(184.2, rel=0.01)
    assert running.signal.max() == 4
    assert (running.signal.sum(axis=1) == 0).mean() == pytest.approx(0.51, abs=0.005)
    assert running.signal.sum(axis=1).mean() == pytest.approx(0.80, abs=0.005)


def test_busy_units(running):
    spikes = running.signal.sum(axis=0)
    busy = [0, 10, 12, 13, 14, 15, 16, 18, 19, 20, 21, 27, 29, 30]
    assert np.flatnonzero(spikes >= 100).tolist() == busy
    assert (spikes >= 50).sum() == 16
    assert np.flatnonzero(spikes == 0).tolist() == [3, 6, 23, 26]
    assert spikes[15] / (len(running) * 0.025) == pytest.approx(6.7, abs=0.05)


@pytest.mark.parametrize(
    ("unit", "side", "field", "rate"),
    [(20, "left", (406, 502), 20), (13, "right", (286, 382), 22), (27, "left", (240, 264), 45)],
)
def test_place_fields(running, unit, side, field, rate):
    """Rates in bins of 24 px, by direction; "about" in the source is taken as a fifth."""
    s, here = running.labels["position"], running.labels["direction"] == side
    edges = np.arange(190, 630, 24)
    time = np.histogram(s[here], edges)[0] * 0.025
    spikes = np.histogram(s[here], edges, weights=running.signal[here, unit])[0]
    centre = (edges[:-1] + edges[1:]) / 2
    inside = (centre > field[0] - 12) & (centre < field[1] + 12)
    rates = spikes / np.maximum(time, 0.1)
    assert rates.max() == pytest.approx(rate, rel=0.2)
    assert inside[np.argmax(rates)]
    if unit in (13, 20):
        other = running.signal[~here & (s > field[0]) & (s < field[1]), unit]
        assert other.mean() / 0.025 < 0.1 * rates.max()


@pytest.mark.parametrize(
    ("bins", "r2", "error", "right"),
    [(1, 0.21, 62, 0.64), (4, 0.49, 32, 0.86), (10, 0.65, 21, 0.94), (20, 0.69, 17, 0.97)],
)
def test_reference_decoder(running, bins, r2, error, right):
    """Poisson naive Bayes over 40 positions × 2 directions, passes held out in six groups."""
    s = running.labels["position"]
    way = (running.labels["direction"] == "right").astype(int)
    counts = np.zeros_like(running.signal, dtype=float)
    for lap in running.trials.itertuples():
        block = running.signal[lap.start : lap.stop].astype(float)
        window = np.ones(bins)
        counts[lap.start : lap.stop] = np.stack(
            [np.convolve(c, window, "same") for c in block.T], 1
        )
    lap = np.searchsorted(running.trials.index, running.trial)
    edges = np.linspace(s.min(), s.max() + 1e-9, 41)
    state = (np.digitize(s, edges) - 1) + 40 * way
    centre = np.tile((edges[:-1] + edges[1:]) / 2, 2)
    guess, side = np.zeros(len(s)), np.zeros(len(s), int)
    for group in range(6):
        test = lap * 6 // 47 == group  # blocks: dealt in turn, each would hold one direction
        occupancy = np.bincount(state[~test], minlength=80)
        sums = np.stack([np.bincount(state[~test], c[~test], 80) for c in running.signal.T], 1)
        rate = _smooth(sums) / np.maximum(_smooth(occupancy[:, None]), 1e-9)
        rate = np.maximum(rate, 1e-4) * bins
        log = counts[test] @ np.log(rate).T - rate.sum(axis=1)
        log += np.log(np.maximum(occupancy, 1e-9))
        p = np.exp(log - log.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        guess[test], side[test] = p @ centre, p[:, 40:].sum(axis=1) > 0.5
    found = 1 - ((s - guess) ** 2).sum() / ((s - s.mean()) ** 2).sum()
    assert found == pytest.approx(r2, abs=0.06)
    assert np.median(np.abs(s - guess)) == pytest.approx(error, rel=0.15)
    assert (side == way).mean() == pytest.approx(right, abs=0.03)


def _smooth(x: np.ndarray) -> np.ndarray:
    """Along position, within each direction; one bin wide."""
    from scipy.ndimage import gaussian_filter1d

    return np.concatenate(
        [
            gaussian_filter1d(x[:40].astype(float), 1, axis=0),
            gaussian_filter1d(x[40:].astype(float), 1, axis=0),
        ]
    )


def test_guessing_the_median_position(running):
    s = running.labels["position"]
    assert np.median(np.abs(s - np.median(s))) == pytest.approx(84, abs=1)
