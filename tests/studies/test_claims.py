"""Claims of a study: what its scores bear out, and what they do not decide."""

from __future__ import annotations

from itertools import permutations, product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from stand_ins import Rotated, rat

from isofold import Study, open_results, run
from isofold.errors import StudyError
from isofold.studies._bootstrap import crossed_interval
from isofold.studies.claims import CLAIM_COLUMNS, answered

SCORES = [
    {"score": "decode", "label": "position", "decoder": "knn"},
    {"score": "decode", "label": "direction", "decoder": "knn"},
    {"score": "consistency"},
    {"score": "consistency", "between": "datasets", "labels": ["position"]},
]
DECODE = SCORES[0] | {"k": 5, "metric": "euclidean", "n_chance": 3}
CLAIM = {"says": "a beats b", "score": "decode", "label": "position", "better": "a", "than": "b"}


def results(*claims, recordings=("r1",), folds=3, seeds=(0, 1, 2), failed=(), drop=(), **value):
    """Score tables of methods a, b and raw, whose values are functions of (recording, fold, seed)
    (of a pair, for consistency: the mean of its seeds)."""
    methods = ["a", "b", "raw"]
    value = {"a": 0.8, "b": 0.6, "raw": 0.5} | value
    at = lambda m, *where: value[m](*where) if callable(value[m]) else value[m]  # noqa: E731
    runs, rows, pairs = [], [], []
    for r, m, f in product(recordings, methods, range(folds)):
        mine = seeds[:1] if m == "raw" else seeds
        for s in mine:
            run = {"recording": r, "method": m, "fold": f, "seed": s, "control": "none"}
            if (m, f, s) in drop:
                continue
            status = "error" if (m, f, s) in failed else "done"
            runs.append(run | {"status": status})
            if status == "done":
                rows += _scores(run, at(m, r, f, s))
        common = {"recording": r, "method": m, "fold": f, "control": "none", "label": ""}
        common |= {"score": "consistency", "between": "runs", "unit": "R²", "chance_mean": 0.1}
        for s, t in permutations(mine, 2):
            both = (at(m, r, f, s) + at(m, r, f, t)) / 2
            pairs.append(common | {"from": str(s), "to": str(t), "value": both, "seed": None})
    for m, f, s in product(methods, range(folds), seeds):
        for r, q in permutations(recordings, 2):
            found = {"method": m, "fold": f, "seed": s, "control": "none", "score": "consistency"}
            found |= {"between": "datasets", "label": "position", "unit": "R²", "chance_mean": 0.1}
            found |= {"from": r, "to": q, "recording": "", "value": at(m, r, f, s)}
            pairs += [] if m == "raw" and s != seeds[0] else [found]
    study = {
        "methods": [*({"method": "pca", "name": name} for name in "ab"), {"method": "raw"}],
        "recordings": [{"name": r} for r in recordings], "folds": folds, "seeds": list(seeds),
        "scores": SCORES, "claims": list(claims),
    }  # fmt: skip
    if folds == 1:
        del study["folds"]
    tables = {k: pd.DataFrame(v) for k, v in (("runs", runs), ("scores", rows), ("pairs", pairs))}
    return SimpleNamespace(study=study, **tables)


def _scores(run, value):
    common = run | {"score": "decode", "label": "position", "decoder": "knn"}
    error = {"part": "all", "unit": "median error", "value": 10 * (1 - value), "chance_mean": 9.0}
    return [
        common | {"part": "all", "unit": "R²", "value": value, "chance_mean": 0.02},
        common | {"part": "trial 3", "unit": "R²", "value": -99.0, "chance_mean": None},
        common | error,
        common | {"part": "mean_error", "unit": "", "value": 77.0, "chance_mean": None},
        common | {"part": "all", "label": "direction", "unit": "accuracy", "value": value}
        | {"chance_mean": None},
    ]  # fmt: skip


def answer(claim=None, /, **given):
    changed = {k: v for k, v in (claim or {}).items() if v is not None}
    dropped = {k for k, v in (claim or {}).items() if v is None}
    asked = {k: v for k, v in (CLAIM | changed).items() if k not in dropped}
    return answered(results(asked, **given)).iloc[0]


