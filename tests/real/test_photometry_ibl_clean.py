"""A real two-colour recording: the facts of its SOURCE.md come out of the cleaning step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pynapple as nap
import pytest

from isofold import Session
from isofold.preprocess import find_artefacts, photometry

LINE = {
    "bleaching": "control", "motion": "ols", "motion_cutoff": None, "noise_cutoff": None,
    "warm_up": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def recording(data):
    folder = data("photometry_ibl") / "version_1"
    frames = pd.read_parquet(folder / "_neurophotometrics_fpData.raw.pqt").iloc[1:]
    inputs = pd.read_parquet(folder / "_neurophotometrics_fpData.digitalInputs.pqt")
    regions = [c for c in frames if c.startswith("Region")]
    series = {}
    for name, light in (("470", 2), ("415", 1)):
        rows = frames[(frames["Flags"] & 7) == light]
        t = rows["Timestamp"].to_numpy()
        series[name] = nap.TsdFrame(t=t, d=rows[regions].to_numpy(), columns=regions)
    high = (frames["Flags"].to_numpy() & 256) > 0
    onset = frames["Timestamp"].to_numpy()[1:][high[1:] & ~high[:-1]]
    events = {"ttl": inputs["Timestamp"][inputs["Value"]].to_numpy(), "second": onset}
    return Session(series=series, events=events)


def column(session, light, region):
    return session.series[light].values[:, list(session.series[light].columns).index(region)]


def response(session, events, after, before):
    """Mean and standard error over events of the change in %."""
    t, x = session.series["dff"].times(), session.series["dff"].values[:, 0]
    mean = lambda e, w: x[(t >= e + w[0]) & (t < e + w[1])].mean()  # noqa: E731
    change = 100 * np.array([mean(e, after) - mean(e, before) for e in events])
    return len(change), change.mean(), change.std() / np.sqrt(len(change))


FACTS = [("Region1G", 0.997), ("Region0R", 0.989), ("Region2R", 0.235)]


@pytest.mark.parametrize(("region", "r"), FACTS)
def test_correlation_of_the_lights(recording, region, r):
    out = photometry(recording, fibers=[region], **LINE)
    signal = column(recording, "470", region)[200:]
    control = np.interp(
        recording.series["470"].times()[200:],
        recording.series["415"].times(),
        column(recording, "415", region),
    )
    assert np.corrcoef(signal, control)[0, 1] == pytest.approx(r, abs=1e-3)
    line = np.asarray(out.series["baseline"].values[200:, 0])
    assert abs(np.corrcoef(line, control)[0, 1]) > 0.999


@pytest.mark.parametrize("how", ["line", "published"])
def test_each_region_responds_to_its_own_pulses(recording, how):
    """Region4G to the second input, Region1G to the first; each is the other's control."""
    settings = LINE if how == "line" else {}
    near, far = {}, {}
    for region, epoch, limits in (
        ("Region1G", (5400, 8250), (5405, 8245)),
        ("Region4G", (5660, 6885), (5665, 6880)),
    ):
        out = photometry(recording, fibers=[region], epoch=epoch, **settings)
        ttl = recording.events["ttl"]
        ttl = ttl[(ttl > limits[0]) & (ttl < limits[1])]
        second = response(out, recording.events["second"], (0, 1), (-3, 0))
        first = response(out, ttl, (-0.5, 1.5), (-3, -1))
        near[region], far[region] = (first, second) if region == "Region1G" else (second, first)
    assert (near["Region1G"][0], near["Region4G"][0]) == (176, 91)
    assert near["Region1G"][1] == pytest.approx(-0.20, abs=0.02)
    assert near["Region4G"][1] == pytest.approx(0.30, abs=0.03)
    for _, mean, error in far.values():
        assert abs(mean) < 0.05 + 0.5 * error


def test_bleaching_and_quality(recording):
    out = photometry(recording, fibers=["Region1G"])
    f0 = np.asarray(out.series["baseline"].values[:, 0])
    tenth = len(f0) // 10
    assert f0[-tenth:].mean() / f0[:tenth].mean() == pytest.approx(0.83, abs=0.02)
    rows = out.metadata["quality"]
    assert {r["status"] for r in rows if r["check"] != "motion slope"} == {"pass"}
    slope = next(r for r in rows if r["check"] == "motion slope")
    assert slope["status"] == "pending"
    assert 0.9 < slope["value"] < 1.1


def test_plugging_is_found_where_it_was(recording):
    """Near 5565 to 5645 s and 6892 to 6911 s; Region1G is free of it, the red ones move as well."""
    t = recording.series["470"].times()
    for region, threshold in (
        ("Region1G", 20),
        ("Region4G", 20),
        ("Region6G", 20),
        ("Region3R", 500),
    ):
        found = find_artefacts(t, column(recording, "470", region), threshold=threshold)
        found = found[found["stop"] > t[0] + 5]  # not the LED that warms up
        middle = found[["start", "stop"]].mean(axis=1)
        assert (middle.between(5560, 5650) | middle.between(6885, 6915)).all()
        assert (len(found) > 1) == (region != "Region1G")
