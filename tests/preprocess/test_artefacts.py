"""Artefacts: what is found, what is blanked, dropped and flagged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pynapple as nap
import pytest

from isofold import Session
from isofold.errors import DataError
from isofold.preprocess import artefacts, find_artefacts


@pytest.fixture
def session():
    rng = np.random.default_rng(0)
    t = np.arange(2000) / 20
    x = 5 + 0.1 * rng.standard_normal((2000, 2))
    x[1000:1010, 0] += 20
    trials = pd.DataFrame({"start": [10.0, 49.0, 60.0], "stop": [20.0, 55.0, 70.0]})
    return Session(
        series={n: nap.TsdFrame(t=t, d=x.astype(np.float32), columns=["a", "b"]) for n in "GI"},
        events={"lick": np.array([5.0, 50.2, 80.0])},
        trials=trials,
    )


def test_found_windows_hit_all_lights_and_chosen_fibers(session):
    out = artefacts(session, ["G", "I"], fibers=["a"])
    (row,) = out.intervals["artefacts"].to_numpy()
    np.testing.assert_allclose(row, [48.95, 51.5])
    for light in "GI":
        gone = np.isnan(out.series[light].values)
        assert gone[979:1031, 0].all()
        assert gone.sum() == 52
    assert np.isfinite(session.series["G"].values).all(), "the session given stays as it was"
    np.testing.assert_array_equal(out.events["lick"], [5.0, 80.0])
    assert out.trials["artefact"].tolist() == [False, True, False]
    assert out.provenance[-1]["events_inside"] == {"lick": 1}
    assert out.provenance[-1]["threshold"] == 20


def test_given_windows_and_kept_events(session):
    out = artefacts(session, ["G"], windows=[(0.0, 1.0), (0.5, 2.0)], events="keep")
    assert out.intervals["artefacts"].to_numpy().tolist() == [[0.0, 2.0]]
    assert np.isnan(out.series["G"].values[:41]).all()
    assert len(out.events["lick"]) == 3
    again = artefacts(out, ["G"], windows=(15.0, 16.0))
    assert again.trials["artefact"].tolist() == [True, False, False]


def test_clean_noise_has_none(session):
    out = artefacts(session, ["G"], fibers=["b"])
    assert len(out.intervals["artefacts"]) == 0
    assert not out.trials["artefact"].any()
    t = np.arange(1000.0)
    assert len(find_artefacts(t, np.ones(1000))) == 0
    assert len(find_artefacts(t, np.full(1000, np.nan))) == 0


def test_refusals(session):
    with pytest.raises(DataError, match='events must be "drop" or "keep"'):
        artefacts(session, ["G"], events="flag")
    with pytest.raises(DataError, match=r"has the fibers \['a', 'b'\]; asked for \['z'\]"):
        artefacts(session, ["G"], fibers=["z"])
    with pytest.raises(DataError, match="no series 'X'"):
        artefacts(session, ["X"])
    with pytest.raises(DataError, match="start before stop"):
        artefacts(session, ["G"], windows=(3.0, 3.0))
    with pytest.raises(DataError, match="threshold must be above 0"):
        find_artefacts(np.arange(3.0), np.arange(3.0), threshold=0)
    with pytest.raises(DataError, match="one length"):
        find_artefacts(np.arange(3.0), np.arange(4.0))
