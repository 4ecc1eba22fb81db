"""Recording: splits never leak, rows stay together with their clock, and refusals say why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold import Recording
from isofold._rows import Rows
from isofold.errors import DataError

FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def numbered(n, trials, gaps=(), rate=4.0, names=None, **more):
    """A recording whose every row says its own number, with gaps in time before given samples."""
    table = pd.DataFrame(trials, columns=["start", "stop"], index=names, dtype=np.int64)
    table["side"] = np.arange(len(table)) % 2
    number = np.arange(n)
    segments = Recording(np.zeros((n, 1)), rate, trials=table).segments
    edges = np.unique(np.concatenate([[0, n], segments["start"], segments["stop"], list(gaps)]))
    edges = edges[edges <= n].astype(np.int64)
    at = np.searchsorted(segments["start"], edges[:-1], side="right") - 1
    late = np.array([2.5 * sum(g <= e for g in gaps) for e in edges[:-1]])
    segments = pd.DataFrame(
        {
            "start": edges[:-1],
            "stop": edges[1:],
            "time0": edges[:-1] / rate + late,
            "trial": segments["trial"].to_numpy()[at],
        }
    )
    return Recording(
        np.column_stack([number, 10 * number]).astype(float),
        rate,
        labels={"number": number.astype(float), "word": number.astype(str)},
        trials=table,
        segments=segments,
        truth=number[:, None].astype(float),
        name="numbered",
        **more,
    )


@st.composite
def recordings(draw, fewest=3):
    """Random trials (touching or not), pauses and gaps in time."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=fewest, max_size=8))
    pauses = draw(st.lists(st.integers(0, 3), min_size=len(lengths) + 1, max_size=len(lengths) + 1))
    start = np.cumsum(np.array(pauses[:-1]) + np.concatenate([[0], lengths[:-1]]))
    trials = np.column_stack([start, start + lengths])
    n = int(trials[-1, 1] + pauses[-1])
    gaps = sorted(draw(st.sets(st.integers(1, max(n - 1, 1)), max_size=3)))
    names = draw(st.sampled_from([None, "numbers", "words"]))
    index = {
        "numbers": [10 * i + 3 for i in range(len(trials))],
        "words": [f"lap {i}" for i in range(len(trials))],
    }.get(names)
    return numbered(n, trials, [g for g in gaps if g < n], names=index)


def ids(recording):
    return np.asarray(recording.signal)[:, 0].astype(int)


def assert_is_part(part, whole, kept):
    """`part` equals the rows `kept` of `whole` row by row, and its tables describe them."""
    kept = np.asarray(kept, dtype=int)
    np.testing.assert_array_equal(np.asarray(part.signal), np.asarray(whole.signal)[kept])
    np.testing.assert_allclose(part.time, whole.time[kept])
    np.testing.assert_array_equal(part.trial, whole.trial[kept])
    np.testing.assert_array_equal(part.truth, whole.truth[kept])
    for name in whole.labels:
        np.testing.assert_array_equal(part.labels[name], whole.labels[name][kept])
    for name, trial in part.trials.iterrows():
        rows = np.arange(trial["start"], trial["stop"])
        assert np.flatnonzero(part.trial == name).tolist() == rows.tolist()
        assert trial["side"] == whole.trials.loc[name, "side"]
    expected = [name for name in whole.trials.index if (whole.trial[kept] == name).any()]
    assert part.trials.index.tolist() == expected
    in_segment = np.repeat(
        np.arange(len(part.segments)), part.segments["stop"] - part.segments["start"]
    )
    whole_segment = np.repeat(
        np.arange(len(whole.segments)), whole.segments["stop"] - whole.segments["start"]
    )
    together = (np.diff(kept) == 1) & (np.diff(whole_segment[kept]) == 0)
    np.testing.assert_array_equal(np.diff(in_segment) == 0, together)


# -- taking rows ------------------------------------------------------------------------------


@FAST
@given(recordings(), st.data())
def test_taking_rows_equals_brute_force_also_nested(recording, data):
    part, kept = recording, np.arange(len(recording))
    for _ in range(2):
        n = len(part)
        mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
        part, kept = part._take(edges[::2], edges[1::2]), kept[mask]
        assert_is_part(part, recording, kept)


