import warnings

import numpy as np
import pytest
from scores_helpers import curve, embedding, laps, noise, smooth_noise
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, r2_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from isofold.errors import DataError, MissingValuesError
from isofold.scores import decode

POSITION, TRIALS = laps(24, 40)
TRAIN = TRIALS < 18
GROUPS = (TRIALS[TRAIN], TRIALS[~TRAIN])
Z = curve(POSITION) + 0.15 * noise(len(POSITION))
DIRECTION = np.where(TRIALS % 2, "left", "right")
Z_DIRECTION = Z + 0.4 * (DIRECTION == "left")[:, None]


def split(z, y):
    return z[TRAIN], y[TRAIN], z[~TRAIN], y[~TRAIN]


# -- against scikit-learn ---------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_knn_is_that_of_scikit_learn(metric):
    a, y, b, truth = split(Z, POSITION)
    score = decode(a, y, b, truth, k=7, metric=metric, groups=GROUPS, n_chance=0)
    guess = KNeighborsRegressor(7, metric=metric).fit(a, y).predict(b)
    assert score.value == pytest.approx(r2_score(truth, guess))
    assert score.also["median_error"] == pytest.approx(np.median(np.abs(guess - truth)))


def test_knn_votes_as_scikit_learn():
    a, y, b, truth = split(Z_DIRECTION, DIRECTION)
    score = decode(a, y, b, truth, k=7, metric="euclidean", groups=GROUPS, n_chance=0)
    guess = KNeighborsClassifier(7).fit(a, y).predict(b)
    assert score.unit == "accuracy"
    assert score.value == pytest.approx(accuracy_score(truth, guess))
    assert score.also["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, guess))
    assert score.also["macro_f1"] == pytest.approx(f1_score(truth, guess, average="macro"))


def test_ridge_is_that_of_scikit_learn():
    y2 = np.column_stack([POSITION, POSITION**2])
    a, y, b, truth = split(Z, y2)
    score = decode(a, y, b, truth, decoder="ridge", alpha=3.0, groups=GROUPS, n_chance=0)
    model = make_pipeline(StandardScaler(), Ridge(3.0)).fit(a, y)
    assert score.value == pytest.approx(model.score(b, truth))


@pytest.mark.parametrize(("name", "model"), [("logistic", LogisticRegression), ("svm", SVC)])
def test_classifiers_are_those_of_scikit_learn(name, model):
    a, y, b, truth = split(Z_DIRECTION, DIRECTION)
    score = decode(a, y, b, truth, decoder=name, C=0.5, groups=GROUPS, n_chance=0)
    fitted = make_pipeline(StandardScaler(), model(C=0.5)).fit(a, y)
    assert score.value == pytest.approx(fitted.score(b, truth))


def test_svm_decodes_numbers_and_estimators_are_taken_as_they_are():
    a, y, b, truth = split(Z, POSITION)
    assert decode(a, y, b, truth, decoder="svm", C=1, groups=GROUPS, n_chance=0).value > 0.8
    score = decode(a, y, b, truth, decoder=Ridge(1.0), groups=GROUPS, n_chance=2)
    assert 0.8 < score.value < 1


# -- settings, splits -------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", ["knn", "ridge"])
def test_settings_are_chosen_by_trials_of_training_only(decoder):
    a, y, b, truth = split(Z, POSITION)
    options = {"decoder": decoder, "groups": GROUPS, "n_chance": 0}
    score = decode(a, y, b, truth, **options)
    spoilt = decode(a, y, b * 100, truth[::-1], **options)
    assert score.settings["chosen"] == spoilt.settings["chosen"]


def test_test_labels_cannot_change_what_is_predicted():
    a, y, b, truth = split(Z, POSITION)
    other = truth + 1000.0
    score = decode(a, y, b, other, groups=GROUPS, n_chance=0)
    same = decode(a, y, b, truth, groups=GROUPS, n_chance=0)
    assert score.also["mean_error"] == pytest.approx(1000.0, abs=2 * same.also["mean_error"])


def test_k_is_chosen_by_trials_where_neighbours_in_time_leak():
    rng = np.random.default_rng(0)
    drift = np.repeat(rng.normal(size=(24, 3)), 40, axis=0)  # each trial sits elsewhere
    y = smooth_noise(rng, 24, 40)
    score = decode(*split(drift + 0.01 * noise(960), y), groups=GROUPS, n_chance=0)
    assert score.settings["chosen"][1] >= 144
    assert score.value < 0.1


def test_both_forms_and_keywords_agree():
    z = embedding(Z, TRIALS, position=POSITION)
    a, b = z[TRAIN], z[~TRAIN]
    arrays = decode(*split(Z, POSITION), groups=GROUPS, n_chance=5)
    for score in (
        decode(a, b, label="position", n_chance=5),
        decode(a, b, "position", n_chance=5),
        decode(z_train=a, z_test=b, label="position", n_chance=5),
        decode(a, POSITION[TRAIN], b, POSITION[~TRAIN], n_chance=5),
    ):
        assert score.value == arrays.value
        assert np.array_equal(score.chance, arrays.chance)
        assert score.split == "test"


def test_samples_outside_trials_are_left_out():
    z = np.concatenate([Z, 9 * noise(50)])
    trials = np.concatenate([TRIALS, np.full(50, -1)])
    position = np.concatenate([POSITION, np.full(50, np.nan)])
    train = trials < 18
    a = embedding(z, trials, position=position)
    score = decode(a[train], a[~train], label="position", n_chance=0)
    assert score.value == decode(*split(Z, POSITION), groups=GROUPS, n_chance=0).value


def test_parts_weighted_by_samples_give_the_value():
    for y, z in ((POSITION, Z), (DIRECTION, Z_DIRECTION)):
        score = decode(*split(z, y), groups=GROUPS, n_chance=0)
        assert score.parts.index.tolist() == list(range(18, 24))
        assert score.parts.mean() == pytest.approx(score.value)
        assert score.interval[0] <= score.value <= score.interval[1]


def test_rotation_and_scale_of_the_embedding_change_nothing():
    turn = np.linalg.qr(noise(3))[0]
    options = {"groups": GROUPS, "n_chance": 0}
    for decoder in ("knn", "ridge"):
        plain = decode(*split(Z, POSITION), decoder=decoder, **options).value
        moved = decode(*split(5 * Z @ turn, POSITION), decoder=decoder, **options).value
        assert moved == pytest.approx(plain, abs=1e-3)


# -- angles -----------------------------------------------------------------------------------


def test_angles_are_decoded_across_the_wrap():
    angle = np.mod(2 * np.pi * POSITION * 3 + np.repeat(noise(24, 1)[:, 0], 40), 2 * np.pi)
    z = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.1 * noise(960, 2)
    options = {"groups": GROUPS, "n_chance": 0}
    linear = {"decoder": "ridge", **options}
    assert decode(*split(z, angle), kind="circular", **linear).also["mean_error"] < 0.15
    assert decode(*split(z, angle), **linear).also["mean_error"] > 0.5
    wrapped = decode(*split(z, angle), kind="circular", **options)
    assert wrapped.also["mean_error"] < 0.15
    labelled = embedding(z, TRIALS, {"kinds": {"angle": "circular"}}, angle=angle)
    found = decode(labelled[TRAIN], labelled[~TRAIN], label="angle", n_chance=0)
    assert found.also == wrapped.also
    whole_turns = decode(*split(z, angle + 2 * np.pi), kind="circular", **options)
    assert whole_turns.value == pytest.approx(wrapped.value)


# -- chance -----------------------------------------------------------------------------------


def test_a_constant_shift_decodes_on_stereotyped_laps_but_is_not_our_chance():
    """A smooth closed embedding decodes the shifted label too; ours knows it for what it is."""
    phase = 2 * np.pi * POSITION
    z = np.column_stack([np.cos(phase), np.sin(phase)]) + 0.02 * noise(960, 2)
    rolled = np.roll(POSITION, 13)
    bad_null = decode(*split(z, rolled), groups=GROUPS, n_chance=0)
    score = decode(*split(z, POSITION), groups=GROUPS)
    assert bad_null.value > 0.9
    assert score.chance.mean() < 0.05
    assert score.chance_hi < 0.2
    assert score.also["median_error_chance"] > 5 * score.also["median_error"]


@pytest.mark.parametrize("decoder", ["knn", "ridge"])
def test_noise_on_stereotyped_laps_decodes_nothing(decoder):
    score = decode(*split(noise(960), POSITION), decoder=decoder, groups=GROUPS)
    assert score.value < 0.02
    assert score.chance_hi < 0.05
    assert score.p > 0.02


@pytest.mark.parametrize("decoder", ["knn", "ridge", "logistic"])
def test_chance_of_a_label_that_is_constant_in_a_trial_is_the_share_of_its_class(decoder):
    score = decode(*split(noise(960), DIRECTION), decoder=decoder, groups=GROUPS, n_chance=30)
    assert 0.4 < score.chance.mean() < 0.6
    assert np.ptp(score.chance) > 0
    informed = decode(*split(Z_DIRECTION, DIRECTION), decoder=decoder, groups=GROUPS, n_chance=30)
    assert informed.value > informed.chance_hi


@pytest.mark.parametrize("decoder", ["knn", "ridge"])
def test_p_is_uniform_where_nothing_is_to_be_found(decoder):
    p = []
    groups = (np.repeat(np.arange(10), 12), np.repeat(np.arange(5), 12))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        # both autocorrelated, so that a null without autocorrelation would fail
        z = np.column_stack([smooth_noise(rng, 15, 12, 5) for _ in range(2)])
        y = smooth_noise(rng, 15, 12, 5)
        score = decode(z[:120], y[:120], z[120:], y[120:], groups=groups, n_chance=19, seed=seed,
                       decoder=decoder, **({"k": [4, 36], "metric": "euclidean"} if decoder == "knn" else {}))  # fmt: skip # noqa: E501
        p.append(score.p)
    assert 0.38 < np.mean(p) < 0.65
    assert np.mean(np.asarray(p) <= 0.1) < 0.25


def test_same_seed_same_draws_and_without_trials_blocks_are_used():
    data = split(Z, POSITION)
    assert np.array_equal(
        decode(*data, n_chance=5, seed=1).chance, decode(*data, n_chance=5, seed=1).chance
    )
    assert len(decode(*data, n_chance=0).parts) == 10


# -- bad input --------------------------------------------------------------------------------

A, Y, B, TRUTH = split(Z, POSITION)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ((A, Y[:-1], B, TRUTH), {}, "720 rows against 719"),
        ((A, Y, B[:, :2], TRUTH), {}, "same dimensions, got 3 and 2"),
        ((A, Y, B, TRUTH), {"decoder": "tree"}, "decoder must be 'knn'"),
        ((A, Y, B, TRUTH), {"decoder": "logistic"}, "decodes classes and the label is continuous"),
        ((A, Y, B, TRUTH), {"leaves": 3}, r"no option \['leaves'\]"),
        ((A, Y, B, TRUTH), {"metric": "manhattan"}, "metric must be"),
        ((A, Y, B, TRUTH), {"kind": "angle"}, "kind of label must be one of"),
        ((A, Y, B, TRUTH), {"groups": (np.zeros(720), GROUPS[1])}, "at least two trials, got 1"),
        ((A, Y, B, TRUTH), {"groups": GROUPS[0]}, "must be .training trials, test trials."),
        ((A, Y, B, TRUTH), {"label": "position"}, "label= names a coordinate"),
        ((A, Y, B, TRUTH), {"nuisance": Y}, "nuisance= is for decoder='bayes'"),
        ((A, B), {"label": "position"}, "xarray"),
        ((A, B), {}, "decode needs"),
        ((A, np.zeros(720, int), B, np.zeros(240, int)), {}, "at least two classes"),
        ((A, np.arange(720) % 2, B, np.arange(240) % 3), {}, r"\[2\] does not"),
        ((A, np.arange(720), B, np.arange(240)), {}, "class or a number"),
        ((A, Y, B, np.ones(240)), {}, "constant in the test trials"),
        ((A, Y, B, np.arange(240) % 2), {}, "continuous in training and discrete in the test"),
        ((A, DIRECTION[TRAIN], B, DIRECTION[~TRAIN]), {"kind": "continuous"}, "holds strings"),
    ],
)
def test_refuses(data, options, message):
    with pytest.raises(DataError, match=message):
        decode(*data, **options)


