"""Interpolated windows, of recordings and of series: against AIND's and pynapple's definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pynapple as nap
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold import Recording, Session
from isofold.errors import DataError


def event_triggered_response(t, y, events, start, end, rate, interpolate, censor, nan_policy):
    """Plain transcription of AIND's rules (§10 of the reference): (event, time), and time base."""
    dt = np.mean(np.diff(t))
    if censor is True:
        events = np.sort(events)
    if interpolate:
        n = int((end - start) * rate + 1e-9)
        base = np.linspace(start, start + n / rate, n + 1)
    else:
        base = np.arange(int(start / dt), int(start / dt) + int((end - start) / dt) + 1) * dt
    rows = []
    for e in events:
        if not interpolate:  # negative numbers wrap to the end of the data
            centre = int(np.argmin(np.abs(t - e)))
            rows.append(y[centre + np.rint(base / dt).astype(int)])
            continue
        inside = (t >= e + start - dt) & (t <= e + end + dt)
        x, v = t[inside], y[inside]
        if np.isnan(v).any() and nan_policy == "interpolate":
            x, v = x[~np.isnan(v)], v[~np.isnan(v)]
        whole = len(x) > 0 and not np.isnan(v).any()
        rows.append(
            np.interp(e + base, x, v, left=np.nan, right=np.nan) if whole else np.nan * base
        )
    values = np.array(rows)
    stops = events if censor is True else np.asarray([] if censor is None else censor)
    for row, e in zip(values, events, strict=True):
        before, after = stops[stops < e], stops[stops > e]
        if len(before):
            row[base < -min(abs(start), e - before.max()) - 1e-9] = np.nan
        if len(after):
            row[base > min(end, after.min() - e) + 1e-9] = np.nan
    return values, base


