"""What is compared, over what, and the sentence that comes of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from isofold.report.answer import answer, headline, reach, unit_of
from isofold.report.figures import measure_figure
from isofold.report.measures import beyond_chance, difference, pair_measures, score_measures
from isofold.report.variants import with_variant
from isofold.studies._numbers import number


def table(values: dict[str, list[float]], *, trials=None, control=(), **more) -> pd.DataFrame:
    """Rows as in `Results.scores`: one run a value; `trials` adds (method, trial) parts."""
    rows = []
    for method, runs in values.items():
        for seed, value in enumerate(runs):
            row = {
                "key": f"{method}{seed}", "recording": "rat1", "subject": "a", "method": method,
                "seed": seed, "fold": 0, "split": "test", "labels_used": "", "score": "decode",
                "control": "permuted labels" if method in control else "none", "decoder": "knn",
                "label": "x", "part": "all", "value": value, "unit": "R²", "low": np.nan,
                "high": np.nan, "chance_mean": 0.0, "chance_hi": 0.1, "n": 10,
            } | {k: v[seed] if isinstance(v, list) else v for k, v in more.items()}  # fmt: skip
            rows.append(row)
            for number_, part in enumerate((trials or {}).get(method, [])):
                rows.append(row | {"part": f"trial {number_}", "value": part})
    return with_variant(pd.DataFrame(rows))


def sentence(*args, **kwargs) -> str:
    measures = score_measures(table(*args, **kwargs), [])
    return answer(headline(measures))


def test_methods_whose_difference_holds_are_ranked():
    text = sentence({"a": [0.8, 0.81, 0.82], "b": [0.5, 0.52, 0.51]})
    assert "a has the best decoding of x of 2 methods" in text
    assert "ahead of b by 0.3 [" in text
    assert "3 seeds" in text


def test_methods_that_overlap_are_not_ranked():
    text = sentence({"a": [0.8, 0.6, 0.7], "b": [0.6, 0.8, 0.65]})
    assert "a and b cannot be told apart" in text
    assert "best" not in text


def test_best_is_not_said_of_a_method_that_a_third_may_beat():
    text = sentence({"a": [0.8, 0.81, 0.82], "b": [0.6, 0.61, 0.62], "c": [0.1, 0.5, 0.99]})
    assert "ahead of b by 0.2 [" in text
    assert "but not told apart from c, whose repeats vary more" in text
    lower = {"unit": "median error", "label": "x"}
    text = sentence({"a": [1.0, 1.1, 1.2], "b": [2.0, 2.1, 2.2], "c": [0.9, 3.0, 5.0]}, **lower)
    assert "not told apart from c" in text
    assert "not told" not in sentence({"a": [3.0, 3.1], "b": [1.0, 1.1], "c": [2.0, 2.1]}, **lower)


def test_two_repeats_give_no_interval_and_no_rank():
    text = sentence({"a": [0.8, 0.8], "b": [0.1, 0.1]})
    assert "too few repeats to say whether they differ" in text
    measure = score_measures(table({"a": [0.8, 0.8]}), [])[0]
    assert measure.lines[0].interval is None
    assert "no interval" in reach(measure)


def test_a_best_method_at_chance_is_called_so():
    text = sentence({"a": [0.05, 0.06, 0.07], "b": [0.01, 0.02, 0.03]})
    assert "a does not lie clearly beyond it" in text


def test_a_control_is_never_ranked_and_comes_in_page_order():
    scores = table({"a": [0.5] * 3, "b": [0.9] * 3}, control=("b",))
    measure = score_measures(scores, ["a", "b · permuted labels"])[0]
    assert [line.control for line in measure.lines] == [False, True]
    assert "permuted" not in answer(measure)


def test_a_method_that_was_told_the_test_labels_is_never_the_best():
    scores = table({"told": [0.99] * 3, "a": [0.8, 0.81, 0.82], "b": [0.5, 0.52, 0.51]})
    measure = score_measures(scores, [])[0]
    assert "told has the best" in answer(measure)
    text = answer(measure, {"told"})
    assert "a has the best decoding of x of 2 methods" in text
    assert "given the labels of test trials are not compared" in text
    assert headline([score_measures(table({"told": [0.99] * 3}), [])[0]], {"told"}) is None


def test_intervals_over_trials_come_before_seeds():
    parts = {"a": [0.7, 0.8, 0.9, 0.8], "b": [0.4, 0.5, 0.6, 0.5]}
    scores = table({"a": [0.8, 0.8], "b": [0.5, 0.5]}, trials=parts)
    measure = score_measures(scores, [])[0]
    assert (measure.over, measure.n_repeats) == ("trials", 4)
    expected = ttest_1samp(parts["a"], 0).confidence_interval(0.95)
    assert measure.lines[0].interval == pytest.approx(tuple(expected))
    a, b = measure.lines
    gap, interval = difference(a, b)
    assert gap == pytest.approx(0.3)
    assert interval == pytest.approx((0.3, 0.3))


def test_three_animals_come_before_trials():
    parts = {"a": [0.7, 0.8, 0.9]}
    scores = table({"a": [0.7, 0.8, 0.9]}, trials=parts, subject=["r", "s", "t"])
    assert score_measures(scores, [])[0].over == "animals"


def test_without_trials_the_score_s_own_interval_is_taken():
    measure = score_measures(table({"a": [0.8, 0.8, 0.8]}, low=0.7, high=0.9), [])[0]
    assert measure.over == "resampled trials"
    assert measure.lines[0].interval == pytest.approx((0.7, 0.9))


def test_an_interval_ends_where_the_score_does():
    measure = score_measures(table({"a": [0.9, 1.0, 0.95]}, unit="accuracy"), [])[0]
    assert measure.lines[0].interval is not None
    assert measure.lines[0].interval[1] == 1.0


def test_median_errors_are_a_measure_of_their_own_where_lower_is_better():
    scores = table({"a": [0.8] * 3, "b": [0.5] * 3})
    about = {
        "unit": "median error",
        "low": 0.08,
        "high": 0.2,
        "chance_mean": 0.6,
        "chance_hi": np.nan,
    }
    errors = table({"a": [0.1] * 3, "b": [0.3] * 3}, **about)
    r2, error = score_measures(pd.concat([scores, errors]), [])
    assert r2.higher_is_better
    assert not error.higher_is_better
    assert unit_of(error) == "median error, in the unit of x"
    a, b = error.lines
    assert a.mean == pytest.approx(0.1)
    assert a.interval == pytest.approx((0.08, 0.2))
    assert a.chance == pytest.approx((0.6, 0.6))
    assert beyond_chance(a, error.higher_is_better)
    assert "a has the best" in answer(error) or "too few" in answer(error)
    assert b.mean == pytest.approx(0.3)


def test_units_never_share_a_measure():
    scores = pd.concat([table({"a": [1.0] * 3}, unit="bits"), table({"b": [0.3] * 3})])
    assert {m.unit for m in score_measures(scores, [])} == {"bits", "R²"}


def test_pairs_are_averaged_inside_folds_before_an_interval_is_taken():
    rows = []
    for fold in range(3):
        common = {
            "recording": "rat1", "subject": "", "method": "a", "seed": None, "fold": fold,
            "split": "test", "control": "none", "score": "consistency", "between": "runs",
            "label": "", "unit": "R²", "chance_mean": 0.0, "chance_hi": 0.1, "n": 9,
        }  # fmt: skip
        pairs = zip(("01", "10"), (0.8, 0.9 + fold / 100), strict=True)
        rows += [common | {"from": a, "to": b, "value": v} for (a, b), v in pairs]
    pairs = with_variant(pd.DataFrame(rows))
    measure = pair_measures(pairs, [])[0]
    assert len(measure.lines[0].dots) == 6
    assert (measure.over, measure.n_repeats) == ("folds", 3)
    one_fold = pair_measures(pairs[pairs["fold"] == 0], [])[0]
    assert (one_fold.over, one_fold.lines[0].interval) == ("", None)


def test_no_scores_say_so():
    assert "No scores" in answer(headline([]))


def test_numbers_have_three_digits_and_a_minus_sign():
    assert [number(x) for x in (0.0, -0.02, 123456.0, 1e-9)] == ["0", "−0.02", "123000", "1e−09"]


def test_methods_with_a_decoder_each_stand_in_one_measure():
    scores = table({"raw": [0.5], "naive Bayes": [0.6]})
    scores.loc[scores["method"] == "naive Bayes", "decoder"] = "bayes"
    (found,) = score_measures(scores, ["raw", "naive Bayes"])
    assert found.decoder == "bayes, knn"
    assert [line.variant for line in found.lines] == ["raw", "naive Bayes"]


def test_two_decoders_of_one_method_stand_apart():
    scores = table({"raw": [0.5]})
    both = pd.concat([scores, scores.assign(decoder="ridge")], ignore_index=True)
    assert [m.decoder for m in score_measures(both, ["raw"])] == ["knn", "ridge"]


def test_a_ceiling_is_shown_where_a_score_carries_one():
    measures = score_measures(table({"a": [0.5, 0.6], "b": [0.1, 0.2]}, ceiling=[0.8, 0.9]), [])
    assert [line.ceiling for line in measures[0].lines] == [pytest.approx(0.85)] * 2
    drawn = measure_figure(measures[0])
    ends = [round(s["x0"], 6) for s in drawn["layout"]["shapes"] if s["type"] == "line"]
    assert ends.count(0.85) == 2
    without = score_measures(table({"a": [0.5, 0.6]}), [])
    assert without[0].lines[0].ceiling is None