def test_missing_labels_are_named_with_first_sample_and_time():
    y = Y.copy()
    y[[11, 40]] = np.nan
    with pytest.raises(
        MissingValuesError, match=r"label must not be missing.*2 samples.*sample 11"
    ):
        decode(A, y, B, TRUTH)
    z = embedding(A, GROUPS[0], {"recording": "rat1"}, position=y)
    with pytest.raises(MissingValuesError, match=r"position .*sample 11 \(t = 1.1 s\)"):
        decode(z, embedding(B, GROUPS[1], position=TRUTH), label="position")
    classes = np.where(np.arange(720) == 5, -1, np.arange(720) % 3)
    with pytest.raises(MissingValuesError, match="sample 5"):
        decode(A, classes, B, np.arange(240) % 3)


def test_minus_one_and_one_are_two_classes():
    sign = np.where(DIRECTION == "left", -1, 1)
    score = decode(*split(Z_DIRECTION, sign), groups=GROUPS, n_chance=0)
    text = decode(*split(Z_DIRECTION, DIRECTION), groups=GROUPS, n_chance=0)
    assert score.value == pytest.approx(text.value)


def test_a_label_that_the_embedding_lacks_is_named():
    z = embedding(Z, TRIALS, position=POSITION)
    with pytest.raises(DataError, match=r"no label 'speed' in the training embedding; .*position"):
        decode(z[TRAIN], z[~TRAIN], label="speed")


def test_shared_samples_are_warned_about():
    z = embedding(Z, TRIALS, position=POSITION)
    with pytest.warns(UserWarning, match="also in training"):
        decode(z, z[~TRAIN], label="position", n_chance=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decode(z[TRAIN], z[~TRAIN], label="position", n_chance=0)
