"""Delay embedding, trial baselines, z-scores by group, folds by group."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isofold import Recording, Session
from isofold.errors import DataError, MissingValuesError
from isofold.preprocess import (
    Delay,
    TrialBaseline,
    ZScore,
    delay,
    event_clock,
    pipeline,
    trial_baseline,
    trial_column,
)


def recording(lengths=(4, 3, 5), n_channels=2, seed=0, **columns):
    stop = np.cumsum(lengths)
    start = stop - lengths
    trials = pd.DataFrame({"start": start, "stop": stop, **columns})
    signal = np.random.default_rng(seed).normal(size=(stop[-1], n_channels))
    return Recording(signal, rate=10.0, trials=trials)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.integers(2, 4),
    st.integers(1, 3),
    st.booleans(),
)
def test_delays_against_brute_force(lengths, n, step, centred):
    given_ = recording(lengths)
    out = delay(given_, n, step / 10, centred).signal
    first = -(n // 2) * step if centred else 0
    for start, stop in given_.segments[["start", "stop"]].to_numpy():
        for t in range(start, stop):
            at = [min(max(t - first - k * step, start), stop - 1) for k in range(n)]
            assert np.array_equal(out[t], given_.signal[at].ravel())


def test_delays_carry_the_channel_they_are_of():
    table = delay(recording(), 2, 0.1).channels
    assert table["of"].tolist() == [0, 1, 0, 1]
    assert table["delay"].tolist() == [0.0, 0.0, 0.1, 0.1]


@pytest.mark.parametrize(("n", "step"), [(1, 0.1), (2.0, 0.1), (True, 0.1), (3, 0), (3, np.nan)])
def test_delay_refuses(n, step):
    with pytest.raises(DataError, match="must be a"):
        Delay(n, step)


def test_delay_refuses_what_it_cannot_see():
    with pytest.raises(DataError, match="less than half a sample"):
        delay(recording(), 2, 0.01)
    holes = Recording(np.array([[1.0], [np.nan]]), rate=10.0)
    with pytest.raises(MissingValuesError, match="channel 0"):
        delay(holes, 2, 0.1)


def test_every_trial_loses_its_own_baseline():
    given_ = recording((5, 5), cue=[0.2, 0.7])
    out = trial_baseline(given_, "cue", [-0.2, 0.0]).signal
    for k in range(2):
        own = given_.signal[5 * k : 5 * k + 5]
        np.testing.assert_allclose(out[5 * k : 5 * k + 5], own - own[:2].mean(axis=0), atol=1e-12)


def test_trial_baseline_refuses():
    with pytest.raises(DataError, match="trial columns: "):
        trial_baseline(recording(cue=[0.2, 0.5, 0.9]), "go", [-0.2, 0])
    with pytest.raises(DataError, match="has no trials"):
        trial_baseline(Recording(np.zeros((3, 1)), rate=1.0), "cue", [-1, 0])
    with pytest.raises(DataError, match="trial 1 has no sample"):
        trial_baseline(recording(cue=[0.2, 9.0, 0.9]), "cue", [-0.2, 0])
    for window in ([0, 0], [1, 0], [0, np.inf], [0]):
        with pytest.raises(DataError, match="start < stop"):
            TrialBaseline("cue", window)


def test_each_group_is_scaled_by_itself_wherever_it_stands():
    given_ = recording((4, 3, 5), animal=["a", "b", "a"])
    train, test = given_.folds(2, by="animal")[0]
    step = ZScore(by="animal").fit(train)
    whole, part = step.transform(given_), step.transform(test)
    assert test.trials["animal"].tolist() == ["a", "a"]
    rows = np.r_[0:4, 7:12]
    np.testing.assert_allclose(part.signal, whole.signal[rows], atol=1e-12)
    np.testing.assert_allclose(part.signal.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(part.signal.std(axis=0), 1, atol=1e-12)


def test_groups_stay_together_and_each_is_held_out_once():
    given_ = recording([2] * 9, animal=list("abcabcabc"))
    pairs = given_.folds(3, by="animal")
    held = [sorted(set(test.trials["animal"])) for _, test in pairs]
    assert held == [["a"], ["b"], ["c"]]
    for train, test in pairs:
        assert not set(train.trials["animal"]) & set(test.trials["animal"])
        assert len(train.trials) + len(test.trials) == 9
    two = [set(test.trials["animal"]) for _, test in given_.folds(2, by="animal")]
    assert not two[0] & two[1]
    assert two[0] | two[1] == set("abc")


def test_folds_by_group_refuse():
    given_ = recording(animal=["a", "b", "a"])
    with pytest.raises(DataError, match="at least 3 groups for k=3; found 2: "):
        given_.folds(3, by="animal")
    with pytest.raises(DataError, match=r"got 'rat'; there are \['animal'\]"):
        given_.folds(2, by="rat")


def test_steps_of_a_study_file():
    steps = pipeline([{"delay": {"n": 3, "lag": 0.1}}, {"zscore": {"by": "animal"}}])
    assert repr(steps) == "[Delay(lag=0.1, n=3), ZScore(by='animal')]"


def test_time_from_events_against_brute_force():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 60, 12))
    window = (-1.5, 2.1)
    series = event_clock(Session(events={"cue": times}), "cue", window, rate=20).series
    clock = series["time_from_cue"]
    for t, value in zip(clock.times(), clock.values, strict=True):
        since = t - times
        inside = since[(since >= window[0] - 1e-6) & (since <= window[1] + 1e-6)]
        assert abs(value) == pytest.approx(np.abs(inside).min(), abs=1e-9)
    every = np.arange(times[0] - 1.5, times[-1] + 2.1, 1 / 20)
    covered = (np.abs(every[:, None] - times - 0.3) < 1.8 - 1e-6).any(axis=1)
    assert abs(len(clock) - covered.sum()) <= 1


def test_clock_of_a_trial_column_and_refusals():
    trials = pd.DataFrame({"start": [0.0, 5.0], "stop": [5.0, 9.0], "go": [1.0, np.nan]})
    made = event_clock(Session(trials=trials), "go", (-1, 1), rate=2, name="since go")
    assert made.series["since go"].values.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert made.provenance[-1]["step"] == "event_clock"
    with pytest.raises(DataError, match=r"no event 'lick'; events: \[\], trial columns .*'go'"):
        event_clock(Session(trials=trials), "lick")
    for options in ({"window": (1, 0)}, {"rate": 0.0}, {"rate": np.nan}):
        with pytest.raises(DataError, match="must be"):
            event_clock(Session(trials=trials), "go", **options)


def test_trial_columns_are_made_of_others():
    trials = pd.DataFrame(
        {"start": [0.0, 5.0], "stop": [5.0, 9.0], "l": [True, False], "n": [1, 2]}
    )
    session = Session(trials=trials, intervals={"laps": trials})
    assert trial_column(session, "odd", "n % 2 == 1").trials["odd"].tolist() == [True, False]
    assert trial_column(session, "no", "not l", trials="laps").intervals["laps"]["no"].tolist() == [
        False,
        True,
    ]
    assert "odd" not in session.trials, "the session that was given stays as it is"
    for query in ("nothing > 1", "__import__('os')", "@n > 1", "1 + 1"):
        with pytest.raises(DataError, match="trial query"):
            trial_column(session, "x", query)