def noisy(mean, spread, seed):
    """A value that varies with fold and seed, the same each time it is asked for."""
    return lambda r, f, s: mean + spread * np.random.default_rng([seed, f, s, ord(r[-1])]).normal()


# -- verdicts -------------------------------------------------------------------------------


def test_a_clear_difference_holds_and_the_sentence_has_the_numbers():
    row = answer(a=noisy(0.84, 0.01, 1), b=noisy(0.62, 0.01, 2), seeds=(0, 1, 2, 3, 4))
    assert row["verdict"] == "holds"
    assert row["mean"] == pytest.approx(0.84, abs=0.01)
    assert row["than_mean"] == pytest.approx(0.62, abs=0.01)
    assert row["difference"] == pytest.approx(row["mean"] - row["than_mean"])
    assert 0 < row["low"] < row["difference"] < row["high"]
    assert row["sentence"].startswith("Holds: a beats b (position: R² 0.8")
    assert row["sentence"].endswith("], 3 folds × 5 seeds)")
    assert (row["n_recordings"], row["n_folds"], row["n_seeds"]) == (1, 3, 5)


def test_the_other_way_round_it_does_not_hold():
    given = {"a": noisy(0.84, 0.01, 1), "b": noisy(0.62, 0.01, 2)}
    row = answer({"better": "b", "than": "a"}, **given)
    assert row["verdict"] == "does not hold"
    assert row["difference"] == pytest.approx(-answer(**given)["difference"])
    assert ", −0.2" in row["sentence"]


def test_a_difference_within_its_noise_is_not_decided():
    row = answer(a=noisy(0.72, 0.1, 1), b=noisy(0.70, 0.1, 2))
    assert row["verdict"] == "not decided"
    assert row["low"] < 0 < row["high"]
    assert row["sentence"].startswith("Not decided: a beats b (")


def test_equal_everywhere_is_not_decided():
    row = answer(a=1.0, b=1.0)
    assert (row["verdict"], row["low"], row["high"]) == ("not decided", 0.0, 0.0)


def test_rounding_is_no_difference():
    row = answer(a=0.7 + 3e-8, b=0.7)
    assert (row["verdict"], row["difference"]) == ("not decided", 0.0)


def test_the_interval_is_student_s_over_folds_with_seeds_averaged():
    """An outside oracle: seeds are repeated measures of one fold, not repeats of the study."""
    folds = 8
    a, b = noisy(0.8, 0.05, 1), noisy(0.7, 0.05, 2)
    row = answer(a=a, b=b, folds=folds)
    means = [
        np.mean([a("r1", f, s) for s in range(3)]) - np.mean([b("r1", f, s) for s in range(3)])
        for f in range(folds)
    ]
    oracle = ttest_1samp(means, 0.0).confidence_interval(0.95)
    width = oracle.high - oracle.low
    assert row["low"] == pytest.approx(oracle.low, abs=0.05 * width)
    assert row["high"] == pytest.approx(oracle.high, abs=0.05 * width)
    assert row["over"] == "folds × recordings"


def test_pairing_takes_out_what_folds_share():
    hard = {0: 0.0, 1: -0.3, 2: 0.2}
    a = lambda r, f, s: 0.6 + hard[f] + 0.001 * s  # noqa: E731
    b = lambda r, f, s: 0.55 + hard[f] + 0.002 * f  # noqa: E731
    assert answer(a=a, b=b)["verdict"] == "holds"


@pytest.mark.parametrize(
    ("margin", "verdict", "said"),
    [
        (0.1, "holds", "asked is more than 0.1"),
        (0.3, "does not hold", "asked is more than 0.3"),
        (0.2, "not decided", "asked is more than 0.2"),
        (-0.05, "holds", "a loss of up to 0.05 is allowed"),
    ],
)
def test_margins(margin, verdict, said):
    row = answer({"margin": margin}, a=noisy(0.8, 0.02, 1), b=noisy(0.6, 0.02, 2))
    assert row["verdict"] == verdict
    assert said in row["sentence"]


# -- what is compared -----------------------------------------------------------------------


