"""Alignment of embeddings: known maps are found, held-out trials judge them, flips are the same."""

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scores_helpers import curve, embedding, laps, noise, smooth_noise
from sklearn.linear_model import LinearRegression

from isofold.errors import DataError, MissingValuesError
from isofold.scores import Alignment, align, consistency, procrustes

POSITION, LAP = laps()
TRAIN = LAP < 14


def latent(seed=0, scale=0.2):
    """Three latents of different size, a curve of the position and something of their own."""
    return curve(POSITION) * [3.0, 1.5, 1.0] + scale * noise(len(POSITION), seed=seed)


def fitted_and_scored(z, reference, how, n_chance=0):
    found = align(z[TRAIN], reference[TRAIN], how=how, groups=LAP[TRAIN])
    score = found.score(z[~TRAIN], reference[~TRAIN], groups=LAP[~TRAIN], n_chance=n_chance)
    return found, score


def signed_permutation(rng, n):
    return np.eye(n)[rng.permutation(n)] * rng.choice([-1.0, 1.0], n)


# -- known maps -------------------------------------------------------------------------------


def test_linear_is_the_regression_of_scikit_learn():
    z, reference = latent(1), latent(2)
    found, score = fitted_and_scored(z, reference, "linear")
    line = LinearRegression().fit(z[TRAIN], reference[TRAIN])
    assert np.allclose(found.matrix, line.coef_.T)
    assert np.allclose(found.shift, line.intercept_)
    assert np.allclose(found(z), line.predict(z))
    assert score.value == pytest.approx(line.score(z[~TRAIN], reference[~TRAIN]))


def test_orthogonal_finds_rotation_scale_and_shift():
    turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    reference = latent()
    z = (reference - [1.0, 2.0, 3.0]) @ turn / 2.5
    found, score = fitted_and_scored(z, reference, "orthogonal")
    assert np.allclose(found.matrix, turn.T)
    assert found.scale == pytest.approx(2.5)
    assert np.allclose(found.shift, [1.0, 2.0, 3.0])
    assert score.value == pytest.approx(1)


def test_orthogonal_is_the_map_of_procrustes():
    z, reference = latent(1), latent(2)
    first, second = LAP % 2 == 0, LAP % 2 == 1
    errors = []
    for fit, held in [(first, second), (second, first)]:
        guess = align(z[fit], reference[fit], how="orthogonal")(z[held])
        spread = np.sum((reference[held] - reference[held].mean(axis=0)) ** 2)
        errors.append(1 - np.sum((reference[held] - guess) ** 2) / spread)
    assert procrustes(z, reference, LAP, n_chance=0).value == pytest.approx(np.mean(errors))


@pytest.mark.parametrize("how", ["linear", "orthogonal", "signs"])
def test_latents_that_differ_by_flips_and_order_are_the_same(how):
    reference = latent()
    z = reference[:, [2, 0, 1]] * [-1.0, 1.0, -1.0]
    found, score = fitted_and_scored(z, reference, how)
    assert score.value == pytest.approx(1)
    assert np.allclose(found.matrix, [[0, 0, -1], [1, 0, 0], [0, -1, 0]])
    assert np.allclose(found(z), reference)


def test_consistency_takes_latents_that_differ_by_flips_and_order_as_the_same():
    reference = latent()
    z = -reference[:, ::-1]
    assert consistency([reference, z], groups=LAP, n_chance=0).value == pytest.approx(1)
    between = consistency(
        [reference, z], between="datasets", labels=[POSITION] * 2, groups=[LAP] * 2, n_chance=0
    )
    other = consistency(
        [reference, reference], between="datasets", labels=[POSITION] * 2, groups=[LAP] * 2,
        n_chance=0,
    )  # fmt: skip
    assert between.value == pytest.approx(other.value)


def test_signs_do_not_undo_a_rotation_and_orthogonal_does_not_undo_a_shear():
    reference = noise(len(POSITION), 2)
    turned = reference @ np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    sheared = reference @ np.array([[1.0, 0.0], [3.0, 0.3]])
    assert fitted_and_scored(turned, reference, "signs")[1].value < 0.6
    assert fitted_and_scored(turned, reference, "orthogonal")[1].value == pytest.approx(1)
    assert fitted_and_scored(sheared, reference, "orthogonal")[1].value < 0.7
    assert fitted_and_scored(sheared, reference, "linear")[1].value == pytest.approx(1)


