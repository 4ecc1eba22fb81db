"""The step of latent variable models written out in NumPy, and what the loop does with it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import isofold as iso
from isofold import training
from isofold.models import _vae_fit
from isofold.sampling import Layout, MemorySource
from isofold.training.chunk import is_array
from isofold.training.evidence import _Deck, _Evidence, device_rows
from isofold.training.evidence_step import Batch, Hyper, Program, evidence, split

N, CHANNELS = 48, 6
WALLS = (np.array([0, 20]), np.array([20, N]))
U = np.linspace(0, 3, N)
KEY = jax.random.key(7)
N_DRAWS = 1000


def signal(observation="poisson", seed=0):
    rng = np.random.default_rng(seed)
    drive = np.sin(U[:, None] + np.arange(CHANNELS)) + 0.3 * rng.standard_normal((N, CHANNELS))
    return drive if observation == "gaussian" else rng.poisson(np.exp(drive)).astype(float)


class Problem:
    """A model as drawn, and its recording as the step receives it."""

    def __init__(self, objective="elbo", observation="poisson", seed=0, x=None, **settings):
        self.x = signal(observation, seed) if x is None else x
        base = {"max_iterations": 0, "batch_size": 12, "random_state": seed, "decoder_hidden": 8}
        base |= {"encoder_hidden": (7,), "prior_hidden": (5,)}
        self.model = iso.PiVAE(
            objective=objective, observation=observation, **(base | settings)
        ).fit(self.x, U, trials=pd.DataFrame({"start": WALLS[0], "stop": WALLS[1]}))
        self.params, self.part = self.model.params_, self.model.params_.parts[0]
        recording = iso.Recording(self.x, 1.0, labels={"y0": U})
        self.code = self.model.code_.of(recording)
        seen = recording
        if _vae_fit.labels_seen(self.model.settings_):
            seen = _vae_fit.with_codes(recording, self.code)
        layout = Layout(seen.signal, *WALLS, self.part.posterior.offset, 128, 8)
        self.source = MemorySource(layout)
        self.pool = next(self.source.pools(np.random.default_rng(0)))
        self.program = Program(objective, N_DRAWS)

    def terms(self, sample, beta=1.0, key=KEY):
        rows = device_rows(self.part, self.pool)
        index = jnp.asarray(self.pool.centre[sample])
        found = evidence(
            self.params.prior, self.part, rows, index, jnp.asarray(self.code[sample]),
            beta, key, self.program,
        )  # fmt: skip
        return [np.asarray(value, float) for value in found]

    def posteriors(self, sample):
        """(mean, variance) of q1, q0 and p, from precisions."""
        look, both = self.part.posterior, []
        for t in sample:
            window = self.seen(t)
            both.append(np.asarray(look(jnp.asarray(window, jnp.float32)))[0])
        q1 = moments(np.array(both))
        p = moments(np.asarray(self.params.prior(jnp.asarray(self.code[sample]))))
        precision = 1 / q1[1] + 1 / p[1]
        return q1, ((q1[0] / q1[1] + p[0] / p[1]) / precision, 1 / precision), p

    def seen(self, t):
        """Rows of the window of a sample, edges of its segment repeated."""
        left, right = self.part.posterior.offset
        a, b = (0, 20) if t < 20 else (20, N)
        rows = np.clip(np.arange(t - left, t + right), a, b - 1)
        x = self.x if self.program.objective != "direct" else np.hstack([self.x, self.code])
        return x[rows]

    def likelihood(self, z, sample):
        """Σ log p(y|z), with constants, from scipy."""
        decoder = self.part.decoder
        drive = np.asarray(decoder(jnp.asarray(z, jnp.float32)), float)
        whole = decoder.bins > 1
        y = np.array([(self.seen(t) if whole else self.x[[t]])[:, :CHANNELS] for t in sample])
        y = y.reshape(len(sample), -1)
        rate = np.logaddexp(0, drive)
        if decoder.observation == "poisson":
            return stats.poisson.logpmf(y, rate).sum(axis=1)
        spread = np.tile(np.asarray(decoder.spread, float), decoder.bins)
        if decoder.observation == "gaussian":
            shift, scale = np.asarray(decoder.shift, float), np.asarray(decoder.scale, float)
            deviation = scale * np.exp(spread / 2)
            return stats.norm.logpdf(y, shift + scale * drive, deviation).sum(axis=1)
        k = np.exp(spread)
        return stats.nbinom.logpmf(y, k, k / (k + rate)).sum(axis=1)


def moments(both):
    mean, log_variance = np.split(np.asarray(both, float), 2, axis=1)
    return mean, np.exp(10 * np.tanh(log_variance / 10))


def kl(q, p):
    return 0.5 * (np.log(p[1] / q[1]) - 1 + (q[1] + (q[0] - p[0]) ** 2) / p[1])


def draws(shape):
    """Noise of the latents, the same for both posteriors, and that of the mixture."""
    keys = jax.random.split(KEY)
    one, many = (
        jax.random.normal(k, s) for k, s in zip(keys, (shape, (N_DRAWS, *shape)), strict=True)
    )
    return np.asarray(one, float), np.asarray(many, float)


def evidences(problem):
    """Likelihood by the draw and by sigma points, and KL, of q0 and of q1."""
    q1, q0, p = problem.posteriors(SAMPLE)
    noise, _ = draws(q0[0].shape)
    found = []
    for q in (q0, q1):
        one = problem.likelihood(q[0] + np.sqrt(q[1]) * noise, SAMPLE)
        axes = np.sqrt(2) * np.concatenate([np.eye(2), -np.eye(2)])
        points = [problem.likelihood(q[0] + np.sqrt(q[1]) * axis, SAMPLE) for axis in axes]
        found.append((one, np.mean(points, axis=0), kl(q, p).sum(axis=1)))
    return found


SAMPLE = np.array([0, 3, 19, 20, 33, 47])
EVERY = [
    ("poisson", {}),
    ("gaussian", {}),
    ("negative-binomial", {}),
    ("poisson", {"encoder": "conv", "target": "window"}),
    ("gaussian", {"encoder": "smooth", "decoder": "mlp"}),
]


# -- one step against NumPy -----------------------------------------------------------------------


@pytest.mark.parametrize(("observation", "options"), EVERY)
def test_elbo_is_that_of_the_product_posterior(observation, options):
    problem = Problem("elbo", observation, **options)
    _, q0, p = problem.posteriors(SAMPLE)
    z = q0[0] + np.sqrt(q0[1]) * draws(q0[0].shape)[0]
    likelihood, divergence = problem.likelihood(z, SAMPLE), kl(q0, p)
    objective, elbo, found, weight = problem.terms(SAMPLE, beta=0.3)
    np.testing.assert_allclose(found, divergence, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(elbo, likelihood - divergence.sum(axis=1), rtol=1e-4)
    # What is maximised differs from the bound by β and by a part of the data alone.
    constant = objective + 0.3 * divergence.sum(axis=1) - likelihood
    left_out = np.zeros(len(SAMPLE))
    if observation != "gaussian":
        y = np.array([problem.seen(t) if options else problem.x[[t]] for t in SAMPLE])
        left_out = -stats.poisson.logpmf(y, 1.0).sum(axis=(1, 2)) - np.prod(y.shape[1:])
    np.testing.assert_allclose(constant, left_out, atol=2e-3)
    assert not weight.any()


@pytest.mark.parametrize("encoder", ["mlp", "smooth"])
def test_direct_is_the_bound_of_the_encoder_of_signal_and_label(encoder):
    problem = Problem("direct", "gaussian", encoder=encoder)
    q1, _, p = problem.posteriors(SAMPLE)
    z = q1[0] + np.sqrt(q1[1]) * draws(q1[0].shape)[0]
    wanted = problem.likelihood(z, SAMPLE) - kl(q1, p).sum(axis=1)
    objective, elbo, found, weight = problem.terms(SAMPLE)
    np.testing.assert_allclose(objective, wanted, rtol=1e-4)
    np.testing.assert_allclose(elbo, wanted, rtol=1e-4)
    np.testing.assert_allclose(found, kl(q1, p), rtol=1e-3)
    assert (weight == 1).all()


def mixture_gain(a, q1, q0, noise):
    """J(a) with the draws of the step, in densities of scipy."""

    def log_density(q, z):
        return stats.norm.logpdf(z, q[0], np.sqrt(q[1])).sum(axis=-1)

    def divergence(q):
        z = q[0] + np.sqrt(q[1]) * noise
        mixed = np.logaddexp(np.log(a) + log_density(q1, z), np.log1p(-a) + log_density(q0, z))
        return (log_density(q, z) - mixed).mean(axis=0)

    return a * divergence(q1) + (1 - a) * divergence(q0)


@pytest.mark.parametrize(
    ("observation", "options", "beta"),
    [*[(*one, 1.0) for one in EVERY[:4]], (*EVERY[0], 0.4), (*EVERY[0], 3.0)],
)
def test_ci_is_the_best_mixture_of_both(observation, options, beta):
    problem = Problem("ci", observation, **options)
    q1, q0, p = problem.posteriors(SAMPLE)
    (l0, s0, k0), (l1, s1, k1) = evidences(problem)
    _, noise = draws(q0[0].shape)
    objective, elbo, found, weight = problem.terms(SAMPLE, beta)
    constant = device_constant(problem)  # that it is what is left out is checked for "elbo"

    def bound(a, beta, l1=l1, l0=l0):
        gain = mixture_gain(np.clip(a, 1e-12, 1 - 1e-12), q1, q0, noise)
        return a * (l1 - beta * k1) + (1 - a) * (l0 - beta * k0) + beta * gain

    size = np.abs(l0)
    np.testing.assert_allclose(objective + constant, bound(weight, beta), atol=1e-4 * size.max())
    np.testing.assert_allclose(found, kl(q0, p), rtol=1e-3, atol=1e-5)
    # The weight is the best one for the expected, not the drawn likelihoods. It solves for the
    # slope of the exact gain, of which the draws know the slope only roughly.
    grid = [bound(np.full(len(SAMPLE), a), beta, s1, s0) for a in np.linspace(0, 1, 201)]
    best = np.max(grid, axis=0)
    assert np.all(bound(weight, beta, s1, s0) >= best - 1e-4 * size - 5e-3 * beta)
    # The logged bound is one: at β = 1, and no more than there is.
    assert np.all(elbo <= bound(weight, 1.0) + 1e-4 * size)
    if beta >= 1:
        np.testing.assert_allclose(elbo, bound(weight, 1.0), atol=1e-4 * size.max())


def device_constant(problem):
    rows = device_rows(problem.part, problem.pool)
    left, right = problem.part.posterior.offset
    centre = problem.pool.centre[SAMPLE]
    if problem.part.decoder.bins == 1:
        return np.asarray(rows.constant)[centre]
    return np.asarray(rows.constant)[centre[:, None] + np.arange(-left, right)].sum(axis=1)


def test_released_takes_the_gain_off():
    problem = Problem("released", "gaussian")
    q1, q0, _ = problem.posteriors(SAMPLE)
    (l0, _, k0), (l1, _, k1) = evidences(problem)
    objective, elbo, _, weight = problem.terms(SAMPLE)
    assert np.isin(np.round(weight, 3), (0.025, 0.975)).all()
    gain = mixture_gain(weight, q1, q0, draws(q0[0].shape)[1])
    wanted = weight * (l1 - k1) + (1 - weight) * (l0 - k0) - gain
    np.testing.assert_allclose(objective, wanted, atol=5e-3)
    np.testing.assert_allclose(elbo, objective, atol=1e-5)


def test_loss_is_nats_a_channel_and_bin_averaged_over_recordings():
    first, second = Problem(), Problem(seed=1, x=signal(seed=1)[:, :4])
    params = first.params._replace(parts=(first.part, second.part))
    rows = tuple(device_rows(p.part, p.pool) for p in (first, second))
    index = tuple(jnp.asarray(p.pool.centre[SAMPLE]) for p in (first, second))
    batch = Batch(index, (jnp.asarray(first.code[SAMPLE]),) * 2, 0.5)
    arrays, static = eqx.partition(params, is_array)
    loss, (again, terms) = first.program.loss(
        arrays, training.Fixed(static), rows, batch, Hyper(), KEY
    )
    second.params = params  # its recording, under the prior of the first
    wanted = [
        -p.terms(SAMPLE, 0.5, jax.random.fold_in(KEY, n))[0].mean() / channels
        for n, (p, channels) in enumerate(((first, CHANNELS), (second, 4)))
    ]
    assert float(loss) == float(again) == pytest.approx(np.mean(wanted), rel=1e-5)
    assert len(terms) == 2


def test_log_variances_of_networks_are_bounded():
    found = split(jnp.array([[0.0, 1e9], [3.0, -1e9]]))
    np.testing.assert_allclose(found.log_variance, [[10], [-10]])


# -- training -------------------------------------------------------------------------------------


def plan(problem, steps=30, **changes):
    base = {
        "rates": np.full(steps, 1e-2), "beta": np.ones(steps), "batch_size": 12,
        "program": problem.program,
    }  # fmt: skip
    return training.EvidencePlan(**(base | changes))


def trained(problem, seed=0, steps=30, **changes):
    rng = np.random.default_rng(seed)
    return training.train_evidence(
        problem.params, [problem.source], [problem.code], plan(problem, steps, **changes), rng
    )


def leaves(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if is_array(leaf)]


def largest_move(before, after):
    pairs = zip(leaves(before), leaves(after), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


@pytest.fixture(scope="module")
def problem():
    return Problem()


def test_training_raises_the_evidence(problem):
    found = trained(problem, steps=150)
    elbo = found.record.elbo[:, 0]
    assert elbo[-20:].mean() > elbo[:20].mean() + 1
    assert found.loss.shape == (150,)
    assert found.record.kl.shape == (150, 1, 2)
    assert (found.record.finite == 1).all()


def test_scaling_and_means_never_change(problem):
    part = trained(problem).params.parts[0]
    for name in ("shift", "scale"):
        for owner in ("posterior", "decoder"):
            before, after = (getattr(getattr(p, owner), name) for p in (problem.part, part))
            np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(part.mean, problem.part.mean)
    assert largest_move(problem.part.posterior.mean, part.posterior.mean) > 1e-3
    assert largest_move(problem.part.decoder.net, part.decoder.net) > 1e-3
    assert largest_move(problem.params.prior, trained(problem).params.prior) > 1e-3


def test_a_kept_prior_stays_to_the_bit(problem):
    found = trained(problem, keep_prior=True).params
    assert largest_move(problem.params.prior, found.prior) == 0
    assert largest_move(problem.part.decoder.net, found.parts[0].decoder.net) > 1e-3


def test_two_recordings_learn_one_prior(problem):
    """Another second recording gives another prior, and another first decoder through it."""

    def priors(seed):
        other = Problem(seed=1, x=signal(seed=seed)[:, :4])
        params = problem.params._replace(parts=(problem.part, other.part))
        found = training.train_evidence(
            params, [problem.source, other.source], [problem.code, other.code],
            plan(problem), np.random.default_rng(0),
        )  # fmt: skip
        return found

    one, two = priors(1), priors(2)
    assert one.record.elbo.shape == (30, 2)
    assert largest_move(problem.params.prior, one.params.prior) > 1e-3
    assert largest_move(one.params.prior, two.params.prior) > 1e-5
    shapes = [p.decoder.n_channels for p in one.params.parts]
    assert shapes == [CHANNELS, 4]


def test_a_step_that_is_not_finite_is_left_out_and_counted():
    """One sample in four batches is beyond float32: each epoch loses exactly its step."""
    problem = Problem(observation="gaussian", encoder_hidden=(7,))
    problem.pool.rows[problem.pool.centre[5]] = 1e25
    found = trained(problem, steps=40)
    finite = found.record.finite.reshape(10, 4)  # 48 samples in batches of 12
    np.testing.assert_array_equal(finite.sum(axis=1), 3)
    assert all(np.isfinite(leaf).all() for leaf in leaves(found.params))
    assert largest_move(problem.params, found.params) > 1e-3
    problem.pool.rows[problem.pool.centre] = 1e25
    none = trained(problem, steps=5)
    assert not none.record.finite.any()
    assert largest_move(problem.params, none.params) == 0


@pytest.mark.parametrize(
    ("objective", "observation"),
    [("elbo", "poisson"), ("ci", "gaussian"), ("direct", "negative-binomial")],
)
def test_parameters_stay_finite_at_an_absurd_rate(objective, observation):
    problem = Problem(objective, observation)
    found = trained(problem, steps=25, rates=np.full(25, 1e4))
    assert all(np.isfinite(leaf).all() for leaf in leaves(found.params))


def test_gradients_are_no_longer_than_the_clip(problem):
    """With an ε far above every gradient the first step of Adam is rate · gradient / ε."""

    def length(clip):
        hyper = Hyper(epsilon=1e4, clip=clip)
        after = trained(problem, steps=1, rates=np.ones(1), hyper=hyper).params
        moves = zip(leaves(problem.params), leaves(after), strict=True)
        return 1e4 * np.sqrt(sum(((a - b).astype(float) ** 2).sum() for a, b in moves))

    whole = length(1e6)
    assert whole > 0.1
    assert length(0.05) == pytest.approx(0.05, rel=0.05)
    assert length(0.02) == pytest.approx(0.02, rel=0.05)
    assert length(2 * whole) == pytest.approx(whole, rel=1e-3)


def test_with_a_weight_of_zero_the_prior_of_a_direct_model_learns_nothing():
    problem = Problem("direct", "gaussian")
    off = trained(problem, beta=np.zeros(30)).params
    assert largest_move(problem.params.prior, off.prior) == 0
    assert largest_move(problem.params.prior, trained(problem).params.prior) > 1e-3


@pytest.mark.parametrize(("warm_up", "beta"), [(0, 1.0), (20, 1.0), (20, 0.5), (80, 2.0)])
def test_the_weight_of_the_kl_rises_over_the_warm_up(monkeypatch, warm_up, beta):
    seen = []

    def keep(params, sources, codes, plan, *rest, **more):
        seen.append(plan)
        return training.TrainedEvidence(params, None)

    monkeypatch.setattr(training, "train_evidence", keep)
    iso.PiVAE(max_iterations=60, warm_up=warm_up, beta=beta, random_state=0).fit(signal(), U)
    step = np.arange(1, 61)
    wanted = beta * np.minimum(step / max(warm_up, 1), 1)
    np.testing.assert_allclose(seen[0].beta, wanted)


def test_one_seed_one_result(problem):
    first, again, other = (trained(problem, seed=s) for s in (0, 0, 1))
    assert largest_move(first.params, again.params) == 0
    assert (first.loss == again.loss).all()
    assert largest_move(first.params, other.params) > 1e-4


def test_a_callback_can_stop_and_sees_the_model(problem):
    seen = []

    def look(done, now):
        seen.append((done, len(now.loss)))
        return done >= 20

    found = training.train_evidence(
        problem.params, [problem.source], [problem.code], plan(problem, 60),
        np.random.default_rng(0), callback=look, callback_frequency=10,
    )  # fmt: skip
    assert seen == [(10, 10), (20, 20)]
    assert len(found.loss) == 20


def test_before_the_first_step_there_is_no_record(problem):
    found = trained(problem, steps=0)
    assert found.record is None
    assert found.loss.shape == (0,)
    assert largest_move(problem.params, found.params) == 0


# -- batches --------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_every_number_is_dealt_once_before_one_comes_again(n, size, counts):
    deck, rng = _Deck(n), np.random.default_rng(0)
    dealt = np.concatenate([deck.deal(rng, (count, size)).ravel() for count in counts])
    for first in range(0, len(dealt) - n + 1, n):
        assert sorted(dealt[first : first + n]) == list(range(n))
    assert len(set(dealt[len(dealt) // n * n :])) == len(dealt) % n


def test_two_epochs_are_dealt_in_two_orders():
    dealt = _Deck(20).deal(np.random.default_rng(0), (2, 20))
    assert (dealt[0] != dealt[1]).any()
    assert (dealt[0] != np.arange(20)).any()


def test_labels_go_with_their_samples(problem):
    draw = _Evidence(problem.params, [problem.code], plan(problem)).drawer([problem.pool])
    batch, program = draw(np.random.default_rng(0), 0, 4)
    assert program == problem.program
    (centre,), (labels,) = batch.centre, batch.labels
    assert centre.shape == (training.CHUNK, 12)
    sample = problem.pool.origin[centre]
    np.testing.assert_array_equal(labels, problem.code[sample])
    assert sorted(sample[:4].ravel()) == list(range(N))


# -- compiled once --------------------------------------------------------------------------------


def compiled():
    return training.run_chunk._cache_size()


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 9},
        {"learning_rate": 1e-2},
        {"max_iterations": 61},
        {"beta": 0.5},
        {"gradient_clip": 0.2},
        {"warm_up": 3},
    ],
    ids=str,
)
def test_other_settings_run_the_same_program(change):
    base = {"max_iterations": 30, "batch_size": 16, "random_state": 0, "decoder_hidden": 9}
    iso.PiVAE(**base).fit(signal(), U)
    before = compiled()
    iso.PiVAE(**(base | change)).fit(signal(seed=3), U + 0.1)
    assert compiled() == before


def test_five_folds_of_two_seeds_compile_once():
    rat = iso.simulate.place_cells(seed=1, n_laps=15, n_units=7)
    before = compiled()
    for train, test in rat.folds(5):
        model = iso.CIiVAE(
            encoder="conv", observation="poisson", max_iterations=2, batch_size=32,
            decoder_hidden=11,
        )  # fmt: skip
        fits = iso.fit_seeds(model, train, seeds=range(2), labels=["position", "direction"])
        assert fits[0].loss_[0] != fits[1].loss_[0]
        fits[0].transform(test)
    assert compiled() == before + 1
