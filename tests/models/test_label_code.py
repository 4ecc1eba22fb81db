"""Labels as the label prior sees them, and the labels considered where none is known."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold import Recording
from isofold.errors import DataError, MissingValuesError
from isofold.models._label_code import LabelCode, candidates, coded, learn_code, used_values

N = 40
X = np.linspace(2.0, 6.0, N)
ANGLE = np.linspace(0, 4 * np.pi, N)
CLASS = np.array([7, 3])[np.arange(N) % 2]
WORD = np.array(["left", "right", "wait"])[np.arange(N) % 3]
TRIALS = pd.DataFrame({"start": [0, 15, 30], "stop": [15, 30, 40], "cue": ["a", "b", "a"]})


def recording(**changes):
    labels = {"x": X, "angle": ANGLE, "class": CLASS, "word": WORD, "xy": np.c_[X, -(X**2)]}
    labels = changes.pop("labels", labels)
    kinds = {"angle": "circular"} if "angle" in labels else {}
    base = {"labels": labels, "kinds": kinds, "trials": TRIALS, "name": "a"}
    return Recording(np.ones((N, 2)), 2.0, **(base | changes))


def learned(*labels, source="labels", outside=False, of=None):
    return learn_code([of or recording()], labels, source, outside)


def table_of(code, n=12, of=None, seed=0):
    values = used_values(code, [of or recording()], False)
    return candidates(code, values, n, np.random.default_rng(seed))


# -- codes ----------------------------------------------------------------------------------------


def test_a_continuous_label_is_standardised():
    code = learned("x").of(recording())
    np.testing.assert_allclose(code, ((X - X.mean()) / X.std())[:, None], atol=1e-6)
    assert code.dtype == np.float32


def test_columns_are_standardised_each():
    code = learned("xy").of(recording())
    np.testing.assert_allclose(code.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(code.std(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(code, np.c_[learned("x").of(recording()), code[:, 1]], atol=1e-6)


def test_an_angle_is_cosine_and_sine_and_knows_no_turns():
    code = learned("angle")
    np.testing.assert_allclose(code.of(recording()), np.c_[np.cos(ANGLE), np.sin(ANGLE)], atol=1e-6)
    turned = recording(labels={"angle": ANGLE - 6 * np.pi})
    np.testing.assert_allclose(code.of(turned), code.of(recording()), atol=1e-5)


def test_classes_are_one_hot_in_sorted_order():
    code = learned("class")
    assert code.discrete
    np.testing.assert_array_equal(code.of(recording()), np.c_[CLASS == 3, CLASS == 7])
    words = learned("word")
    assert words.parts[0].classes == ("left", "right", "wait")
    assert words.of(recording()).argmax(axis=1).tolist() == [n % 3 for n in range(N)]
    assert learned("cue").of(recording())[[0, 20, 35]].argmax(axis=1).tolist() == [0, 1, 0]


def test_several_discrete_labels_are_joint_classes():
    code = learned("class", "word")
    assert code.width == 6
    found = code.of(recording())
    assert (found.sum(axis=1) == 1).all()
    joint = (CLASS == 7) * 3 + np.arange(N) % 3
    assert (found.argmax(axis=1) == joint).all()


def test_mixed_labels_stand_side_by_side():
    code = learned("x", "class", "angle")
    assert (code.width, code.discrete) == (1 + 2 + 2, False)
    parts = [learned(name).of(recording()) for name in ("x", "class", "angle")]
    np.testing.assert_array_equal(code.of(recording()), np.hstack(parts))


def test_booleans_are_classes():
    code = learned("go", of=recording(labels={"go": CLASS == 3}))
    assert code.of(recording(labels={"go": CLASS == 3})).argmax(axis=1).tolist() == [0, 1] * 20


def test_time_and_time_since_the_trial_began():
    time = learned(source="time")
    seconds = np.arange(N) / 2.0
    wanted = (seconds - seconds.mean()) / seconds.std()
    np.testing.assert_allclose(time.of(recording())[:, 0], wanted, atol=1e-6)
    inside = np.concatenate([np.arange(15), np.arange(15), np.arange(10)]) / 2.0
    found = learned(source="trial_time").of(recording())[:, 0]
    np.testing.assert_allclose(found, (inside - inside.mean()) / inside.std(), atol=1e-6)


def test_time_goes_on_behind_a_gap_in_a_trial():
    signal = np.ones((N, 2))
    signal[18:22] = np.nan
    code = learned(source="trial_time")
    full = code.of(recording())
    gap = Recording(signal, 2.0, trials=TRIALS).fill("drop")
    kept = np.r_[0:18, 22:N]
    np.testing.assert_allclose(code.of(gap), full[kept], atol=1e-6)


def test_no_prior_no_columns():
    code = learned("x", source="none")
    assert (code.width, code.discrete, code.parts) == (0, True, ())
    assert code.of(recording()).shape == (N, 0)


def test_moments_and_classes_are_those_of_the_samples_of_the_fit():
    labels = {"x": np.r_[X[:30], np.full(10, 1e6)], "class": np.r_[CLASS[:30], np.full(10, 99)]}
    some = recording(labels=labels, trials=TRIALS.iloc[:2])
    code = learned("x", "class", of=some)
    assert code.parts[0].mean == pytest.approx((X[:30].mean(),))
    assert code.parts[1].classes == (3, 7)
    assert learned("class", of=some, outside=True).parts[0].classes == (3, 7, 99)


def test_several_recordings_share_one_code():
    other = recording(labels={"class": np.where(CLASS == 3, 5, CLASS), "x": X + 10})
    code = learn_code([recording(), other], ["class", "x"], "labels", False)
    assert code.parts[0].classes == (3, 5, 7)
    assert code.parts[1].mean == pytest.approx((X.mean() + 5,))
    assert (code.of(recording())[:, :3].argmax(axis=1) == np.where(CLASS == 3, 0, 2)).all()


# -- refusals -------------------------------------------------------------------------------------


def test_a_class_that_the_fit_has_not_seen_is_named():
    other = recording(labels={"class": np.r_[CLASS[:-2], 4, 9]})
    with pytest.raises(
        DataError, match=r"'class' has classes .* not seen: \[4, 9\]; known: \[3, 7"
    ):
        learned("class").of(other)
    words = recording(labels={"word": np.append(WORD[:-1], "up")})
    with pytest.raises(DataError, match=r"not seen: \['up'\]; known: \['left', 'right', 'wait'\]"):
        learned("word").of(words)


def test_missing_values_have_an_empty_code():
    """Transform refuses them where it uses labels; outside trials they do no harm."""
    holes = recording(labels={"x": np.r_[np.nan, X[1:]], "class": np.r_[-1, CLASS[1:]]})
    code = learned("x", "class")
    assert not code.of(holes)[0].any()
    np.testing.assert_array_equal(code.of(holes)[1:], code.of(recording())[1:])
    with pytest.raises(MissingValuesError, match=r"label 'x' of recording 'a' lacks 1 sample"):
        learned("x", of=holes)
    with pytest.raises(MissingValuesError, match=r"label 'class' of recording 'a' lacks 1 sample"):
        learned("class", of=holes)


@pytest.mark.parametrize("values", [np.full(N, 2.0), np.full(N, 5), np.full((N, 2), 0.5)])
def test_a_constant_label_is_refused(values):
    with pytest.raises(DataError, match=r"'u' has the value \[.*\] in every sample .*use VAE"):
        learned("u", of=recording(labels={"u": values}))


def test_columns_of_classes_are_to_be_named():
    two = recording(labels={"u": np.c_[CLASS, CLASS % 2]})
    with pytest.raises(
        DataError, match=r"has one column, 'u' has 2: name its col.*\['u_0', \.\.\.\]"
    ):
        learned("u", of=two)
    one = recording(labels={"u": CLASS[:, None]})
    np.testing.assert_array_equal(learned("u", of=one).of(one), learned("class").of(recording()))


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["labels", "time", "trial_time", "none"])
def test_json_round_trip(source):
    code = learned("x", "angle", "class", "word", "xy", source=source)
    again = LabelCode.from_json(json.loads(json.dumps(code.to_json())))
    assert again == code
    np.testing.assert_array_equal(again.of(recording()), code.of(recording()))


# -- candidates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [("x",), ("angle",), ("class",), ("class", "word"), ("x", "class"), ("angle", "class", "word"),
     ("xy",), ("x", "angle", "class")],
)  # fmt: skip
def test_candidates_have_weights_that_sum_to_one_and_a_code(labels):
    code = learned(*labels)
    table = table_of(code)
    assert table["weight"].sum() == pytest.approx(1)
    assert (table["weight"] > 0).all()
    found = coded(code, table)
    assert found.shape == (len(table), code.width)
    assert np.isfinite(found).all()
    assert len(np.unique(found, axis=0)) == len(table)


def test_classes_weigh_as_often_as_they_occur():
    table = table_of(learned("word"))
    assert dict(zip(table["word"], table["weight"], strict=True)) == pytest.approx(
        {"left": 14 / 40, "right": 13 / 40, "wait": 13 / 40}
    )
    some = recording(labels={"a": [0, 0, 1, 1] * 10, "b": [0, 1, 0, 0] * 10})
    joint = table_of(learned("a", "b", of=some), of=some)
    assert joint[["a", "b"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0]]  # (1, 1) never occurs
    assert joint["weight"].tolist() == [0.25, 0.25, 0.5]


def test_a_continuous_label_is_a_grid_over_its_range_in_each_class():
    table = table_of(learned("x", "class"), n=12)
    for c in (3, 7):
        grid = table.loc[table["class"] == c, "x"]
        np.testing.assert_allclose(grid, np.linspace(2, 6, 6))
    uneven = np.r_[np.full(30, 2.0), np.linspace(2, 6, 10)]
    some = recording(labels={"x": uneven})
    weight = table_of(learned("x", of=some), of=some)["weight"]
    assert weight.iloc[0] > 0.5
    assert weight.min() > 0


def test_an_angle_is_a_grid_without_its_last_step():
    table = table_of(learned("angle"), n=8)
    np.testing.assert_allclose(table["angle"], np.arange(8) * np.pi / 4)
    # Two turns in even steps; 0 and the end of both turns are one angle.
    assert table["weight"].max() < 2 * table["weight"].min()
    negative = recording(labels={"angle": ANGLE - 4 * np.pi})
    same = table_of(learned("angle", of=negative), n=8, of=negative)
    pd.testing.assert_frame_equal(same, table)


def test_several_continuous_columns_are_samples_of_the_fit():
    table = table_of(learned("xy", "class"), n=10)
    assert list(table.columns) == ["class", "xy_0", "xy_1", "weight"]
    assert len(table) == 10
    np.testing.assert_allclose(table["xy_1"], -(table["xy_0"] ** 2))
    assert table["xy_0"].isin(X).all()
    few = table_of(learned("xy"), n=500)
    assert len(few) == N


def test_candidates_know_nothing_of_samples_that_the_fit_does_not_use():
    """Between trials a rat has no position: NaN, and -1."""
    gap = np.arange(N) >= 30
    labels = {"x": np.where(gap, np.nan, X), "class": np.where(gap, -1, CLASS)}
    some = recording(labels=labels, trials=TRIALS.iloc[:2])
    table = table_of(learned("x", "class", of=some), of=some)
    assert set(table["class"]) == {3, 7}
    assert (table["x"].min(), table["x"].max()) == (X[0], X[29])
    assert table["weight"].sum() == pytest.approx(1)


def test_candidates_of_ones_own_need_every_label():
    with pytest.raises(DataError, match=r"need a column for label 'class', got \['x'\]"):
        coded(learned("x", "class"), pd.DataFrame({"x": [1.0]}))
    table = pd.DataFrame({"xy_1": [1.0, 2.0], "xy_0": [3.0, 4.0]})  # in any order
    found = coded(learned("xy"), table)
    np.testing.assert_allclose(
        found, learned("xy").encode({"time": 0, "xy": table[["xy_0", "xy_1"]]})
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(-1e3, 1e3)), min_size=5, max_size=60),
    st.integers(2, 50),
)
def test_grids_cover_any_values(samples, n):
    c, x = (np.array(v) for v in zip(*samples, strict=True))
    if len(set(c)) < 2 or np.ptp(x) == 0:
        return
    some = Recording(np.ones((len(x), 1)), 1.0, labels={"c": c, "x": x.astype(float)})
    code = learn_code([some], ["c", "x"], "labels", False)
    table = candidates(code, used_values(code, [some], False), n, np.random.default_rng(0))
    assert set(table["c"]) == set(c)
    assert (table["x"].min(), table["x"].max()) == pytest.approx((x.min(), x.max()))
    assert table["weight"].sum() == pytest.approx(1)
    # A class is as likely as it is common, but for half a count a step.
    n_each = max(n // len(set(c)), 2)
    total = len(c) + 0.5 * n_each * len(set(c))
    for k in set(c):
        share = table.loc[table["c"] == k, "weight"].sum()
        assert share == pytest.approx((np.sum(c == k) + 0.5 * n_each) / total)
