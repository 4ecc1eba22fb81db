"""What users get from a fitted latent variable model, against brute force and closed forms."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from latent_helpers import CLASSES, by_hand, labelled, with_encoder
from scipy import stats
from scipy.special import logsumexp

import isofold as iso
from isofold.errors import DataError, SessionError
from isofold.models._vae_decode import best_label

pytestmark = pytest.mark.filterwarnings("ignore:.*latents are identifiable:UserWarning")

OBSERVATIONS = ("poisson", "gaussian", "negative-binomial")


def log_pdf(model, y, z):
    """(sample, draw) log p(y|z), with the densities of scipy."""
    decoder = model.params_.parts[0].decoder
    drive = np.asarray(decoder(jnp.asarray(z, jnp.float32)), float)
    y = np.asarray(y, float)[:, None]
    if decoder.observation == "gaussian":
        mean = np.asarray(decoder.shift) + np.asarray(decoder.scale) * drive
        deviation = np.exp(0.5 * np.asarray(decoder.log_variance(), float))
        return stats.norm.logpdf(y, mean, deviation).sum(axis=-1)
    rate = np.logaddexp(0, drive)
    if decoder.observation == "poisson":
        return stats.poisson.logpmf(y, rate).sum(axis=-1)
    size = np.exp(np.asarray(decoder.log_size(), float))
    return stats.nbinom.logpmf(y, size, size / (size + rate)).sum(axis=-1)


def prior_of(model):
    mean, log_variance = np.split(np.asarray(model.params_.prior.values, float), 2, axis=1)
    return mean, np.exp(0.5 * 10 * np.tanh(log_variance / 10))


def exact(model, y):
    """(sample, class) log p(y|u) of a model of one latent, by quadrature."""
    z = np.linspace(-8, 8, 641)
    likelihood = log_pdf(model, y, z[:, None])
    mean, deviation = prior_of(model)
    weigh = stats.norm.logpdf(z, mean, deviation) + np.log(z[1] - z[0])
    return logsumexp(likelihood[:, None, :] + weigh[None], axis=2)


def wide(model):
    """An encoder that covers every posterior: importance weights are then bounded."""
    n = model.output_dimension_
    return with_encoder(model, np.zeros((4, n)), np.zeros(n), np.full(n, 1.5))


# -- labels from activity -------------------------------------------------------------------------


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_label_posterior_is_that_of_brute_force_monte_carlo(observation):
    recording = labelled(counts=observation != "gaussian")
    model = by_hand(recording, 2, observation=observation, linear=False)
    found = model.label_posterior(recording, n_samples=30)
    noise = np.asarray(jax.random.normal(jax.random.key(0), (30, 2)))
    mean, deviation = prior_of(model)
    evidence = np.stack(
        [
            logsumexp(log_pdf(model, recording.signal, m + d * noise), axis=1) - np.log(30)
            for m, d in zip(mean, deviation, strict=True)
        ],
        axis=1,
    )
    joint = evidence + np.log(1 / CLASSES)
    np.testing.assert_allclose(found.log_evidence, logsumexp(joint, axis=1), atol=2e-4)
    expected = joint - logsumexp(joint, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=3e-4)
    assert found.dims == ("time", "candidate")
    assert found.u.values.tolist() == [0, 1, 2]
    assert found.trial.dims == ("time",)


def test_label_posterior_weighs_candidates():
    recording = labelled()
    model = by_hand(recording)
    table = pd.DataFrame({"u": [2, 0], "weight": [3.0, 1.0]})
    flat = model.label_posterior(recording, candidates=table, prior="flat")
    bare = model.label_posterior(recording, candidates=table[["u"]])
    weighed = model.label_posterior(recording, candidates=table)
    np.testing.assert_array_equal(flat, bare)
    odds = (weighed - flat).values
    np.testing.assert_allclose(odds[:, 0] - odds[:, 1], np.log(3), atol=1e-6)
    np.testing.assert_allclose(np.exp(weighed).sum("candidate"), 1)
    never = model.label_posterior(recording, candidates=table.assign(weight=[0.0, 1.0]))
    assert (never[:, 0] == -np.inf).all()
    assert (never[:, 1] == 0).all()


def test_other_labels_are_summed_out_unless_joint():
    table = pd.DataFrame({"position": [0.1, 0.1, 0.7, 0.7], "direction": list("lrlr")})
    log_p = np.log([[0.4, 0.01, 0.3, 0.29]])
    assert best_label(log_p, table, "position", joint=False).tolist() == [0.7]
    assert best_label(log_p, table, "position", joint=True).tolist() == [0.1]
    assert best_label(log_p, table, "direction", joint=False).tolist() == ["l"]


def test_a_label_of_several_columns_is_decoded_as_one():
    table = pd.DataFrame({"p_1": [5.0, 6.0, 5.0], "p_0": [0.0, 0.0, 0.0], "d": [0, 0, 1]})
    found = best_label(np.log([[0.3, 0.4, 0.3]]), table, "p", joint=False)
    assert found.tolist() == [[0.0, 5.0]]


@pytest.fixture(scope="module")
def track():
    recording = iso.simulate.place_cells(seed=0, n_laps=8, n_units=20, rate=10.0)
    train, test = recording.split(test=0.25)
    model = iso.PiVAE(decoder="mlp", max_iterations=150, batch_size=128, random_state=0)
    return model.fit(train, labels=["position", "direction"]), test


def test_position_is_decoded_with_direction_summed_out(track):
    model, test = track
    found = model.predict(test, "position")
    assert found.dims == ("time",)
    truth = test.label("position")
    error = np.median(np.abs(found.values - truth))
    rng = np.random.default_rng(0)
    chance = np.median(np.abs(rng.permutation(truth) - truth))
    assert error < 0.3 * chance
    flat = model.label_posterior(test, prior="flat")
    table = np.exp(flat).to_pandas().T.groupby(flat.position.values).sum().T
    assert (table.idxmax(axis=1) == found.values).mean() > 0.99
    joint = model.predict(test, "position", joint=True)
    best = flat.position.values[flat.values.argmax(axis=1)]
    np.testing.assert_array_equal(joint, best)
    assert (joint.values != found.values).any()


def test_predict_on_a_grid_of_the_user(track):
    model, test = track
    grid = pd.DataFrame({"position": [0.2, 1.2], "direction": [model.candidates_.direction[0]] * 2})
    assert set(model.predict(test, "position", candidates=grid).values) <= {0.2, 1.2}


def test_circular_and_continuous_labels_are_decoded_from_arrays_and_recordings():
    ring = iso.simulate.circle(seed=0, n_samples=600, n_units=12, mixing="linear")
    model = iso.PiVAE(
        observation="gaussian", decoder="mlp", max_iterations=150, batch_size=64, random_state=0
    ).fit(ring, labels=["angle"])
    found = model.predict(ring)
    off = np.angle(np.exp(1j * (found.values - ring.label("angle"))))
    assert np.median(np.abs(off)) < 0.4  # chance is π/2
    assert found.min() >= 0
    assert found.max() < 2 * np.pi
    again = model.predict(np.asarray(ring.signal).reshape(6, 100, 12))
    assert again.shape == (6, 100)
    np.testing.assert_array_equal(again.ravel(), found.values)


def test_text_labels_are_decoded():
    recording = labelled()
    names = np.array(["a", "b", "c"])[recording.label("u")]
    spelled = iso.Recording(np.asarray(recording.signal), 40.0, labels={"u": names})
    model = iso.PiVAE(max_iterations=0, random_state=0).fit(spelled, labels=["u"])
    assert set(model.predict(spelled).values) <= {"a", "b", "c"}
    assert model.sample(pd.DataFrame({"u": ["b", "b"]})).shape == (2, 4)


def test_time_is_decoded_where_it_is_the_label():
    recording = labelled()
    model = iso.PiVAE(max_iterations=0, random_state=0, prior="time").fit(recording)
    assert model.predict(recording).shape == (60,)
    assert "time" in model.candidates_


# -- evidence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_log_likelihood_rises_to_that_of_quadrature(observation):
    recording = labelled(n=200, counts=observation != "gaussian")
    model = wide(by_hand(recording, observation=observation))
    truth = exact(model, recording.signal)[np.arange(200), recording.label("u")]
    many = model.log_likelihood(recording, n_samples=2000).values
    np.testing.assert_allclose(many, truth, atol=0.15)
    assert abs(np.mean(many - truth)) < 0.01
    few = model.log_likelihood(recording, n_samples=1).values
    assert np.mean(few - truth) < -0.1  # a bound, and a loose one


@pytest.mark.parametrize("n_samples", [1, 3])
def test_importance_weights_are_unbiased_for_any_number_of_draws(n_samples):
    recording = labelled(n=1024, counts=False, trials=3)
    model = wide(by_hand(recording, observation="gaussian"))
    truth = exact(model, recording.signal)[np.arange(1024), recording.label("u")]
    ratio = np.exp(model.log_likelihood(recording, n_samples=n_samples).values - truth)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(1024)


def test_log_likelihood_without_labels_sums_over_candidates():
    recording = labelled()
    model = by_hand(recording)
    truth = logsumexp(exact(model, recording.signal) - np.log(CLASSES), axis=1)
    found = model.log_likelihood(recording, n_samples=4000, with_labels=False)
    np.testing.assert_allclose(found, truth, atol=0.1)
    assert found.attrs["unit"] == "nats"


def test_log_likelihood_of_a_linear_gaussian_model_is_in_closed_form():
    recording = labelled(counts=False)
    model = wide(by_hand(recording, 2, observation="gaussian"))
    decoder = model.params_.parts[0].decoder
    weight = np.asarray(decoder.net.weights[0] * decoder.scale, float)
    bias = np.asarray(decoder.net.biases[0] * decoder.scale + decoder.shift, float)
    noise = np.diag(np.exp(np.asarray(decoder.log_variance(), float)))
    mean, deviation = prior_of(model)
    truth = np.stack(
        [
            stats.multivariate_normal(m @ weight + bias, weight.T @ np.diag(d**2) @ weight + noise)
            .logpdf(recording.signal)
            for m, d in zip(mean, deviation, strict=True)
        ],
        axis=1,
    )  # fmt: skip
    mine = truth[np.arange(len(recording)), recording.label("u")]
    found = model.log_likelihood(recording, n_samples=4000)
    np.testing.assert_allclose(found, mine, atol=0.3)
    assert abs(float(found.mean()) - mine.mean()) < 0.02


def test_a_vae_has_one_log_likelihood_and_no_labels_to_decode():
    recording = labelled(counts=False)
    model = iso.VAE(max_iterations=0, random_state=0).fit(recording)
    given = model.log_likelihood(recording)
    np.testing.assert_array_equal(given, model.log_likelihood(recording, with_labels=False))
    x = np.asarray(recording.signal)
    np.testing.assert_allclose(model.log_likelihood(x, recording.label("u")), given, rtol=1e-5)
    assert not hasattr(iso.VAE(), "predict")  # scikit-learn's checks ask
    assert not hasattr(iso.PiVAE(prior="none"), "predict")
    with pytest.raises(AttributeError) as refused:
        model.predict(recording)
    assert "needs a label prior, and this VAE has none: fit a PiVAE" in str(refused.value.__cause__)
    with pytest.raises(DataError, match="needs a label prior"):
        model.label_posterior(recording)


# -- activity -------------------------------------------------------------------------------------


def test_posterior_has_the_mean_of_transform():
    recording = labelled()
    model = by_hand(recording, 2)
    for with_labels in (False, True):
        found = model.posterior(recording, with_labels=with_labels)
        np.testing.assert_array_equal(
            found["mean"], model.transform(recording, with_labels=with_labels)
        )
        assert (found["variance"] > 0).all()
        assert found["mean"].attrs["labels_used"] is with_labels
    _, deviation = prior_of(model)
    assert (found["variance"] < deviation[recording.label("u")] ** 2).all()


def test_rates_are_those_of_the_decoder_at_the_posterior_mean():
    recording = labelled()
    model = by_hand(recording, 2)
    z = model.transform(recording, with_labels=True)
    drive = model.params_.parts[0].decoder(jnp.asarray(z.values))
    found = model.rates(recording, with_labels=True)
    np.testing.assert_allclose(found, np.logaddexp(0, np.asarray(drive)), rtol=1e-5)
    assert found.dims == ("time", "channel")
    x, u = np.asarray(recording.signal).reshape(6, 10, 4), recording.label("u").reshape(6, 10)
    np.testing.assert_allclose(model.rates(x, u, with_labels=True).reshape(60, 4), found, rtol=1e-5)


def test_windows_give_the_rate_of_their_own_bin():
    recording = labelled()
    options = {"encoder": "conv", "target": "window", "num_hidden_units": 4}
    model = by_hand(recording, 2, linear=False, **options)
    part = model.params_.parts[0]
    z = model.transform(recording, with_labels=True)
    drive = np.asarray(part.decoder(jnp.asarray(z.values))).reshape(60, 10, 4)
    own = np.logaddexp(0, drive[:, part.posterior.offset[0]])
    np.testing.assert_allclose(model.rates(recording, with_labels=True), own, rtol=1e-5)
    assert model.tuning(4).shape == (4, 4, 4)
    assert model.sample(7).shape == (7, 4)
    assert model.label_posterior(recording).shape == (60, CLASSES)
    assert model.log_likelihood(recording).edge.sum() > 0


def test_tuning_covers_the_latents_of_the_model():
    recording = labelled()
    model = by_hand(recording, 2)
    found = model.tuning(n=7)
    assert found.dims == ("latent_0", "latent_1", "channel")
    assert found.shape == (7, 7, 4)
    point = jnp.asarray([[found.latent_0[2], found.latent_1[5]]], jnp.float32)
    drive = np.asarray(model.params_.parts[0].decoder(point))[0]
    np.testing.assert_allclose(found[2, 5], np.logaddexp(0, drive), rtol=1e-5)
    mean, _ = prior_of(model)
    assert (mean.min(axis=0) > [found.latent_0[0], found.latent_1[0]]).all()
    assert (mean.max(axis=0) < [found.latent_0[-1], found.latent_1[-1]]).all()


@pytest.mark.parametrize("latents", [1, 3])
def test_tuning_of_other_than_two_latents_goes_along_each(latents):
    found = by_hand(labelled(), latents).tuning(n=5)
    assert found.dims == ("latent", "step", "channel")
    assert found.shape == (latents, 5, 4)
    assert (found.value.diff("step") > 0).all()


def test_samples_have_the_moments_of_the_model():
    prior = np.array([[0.5, np.log(0.4)]] * CLASSES)
    ask = pd.DataFrame({"u": [1] * 20_000})
    plain = by_hand(labelled(counts=False), prior=prior, observation="gaussian")
    decoder = plain.params_.parts[0].decoder
    weight = np.asarray(decoder.net.weights[0] * decoder.scale, float)
    bias = np.asarray(decoder.net.biases[0] * decoder.scale + decoder.shift, float)
    variance = np.exp(np.asarray(decoder.log_variance(), float))
    x = plain.sample(ask)
    spread = prior_of(plain)[1][0, 0] ** 2 * weight.T @ weight + np.diag(variance)
    error = 5 * np.sqrt(np.diag(spread) / len(x))
    assert (np.abs(x.mean(axis=0) - (0.5 * weight[0] + bias)) < error).all()
    np.testing.assert_allclose(np.cov(x.T), spread, atol=0.06 * spread.max())


@pytest.mark.parametrize("observation", ["poisson", "negative-binomial"])
def test_sampled_counts_are_whole_and_as_spread_as_said(observation):
    prior = np.array([[0.5, -100.0]] * CLASSES)  # the latent is all but known
    model = by_hand(labelled(), prior=prior, observation=observation)
    x = model.sample(20_000, seed=3)
    assert x.dtype.kind == "i"
    rate = np.logaddexp(0, np.asarray(model.params_.parts[0].decoder(jnp.full((1, 1), 0.5)))[0])
    extra = rate**2 / np.exp(3) if observation == "negative-binomial" else 0
    np.testing.assert_allclose(x.mean(axis=0), rate, rtol=0.05)
    np.testing.assert_allclose(x.var(axis=0), rate + extra, rtol=0.06)
    np.testing.assert_array_equal(model.sample(50, seed=3), model.sample(50, seed=3))
    assert (model.sample(50, seed=4) != model.sample(50, seed=3)).any()


def test_sampled_labels_are_as_common_as_in_the_fit():
    rare = np.array([[9.0, -100.0], [-9.0, -100.0], [-9.0, -100.0]])
    recording = labelled(counts=False)
    model = by_hand(recording, prior=rare, observation="gaussian")
    model.candidates_ = model.candidates_.assign(weight=[0.1, 0.6, 0.3])
    slope = np.asarray(model.params_.parts[0].decoder.net.weights[0])[0]
    k = int(np.argmax(np.abs(slope)))
    x = model.sample(5000)[:, k] * np.sign(slope[k])
    assert np.mean(x > model.sample(5000)[:, k].mean()) == pytest.approx(0.1, abs=0.05)


# -- files, seeds, several recordings -------------------------------------------------------------


def test_a_loaded_model_says_the_same(tmp_path, track):
    model, test = track
    loaded = iso.load(model.save(tmp_path / "m.isofold"))
    np.testing.assert_array_equal(
        loaded.label_posterior(test).values, model.label_posterior(test).values
    )
    np.testing.assert_array_equal(loaded.sample(20), model.sample(20))


@pytest.mark.parametrize("keep", ["validation", "consistency"])
def test_several_initialisations_are_all_kept(keep):
    recording = labelled(n=240, trials=12)
    model = iso.PiVAE(
        max_iterations=3, n_init=3, keep=keep, random_state=0, decoder="mlp",
        validation=0.25 if keep == "validation" else None,
    )  # fmt: skip
    model.fit(recording, labels=["u"])
    assert [fit.random_state for fit in model.initialisations_] == [0, 1, 2]
    values = [entry[keep] for entry in model.inits_]
    best = model.initialisations_[int(np.argmax(values))]
    np.testing.assert_array_equal(model.transform(recording), best.transform(recording))
    runs = [fit.transform(recording) for fit in model.initialisations_]
    assert np.isfinite(float(iso.scores.consistency(runs, n_chance=0)))


def test_keep_is_checked():
    with pytest.raises(DataError, match=r"keep must be one of \('validation', 'consistency'\)"):
        iso.PiVAE(n_init=2, keep="best").fit(labelled(), labels=["u"])


def test_several_recordings_are_told_apart():
    two = [replace(labelled(channels=c, seed=c), name=f"rat{c}") for c in (3, 4)]
    model = iso.PiVAE(max_iterations=0, decoder="mlp", random_state=0).fit(two, labels=["u"])
    assert model.rates(two[1]).shape == (60, 4)
    assert model.predict(np.asarray(two[0].signal), session_id="rat3").shape == (60,)
    assert model.tuning(3, session_id=1).shape == (3, 3, 4)
    assert model.sample(2, session_id=0).shape == (2, 3)
    assert len(model.diagnose(two[0]).latents) == 2
    with pytest.raises(SessionError, match="session_id"):
        model.sample(2)
    with pytest.raises(DataError, match="one recording or array at a time, got a list of 2"):
        model.rates(two)


# -- refusals -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    recording = labelled()
    return by_hand(recording), recording


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([0, 1], r"candidates must be a pandas DataFrame.*\['u'\].*got list"),
        (pd.DataFrame({"u": []}), "no rows"),
        (pd.DataFrame({"v": [0]}), "candidates need a column for label 'u'"),
        (pd.DataFrame({"u": [0, 7]}), r"must be classes of the fit, \[0, 1, 2\], got \[7\]"),
        (pd.DataFrame({"u": [0, -1]}), r"must be classes of the fit.*got \[-1\]"),
        (pd.DataFrame({"u": [0, 1], "weight": [1, -1]}), "weights of candidates must be 0 or more"),
        (pd.DataFrame({"u": [0, 1], "weight": [0, 0]}), "not all 0"),
        (pd.DataFrame({"u": [0, 1], "weight": [1, np.nan]}), "finite"),
    ],
)
def test_wrong_candidates_are_refused(plain, candidates, message):
    model, recording = plain
    with pytest.raises(DataError, match=message):
        model.label_posterior(recording, candidates=candidates)


def test_candidates_without_a_value_are_refused(track):
    model, test = track
    grid = model.candidates_.assign(position=np.nan)
    with pytest.raises(
        DataError, match=r"candidates must have values, found NaN in \['position'\]"
    ):
        model.predict(test, "position", candidates=grid)


def test_other_channels_are_refused(plain):
    with pytest.raises(ValueError, match="3 features"):
        plain[0].predict(np.ones((5, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, r: m.label_posterior(r, prior="uniform"), r"prior must be one of.*'uniform'"),
        (lambda m, r: m.predict(r, "position"), r"label= one of \['u'\], got 'position'"),
        (lambda m, r: m.predict(r, n_samples=0), "n_samples must be a whole number >= 1, got 0"),
        (lambda m, r: m.log_likelihood(r, n_samples=2.5), "n_samples must be a whole number"),
        (lambda m, r: m.log_likelihood(np.asarray(r.signal)), r"fitted with 1 label"),
        (lambda m, r: m.rates(r, posterior="prior"), "posterior must be"),
        (lambda m, r: m.tuning(1), "tuning needs n >= 2"),
        (lambda m, r: m.sample(0), "sample takes how many"),
        (lambda m, r: m.sample(True), "sample takes how many"),
        (lambda m, r: m.sample("u"), "one sample for each row, got 'u'"),
        (lambda m, r: m.sample(pd.DataFrame({"v": [1]})), "a column for label 'u'"),
        (lambda m, r: m.diagnose(np.asarray(r.signal)), r"fitted with 1 label"),
    ],
)
def test_wrong_requests_are_refused(plain, call, message):
    with pytest.raises(DataError, match=message):
        call(*plain)


def test_which_of_two_labels_must_be_said(track):
    model, test = track
    with pytest.raises(DataError, match=r"label= one of \['position', 'direction'\], got None"):
        model.predict(test)


@pytest.mark.parametrize("name", ["predict", "rates", "log_likelihood", "posterior", "diagnose"])
def test_an_unfitted_model_says_so(name):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        getattr(iso.PiVAE(), name)(labelled())