def test_errors_are_better_when_lower():
    given = {"a": noisy(0.8, 0.01, 1), "b": noisy(0.6, 0.01, 2)}
    row = answer({"unit": "median error"}, **given)
    assert row["verdict"] == "holds"
    assert row["mean"] == pytest.approx(2.0, abs=0.1)
    assert row["difference"] == pytest.approx(row["than_mean"] - row["mean"])
    assert "position: median error 2" in row["sentence"]
    assert "better by 1.99 [" in row["sentence"]
    turned = answer({"unit": "median error", "better": "b", "than": "a"}, **given)
    assert turned["verdict"] == "does not hold"
    assert turned["difference"] == pytest.approx(-row["difference"])
    assert "worse by 1.99 [" in turned["sentence"]
    low, high = turned["sentence"].split("worse by ")[1].split("[")[1].split("]")[0].split(", ")
    assert 0 < float(low) < float(high)


def test_numbers():
    given = {"a": noisy(0.84, 0.01, 1)}
    assert answer({"than": 0.8}, **given)["verdict"] == "holds"
    assert answer({"than": 0.9}, **given)["verdict"] == "does not hold"
    assert "against 0.9," in answer({"than": 0.9}, **given)["sentence"]
    assert answer({"than": 2, "unit": "median error"}, **given)["verdict"] == "holds"
    assert answer({"than": 1, "unit": "median error"}, **given)["verdict"] == "does not hold"


def test_chance_is_that_of_the_score():
    row = answer({"than": "chance"}, a=noisy(0.5, 0.01, 1))
    assert (row["verdict"], row["than_mean"]) == ("holds", pytest.approx(0.02))
    assert "against 0.02 by chance" in row["sentence"]
    error = answer({"than": "chance", "unit": "median error"}, a=noisy(0.5, 0.01, 1))
    assert (error["verdict"], error["than_mean"]) == ("holds", pytest.approx(9.0))
    at_it = answer({"than": "chance"}, a=noisy(0.02, 0.05, 1))
    assert at_it["verdict"] == "not decided"
    none = answer({"than": "chance", "label": "direction"})
    assert "decode in accuracy has no chance level" in none["sentence"]


def test_consistency_between_seeds_is_paired_by_pair():
    claim = {"score": "consistency", "between": "runs", "label": None}
    row = answer(claim, a=noisy(0.9, 0.01, 1), b=noisy(0.7, 0.01, 2))
    assert row["verdict"] == "holds"
    assert "consistency: R² 0." in row["sentence"]
    assert row["sentence"].endswith("3 folds × 3 seeds)")


def test_consistency_between_recordings():
    claim = {"score": "consistency", "between": "datasets", "label": "position"}
    row = answer(claim, a=noisy(0.9, 0.01, 1), b=noisy(0.7, 0.01, 2), recordings=("r1", "r2"))
    assert (row["verdict"], row["over"]) == ("holds", "folds × recordings")
    assert "2 recordings × 3 folds × 3 seeds" in row["sentence"]
    lone = answer(claim)
    assert lone["verdict"] == "cannot be answered"


def test_one_recording_of_several():
    value = lambda r, f, s: {"r1": 0.9, "r2": 0.3}[r] + 0.01 * f  # noqa: E731
    given = {"a": value, "b": 0.6, "recordings": ("r1", "r2")}
    assert answer({"recording": "r1"}, **given)["verdict"] == "holds"
    assert answer({"recording": "r2"}, **given)["verdict"] == "does not hold"
    assert "only r2, 3 folds" in answer({"recording": "r2"}, **given)["sentence"]
    assert answer(**given)["verdict"] == "not decided"


@pytest.mark.parametrize(("better", "than"), [("a", "raw"), ("raw", "a")])
def test_a_method_with_one_seed_meets_every_seed_of_the_other(better, than):
    row = answer({"better": better, "than": than}, a=noisy(0.8, 0.01, 1))
    assert row["verdict"] == ("holds" if better == "a" else "does not hold")
    assert row["n_seeds"] == 3
    single = answer({"better": better, "than": than}, a=noisy(0.8, 0.01, 1), folds=1)
    assert single["over"] == "seeds"


