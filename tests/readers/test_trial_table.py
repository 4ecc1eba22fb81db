"""A table with one trial a row becomes a session on a clock of its own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import isofold as iso
from isofold.errors import ReadError

FLMM = Path(__file__).parents[2] / "../shared/data/photometry_flmm"
HEADER = '"id","cs","name","f.1","f.2","f.3"\n'


def table(tmp_path, rows, header=HEADER):
    path = tmp_path / "trials.csv"
    path.write_text(header + "\n".join(rows) + "\n")
    return path


def test_rows_become_trials_and_other_columns_conditions(tmp_path):
    path = table(tmp_path, ["1,0,a,1,2,3", "2,1,b,4,5,6"])
    session = iso.read(path, trial_samples="f.*", rate=10, start=-0.1, event="cue")
    recording = session.bin(None, signal="signal", labels=["cs"])
    assert recording.signal.ravel().tolist() == [1, 2, 3, 4, 5, 6]
    assert recording.trials[["start", "stop"]].to_numpy().tolist() == [[0, 3], [3, 6]]
    assert recording.trials["name"].tolist() == ["a", "b"]
    assert recording.label("cs").tolist() == [0, 0, 0, 1, 1, 1]
    windows = recording.align("cue", (-0.1, 0.2))
    assert windows.values[:, :, 0].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert len(recording.segments) == 2, "no window may cross from one row into the next"


def test_infinite_and_missing_conditions_are_said(tmp_path):
    path = table(tmp_path, ["1,inf,a,1,2,3", "2,,b,4,,6"])
    session = iso.read(path, trial_samples="f.*", rate=10)
    assert np.isnan(session.trials["cs"]).all()
    assert session.metadata["warnings"] == [
        "cs: 1 infinite values taken as NaN, row 0",
        "signal: 1 of 2 trials hold NaN",
    ]


def test_a_column_called_start_keeps_its_values(tmp_path):
    path = table(tmp_path, ["7,1,2"], '"start","f.1","f.2"\n')
    assert iso.read(path, trial_samples="f.*", rate=10).trials["start_"].tolist() == [7]


@pytest.mark.parametrize(
    ("options", "row", "message"),
    [
        ({"trial_samples": "g.*", "rate": 10}, "1,0,a,1,2,3", "'g.*' fits 0 columns"),
        ({"trial_samples": "f.*"}, "1,0,a,1,2,3", "give rate="),
        ({"trial_samples": "f.*", "rate": -1}, "1,0,a,1,2,3", "give rate="),
        ({"trial_samples": "f.*", "rate": 10}, "1,0,a,1,x,3", "column 'f.2' holds text"),
    ],
)
def test_refusals(tmp_path, options, row, message):
    with pytest.raises(ReadError, match=r"trials\.csv") as error:
        iso.read(table(tmp_path, [row]), **options)
    assert message in str(error.value)


@pytest.mark.skipif(not FLMM.is_dir(), reason="real data not found: ../shared/data/photometry_flmm")
def test_facts_of_photometry_flmm():
    read = {"trial_samples": "photometry.*", "rate": 25, "start": -2.0, "event": "cue"}
    shapes = {"binary": (690, 125), "corr_data": (1034, 125), "anova_data": (1408, 125),
              "example_data": (580, 112)}  # fmt: skip
    for name, (n_trials, n_samples) in shapes.items():
        session = iso.read(FLMM / f"{name}.csv", **read)
        assert len(session.trials) == n_trials
        assert len(session.series["signal"]) == n_trials * n_samples
        assert session.metadata["warnings"] == (
            ["bout_rate: 1 infinite values taken as NaN, row 176"] if name == "example_data" else []
        )
    recording = iso.read(FLMM / "binary.csv", **read).bin(None, signal="signal")
    assert recording.trials["trial"].isna().sum() == 344
    windows = recording.align("cue", (-2, 3), baseline=(-2, 0)).sel(channel=0)
    response = windows.sel(time=slice(-0.001, 0.999)).mean("time").values
    cs = recording.trials["cs"].to_numpy()
    np.testing.assert_allclose([response[cs == k].mean() for k in (0, 1)], [3.16, 0.16], atol=0.01)
    assert int(windows.values[cs == 0].mean(axis=0).argmax()) == 56
    by_id = pd.Series(response[cs == 0]).groupby(recording.trials["id"].to_numpy()[cs == 0]).mean()
    expected = [0.84, 4.50, 2.73, 7.22, 3.41, 2.09, 1.36]
    np.testing.assert_allclose(by_id, expected, atol=0.01)
