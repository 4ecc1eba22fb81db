"""Real Neurophotometrics recordings: every fact that their SOURCE.md lets a test assert."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isofold as iso

FOLDER = Path(__file__).parents[2] / "../shared/data/photometry_ibl"
pytestmark = pytest.mark.skipif(
    not FOLDER.exists(), reason="real data not found: ../shared/data/photometry_ibl"
)


@pytest.fixture(scope="module")
def session():
    return iso.read(FOLDER / "version_1")


def test_lights_regions_and_clock(session):
    assert {k: s.shape for k, s in session.series.items()} == {
        "415": (43_467, 7),
        "470": (43_468, 7),
    }
    regions = ["Region0R", "Region1G", "Region2R", "Region3R", "Region4G", "Region5R", "Region6G"]
    assert list(session.series["470"].columns) == regions
    blue, violet = (session.series[k].times() for k in ("470", "415"))
    assert (blue[:-1] < violet).all()  # they alternate strictly, 470 first
    assert (violet < blue[1:]).all()
    assert blue[0] == pytest.approx(5355.391840)
    assert max(blue[-1], violet[-1]) == pytest.approx(8253.100736)
    assert 1 / np.median(np.diff(blue)) == pytest.approx(15, rel=1e-3)
    assert session.metadata["warnings"] == [
        "Flags: 1 of 86936 frames of _neurophotometrics_fpData.raw.pqt are without light; left "
        "out, first row 0"
    ]


def test_the_table_and_the_bits_are_different_events(session):
    events = session.events
    assert {k: len(v) for k, v in events.items()} == {
        "input0": 179, "input0_fall": 179, "flag_input0": 179, "flag_input1": 91,
    }  # fmt: skip
    assert events["input0"][[0, -1]].tolist() == pytest.approx([5388.65744, 8217.635168])
    late = events["flag_input0"] - events["input0"]
    assert late.min() > 0.06
    assert late.max() < 0.101
    assert events["flag_input1"][[0, -1]] == pytest.approx([5717.4, 6834.6], abs=0.05)
    frames = np.sort(np.r_[session.series["415"].times(), session.series["470"].times()])
    assert np.isin(events["input0"], frames).all()


@pytest.mark.parametrize(
    ("region", "r"), [("Region1G", 0.997), ("Region0R", 0.989), ("Region2R", 0.235)]
)
def test_correlation_of_the_two_lights(session, region, r):
    blue, violet = session.series["470"][region], session.series["415"][region]
    control = np.interp(blue.times(), violet.times(), violet.values)
    assert np.corrcoef(blue.values[200:], control[200:])[0, 1] == pytest.approx(r, abs=6e-4)


def test_the_raw_table_by_itself(session):
    raw = iso.read(FOLDER / "version_1" / "_neurophotometrics_fpData.raw.pqt")
    assert set(raw.events) == {"flag_input0", "flag_input1"}
    np.testing.assert_array_equal(raw.series["470"].values, session.series["470"].values)


def test_the_newer_inputs_and_trials():
    session = iso.read(FOLDER / "version_5")
    assert {k: len(v) for k, v in session.events.items()} == {"input0": 2106, "input1": 1896}
    ends = {k: v[[0, -1]].tolist() for k, v in session.events.items()}
    assert ends["input0"] == pytest.approx([1936.774080, 4776.297408])
    assert ends["input1"] == pytest.approx([1989.454048, 5646.932928])
    signature = [0.12, 0.18, 0.23, 0.29, 0.34, 0.40, 0.45]
    for times in session.events.values():
        np.testing.assert_allclose(np.diff(times[:15]), signature + signature[::-1], atol=0.006)
    trials = session.trials
    assert len(trials) == 617
    assert (trials["feedbackType"] == 1).sum() == 380
    assert trials["choice"].value_counts().to_dict() == {-1: 420, 1: 197}
    assert trials["stimOn_times"].isna().sum() == 11
    assert trials["start"].iloc[0] == pytest.approx(70.0765)
    assert trials["stop"].iloc[-1] == pytest.approx(3072.1945)
    assert session.metadata["warnings"][0].startswith("trials: _ibl_trials.table.pqt does not say")