def test_a_control_is_another_side():
    fake = results(CLAIM | {"than": "permuted labels"}, a=noisy(0.8, 0.01, 1))
    for name in ("runs", "scores"):
        table = getattr(fake, name)
        lower = table[table["method"] == "b"].assign(method="a", control="permuted labels")
        setattr(fake, name, pd.concat([table, lower], ignore_index=True))
    fake.study["controls"] = ["permuted labels"]
    row = answered(fake).iloc[0]
    assert (row["verdict"], row["than_mean"]) == ("holds", pytest.approx(0.6))


# -- few repeats ----------------------------------------------------------------------------


def test_on_one_split_the_interval_is_over_seeds_and_says_so():
    row = answer(a=noisy(0.8, 0.01, 1), b=noisy(0.6, 0.01, 2), folds=1, seeds=tuple(range(5)))
    assert (row["verdict"], row["over"]) == ("holds", "seeds")
    assert (
        "5 seeds; fewer than 3 folds × recordings, so the interval is over seeds too"
        in (row["sentence"])
    )
    many = answer(a=noisy(0.8, 0.01, 1), b=noisy(0.6, 0.01, 2), recordings=("r1", "r2", "r3"))
    assert "seeds too" not in many["sentence"]


def test_seeds_that_repeat_one_number_decide_nothing():
    row = answer(a=0.8, b=0.6, folds=1, seeds=tuple(range(5)))
    assert row["verdict"] == "not decided"
    assert np.isnan(row["low"])
    assert "+0.2, 5 seeds; too few repeats for an interval" in row["sentence"]


@pytest.mark.parametrize("given", [{"seeds": (0, 1)}, {"seeds": (0,)}])
def test_two_seeds_on_one_split_decide_nothing(given):
    row = answer(a=noisy(0.8, 0.01, 1), b=noisy(0.6, 0.01, 2), folds=1, **given)
    assert row["verdict"] == "not decided"
    assert "too few repeats" in row["sentence"]


# -- what cannot be answered ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "given", "why"),
    [
        ({}, {"failed": [("b", 0, 1)]}, "of 9 runs of b 1 failed"),
        ({}, {"drop": [("a", 0, 1), ("a", 2, 2)]}, "of 9 runs of a 2 did not finish"),
        (
            {"score": "consistency", "between": "runs", "label": None},
            {"failed": [("a", 0, 1)], "drop": [("a", 1, 1)]},
            "of 9 runs of a 1 failed and 1 did not finish",
        ),
        ({}, {"b": lambda r, f, s: np.nan if f == s else 0.5}, "b lacks 3 of 9 values of decode"),
        ({}, {"b": np.nan}, "b has no decode"),
        (
            {"score": "consistency", "between": "runs", "label": None, "than": "raw"},
            {},
            "raw has no consistency between seeds",
        ),
        ({"unit": "accuracy"}, {}, "decode of a is given in R² and median error, not in accuracy"),
        ({"better": "c"}, {}, "no method 'c' in this study"),
    ],
)
def test_what_is_missing_is_said(claim, given, why):
    row = answer(claim, **given)
    assert row["verdict"] == "cannot be answered"
    assert row["sentence"].startswith("Cannot be answered: a beats b (")
    assert why in row["detail"]
    assert np.isnan(row["difference"])


def test_two_units_are_no_scale():
    fake = results(CLAIM)
    mine = (fake.scores["method"] == "b") & (fake.scores["unit"] == "R²")
    fake.scores.loc[mine, "unit"] = "bits"
    assert "R² and bits are no common scale" in answered(fake)["sentence"].iloc[0]


def test_a_recording_without_the_score_is_no_gap():
    """Recovery is there for simulated recordings only."""
    fake = results(CLAIM, recordings=("real", "simulated"), b=noisy(0.2, 0.01, 1))
    fake.scores = fake.scores[fake.scores["recording"] == "simulated"]
    row = answered(fake).iloc[0]
    assert (row["verdict"], row["n_recordings"]) == ("holds", 1)


