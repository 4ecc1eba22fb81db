"""Diagnoses of models whose faults are known, because they were built in."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from latent_helpers import by_hand, labelled, with_encoder
from scipy import stats

import isofold as iso
from isofold.models._vae_diagnosis import Diagnosis, label_swap, natural_rank

pytestmark = pytest.mark.filterwarnings("ignore:.*latents are identifiable:UserWarning")

PRIOR = np.array([[-2.0, 0.0], [0.0, 0.3], [2.0, -0.4]])
READ = np.array([[0.5], [0.5], [-0.5], [0.2]])


@pytest.fixture(scope="module")
def recording():
    return labelled(n=120, counts=False)


def of(recording, log_variance, estimator=iso.PiVAE, **settings):
    model = by_hand(recording, prior=PRIOR, estimator=estimator, observation="gaussian", **settings)
    return with_encoder(model, READ, [0.0], [log_variance])


def test_a_collapsed_model_is_called_so(recording):
    found = of(recording, 1e3).diagnose(recording)  # held at e¹⁰: the encoder says nothing
    row = found.latents.loc[0]
    assert row["kl"] < 1e-4
    assert row["gain"] == pytest.approx(0, abs=2e-4)
    assert row["activity"] < 1e-4
    assert not row["active"]
    assert found.label_swap == pytest.approx(1, abs=0.02)
    assert "Latent(s) [0] are collapsed" in found.verdict[0]
    assert "CIiVAE does not collapse" in found.verdict[0]
    assert "follows them more than the activity" in found.verdict[1]
    assert np.isnan(found.weight_at_zero)


def test_a_model_that_reads_the_activity_is_called_so(recording):
    model = of(recording, -6.0)
    found = model.diagnose(recording)
    row = found.latents.loc[0]
    assert row["gain"] > 0.99
    assert row["active"]
    assert found.label_swap == pytest.approx(0, abs=0.05)
    assert found.verdict[0].startswith("All 1 latents carry activity")
    assert "stays nearer to the activity" in found.verdict[1]
    assert "varies in all 2 directions" in found.verdict[2]


def test_numbers_are_those_of_their_definition(recording):
    found = of(recording, 0.4).diagnose(recording).latents.loc[0]
    held = 10 * np.tanh(np.array([0.4, *PRIOR[:, 1]]) / 10)  # the models hold log-variances so
    v_x, v_u = np.exp(held[0]), np.exp(held[1:])[recording.label("u")]
    m_x, m_u = recording.signal @ READ[:, 0], PRIOR[recording.label("u"), 0]
    gain = v_u / (v_x + v_u)
    mean, variance = gain * m_x + (1 - gain) * m_u, v_x * gain
    kl = 0.5 * (variance / v_u - 1 - np.log(variance / v_u) + (mean - m_u) ** 2 / v_u)
    assert found["gain"] == pytest.approx(gain.mean(), rel=1e-4)
    assert found["kl"] == pytest.approx(kl.mean(), rel=1e-4)
    assert found["activity"] == pytest.approx(np.var((mean - m_u) / np.sqrt(v_u)), rel=1e-4)


def test_one_latent_of_two_may_be_collapsed(recording):
    prior = np.array([[-2.0, 1, 0, 0], [0, -1, 0.3, -0.3], [2, 0, -0.4, 0.2]])
    model = by_hand(recording, 2, prior=prior, observation="gaussian")
    with_encoder(model, np.hstack([READ, READ[::-1]]), [0.0, 0.0], [-4.0, 1e3])
    found = model.diagnose(recording)
    assert found.latents["active"].tolist() == [True, False]
    assert "[1] are collapsed" in found.verdict[0]
    assert (found.rank, found.rank_needed) == (2, 4)  # three labels span two directions
    assert found.condition == np.inf
    assert "varies in 2 of the 4 directions" in found.verdict[-1]


def test_a_latent_that_hardly_moves_is_named(recording):
    model = with_encoder(of(recording, 3.0), 4 * READ, [0.0], [3.0])
    found = model.diagnose(recording)
    assert found.latents.loc[0, "active"]
    assert "hardly moved by the activity" in found.verdict[0]


def test_collapse_is_judged_where_a_fit_would_look(recording):
    """What lies outside trials has no label and may be anything."""
    signal, u = np.array(recording.signal), np.array(recording.label("u"))
    signal, u = np.vstack([signal, 1e3 * np.ones((40, 4))]), np.append(u, -np.ones(40, int))
    longer = iso.Recording(signal, 40.0, labels={"u": u}, trials=recording.trials)
    model = of(recording, -1.0)
    pd.testing.assert_frame_equal(
        model.diagnose(longer).latents, model.diagnose(recording).latents, rtol=1e-4
    )


# -- the mixture of posteriors --------------------------------------------------------------------


def brute_force_weights(model, x, u):
    """The best of 201 mixtures of every sample, by quadrature over the latent."""
    z = np.linspace(-12, 12, 1201)
    step, grid = z[1] - z[0], np.linspace(0, 1, 201)
    decoder = model.params_.parts[0].decoder
    drive = np.asarray(decoder(jnp.asarray(z[:, None], jnp.float32)), float)
    mean = np.asarray(decoder.shift) + np.asarray(decoder.scale) * drive
    deviation = np.exp(0.5 * np.asarray(decoder.log_variance(), float))
    held = np.exp(10 * np.tanh(PRIOR[:, 1] / 10))
    v_x = np.exp(10 * np.tanh(-0.1))
    best = []
    for row, label in zip(x, u, strict=True):
        log_p = stats.norm.logpdf(row, mean, deviation).sum(axis=1)
        m_u, v_u = PRIOR[label, 0], held[label]
        log_joint = log_p + stats.norm.logpdf(z, m_u, np.sqrt(v_u))
        m_x, gain = row @ READ[:, 0], v_u / (v_x + v_u)
        q1 = stats.norm.pdf(z, m_x, np.sqrt(v_x))
        q0 = stats.norm.pdf(z, gain * m_x + (1 - gain) * m_u, np.sqrt(v_x * gain))
        q = grid[:, None] * q1 + (1 - grid[:, None]) * q0
        bound = (q * (log_joint - np.log(np.maximum(q, 1e-300)))).sum(axis=1) * step
        best.append(grid[np.argmax(bound)])
    return np.array(best)


def test_mixture_weights_are_those_of_quadrature(recording):
    model = of(recording, -1.0, iso.CIiVAE)
    truth = brute_force_weights(model, np.asarray(recording.signal), recording.label("u"))
    found = model.diagnose(recording)
    assert 0.2 < np.mean(truth < 0.01) < 0.8  # both ends occur
    assert np.mean(truth > 0.99) > 0.1
    assert found.weight_at_zero == pytest.approx(np.mean(truth < 0.01), abs=0.1)
    assert found.weight_at_one == pytest.approx(np.mean(truth > 0.99), abs=0.1)
    assert "The best mixture is" in found.verdict[2]


def test_an_encoder_that_says_nothing_has_no_weight_alone(recording):
    found = of(recording, 1e3, iso.CIiVAE).diagnose(recording)
    assert found.weight_at_zero == 1
    assert found.weight_at_one == 0
    assert "does not keep a latent from collapse" in found.verdict[2]


# -- parts ----------------------------------------------------------------------------------------


def test_label_swap_is_a_share():
    rng = np.random.default_rng(0)
    right, prior = rng.standard_normal((2, 2000, 2))
    assert label_swap(right, right, prior) == pytest.approx(0, abs=0.01)
    assert label_swap(prior, right, prior) == pytest.approx(1, abs=0.01)
    assert label_swap(right + prior, right, prior) == pytest.approx(0.5, abs=0.05)
    assert label_swap(-3 * prior + 1, right, prior) == pytest.approx(1, abs=0.01)
    assert label_swap(right, right, np.zeros_like(prior)) == 0
    assert np.isnan(label_swap(np.zeros_like(right), right, prior))


@pytest.mark.parametrize(
    ("labels", "latents", "same_variance", "zero_mean", "expected"),
    [
        (5, 2, False, False, (4, 4)),  # 2n + 1 labels are enough
        (4, 2, False, False, (3, 4)),
        (8, 4, False, False, (7, 8)),  # the macaque of the pi-VAE paper
        (50, 2, True, False, (2, 4)),  # means alone leave a rotation
        (3, 2, False, True, (2, 2)),  # variances alone: one parameter a latent
        (2, 2, False, True, (1, 2)),
        (1, 1, False, False, (0, 2)),
    ],
)
def test_rank_of_the_label_prior(labels, latents, same_variance, zero_mean, expected):
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((labels, latents))
    variance = np.ones_like(mean) if same_variance else rng.uniform(0.3, 2, mean.shape)
    rank, needed, condition = natural_rank(mean, variance, zero_mean)
    assert (rank, needed) == expected
    assert np.isfinite(condition) == (rank == needed)
    scale = np.arange(1, latents + 1) * 100.0
    again = natural_rank(mean * scale, variance * scale**2, zero_mean)
    assert again[0] == rank
    if np.isfinite(condition):
        assert again[2] == pytest.approx(condition)


def test_rounding_is_not_a_direction():
    rng = np.random.default_rng(0)
    mean, variance = rng.standard_normal((20, 1)), 1 + 1e-7 * rng.standard_normal((20, 1))
    assert natural_rank(mean, variance)[0] == 1


def test_a_diagnosis_reads_well_in_both_forms(recording):
    found = of(recording, 1e3, iso.CIiVAE).diagnose(recording)
    text, page = repr(found), found._repr_html_()
    for part in ("gain", "label swap", "mixture weight at 0: 1.00", "rank of the label prior: 2"):
        assert part in text
    for sentence in found.verdict:
        assert f"- {sentence}" in text
    assert "are collapsed" in page
    assert page.count("<li>") == len(found.verdict)
    assert "<b>" not in Diagnosis(found.latents, verdict=["<b>"])._repr_html_()
    with pytest.raises(AttributeError):
        found.rank = 1


# -- other models ---------------------------------------------------------------------------------


def test_a_vae_has_no_label_prior_to_judge(recording):
    model = iso.VAE(max_iterations=0, random_state=0).fit(recording)
    found = model.diagnose(recording)
    assert len(found.latents) == 2
    assert np.isnan([found.label_swap, found.weight_at_one, found.condition]).all()
    assert found.rank is None
    assert "rank" not in repr(found)
    assert "compare fits after alignment" in found.verdict[-1]
    x = np.asarray(recording.signal)
    pd.testing.assert_frame_equal(model.diagnose(x).latents, found.latents, rtol=1e-4)


def test_an_ivae_is_judged_by_its_own_posterior(recording):
    model = iso.IVAE(max_iterations=0, random_state=0, prior_mean=False)
    found = model.fit(recording, labels=["u"]).diagnose(recording)
    z = model.posterior(recording, with_labels=True)
    p = np.exp(np.split(np.asarray(model.params_.prior.values), 2, axis=1)[1])
    gain = np.clip(1 - z["variance"].values / p[recording.label("u")], 0, 1).mean(axis=0)
    np.testing.assert_allclose(found.latents["gain"], gain, atol=1e-3)
    assert found.rank_needed == 2  # variances only
    assert np.isnan(found.weight_at_zero)


def test_arrays_give_labels_in_the_order_of_the_fit(recording):
    model = of(recording, -1.0)
    x, u = np.asarray(recording.signal), recording.label("u")
    found = model.diagnose(x, u, trials=recording.trials)
    pd.testing.assert_frame_equal(found.latents, model.diagnose(recording).latents, rtol=1e-4)
    assert found.latents.index.name == "latent"