def clock(jitter, n=400, rate=20.0, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(n) / rate + jitter * rng.uniform(-0.4, 0.4, n) / rate
    return np.round(t, 9)  # pynapple keeps nanoseconds


def trace(t, seed=0):
    return np.sin(t) + 0.1 * np.random.default_rng(seed).normal(size=len(t))


EVENTS = np.array([2.013, 4.5, 5.2, 9.77, 16.9])


def both(jitter, y=None, events=EVENTS, **options):
    t = clock(jitter)
    y = trace(t) if y is None else y
    session = Session(series={"dff": nap.Tsd(t, y)}, events={"cue": events})
    recording = Recording(y[:, None], rate=20.0, events={"cue": events}) if not jitter else None
    got = [session.align("cue", (-1.0, 2.0), series="dff", **options)]
    if recording is not None:
        got.append(recording.align("cue", (-1.0, 2.0), interpolate=True, **options))
    return t, y, got


# -- against the peers ----------------------------------------------------------------------------


@pytest.mark.parametrize("jitter", [0.0, 1.0])
@pytest.mark.parametrize("rate", [20.0, 50.0, 7.0])
def test_is_the_peers_event_triggered_response(jitter, rate):
    t, y, got = both(jitter, rate=rate)
    want, base = event_triggered_response(t, y, EVENTS, -1.0, 2.0, rate, True, None, "error")
    for tensor in got:
        np.testing.assert_allclose(tensor.time, base, atol=1e-12)
        known = ~np.isnan(want)  # the peer has none where the last step is longer than the mean one
        assert known[:, 2:-2].all()
        np.testing.assert_allclose(tensor.values[known, 0], want[known], atol=1e-9)
        assert tensor.valid.all()


@pytest.mark.parametrize("censor", [True, [4.7, 9.0]])
def test_censors_on_both_sides_as_the_peer_does(censor):
    option = "neighbours" if censor is True else censor
    t, y, got = both(0.0, rate=20.0, censor=option)
    want, _ = event_triggered_response(
        t, y, EVENTS, -1.0, 2.0, 20.0, True, np.array(censor) if censor is not True else True, ""
    )
    assert 0 < np.isnan(want).sum() < want.size / 2
    for tensor in got:
        np.testing.assert_allclose(tensor.values[:, :, 0], want, atol=1e-12)
        np.testing.assert_array_equal(tensor.valid.values[:, :, 0], ~np.isnan(want))


def test_the_sample_at_the_neighbour_is_kept_and_goes_for_next_trial():
    recording = Recording(np.arange(20.0)[:, None], 1.0, events={"e": [4.0, 7.0, 12.0]})
    for interpolate in (True, False):
        options = {"interpolate": interpolate, "endpoint": True}
        sides = recording.align("e", (-4, 4), censor="neighbours", **options)
        np.testing.assert_array_equal(sides.valid.values[1, :, 0], [0, *[1] * 8])
        np.testing.assert_array_equal(sides.valid.values[0, :, 0], [*[1] * 8, 0])
        later = recording.align("e", (-4, 4), censor="next trial", **options)
        np.testing.assert_array_equal(later.valid.values[0, :, 0], [*[1] * 7, 0, 0])


def test_nan_is_filled_from_both_of_its_ends():
    t = clock(0.0)
    y = trace(t)
    y[[60, 61, 200]] = np.nan
    with pytest.raises(DataError, match=r"2 of 5 windows hold NaN, .*nan='interpolate'"):
        both(0.0, y)
    t, y, got = both(0.0, y, nan="interpolate", rate=20.0)
    want, _ = event_triggered_response(t, y, EVENTS, -1, 2, 20.0, True, None, "interpolate")
    for tensor in got:
        np.testing.assert_allclose(tensor.values[:, :, 0], want, atol=1e-12)
    for tensor in both(0.0, y, nan="exclude")[2]:  # the peer keeps such events, as NaN
        np.testing.assert_array_equal(tensor.event_time, EVENTS[[1, 2, 4]])


def test_a_gap_wider_than_the_window_is_filled_where_the_peer_has_nothing():
    y = trace(clock(0.0))
    y[100:190] = np.nan
    t, y, got = both(0.0, y, events=np.array([7.0]), nan="interpolate", rate=20.0)
    want, base = event_triggered_response(t, y, np.array([7.0]), -1, 2, 20.0, True, None, "error")
    assert np.isnan(want).all()
    line = np.interp(7.0 + base, t[[99, 190]], y[[99, 190]])
    for tensor in got:
        np.testing.assert_allclose(tensor.values[0, :, 0], line, atol=1e-12)


def test_nearest_samples_are_the_peers_but_do_not_wrap():
    t = clock(0.0)
    y = trace(t)
    recording = Recording(y[:, None], rate=20.0)
    inner = recording.align(EVENTS, (-1.0, 2.0), endpoint=True)
    want, base = event_triggered_response(t, y, EVENTS, -1.0, 2.0, None, False, None, "")
    np.testing.assert_allclose(inner.time, base, atol=1e-12)
    np.testing.assert_array_equal(inner.values[:, :, 0], want)
    early = np.array([0.5])
    wrapped, _ = event_triggered_response(t, y, early, -1.0, 2.0, None, False, None, "")
    np.testing.assert_array_equal(wrapped[0, :10], y[-10:])  # the end of the data
    for interpolate in (False, True):
        ours = recording.align(early, (-1.0, 2.0), nan="keep", interpolate=interpolate)
        np.testing.assert_array_equal(np.isnan(ours.values[0, :12, 0]), [True] * 10 + [False] * 2)
        np.testing.assert_array_equal(ours.valid.values, ~np.isnan(ours.values))
    late = recording.align([19.9, 99.0], (-1.0, 2.0), nan="keep", endpoint=True)
    assert np.isnan(late.values[1]).all()  # the peer raises IndexError


def test_counts_are_those_of_pynapple():
    rng = np.random.default_rng(1)
    spikes = {u: np.sort(rng.uniform(0, 100, 3000)) for u in range(3)}
    group = nap.TsGroup({u: nap.Ts(v) for u, v in spikes.items()})
    starts = np.arange(5.0, 95.0, 7.0)
    epochs = nap.IntervalSet(starts - 1.0, starts + 2.0)
    tensor = nap.build_tensor(group, epochs, bin_size=0.1)
    binned = Session(units=group, events={"cue": starts}).bin(
        0.1, align="cue", window=(-1.0, 2.0), trials=None
    )
    ours = binned.align(starts, (-1.0, 2.0))
    np.testing.assert_array_equal(ours.values, np.moveaxis(tensor, 0, -1))
    peri = nap.compute_perievent(group, nap.Ts(starts), window=(-1.0, 2.0))
    edges = np.linspace(-1.0, 2.0, 31)
    for unit in range(3):
        counts = [np.histogram(peri[unit][k].times(), edges)[0] for k in range(len(starts))]
        np.testing.assert_array_equal(ours.values[:, :, unit], counts)


def test_continuous_windows_are_those_of_pynapple():
    t = clock(0.0)
    series = nap.TsdFrame(t, np.c_[trace(t), trace(t, 1)], columns=["a", "b"])
    events = t[[60, 150, 300]]
    peri = nap.compute_perievent(series, nap.Ts(events), window=(-1.0, 2.0))
    ours = Session(series={"dff": series}).align(events, (-1.0, 2.0), rate=20.0)
    np.testing.assert_allclose(ours.values, np.moveaxis(np.asarray(peri.values), 0, 1), atol=1e-9)
    assert ours.channel.values.tolist() == ["a", "b"]
    tensor = nap.build_tensor(series, nap.IntervalSet(events - 1.0, events + 2.0 + 1e-6))
    np.testing.assert_allclose(ours.values, np.moveaxis(tensor, 0, -1), atol=1e-9)


# -- walls, clocks, masks -------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_nothing_is_interpolated_over_a_wall(data):
    """Each segment holds one value: any other value would be a mixture of two segments."""
    n = data.draw(st.integers(6, 40))
    edges = sorted(data.draw(st.sets(st.integers(1, n - 1), max_size=5)) | {0, n})
    owner = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    segments = pd.DataFrame({"start": edges[:-1], "stop": edges[1:]})
    segments["time0"], segments["trial"] = segments["start"] / 2.0, np.arange(len(segments))
    recording = Recording(3.0 ** owner[:, None], 2.0, segments=segments)
    times = data.draw(st.lists(st.floats(0, (n - 1) / 2), min_size=1, max_size=5))
    result = recording.align(times, (-1.5, 2.0), rate=5.0, interpolate=True, nan="keep")
    nearest = np.clip(np.floor(np.array(times) * 2 + 0.5).astype(int), 0, n - 1)
    for row, time, sample in zip(result.values[:, :, 0], times, nearest, strict=True):
        known = row[~np.isnan(row)]
        possible = {owner[sample], owner[max(sample - 1, 0)]}  # a tie may go to either
        assert len(set(known)) <= 1
        assert set(known) <= {3.0**k for k in possible}
        x = time + result.time.values
        first, last = edges[owner[sample]] / 2, (edges[owner[sample] + 1] - 1) / 2
        if len(possible) == 1:
            inside = (x >= first - 1e-8) & (x <= last + 1e-8)
            np.testing.assert_array_equal(~np.isnan(row), inside)


def test_series_stop_at_gaps_and_at_their_support():
    t = np.r_[np.arange(0, 5, 0.1), np.arange(8, 12, 0.1)]
    whole = nap.Tsd(t, t)
    cut = nap.Tsd(t, t, time_support=nap.IntervalSet([0, 2.55], [2.5, 12]))
    session = Session(series={"whole": whole, "cut": cut})
    gap = session.align([4.5, 8.5], (-1, 1), series="whole", nan="keep")
    np.testing.assert_allclose(
        gap.values[gap.valid], (gap.event_time + gap.time).values[..., None][gap.valid]
    )
    assert not gap.sel(time=0.6, method="nearest").valid[0].item()
    assert gap.valid.sum() == 15 + 16
    edge = session.align([2.53], (-0.1, 0.1), series="cut", rate=100.0, nan="keep")
    known = edge.event_time + edge.time
    hole = (known > 2.5 + 1e-6) & (known < 2.6 - 1e-6)
    np.testing.assert_array_equal(edge.valid.values[..., 0], ~hole.values)
    with pytest.raises(DataError, match=r"1 of 1 windows reach beyond series \['cut'\]"):
        session.align([2.53], (-0.1, 0.1), series="cut")


def test_several_series_share_one_clock_and_trials_are_coordinates():
    t, u = clock(1.0), clock(1.0, n=700, rate=33.0, seed=3)
    trials = pd.DataFrame(
        {"start": [1.0, 8.0], "stop": [7.0, 14.0], "side": ["l", "r"]}, ["a", "b"]
    )
    trials["choice"] = [3.0, np.nan]
    session = Session(
        series={
            "green": nap.TsdFrame(t, np.c_[t, 2 * t], columns=["x", "y"]),
            "iso": nap.Tsd(u, u),
        },
        events={"cue": [3.0, 7.5]},
        trials=trials,
    )
    both = session.align("cue", (-1.0, 1.0), series=["green", "iso"], rate=10.0)
    assert both.channel.values.tolist() == ["green:x", "green:y", "iso"]
    clock_time = (both.event_time + both.time).values
    np.testing.assert_allclose(both.sel(channel="iso"), clock_time)
    np.testing.assert_allclose(both.sel(channel="green:y"), 2 * clock_time)
    assert both.trial.values.tolist() == ["a", -1]
    assert both.side.values[0] == "l"
    choice = session.align("choice", (-1.0, 1.0), series="iso", baseline=(-1, 0))
    assert choice.trial.values.tolist() == ["a"]
    assert choice.sel(time=slice(None, -0.01)).mean() == pytest.approx(0, abs=1e-9)
    assert session.align("start", (0, 1), series="iso").sizes["trial"] == 2


def test_classes_take_the_nearest_sample():
    series = nap.Tsd(np.array([0.0, 1.0, 2.3, 3.0]), np.array([0, 1, 2, 3]))
    got = Session(series={"state": series}).align([1.0], (0, 2), rate=2.0, interpolate=False)
    assert got.values.ravel().tolist() == [1, 1, 2, 2, 3]


def test_lazy_series_are_read_in_slices(tmp_path):
    import h5py

    t = clock(0.0)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["y"] = np.c_[trace(t), t]
        lazy = nap.TsdFrame(t, file["y"], load_array=False)
        got = Session(series={"y": lazy}).align(EVENTS, (-1.0, 2.0))
        want = Session(series={"y": nap.TsdFrame(t, file["y"][:])}).align(EVENTS, (-1.0, 2.0))
    np.testing.assert_array_equal(got.values, want.values)


def test_windows_that_share_samples_have_one_number():
    got = both(1.0)[2][0]
    assert got.overlap.values.tolist() == [0, 0, 0, 1, 2]  # 2.0 to 7.2 s is one chain


@pytest.mark.parametrize(
    ("event", "options", "message"),
    [
        ("cue", {"series": "red"}, r"no series 'red'; there are \['dff', 'film'\]"),
        ("cue", {}, r"say which series= to align; there are \['dff', 'film'\]"),
        ("cue", {"series": "film"}, r"a series to align is \(time,\) or \(time, channel\)"),
        ("nose", {"series": "dff"}, r"no event 'nose'; events: \['cue'\]"),
        ("cue", {"series": "dff", "rate": 0}, "rate must be a positive number"),
        ("cue", {"series": "dff", "rate": np.nan}, "rate must be a positive number"),
        ("cue", {"series": "dff", "censor": "both"}, r"censor must be None or 'next trial', 'nei"),
        ("cue", {"series": "dff", "censor": ["a"]}, "censor must be None"),
        ("cue", {"series": "dff", "nan": "drop"}, "nan must be 'error', 'interpolate'"),
        ("cue", {"series": "dff", "baseline": (5, 6)}, "baseline .* holds no sample"),
        ([99.0], {"series": "dff", "nan": "exclude"}, "no window is left"),
        ([99.0], {"series": "dff"}, "1 of 1 windows reach beyond series"),
    ],
)
def test_refuses(event, options, message):
    t = clock(0.0)
    film = nap.TsdTensor(t, np.zeros((len(t), 2, 2)))
    session = Session(series={"dff": nap.Tsd(t, t), "film": film}, events={"cue": [5.0]})
    with pytest.raises(DataError, match=message):
        session.align(event, (-1.0, 1.0), **options)


@pytest.mark.parametrize("rate", [0, -1.0, np.inf])
def test_a_recording_refuses_a_rate_that_is_none(rate):
    with pytest.raises(DataError, match="rate must be a positive number of samples"):
        Recording(np.zeros((9, 1)), 1.0).align([4.0], (-1, 1), rate=rate, interpolate=True)


def test_infinite_samples_give_no_warning_and_labels_do_not_matter():
    signal = np.arange(20.0)[:, None]
    signal[12], signal[3] = np.inf, np.nan
    recording = Recording(
        signal, 1.0, labels={"angle": np.full(20, np.nan)}, kinds={"angle": "circular"}
    )
    got = recording.align([3.5, 12.5], (-1, 1), interpolate=True, nan="interpolate")
    np.testing.assert_array_equal(got.values[0, :, 0], [2.5, 3.5, 4.5])
    assert got.valid.all()