def test_results_answer_from_the_folder(tmp_path):
    (tmp_path / "study.toml").write_text('name = "tiny"\n')
    assert open_results(tmp_path).claims().columns.tolist() == CLAIM_COLUMNS
    made = Study("x", [rat()], ["pca", "mine"], claims=[BETWEEN], estimators={"mine": Rotated})
    (tmp_path / "study.toml").write_text(made.to_toml())
    table = open_results(tmp_path).claims()
    assert table["sentence"].tolist() == [
        "Cannot be answered: mine agrees better (of 1 runs of mine 1 did not finish)"
    ]


def test_a_study_as_it_is_run(tmp_path):
    decode = DECODED | {"decoder": "knn", "says": "the position of the rat is in its channels"}
    claims = [decode | {"better": "raw"}, decode | {"than": "raw", "margin": 0.5}, BETWEEN]
    scores = [DECODE, "consistency"]
    made = Study(
        "x", [rat()], ["raw", "mine", "pca"], seeds=[0, 1, 2], folds=3, scores=scores,
        claims=claims, estimators={"mine": Rotated},
    )  # fmt: skip
    results_ = run(made, tmp_path / "out", serial=True, progress=False)
    table = results_.claims()
    # a rotation of principal axes is as consistent between its seeds as the axes themselves
    assert table["verdict"].tolist() == ["holds", "does not hold", "not decided"]
    assert table["n_seeds"].tolist() == [1, 3, 3]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Of 3 claims 1 holds, 1 does not hold, 1 is not decided." in page


# -- the study file -------------------------------------------------------------------------

BETWEEN = {
    "says": "mine agrees better",
    "score": "consistency",
    "better": "mine",
    "than": "pca",
}
DECODED = {"says": "x", "score": "decode", "label": "position", "better": "mine", "than": "chance"}


def study(claim, **changed):
    given_ = {
        "name": "x",
        "recordings": [rat()],
        "methods": [
            "pca",
            {"method": "mine", "grid": {"output_dimension": [2, 3]}, "name": "grid"},
            "mine",
        ],
        "scores": [
            *SCORES,
            {"score": "decode", "label": "position", "decoder": "ridge", "methods": ["pca"]},
            {"score": "decode", "label": "lap", "methods": ["pca"]},
        ],
        "estimators": {"mine": Rotated},
    }
    return Study(**(given_ | {"claims": [claim]} | changed))


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (DECODED | {"tahn": 1}, r"claims\[0\]: unknown key 'tahn' \(did you mean 'than'\?\)"),
        ({"says": "x"}, r"claims\[0\] needs score; got only says"),
        ("x", r"claims\[0\] must be a table"),
        (DECODED | {"says": " "}, r"claims\[0\].says must say the claim in words"),
        (DECODED | {"says": 3}, r"claims\[0\].says must be a text, got 3"),
        (DECODED | {"label": ["position"]}, r"claims\[0\].label must be a text"),
        (DECODED | {"better": "mien"}, r"claims\[0\].better: no method 'mien' .*'mine'"),
        (DECODED | {"better": "grid"}, r"no method 'grid' .*grid \(output_dimension=2\)"),
        (DECODED | {"than": "pac"}, r"claims\[0\].than: no method 'pac' .*'pca'.*known: chance"),
        (DECODED | {"than": "mine"}, "'mine' cannot be better than itself"),
        (DECODED | {"than": True}, "than must be a method, a number or chance, got True"),
        (DECODED | {"than": float("nan")}, "than must be finite"),
        (DECODED | {"margin": float("inf")}, "margin must be finite"),
        (DECODED | {"margin": "0.1"}, "margin must be a number, got '0.1'"),
        (DECODED | {"than": "permuted labels"}, r"controls = \['permuted labels'\] is not in"),
        (DECODED | {"score": "recovery"}, "no score of this study is recovery .*; it has decode"),
        (DECODED | {"label": "phase"}, r"is decode \(label 'phase'\); it has decode \(label"),
        (DECODED | {"label": "lap"}, r"'mine' does not get decode \(label 'lap', decoder 'knn'\)"),
        ({k: v for k, v in DECODED.items() if k != "label"}, "several scores of 'mine' are decode"),
        (DECODED | {"than": "pca"}, "several scores of 'pca'.*; name label, decoder or between"),
        (BETWEEN, "several scores of 'mine' are consistency: .*between 'runs'"),
        (BETWEEN | {"between": "runs", "unit": "median error"}, "'median error' is a unit of dec"),
        (DECODED | {"recording": "rat2"}, r"claims\[0\].recording: no recording 'rat2'.*'rat1'"),
        (BETWEEN | {"between": "datasets", "recording": "rat1"}, "datasets has no one recording"),
    ],
)
def test_every_mistake_is_named(claim, message):
    with pytest.raises(StudyError, match=message):
        study(claim)


