"""The step from a raw session to corrected dF/F: known truth, missing samples, names, memory."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pynapple as nap
import pytest
from photometry_helpers import plain, traces

from isofold import Session, simulate
from isofold.errors import DataError
from isofold.preprocess import artefacts, photometry
from isofold.preprocess.motion import METHODS


@pytest.fixture(scope="module")
def raw():
    return simulate.photometry_session(seed=0, duration=900.0, n_fibers=2)


def session_of(t, signal, control, **more):
    series = {"470": nap.TsdFrame(t=t, d=signal, columns=["a"])}
    series["415"] = nap.TsdFrame(t=more.pop("clock", t), d=control, columns=["a"])
    return Session(series=series, **more)


def values(session, name="dff"):
    return np.asarray(session.series[name].values)


@pytest.mark.parametrize("bleaching", ["poly", "exp", "tri-exp", "bright", "airpls", "highpass"])
def test_truth_is_recovered(raw, bleaching):
    """Corrected dF/F follows the activity far better than with a constant F₀ and no control."""
    clean = photometry(raw, bleaching=bleaching)
    naive = photometry(raw, control=None, bleaching="none")
    truth, kept = values(raw, "truth"), slice(200, None)
    for k in range(2):
        r = np.corrcoef(values(clean)[kept, k], truth[kept, k])[0, 1]
        before = np.corrcoef(values(naive)[kept, k], truth[kept, k])[0, 1]
        assert r > (0.6 if bleaching in ("airpls", "highpass") else 0.8)
        assert r > before + 0.2


def test_what_is_added_and_noted(raw):
    clean = photometry(raw, bleaching="exp", fibers=["Fiber_1"])
    added = ["dff", "dff_uncorrected", "baseline", "motion"]
    assert [n for n in clean.series if n not in raw.series] == added
    for name in added:
        series = clean.series[name]
        assert list(series.columns) == ["Fiber_1"]
        assert values(clean, name).dtype == np.float32
        np.testing.assert_array_equal(series.times(), raw.series["470"].times())
    step = clean.provenance[-1]
    settings = {
        "step": "photometry", "signal": "470", "control": "415", "bleaching": "exp",
        "motion": "irls-asymmetric", "warm_up": 5.0,
    }  # fmt: skip
    assert {k: step[k] for k in settings} == settings
    fit = step["fibers"]["Fiber_1"]
    assert set(fit["bleaching"]["parameters"]) == set("abcd")
    assert fit["motion"]["slope"] == pytest.approx(1 / 0.7, rel=0.25)
    json.dumps(step)
    assert clean.trials is raw.trials
    slopes = [r for r in clean.metadata["quality"] if r["check"] == "motion slope"]
    assert [(r["channel"], r["status"]) for r in slopes] == [("Fiber_1", "pending")]


@pytest.mark.parametrize("method", ["poly", "exp"])
def test_the_step_is_the_published_method(method):
    t, signal, control = traces(2, minutes=15)
    peer = plain()
    dff, iso = (peer.dff(x, 20.0, method)[0] for x in (signal, control))
    want, motion, slope, _ = peer.motion_correct(dff, iso)
    clean = photometry(session_of(t, signal, control), bleaching=method)
    np.testing.assert_allclose(values(clean, "dff_uncorrected")[:, 0], dff, atol=1e-5)
    np.testing.assert_allclose(values(clean)[:, 0], want, atol=1e-5)
    np.testing.assert_allclose(values(clean, "motion")[:, 0], motion, atol=1e-5)
    assert clean.provenance[-1]["fibers"]["a"]["motion"]["slope"] == pytest.approx(slope, abs=1e-4)


@pytest.mark.parametrize("motion", [m for m in METHODS if m != "none"])
def test_one_missing_control_sample_costs_one_sample(motion):
    t, signal, control = traces(3, minutes=6)
    whole = photometry(session_of(t, signal, control), bleaching="exp", motion=motion)
    control, signal = control.copy(), signal.copy()
    control[3000], signal[5000], control[6000] = np.nan, np.nan, np.inf
    holed = photometry(session_of(t, signal, control), bleaching="exp", motion=motion)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(values(holed))), [3000, 5000, 6000])
    np.testing.assert_array_equal(
        np.flatnonzero(np.isnan(values(holed, "dff_uncorrected"))), [5000]
    )
    known = np.isfinite(values(holed))
    assert np.abs(values(holed) - values(whole))[known].max() < 5e-3


def test_control_on_its_own_clock_is_interpolated():
    t, signal, control = traces(4, minutes=6)
    same = photometry(session_of(t, signal, control), bleaching="exp")
    late = control + np.gradient(control, t) * 0.01
    shifted = photometry(session_of(t, signal, late, clock=t + 0.01), bleaching="exp")
    assert np.abs(values(shifted) - values(same))[1:].max() < 2e-3
    holed = late.copy()
    holed[2000] = np.nan
    out = photometry(session_of(t, signal, holed, clock=t + 0.01), bleaching="exp")
    assert np.isnan(values(out)).sum() == 1


def test_a_control_that_stops_early_costs_its_tail_only():
    t, signal, control = traces(5, minutes=6)
    out = photometry(session_of(t, signal, control[:-400], clock=t[:-400]), bleaching="exp")
    gone = np.flatnonzero(np.isnan(values(out)[:, 0]))
    assert gone[0] >= len(t) - 400
    assert len(gone) >= 398


@pytest.mark.parametrize(
    ("control", "why"),
    [
        (np.nan, "the control has 0 valid samples"),
        (0.0, "the control is 0 throughout"),
        (-3.0, "the control is 0 or negative"),
    ],
)
def test_a_dead_control_is_named_and_the_rest_processed(control, why):
    t, signal, good = traces(6, minutes=5)
    bad = np.full(len(t), control) + (np.sin(t) if control == -3 else 0)
    series = {
        "470": nap.TsdFrame(t=t, d=np.column_stack([signal, signal]), columns=["a", "b"]),
        "415": nap.TsdFrame(t=t, d=np.column_stack([bad, good]), columns=["a", "b"]),
    }
    out = photometry(Session(series=series), bleaching="exp")
    assert np.isnan(values(out)[:, 0]).all()
    assert np.isfinite(values(out)[:, 1]).all()
    assert np.isfinite(values(out, "dff_uncorrected")).all()
    (warning,) = out.metadata["warnings"]
    assert warning.startswith(f"470: fiber a: {why}")


def test_patterns_pair_by_the_star():
    t, signal, control = traces(7, minutes=5)
    one = lambda x: nap.Tsd(t=t, d=x)  # noqa: E731
    series = {
        "G_1": one(signal), "G_2": one(signal * 2), "G_CMOS_FLOOR": one(np.full(len(t), 260.0)),
        "Iso_2": one(control), "Iso_1": one(control), "G_1_preprocessed": one(signal),
    }  # fmt: skip
    session = Session(series=series)
    out = photometry(session, "G_*", "Iso_*", bleaching="exp")
    assert list(out.series["dff"].columns) == ["1", "2"]
    np.testing.assert_allclose(values(out)[:, 0], values(out)[:, 1], atol=1e-6)
    single = photometry(session, "G_2", "Iso_1", bleaching="exp")
    np.testing.assert_allclose(values(single)[:, 0], values(out)[:, 1], atol=1e-6)


def test_control_as_baseline_is_a_line_of_the_raw_control():
    t, signal, control = traces(8, minutes=5)
    out = photometry(
        session_of(t, signal, control), bleaching="control", motion="ols", motion_cutoff=None,
        noise_cutoff=None, warm_up=0.0,
    )  # fmt: skip
    line = np.polyval(np.polyfit(control, signal, 1), control)
    np.testing.assert_allclose(values(out)[:, 0], signal / line - 1, atol=1e-6)
    np.testing.assert_allclose(values(out, "baseline")[:, 0], line, rtol=1e-6)
    rest = values(out, "dff_uncorrected") - values(out, "motion")
    np.testing.assert_allclose(rest, values(out), atol=1e-6)


def test_the_epoch_is_what_the_regression_sees(raw):
    spoilt = dict(raw.series)
    x = values(raw, "415").copy()
    x[12000:] *= np.linspace(1, 3, len(x) - 12000)[:, None]
    spoilt["415"] = nap.TsdFrame(t=raw.series["415"].times(), d=x, columns=["Fiber_0", "Fiber_1"])
    spoilt = Session(series=spoilt)
    slope = lambda s, **k: photometry(  # noqa: E731
        s, bleaching="none", motion="ols", **k
    ).provenance[-1]["fibers"]["Fiber_0"]["motion"]["slope"]
    inside = slope(spoilt, epoch=(0.0, 590.0))
    scale = np.median(x[:, 0]) / np.median(values(raw, "415")[:, 0])
    assert inside == pytest.approx(scale * slope(raw, epoch=[(0.0, 590.0)]), rel=0.02)
    assert abs(slope(spoilt)) < 0.5 * inside


@pytest.mark.parametrize("to", ["zscore", "modified-zscore", "baseline-zscore"])
def test_zscores_are_added(raw, to):
    window = (100.0, 200.0) if to == "baseline-zscore" else None
    out = photometry(raw, bleaching="exp", to=to, baseline=window)
    dff, z = values(out), values(out, "zscore")
    t = raw.series["470"].times()
    part = dff[(t >= 100) & (t <= 200)] if window else dff
    if to == "modified-zscore":
        middle = np.median(dff, axis=0)
        want = 0.6745 * (dff - middle) / np.median(np.abs(dff - middle), axis=0)
    else:
        want = (dff - part.mean(axis=0)) / part.std(axis=0)
    np.testing.assert_allclose(z, want, rtol=1e-3, atol=1e-3)


def test_without_control_there_is_no_motion(raw):
    out = photometry(raw, control=None, bleaching="exp", noise_cutoff=None, prefix="x_")
    assert "x_motion" not in out.series
    np.testing.assert_array_equal(values(out, "x_dff"), values(out, "x_dff_uncorrected"))


def test_the_warm_up_holds_its_first_later_value(raw):
    out = photometry(raw, bleaching="exp", warm_up=7.0, noise_cutoff=None, motion="none")
    held = values(out, "dff_uncorrected")[:141]
    np.testing.assert_array_equal(held, np.broadcast_to(held[140], held.shape))
    assert values(out, "dff_uncorrected")[141, 0] != held[140, 0]


def test_filters_stop_at_gaps():
    t, signal, control = traces(9, minutes=6)
    t = np.where(np.arange(len(t)) >= 4000, t + 100, t)
    before = photometry(session_of(t, signal, control), bleaching="none", motion="ols")
    signal[4000:4010] += 500
    after = photometry(session_of(t, signal, control), bleaching="none", motion="none")
    clean = photometry(session_of(t, *traces(9, minutes=6)[1:]), bleaching="none", motion="none")
    del before
    np.testing.assert_allclose(values(after)[:4000], values(clean)[:4000], atol=2e-4)


def test_an_irregular_clock_loses_no_samples():
    """Steps of 0 to 0.3 s, as in a real file: named as a flaw, and processed all the same."""
    t, signal, control = traces(11, minutes=6)
    rng = np.random.default_rng(0)
    odd = np.sort(t + rng.uniform(0, 0.15, len(t)))
    out = photometry(session_of(odd, signal, control, clock=odd + 0.02), bleaching="exp")
    assert np.isfinite(values(out)).all()
    whole = photometry(session_of(t, signal, control), bleaching="exp")
    assert np.corrcoef(values(out)[:, 0], values(whole)[:, 0])[0, 1] > 0.98


def test_fast_recordings_are_fitted_on_means():
    t, signal, control = traces(10, minutes=4, rate=200.0)
    fast = photometry(session_of(t, signal, control), bleaching="exp", noise_cutoff=None)
    n = len(t) // 10
    slow = [x[: n * 10].reshape(n, 10).mean(axis=1) for x in (t, signal, control)]
    want = photometry(session_of(*slow), bleaching="exp", noise_cutoff=None)
    got = values(fast)[: n * 10, 0].reshape(n, 10).mean(axis=1)
    assert np.abs(got - values(want)[:, 0])[120:].max() < 1e-3


def test_lazy_files_in_and_scratch_out(raw, tmp_path):
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        for name in ("470", "415"):
            file[name] = values(raw, name)
    memory = photometry(raw, bleaching="exp")
    with h5py.File(tmp_path / "raw.h5", "r") as file:
        t = raw.series["470"].times()
        series = {
            k: nap.TsdFrame(t=t, d=file[k], columns=["Fiber_0", "Fiber_1"], load_array=False)
            for k in ("470", "415")
        }
        out = photometry(Session(series=series), bleaching="exp", scratch=tmp_path / "scratch")
        for name in ("dff", "baseline", "motion"):
            assert isinstance(out.series[name].values, np.memmap)
            np.testing.assert_array_equal(values(out, name), values(memory, name))


def test_artefacts_then_photometry(raw):
    spoilt = dict(raw.series)
    x = values(raw, "470").copy()
    x[6000:6100] *= 4
    spoilt["470"] = nap.TsdFrame(t=raw.series["470"].times(), d=x, columns=["Fiber_0", "Fiber_1"])
    spoilt = Session(series=spoilt, trials=raw.trials, events=raw.events)
    whole = photometry(raw, bleaching="exp")
    kept = photometry(artefacts(spoilt, windows=(299.0, 306.0)), bleaching="exp")
    known = np.isfinite(values(kept))
    assert (~known).sum() == 2 * 141
    assert np.abs(values(kept) - values(whole))[known].max() < 6e-3


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signal": "560"}, r"no series '560'; there are \['415', '470', 'truth'\]"),
        ({"signal": "G_*"}, r"no series is called 'G_\*' with one word for the star"),
        ({"signal": "*_*"}, "one star"),
        ({"fibers": ["Fiber_9"]}, r"has the fibers \['Fiber_0', 'Fiber_1'\]; asked for"),
        ({"bleaching": "cubic"}, "bleaching must be one of .* got 'cubic'"),
        ({"options": {"degree": 3}}, "'bright' takes"),
        ({"bleaching": "control", "control": None}, "needs a control"),
        ({"bleaching": "control", "motion": "none"}, "needs a motion method"),
        ({"motion": "lasso"}, "motion must be one of"),
        ({"motion_cutoff": 0.0}, "motion_cutoff is a frequency in Hz above 0"),
        ({"noise_cutoff": np.nan}, "noise_cutoff is a frequency"),
        ({"warm_up": -1.0}, "warm_up is a time in seconds, 0 or more"),
        ({"to": "z"}, "to must be one of"),
        ({"to": "baseline-zscore"}, "baseline= goes with"),
        ({"baseline": (0, 1)}, "baseline= goes with"),
        ({"epoch": (5.0, 1.0)}, "start before stop"),
        ({"epoch": "rest"}, "no table of trials or intervals 'rest'"),
        ({"epoch": (5000.0, 6000.0)}, r"no sample lies in \(5000.0, 6000.0\)"),
        ({"epoch": {"a": 1}}, "a stretch of time is"),
    ],
)
def test_refusals(raw, options, message):
    with pytest.raises(DataError, match=message):
        photometry(raw, **{"signal": "470", "control": "415", **options})


def test_a_fiber_without_control_is_refused():
    t = np.arange(100.0)
    frame = lambda *c: nap.TsdFrame(t=t, d=np.ones((100, len(c))), columns=list(c))  # noqa: E731
    session = Session(series={"470": frame("a", "b"), "415": frame("a", "c")})
    with pytest.raises(DataError, match=r"missing: \['b'\]. Choose fibers"):
        photometry(session)