def test_a_constant_latent_gets_a_sign_and_breaks_nothing():
    reference = latent()
    reference[:, 1] = 4.0
    found = align(-reference, reference, how="signs")
    assert np.allclose(np.abs(found.matrix), np.eye(3))
    assert np.allclose(found(-reference), reference)


def test_linear_maps_to_another_number_of_latents():
    reference = latent()
    z = np.hstack([reference, noise(len(reference), 2, seed=4)])
    found, score = fitted_and_scored(z, reference, "linear")
    assert found.matrix.shape == (5, 3)
    assert score.value == pytest.approx(1)


# -- properties -------------------------------------------------------------------------------

SEEDS, WIDTHS = st.integers(0, 10_000), st.integers(1, 4)


@settings(max_examples=25, deadline=None)
@given(SEEDS, WIDTHS)
def test_any_flip_and_order_is_undone(seed, width):
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=(60, width))
    turn = signed_permutation(rng, width)
    for how in ("signs", "orthogonal", "linear"):
        found = align(reference @ turn, reference, how=how)
        assert np.allclose(found.matrix, turn.T, atol=1e-8)
        assert np.allclose(found(reference @ turn), reference)


@settings(max_examples=25, deadline=None)
@given(SEEDS, WIDTHS)
def test_the_more_a_map_may_do_the_better_it_fits(seed, width):
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=(40, width))
    z = reference @ rng.normal(size=(width, width)) + rng.normal(size=(40, width))
    linear, orthogonal, signs = (
        np.sum((align(z, reference, how=how)(z) - reference) ** 2)
        for how in ("linear", "orthogonal", "signs")
    )
    assert linear <= orthogonal + 1e-8
    assert orthogonal <= signs + 1e-8


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 3), st.integers(1, 3))
def test_linear_does_not_depend_on_the_coordinates_of_the_embedding(seed, width, n):
    rng = np.random.default_rng(seed)
    z, reference = rng.normal(size=(50, width)), rng.normal(size=(50, n))
    other = z @ (rng.normal(size=(width, width)) + 3 * np.eye(width)) + rng.normal(size=width)
    assert np.allclose(align(z, reference)(z), align(other, reference)(other), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(SEEDS, WIDTHS)
def test_the_matrix_of_orthogonal_is_orthogonal_and_that_of_signs_is_of_signs(seed, width):
    rng = np.random.default_rng(seed)
    z, reference = rng.normal(size=(2, 30, width))
    turn = align(z, reference, how="orthogonal")
    assert np.allclose(turn.matrix.T @ turn.matrix, np.eye(width), atol=1e-10)
    assert turn.scale > 0
    signs = align(z, reference, how="signs")
    assert signs.scale == 1
    assert (np.abs(signs.matrix).sum(axis=0) == 1).all()
    assert (np.abs(signs.matrix).sum(axis=1) == 1).all()


# -- held out, and chance ---------------------------------------------------------------------


def test_what_is_scored_cannot_change_the_map():
    z, reference = latent(1), latent(2)
    spoilt = reference.copy()
    spoilt[~TRAIN] = noise((~TRAIN).sum(), seed=5)
    clean, _ = fitted_and_scored(z, reference, "linear")
    found, score = fitted_and_scored(z, spoilt, "linear")
    assert np.array_equal(clean.matrix, found.matrix)
    assert score.value < 0.1


def test_nothing_in_common_is_no_better_than_chance_and_something_is():
    rng = np.random.default_rng(0)
    z, other = (smooth_noise(rng, 20, 40)[:, None] + 0.1 * noise(800, 2, seed=s) for s in (1, 2))
    nothing = fitted_and_scored(z, other, "linear", n_chance=50)[1]
    assert nothing.value <= nothing.chance_hi + 0.05
    found = fitted_and_scored(z, z + 0.1 * noise(800, 2, seed=3), "linear", n_chance=50)[1]
    assert found.value > 0.9 > 0.3 > found.chance_hi
    assert found.p == pytest.approx(1 / 51)


def test_the_score_says_what_it_is():
    _, score = fitted_and_scored(latent(1), latent(2), "signs", n_chance=3)
    assert score.unit == "R²"
    assert score.settings["how"] == "signs"
    assert score.settings["matched_by"] == "samples"
    assert score.also["matches"] == (~TRAIN).sum()
    assert score.parts.index.tolist() == np.unique(LAP[~TRAIN]).tolist()
    assert score.parts.mean() == pytest.approx(score.value)
    assert score.interval[0] <= score.value <= score.interval[1]
    again = fitted_and_scored(latent(1), latent(2), "signs", n_chance=3)[1]
    assert np.array_equal(score.chance, again.chance)
    assert len(score.chance) == 3


# -- by labels --------------------------------------------------------------------------------

DIRECTION = LAP % 2


def animal(seed, turn):
    """Laps of one animal at its own speed: its embedding (another shape each way), its labels."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(40, 80, size=20)
    lap = np.repeat(np.arange(20), lengths)
    position = np.concatenate([np.linspace(0, 1, n) for n in lengths])
    z = curve(position) + np.where(lap[:, None] % 2, [0.0, 0.0, 1.0], [0.5, -0.5, 0.0])
    z = z @ turn + 0.05 * rng.normal(size=z.shape)
    return embedding(z, lap, {"recording": f"rat{seed}"}, position=position, direction=lap % 2)


def part(z, keep):
    return z.isel(time=np.flatnonzero(keep(z.coords["trial"].values)))


TURN = Rotation.from_euler("xyz", [1.0, 0.4, -0.7]).as_matrix()


def two_animals():
    return animal(0, np.eye(3)), animal(1, TURN)


@pytest.mark.parametrize("how", ["linear", "orthogonal"])
def test_animals_are_aligned_by_label_and_scored_on_other_laps(how):
    a, b = two_animals()
    labels = ["position", "direction"]
    train, test = (lambda lap: lap < 14), (lambda lap: lap >= 14)
    found = align(part(b, train), part(a, train), labels=labels, how=how)
    assert np.allclose(found.scale * found.matrix, TURN.T, atol=0.1)
    score = found.score(part(b, test), part(a, test), n_chance=20)
    assert score.value > 0.9 > score.chance_hi
    assert score.settings["matched_by"] == "labels"
    assert 50 < score.also["matches"] <= 200
    assert np.isnan(score.interval).all()


def test_direction_is_crossed_with_position():
    a, b = two_animals()
    by_both = align(b, a, labels=["position", "direction"])
    alone = align(b, a, labels="position")
    both_fill, alone_fill = (x.score(b, a, n_chance=0).also["matches"] for x in (by_both, alone))
    assert alone_fill == 100
    assert both_fill == 200


def test_labels_as_arrays_give_what_names_give():
    a, b = two_animals()
    given = [[x.coords["position"].values, x.coords["direction"].values] for x in (b, a)]
    laps_of = [x.coords["trial"].values for x in (b, a)]
    by_name = align(b, a, labels=["position", "direction"])
    by_value = align(b.values, a.values, labels=given, groups=laps_of)
    assert np.allclose(by_name.matrix, by_value.matrix)
    named = by_name.score(b, a, n_chance=5)
    valued = by_value.score(b.values, a.values, labels=given, groups=laps_of, n_chance=5)
    assert named.value == pytest.approx(valued.value)
    assert np.allclose(named.chance, valued.chance)


def test_bins_are_those_asked_for():
    a, b = two_animals()
    found = align(b, a, labels="position", bins=7)
    assert found.score(b, a, n_chance=0).also["matches"] == 7


# -- embeddings and arrays --------------------------------------------------------------------


def test_an_embedding_keeps_its_coordinates():
    a, b = two_animals()
    found = align(b, a, labels=["position", "direction"])
    moved = found(b)
    assert moved.dims == ("time", "latent")
    assert moved.attrs["aligned"] == "linear"
    assert moved.attrs["recording"] == "rat1"
    for name in ("time", "trial", "position", "direction", "latent"):
        assert np.array_equal(moved.coords[name], b.coords[name])
    assert np.allclose(moved.values, found(b.values))


def test_an_embedding_may_change_its_number_of_latents():
    z = embedding(latent(1), LAP)
    moved = align(z, latent(2)[:, :2])(z)
    assert moved.shape == (len(POSITION), 2)
    assert moved.coords["latent"].values.tolist() == [0, 1]


def test_samples_outside_trials_are_left_out():
    z, reference = latent(1), latent(2)
    outside = np.where(LAP < 3, -1, LAP)
    spoilt = np.where((LAP < 3)[:, None], 1e6, z)
    found = align(spoilt, reference, groups=outside)
    expected = align(z[LAP >= 3], reference[LAP >= 3])
    assert np.allclose(found.matrix, expected.matrix)


def test_an_alignment_is_frozen_and_can_be_sent_to_another_process():
    found = align(latent(1), latent(2), how="orthogonal", groups=LAP)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.scale = 2.0
    again = pickle.loads(pickle.dumps(found))
    scores = [x.score(latent(1), latent(2), groups=LAP, n_chance=2) for x in (found, again)]
    assert np.array_equal(scores[0].chance, scores[1].chance)


def test_a_map_made_by_hand_is_scored_without_chance():
    score = Alignment(-np.eye(3), np.zeros(3)).score(-latent(), latent())
    assert score.value == pytest.approx(1)
    assert len(score.chance) == 0


# -- refusals ---------------------------------------------------------------------------------


def test_an_unknown_way_is_refused():
    with pytest.raises(DataError, match=r"how must be one of .*'signs'.*got 'affine'"):
        align(latent(), latent(), how="affine")


@pytest.mark.parametrize("how", ["orthogonal", "signs"])
def test_another_number_of_latents_needs_a_linear_map(how):
    with pytest.raises(DataError, match="got 2 and 3; use how='linear'"):
        align(latent()[:, :2], latent(), how=how)


def test_rows_must_match_without_labels():
    with pytest.raises(DataError, match="one row a sample: 800 rows against 799"):
        align(latent(), latent()[1:])
    late = embedding(latent(), LAP)
    late = late.assign_coords(time=late.coords["time"] + 1)
    with pytest.raises(DataError, match=r"their times differ; give labels=\[...\]"):
        align(late, embedding(latent(), LAP))


def test_missing_values_and_too_few_rows_are_refused():
    broken = latent()
    broken[3, 1] = np.nan
    with pytest.raises(MissingValuesError, match="embedding must be finite"):
        align(broken, latent())
    with pytest.raises(MissingValuesError, match="reference must be finite"):
        align(latent(), broken)
    with pytest.raises(DataError, match="5 or more samples are needed, got 4"):
        align(latent()[:4], latent()[:4])


def test_labels_that_do_not_overlap_are_refused():
    far = [POSITION, POSITION + 9]
    with pytest.raises(
        DataError, match=r"5 or more bins of labels .* got 0; .* labels that overlap"
    ):
        align(latent(), latent(), labels=far)


def test_labels_given_as_values_are_asked_for_again():
    found = align(latent(), latent(), labels=[POSITION] * 2)
    with pytest.raises(DataError, match=r"give score\(\) those of the test trials"):
        found.score(latent(), latent())


def test_labels_and_groups_are_one_an_embedding():
    with pytest.raises(DataError, match="1 entries for 2 embeddings"):
        align(latent(), latent(), labels=[POSITION])
    with pytest.raises(DataError, match="groups must hold one array an embedding"):
        align(latent(), latent(), labels=[POSITION] * 2, groups=[LAP])
    with pytest.raises(DataError, match="looked up in an Embedding"):
        align(latent(), latent(), labels=["position"])


def test_embeddings_of_another_width_are_refused():
    found = align(latent(), latent())
    with pytest.raises(DataError, match="fitted on 3 latents, got 2"):
        found(latent()[:, :2])
    with pytest.raises(DataError, match="the reference was fitted with 3 latents, got 2"):
        found.score(latent(), latent()[:, :2])