def test_a_point_of_a_grid_is_a_method():
    study(DECODED | {"better": "grid (output_dimension=2)", "than": "mine"})


def test_controls_have_no_consistency():
    claim = BETWEEN | {"between": "runs", "than": "permuted labels"}
    with pytest.raises(StudyError, match="consistency is not taken of controls"):
        study(claim, controls=["permuted labels"])
    study(DECODED | {"than": "permuted labels"}, controls=["permuted labels"])


def test_claims_must_be_blocks():
    with pytest.raises(StudyError, match=r"claims must be a list .*\[\[claims\]\]"):
        study(DECODED, claims=DECODED)


def test_claims_read_back_the_same_and_change_no_run(tmp_path):
    path = tmp_path / "study.toml"
    rat().save(tmp_path / "rat1.zarr")
    path.write_text(
        """
        name = "x"
        [[recordings]]
        path = "rat1.zarr"
        [[methods]]
        method = "pca"
        name = "PCA 2"
        [[methods]]
        method = "pca"
        name = "PCA 3"
        [[scores]]
        score = "goodness of fit"
        [[scores]]
        score = "decode"
        label = "position"
        [[claims]]
        says = "three \\"axes\\" are more than two"
        score = "goodness-of-fit"
        better = "PCA 3"
        than = "PCA 2"
        [[claims]]
        says = "position is read to within 5 cm"
        score = "decode"
        label = "position"
        unit = "median error"
        better = "PCA 3"
        than = 5
        margin = -0.5
        recording = "rat1"
        """
    )
    given_ = Study.from_toml(path)
    again = tmp_path / "again.toml"
    again.write_text(given_.to_toml())
    assert Study.from_toml(again) == given_
    assert given_.to_dict()["claims"][0] == {
        "says": 'three "axes" are more than two', "score": "goodness_of_fit",
        "better": "PCA 3", "than": "PCA 2",
    }  # fmt: skip
    assert "claims" not in Study("x", [rat()], ["pca"]).to_dict()


# -- the interval ---------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(
    st.integers(3, 6), st.integers(1, 4), st.floats(-5, 5), st.floats(0.1, 10), st.integers(0, 99)
)
def test_the_interval_moves_and_scales_with_its_values(folds, seeds, shift, scale, seed):
    fold = np.repeat(np.arange(folds), seeds)
    values = np.random.default_rng(seed).normal(size=len(fold))
    low, high = crossed_interval(values, [fold])
    assert low <= values.mean() <= high
    moved = crossed_interval(scale * values + shift, [fold])
    assert np.allclose(moved, (scale * low + shift, scale * high + shift))
    turned = crossed_interval(-values, [fold])
    assert np.allclose(turned, (-high, -low))


def test_pairs_of_seeds_are_no_more_repeats_than_seeds():
    """Twenty ordered pairs of five seeds: the interval holds the truth as often as it says."""
    rng = np.random.default_rng(0)
    pairs = np.array(list(permutations(range(5), 2)))
    hits = naive = 0
    for _ in range(200):
        values = rng.normal(size=5)[pairs].mean(axis=1) + 0.1 * rng.normal(size=len(pairs))
        low, high = crossed_interval(values, [pairs])
        hits += low <= 0 <= high
        low, high = ttest_1samp(values, 0.0).confidence_interval(0.95)
        naive += low <= 0 <= high
    assert 0.88 <= hits / 200 <= 0.99
    assert naive / 200 < 0.75


def test_fewer_than_three_levels_have_no_interval():
    assert crossed_interval(np.array([1.0, 2.0]), [np.array([0, 1])]) is None
    assert crossed_interval(np.arange(4.0), [np.zeros(4, int), np.array([0, 1, 0, 1])]) is None