@pytest.mark.parametrize("kind", ["memmap", "zarr"])
def test_splits_of_large_signals_stay_lazy(kind, tmp_path, monkeypatch):
    whole = numbered(40, [(0, 9), (9, 15), (18, 30), (30, 40)], gaps=[5, 22])
    if kind == "memmap":
        signal = np.memmap(tmp_path / "s", mode="w+", shape=(40, 2), dtype=float)
    else:
        signal = zarr.open_array(
            str(tmp_path / "s"), mode="w", shape=(40, 2), chunks=(7, 1), dtype=float
        )
    signal[:] = whole.signal
    lazy = Recording(
        signal,
        whole.rate,
        labels=whole.labels,
        trials=whole.trials,
        segments=whole.segments,
        truth=whole.truth,
    )
    reads = []
    read = Rows._read
    monkeypatch.setattr(Rows, "_read", lambda *a: reads.append(a) or read(*a))
    train, test = lazy.split(test=0.25)
    inner, valid = train.split(test=0.34)
    assert not reads
    for part, of in ((train, whole), (test, whole), (inner, whole), (valid, whole)):
        assert type(part.signal) is Rows
        assert_is_part(part, of, ids(part))
    assert ids(test).tolist() == list(range(30, 40))
    assert ids(valid).tolist() == list(range(18, 30))


# -- splits -----------------------------------------------------------------------------------


@FAST
@given(
    recordings(fewest=4),
    st.sampled_from(["last", "interleaved", "random"]),
    st.sampled_from([(0.25, 0.0), (0.4, 0.0), (0.25, 0.25), (0.5, 0.2)]),
    st.integers(0, 5),
)
def test_a_split_deals_out_every_trial_once(recording, how, shares, seed):
    parts = recording.split(*shares, how=how, seed=seed)
    assert len(parts) == 2 + (shares[1] > 0)
    samples = np.concatenate([ids(p) for p in parts])
    inside = np.flatnonzero(recording.trial.astype(str) != "-1")
    assert sorted(samples) == inside.tolist()
    names = [name for p in parts for name in p.trials.index]
    assert sorted(map(str, names)) == sorted(map(str, recording.trials.index))
    for part in parts:
        assert_is_part(part, recording, ids(part))
        assert part.whole == recording._inside()
    assert [ids(p).tolist() for p in parts] == [
        ids(p).tolist() for p in recording.split(*shares, how=how, seed=seed)
    ]


@FAST
@given(recordings(fewest=3), st.integers(2, 3), st.sampled_from(["blocks", "interleaved"]))
def test_folds_cover_each_trial_once(recording, k, how):
    pairs = recording.folds(k, how=how)
    tests = [name for _, test in pairs for name in test.trials.index]
    assert sorted(map(str, tests)) == sorted(map(str, recording.trials.index))
    for train, test in pairs:
        assert not set(ids(train)) & set(ids(test))
        assert len(train.trials) + len(test.trials) == len(recording.trials)
        assert_is_part(train, recording, ids(train))
        assert_is_part(test, recording, ids(test))


@FAST
@given(st.integers(200, 400), st.sampled_from(["last", "interleaved"]))
def test_without_trials_blocks_are_purged(n, how):
    """No training sample lies within one receptive field of a held-out one, and none is cut up."""
    recording = Recording(np.arange(n)[:, None], 1.0)
    train, valid, test = recording.split(test=0.2, valid=0.1, how=how)
    for held in (valid, test):
        assert np.abs(ids(train)[:, None] - ids(held)).min() > 10
    parts = [train, valid, test]
    assert sum(len(p) for p in parts) == len({i for p in parts for i in ids(p)})
    assert len(test.segments) == (1 if how == "last" else 2)  # touching blocks are one stretch
    for fold_train, fold_test in recording.folds(4, how="blocks"):
        assert np.abs(ids(fold_train)[:, None] - ids(fold_test)).min() > 10
        assert len(fold_test.segments) <= 4


def test_more_folds_than_blocks():
    recording = Recording(np.arange(400)[:, None], 1.0)
    held = np.concatenate([ids(test) for _, test in recording.folds(20)])
    assert sorted(held) == list(range(400))


def test_stratified_split_holds_out_equal_shares():
    trials = [(3 * i, 3 * i + 3) for i in range(20)]
    recording = numbered(60, trials)
    table = recording.trials.assign(side=["l"] * 15 + ["r"] * 4 + [None])
    recording = Recording(recording.signal, 1.0, trials=table)
    _, test = recording.split(test=0.25, how="random", stratify="side", seed=1)
    assert test.trials["side"].tolist().count("l") == 4
    assert test.trials["side"].tolist().count("r") == 1


# -- labels and kinds -------------------------------------------------------------------------


