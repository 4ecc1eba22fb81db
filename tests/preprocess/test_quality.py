"""Every check of quality, on a session that passes it and on one that does not."""

from __future__ import annotations

import numpy as np
import pynapple as nap
import pytest

from isofold import Session
from isofold.errors import DataError
from isofold.preprocess import quality

N = 20_000
T = np.arange(N) / 20


def tsd(x, t=T):
    return nap.Tsd(t=t, d=np.asarray(x, float))


def good(**series):
    rng = np.random.default_rng(0)
    light = lambda: tsd(300 + rng.standard_normal(N))  # noqa: E731
    base = {"G_0": light(), "Iso_0": light(), "G_CMOS_FLOOR": tsd(np.full(N, 257.5))}
    return Session(
        series=base | series, events={"FIP_rising_time": T, "FIP_falling_time": T + 0.01}
    )


def row(rows, check, channel=None):
    (found,) = [r for r in rows if r["check"] == check and channel in (None, r["channel"])]
    return found


def test_all_pass_on_a_good_session():
    rows = quality(good(), frame_numbers={"G": np.arange(9)}, frame_times={"G": (T, T + 5)})
    assert {r["status"] for r in rows} == {"pass"}
    assert {r["check"] for r in rows} == {
        "samples", "duration", "missing", "timestamps", "floor", "sudden change", "pulses",
        "frame numbers", "frame times",
    }  # fmt: skip
    assert all(
        set(r) == {"check", "channel", "value", "threshold", "status", "reason"} for r in rows
    )
    assert row(rows, "floor")["value"] == pytest.approx(257.5)


def spoilt(name, index, value):
    x = np.asarray(good().series[name].values).copy()
    x[index] = value
    return good(**{name: tsd(x)})


@pytest.mark.parametrize(
    ("session", "check", "channel", "value"),
    [
        (good(G_0=tsd(np.ones(N - 7), T[:-7])), "samples", "G_0, Iso_0", 7),
        (good(G_0=tsd(np.ones(9000), T[:9000])), "duration", "G_0", 449.95),
        (spoilt("Iso_0", [5, 9], np.nan), "missing", "Iso_0", 2),
        (good(G_CMOS_FLOOR=tsd(np.full(N, 265.0))), "floor", "G_CMOS_FLOOR", 265.0),
        (good(Iso_0=tsd(np.r_[np.zeros(500), np.full(N - 500, 2000.0)])), "sudden change",
         "Iso_0", 2000.0),
    ],
)  # fmt: skip
def test_each_check_can_fail(session, check, channel, value):
    found = row(quality(session), check, channel)
    assert found["status"] == "fail"
    assert found["value"] == pytest.approx(value)


def test_sudden_change_is_signed_and_leaves_the_ends_out():
    x = np.zeros(N)
    x[:5], x[-1], x[900:] = 9000, 9000, -9000
    x[-1] = 9000
    assert row(quality(good(G_0=tsd(x))), "sudden change", "G_0")["status"] == "pass"


def test_alternating_lights_may_differ_by_one_frame():
    late = good(Iso_0=tsd(np.ones(N - 1), T[:-1] + 0.025))
    assert row(quality(late), "samples")["status"] == "pass"
    same_clock = good(Iso_0=tsd(np.ones(N - 1), T[:-1]))
    assert row(quality(same_clock), "samples")["status"] == "fail"


def test_pulses():
    from dataclasses import replace

    short = replace(good(), events={"rising": T, "falling": T[1:]})
    assert row(quality(short), "pulses")["status"] == "fail"
    few = replace(good(), events={"rising": T[:9], "falling": T[:9]})
    assert row(quality(few), "pulses")["status"] == "fail"
    assert "pulses" not in {r["check"] for r in quality(replace(good(), events={}))}
    named = quality(replace(good(), events={"a": T, "b": T}), pulses=("a", "b"))
    assert row(named, "pulses")["status"] == "pass"
    with pytest.raises(DataError, match="no event 'up'"):
        quality(good(), pulses=("up", "down"))


def test_frames_and_clock():
    rows = quality(
        good(),
        frame_numbers={"G": np.array([0, 1, 3])},
        frame_times={"G": (np.array([0.0, 0.05, 0.1]), np.array([0.0, 0.0503, 0.1003]))},
    )
    assert row(rows, "frame numbers")["value"] == 1
    assert row(rows, "frame numbers")["status"] == "fail"
    assert row(rows, "frame times")["value"] == pytest.approx(3e-4)
    assert row(rows, "frame times")["status"] == "fail"
    from dataclasses import replace

    warned = replace(good(), metadata={"warnings": ["G_0: irregular steps", "Iso_01: no"]})
    assert row(quality(warned), "timestamps", "G_0")["status"] == "fail"
    assert row(quality(warned), "timestamps", "Iso_0")["status"] == "pass"


def test_motion_slopes_are_pending_or_fail():
    rows = quality(good(), slopes={"0": 0.8, "1": 10.0, "2": 10.1})
    assert [row(rows, "motion slope", c)["status"] for c in "012"] == ["pending", "pending", "fail"]


def test_alignment():
    rng = np.random.default_rng(0)
    events = np.arange(20, 900, 9.0)
    x = 0.02 * rng.standard_normal((N, 2))
    for e in events:
        x[int(e * 20) : int(e * 20) + 20, 1] += 0.05
    dff = nap.TsdFrame(t=T, d=x, columns=["a", "b"])
    from dataclasses import replace

    session = replace(good(dff=dff), events={"cue": events, "random": events[:-1] + 4.3})
    found = row(quality(session, ["G_0"], event="cue"), "alignment")
    assert (found["channel"], found["status"]) == ("b", "pass")
    off = row(quality(session, ["G_0"], event="random", response="dff"), "alignment")
    assert off["status"] == "fail"
    none = replace(session, events={"cue": np.array([2000.0])})
    assert row(quality(none, ["G_0"], event="cue"), "alignment")["status"] == "fail"
    with pytest.raises(DataError, match="no event 'tone'"):
        quality(session, ["G_0"], event="tone")
    with pytest.raises(DataError, match="no series"):
        quality(good(), ["G_0"], event="FIP_rising_time")