def test_kinds_follow_the_type_unless_given():
    recording = Recording(
        np.zeros((3, 1)),
        1.0,
        labels={
            "b": [True, False, True],
            "i": [1, 2, -1],
            "s": ["x", "", "y"],
            "c": pd.Categorical(["u", "v", "u"]),
            "f": [0.5, np.nan, 1],
            "a": [0.1, 0.2, 0.3],
            "o": np.array([True, False, True], dtype=object),
            "none": np.array(["x", None, "y"], dtype=object),
            "n": pd.array([1, 2, 3], dtype="Int64"),
            "m": pd.Series([1, None, 3], dtype="UInt8"),
            "y": pd.array([True, None, False], dtype="boolean"),
        },
        kinds={"a": "circular"},
    )
    kinds = dict(recording.kinds)
    assert kinds.pop("f") == "continuous"
    assert kinds.pop("a") == "circular"
    assert set(kinds.values()) == {"discrete"}
    assert recording.labels["none"].tolist() == ["x", "", "y"]
    assert recording.labels["o"].dtype == bool
    assert recording.labels["n"].dtype.kind == "i"
    assert recording.labels["m"].tolist() == [1, -1, 3]
    assert recording.labels["y"].tolist() == [1, -1, 0]


def test_trial_columns_are_labels_with_the_missing_value_outside():
    table = pd.DataFrame(
        {
            "start": [1, 4],
            "stop": [3, 5],
            "side": ["l", None],
            "correct": [True, False],
            "contrast": np.array([0.5, 0.25], np.float32),
            "block": np.array([1, 2], np.uint64),
            "angle": [0.1, 0.2],
        }
    )
    recording = Recording(np.zeros((6, 1)), 1.0, trials=table, kinds={"angle": "circular"})
    assert recording.label("side").tolist() == ["", "l", "l", "", "", ""]
    assert recording.label("correct").tolist() == [-1, 1, 1, -1, 0, -1]
    assert recording.label("block").tolist() == [-1, 1, 1, -1, 2, -1]
    assert recording.label("block").dtype.kind == "i"
    np.testing.assert_array_equal(
        recording.label("contrast"), [np.nan, 0.5, 0.5, np.nan, 0.25, np.nan]
    )
    assert recording.kind("side") == recording.kind("correct") == "discrete"
    assert recording.kind("angle") == "circular"
    assert recording.split(test=0.5)[1].kind("angle") == "circular"
    assert "angle" not in repr(recording)


def test_describes_itself():
    recording = iso.simulate.place_cells(0, n_laps=2, n_units=3)
    assert "3 channels at 40 Hz, 2 trials" in repr(recording)
    assert "position (continuous)" in recording._repr_html_()
    assert len(recording) == recording.n_samples
    with pytest.raises(AttributeError):
        recording.rate = 1.0


def test_a_table_is_a_signal_too():
    recording = Recording(pd.DataFrame({"u1": [1.0, 2.0]}), 1.0)
    assert type(recording.signal) is np.ndarray


# -- refusals ---------------------------------------------------------------------------------


def table(start, stop, **more):
    return pd.DataFrame({"start": start, "stop": stop}, **more)


def segments(start, stop, **more):
    return pd.DataFrame({"start": start, "stop": stop, "time0": 0.0, "trial": 0, **more})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signal": np.zeros(6)}, r"signal must be \(time, channel\), got shape \(6,\)"),
        ({"signal": np.zeros((2, 3, 4))}, r"\(trial, time, channel\) array goes to fit"),
        ({"signal": np.array([["a"]])}, "signal must hold real numbers, got dtype <U1"),
        ({"signal": np.zeros((6, 2), complex)}, "must hold real numbers"),
        ({"rate": 0}, "rate must be a positive number of samples per second, got 0"),
        ({"rate": np.nan}, "rate must be a positive"),
        ({"rate": "40"}, "rate must be a positive number .* got '40'"),
        ({"labels": {"x": np.zeros(5)}}, r"label 'x' must be .* 6 samples, got shape \(5,\)"),
        ({"labels": {"x": np.zeros((6, 1, 1))}}, "label 'x' must be"),
        ({"labels": {"x": [[1], [1, 2], [1], [1], [1], [1]]}}, "label 'x' must have rows of equal"),
        ({"labels": {"x": np.array([1, "a", None, 2, 3, 4], object)}}, "not mixed objects"),
        ({"labels": {"x": np.array([1, None, 1, 1, 1, 1], object)}}, "a missing value is"),
        ({"labels": {"x": np.zeros(6, complex)}}, "label 'x' has dtype complex128"),
        ({"labels": {"x": pd.date_range("2026", periods=6)}}, "label 'x' has dtype datetime64"),
        (
            {"labels": {"x": np.zeros(6)}, "kinds": {"x": "angle"}},
            "kind of label 'x' must be one of",
        ),
        (
            {"labels": {"x": np.zeros(6)}, "kinds": {"y": "discrete"}},
            "kinds names 'y', which is no",
        ),
        ({"labels": {"x": ["a"] * 6}, "kinds": {"x": "circular"}}, "'x' holds strings"),
        ({"channels": pd.DataFrame(index=range(3))}, "one row a channel: 3 rows for 2"),
        ({"truth": np.zeros((5, 1))}, "label 'truth' must be"),
        (
            {"trials": pd.DataFrame({"start": [0]})},
            r"need columns start and stop.*missing \['stop'\]",
        ),
        (
            {"trials": table([0.5], [3])},
            "whole samples; trial 0 has start=0.5, stop=3.0; Session.bin",
        ),
        ({"trials": table([0, np.nan], [1, 2])}, "whole samples; trial 1 has start=nan"),
        ({"trials": table(["a"], ["b"])}, "start and stop of trials must be numbers"),
        (
            {"trials": table([0, 2], [2, 4], index=["a", "a"])},
            "index of the trial table must be uni",
        ),
        ({"trials": table([0, 2], [2, 4], index=[0, -1])}, "no trial may be called -1"),
        (
            {"trials": table([0, 2], [3, 4], index=["a", "b"])},
            r"trial 'a' \[0, 3\) and trial 'b' \[2,",
        ),
        ({"trials": table([2, 0], [4, 1])}, "must be sorted and must not overlap"),
        ({"trials": table([3], [3])}, "must stop after it starts; trial 0 has start=3, stop=3"),
        (
            {"trials": table([0], [7])},
            "inside the signal of 6 samples; trial 0 has start=0, stop=7",
        ),
        ({"trials": table([-1], [2])}, "inside the signal of 6 samples"),
        ({"segments": table([0], [6])}, r"segments need columns .* missing \['time0', 'trial'\]"),
        ({"segments": segments([0], [5])}, "segments must cover all 6 samples, they cover 5"),
        ({"segments": segments([0, 2], [3, 6])}, "segments must be sorted .* segment 0"),
        ({"segments": segments([0], [6]), "trials": table([0], [4])}, "one crosses sample 4"),
    ],
)
def test_the_constructor_refuses(change, message):
    with pytest.raises(DataError, match=message):
        Recording(**{"signal": np.zeros((6, 2)), "rate": 1.0, **change})


def test_an_integer_label_with_many_values_must_say_what_it_is():
    values = {"x": np.arange(60)}
    with pytest.raises(
        DataError, match=r"integer label 'x' has 60 values.*kinds=\{'x': 'discrete'\}"
    ):
        Recording(np.zeros((60, 1)), 1.0, labels=values)
    recording = Recording(np.zeros((60, 1)), 1.0, labels=values, kinds={"x": "continuous"})
    assert recording.kind("x") == "continuous"
    trials = pd.DataFrame({"start": range(60), "stop": range(1, 61), "number": range(60)})
    recording = Recording(np.zeros((60, 1)), 1.0, trials=trials)
    with pytest.raises(DataError, match="integer label 'number' has 60 values"):
        recording.kind("number")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.split(test=0.0), "between 0 and 1, got 0"),
        (lambda r: r.split(test=0.6, valid=0.4), r"test \+ valid must stay below 1"),
        (lambda r: r.split(valid=-0.1), "between 0 and 1"),
        (lambda r: r.split(how="first"), "how must be 'last', 'interleaved' or 'random'"),
        (
            lambda r: r.split(stratify="colour"),
            "trials are grouped by a trial column, got 'colour'",
        ),
        (
            lambda r: r.split(test=0.4)[0].split(test=0.2, valid=0.7),
            r"would leave a part without trials \(2 trials",
        ),
        (lambda r: r.folds(4), "got k=4 for 3 trials"),
        (
            lambda r: r.label("speed"),
            r"no label or trial column 'speed'; labels: \['number', 'word'\]",
        ),
        (
            lambda r: Recording(np.zeros((9, 1)), 1.0).split(how="random"),
            "random split needs trials",
        ),
        (
            lambda r: Recording(np.zeros((11, 1)), 1.0).split(),
            "nothing is left to train on: 10 samp",
        ),
        (lambda r: Recording(np.zeros((0, 1)), 1.0).split(), "leave a part without trials"),
        (lambda r: Recording(np.zeros((20, 1)), 1.0).folds(30), "got k=30 for 20"),
        (
            lambda r: Recording(np.zeros((9, 1)), 1.0, trials=table([], [])).split(),
            r"without trials \(0 trials, 9 samples\)",
        ),
    ],
)
def test_splits_refuse(call, message):
    with pytest.raises(DataError, match=message):
        call(numbered(12, [(0, 3), (3, 7), (8, 12)]))


def test_a_column_of_a_label_goes_by_its_number():
    xy = np.arange(10.0).reshape(5, 2)
    recording = Recording(np.zeros((5, 1)), 1.0, labels={"xy": xy}, kinds={"xy": "circular"})
    assert recording.label("xy_1").tolist() == xy[:, 1].tolist()
    assert recording.kind("xy_1") == "circular"
    for unknown in ("xy_2", "xy_", "x_0"):
        with pytest.raises(DataError, match="no label or trial column"):
            recording.label(unknown)
