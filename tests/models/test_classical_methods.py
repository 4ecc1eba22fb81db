"""Methods of other libraries: equal to the library where it can be asked, and placed row by row."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.decomposition import FactorAnalysis
from sklearn.manifold import Isomap, trustworthiness

import isofold as iso
from isofold.errors import DataError, MissingDependencyError
from isofold.models._gaussian_process import Processes
from isofold.models._neighbors import Neighbors, measured
from isofold.models.gpfa import windows

CLOSED = ("umap", "tsne", "isomap", "diffusion-map")
QUICK = {
    "umap": {"n_neighbors": 10, "n_epochs": 60},
    "tsne": {"n_iter": 150, "early_exaggeration_iter": 100},
    "isomap": {},
    "diffusion-map": {},
    "factor-analysis": {},
    "gpfa": {"em_max_iters": 5},
}
SLOW = {"umap"}
"""It compiles for a quarter of a minute."""
EXTRAS = {"umap": "umap", "tsne": "openTSNE", "gpfa": "elephant"}


def rows(n=240, channels=6, seed=0, noise=0.05):
    """A circle in some channels, in random order of angle; and the angle."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, n)
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(channels, channels)))[0][:2]
    x = np.column_stack([np.cos(angle), np.sin(angle)]) @ turn
    return x + noise * rng.normal(size=x.shape), angle


X, ANGLE = rows()
NEW, NEW_ANGLE = rows(60, seed=1)


def build(name, **settings):
    given = {"output_dimension": 2, "random_state": 0, **QUICK[name], **settings}
    return iso.METHODS[name](**given)


@pytest.fixture(
    scope="module",
    params=[pytest.param(m, marks=[pytest.mark.slow] if m in SLOW else []) for m in CLOSED],
)
def placed(request):
    """A fitted model of samples without order, by name."""
    return build(request.param).fit(X)


# -- new samples ----------------------------------------------------------------------------------


def test_a_sample_lies_where_it_lies_whatever_comes_with_it(placed):
    whole = placed.transform(NEW)
    order = np.random.default_rng(1).permutation(len(NEW))
    np.testing.assert_allclose(placed.transform(NEW[order]), whole[order], atol=1e-6)
    np.testing.assert_allclose(placed.transform(NEW[7:8]), whole[7:8], atol=1e-6)


def test_training_samples_are_placed_near_their_own_layout(placed):
    scale = placed.embedding_.std()
    away = np.linalg.norm(placed.transform(X) - placed.embedding_, axis=1)
    assert np.median(away) < 0.15 * scale


def test_a_circle_is_a_circle_also_for_new_samples(placed):
    train, new = placed.transform(X), placed.transform(NEW)
    assert trustworthiness(NEW, new, n_neighbors=5) > 0.9
    near = np.argmin(np.linalg.norm(train[None] - new[:, None], axis=2), axis=1)
    error = np.angle(np.exp(1j * (ANGLE[near] - NEW_ANGLE)))
    assert np.median(np.abs(error)) < 0.15


def test_goodness_is_trustworthiness_far_above_chance(placed):
    score = iso.scores.goodness_of_fit(placed, iso.Recording(X, rate=1.0))
    assert score.unit == "trustworthiness"
    assert score.value == pytest.approx(trustworthiness(X, placed.transform(X), n_neighbors=15))
    assert score.value > 0.9
    assert abs(score.chance_mean - 0.5) < 0.05


# -- the library's own result ---------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_isomap_is_that_of_scikit_learn(metric):
    ours = iso.Isomap(2, n_neighbors=12, metric=metric).fit(X)
    theirs = Isomap(n_components=2, n_neighbors=12, metric=metric, eigen_solver="dense").fit(X)
    sign = np.sign(np.sum(ours.embedding_ * theirs.embedding_, axis=0))
    np.testing.assert_allclose(ours.embedding_, theirs.embedding_ * sign, atol=1e-8)
    np.testing.assert_allclose(ours.transform(NEW), theirs.transform(NEW) * sign, atol=1e-8)


def test_factor_analysis_is_that_of_scikit_learn():
    ours = build("factor-analysis").fit(X)
    theirs = FactorAnalysis(2, svd_method="lapack").fit(X)
    np.testing.assert_allclose(ours.transform(NEW), theirs.transform(NEW), atol=1e-10)
    alone = multivariate_normal(X.mean(axis=0), np.diag(X.var(axis=0)))
    gain = (theirs.score_samples(NEW) - alone.logpdf(NEW)) / np.log(2)
    assert ours.score(NEW) == pytest.approx(gain.mean())


def test_tsne_is_that_of_opentsne():
    tsne = pytest.importorskip("openTSNE")
    ours = build("tsne").fit(X)
    seed = int(np.random.default_rng(0).integers(2**31))
    settings = {"neighbors": "exact", "negative_gradient_method": "bh", "random_state": seed}
    theirs = tsne.TSNE(n_iter=150, early_exaggeration_iter=100, **settings).fit(X)
    np.testing.assert_array_equal(ours.embedding_, theirs)
    np.testing.assert_allclose(ours.transform(NEW), theirs.transform(NEW), atol=1e-9)


@pytest.mark.slow
def test_umap_is_that_of_umap_learn():
    umap = pytest.importorskip("umap")
    ours = build("umap").fit(X)
    seed = int(np.random.default_rng(0).integers(2**31))
    settings = {"n_neighbors": 10, "n_epochs": 60, "init": "pca", "n_jobs": 1}
    theirs = umap.UMAP(random_state=seed, **settings).fit(X)
    np.testing.assert_array_equal(ours.embedding_, theirs.embedding_)
    alone = np.vstack([theirs.transform(row[None]) for row in NEW])
    # its distances are in single precision, and their last bits seed its random steps
    away = np.linalg.norm(ours.transform(NEW) - alone, axis=1)
    assert np.median(away) < 0.05 * theirs.embedding_.std()


def test_gpfa_is_that_of_elephant():
    core = pytest.importorskip("elephant.gpfa.gpfa_core")
    trials = np.random.default_rng(0).normal(size=(8, 40, 5)).cumsum(axis=1)
    ours = build("gpfa").fit(trials)
    pieces = np.empty(8, dtype=[("T", int), ("y", object)])
    for piece, trial in zip(pieces, trials, strict=True):
        piece["T"], piece["y"] = 40, trial.T
    settings = {"x_dim": 2, "bin_width": 20.0, "em_max_iters": 5}
    found, _ = core.fit(pieces, **settings)
    np.testing.assert_allclose(ours.loadings_, found["C"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.gamma_, found["gamma"], rtol=1e-6)
    latents, nats = core.exact_inference_with_ll(pieces, found)
    _, latents = core.orthonormalize(found, latents)
    theirs = np.stack([one.T for one in latents["latent_variable_orth"]])
    z = ours.transform(trials)
    sign = np.sign(np.sum(z * theirs, axis=(0, 1)))
    np.testing.assert_allclose(z, theirs * sign, atol=1e-6)
    pieces_ = [np.asarray(t) for t in trials]
    assert ours._processes().infer(pieces_)[1].sum() == pytest.approx(nats)


# -- GPFA -----------------------------------------------------------------------------------------


def test_processes_are_conditioned_as_gaussians_are():
    rng = np.random.default_rng(0)
    n, loadings, noise = 7, rng.normal(size=(4, 2)), rng.uniform(0.5, 1, 4)
    model = Processes(loadings, rng.normal(size=4), noise, np.array([0.1, 0.5]), np.full(2, 1e-2))
    piece = rng.normal(size=(n, 4))
    lag = np.arange(n)[:, None] - np.arange(n)
    kernels = [
        (1 - e) * np.exp(-0.5 * g * lag**2) + e * np.eye(n)
        for g, e in zip(model.gamma, model.eps, strict=True)
    ]
    prior = np.zeros((n, 2, n, 2))
    for i, kernel in enumerate(kernels):
        prior[:, i, :, i] = kernel
    seen = np.einsum("ci,tisj->tcsj", loadings, prior)
    covariance = np.einsum("tcsj,dj->tcsd", seen, loadings).reshape(n * 4, n * 4)
    covariance += np.kron(np.eye(n), np.diag(noise))
    centred = (piece - model.mean).ravel()
    mean = seen.reshape(n * 4, n * 2).T @ np.linalg.solve(covariance, centred)
    latents, nats = model.infer([piece])
    np.testing.assert_allclose(latents[0].ravel(), mean)
    assert nats[0] == pytest.approx(multivariate_normal(cov=covariance).logpdf(centred))


def smooth_trials(n_trials=24, length=30, seed=0):
    """Two kinds of trials that differ in the course of a latent, in noisy channels."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, length)
    kind = np.arange(n_trials) % 2
    course = np.stack([np.sin(3 * time), np.where(time < 0.3, 0, time - 0.3) * 4], axis=1)
    latent = course[None] * np.stack([np.ones(n_trials), 2.0 * kind - 1], axis=1)[:, None]
    signal = latent @ rng.normal(size=(2, 12)) + rng.normal(size=(n_trials, length, 12))
    return signal, latent, kind


def test_gpfa_separates_trials_better_than_factor_analysis():
    signal, latent, kind = smooth_trials()
    truth, groups = latent[16:].reshape(-1, 2), np.repeat(np.arange(8), 30)

    def recovered(name):
        model = build(name).fit(signal[:16])
        z = model.transform(signal[16:])
        return model, z, iso.scores.recovery(z.reshape(-1, 2), truth, groups, n_chance=0).value

    model, z, smooth = recovered("gpfa")
    assert smooth > recovered("factor-analysis")[2] + 0.1
    last = z[:, -5:].mean(axis=1)
    first, second = last[kind[16:] == 0].mean(axis=0), last[kind[16:] == 1].mean(axis=0)
    side = (last - (first + second) / 2) @ (second - first) > 0
    assert (side == kind[16:].astype(bool)).all()
    assert (model.time_scales_ > 3).all()  # seconds at 1 Hz: smooth over several samples


def test_goodness_of_gpfa_is_above_chance_and_above_factor_analysis():
    signal, _, _ = smooth_trials()
    held_out = signal[16:]
    stop = np.arange(1, 9) * 30
    test = iso.Recording(
        held_out.reshape(-1, 12), 1.0, trials=pd.DataFrame({"start": stop - 30, "stop": stop})
    )
    gpfa, fa = (
        iso.scores.goodness_of_fit(build(n).fit(signal[:16]), test)
        for n in ("gpfa", "factor-analysis")
    )
    assert gpfa.unit == fa.unit
    assert len(gpfa.parts) == 8
    assert gpfa.value > fa.value > fa.chance_hi
    assert gpfa.value > gpfa.chance_hi


def test_long_trials_are_inferred_in_windows():
    signal, _, _ = smooth_trials(4, 120)
    model, whole = (build("gpfa", window=w, em_max_iters=3).fit(signal) for w in (40, 120))
    z, exact = model.transform(signal), whole.transform(signal)
    assert np.corrcoef(z.ravel(), exact.ravel())[0, 1] > 0.999
    np.testing.assert_allclose(model.transform(signal[:1])[0], z[0], atol=1e-9)


def test_windows_cover_every_sample_once_or_more():
    first, last = windows(np.array([3, 50]), np.array([50, 52]), 20, 10)
    covered = np.zeros(52, int)
    for a, b in zip(first, last, strict=True):
        covered[a:b] += 1
    assert (covered[3:] > 0).all()
    assert (covered[:3] == 0).all()
    assert (last - first).tolist() == [20] * (len(first) - 1) + [2]
    assert (last[:-2] - first[1:-1] >= 10).all()


def test_gpfa_keeps_silent_channels_out():
    signal, _, _ = smooth_trials()
    silent = np.concatenate([signal, np.zeros((*signal.shape[:2], 1))], axis=2)
    z = build("gpfa").fit(silent).transform(silent)
    np.testing.assert_allclose(z, build("gpfa").fit(signal).transform(signal), atol=1e-8)


# -- diffusion maps and Isomap --------------------------------------------------------------------


def test_a_diffusion_map_of_a_circle_is_a_pair_of_cosine_and_sine():
    n = 300
    angle = np.arange(n) * 2 * np.pi / n
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    model = iso.DiffusionMap(4, diffusion_time=0).fit(circle)
    value = model.eigenvalues_
    assert value[0] == pytest.approx(value[1], abs=1e-9)  # cos and sin go together
    assert value[2] == pytest.approx(value[3], abs=1e-9)
    assert np.log(value[2]) / np.log(value[0]) == pytest.approx(4, rel=0.02)  # as frequency²
    z = model.transform(circle)
    np.testing.assert_allclose(np.linalg.norm(z[:, :2], axis=1), np.sqrt(2), rtol=1e-6)
    turned = np.unwrap(np.arctan2(z[:, 1], z[:, 0]))
    np.testing.assert_allclose(np.abs(np.diff(turned)), angle[1], rtol=1e-6)


def test_a_diffusion_map_solves_its_eigenvalue_problem():
    model = iso.DiffusionMap(3, n_neighbors=len(X) - 1, epsilon=0.5).fit(X)
    kernel = np.exp(-np.sum((X[:, None] - X[None]) ** 2, axis=2) / 0.5)
    kernel /= np.outer(kernel.sum(axis=1), kernel.sum(axis=1))
    walk = kernel / kernel.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(walk @ model.functions_, model.functions_ * model.eigenvalues_)
    np.testing.assert_allclose(model.transform(X), model.embedding_, atol=1e-9)  # Nyström is exact


def test_alpha_takes_the_density_out():
    rng = np.random.default_rng(0)
    angle = np.sort(np.concatenate([rng.uniform(0, 2 * np.pi, 300), rng.normal(1, 0.3, 300)]))
    circle = np.column_stack([np.cos(angle), np.sin(angle)])

    def roundness(alpha):
        settings = {"n_neighbors": 60, "epsilon": 0.02, "diffusion_time": 0}
        z = iso.DiffusionMap(2, alpha=alpha, **settings).fit(circle).transform(circle)
        radius = np.linalg.norm(z, axis=1)
        return radius.std() / radius.mean()

    assert roundness(1.0) < 0.5 * roundness(0.0)


def test_large_recordings_are_learned_from_evenly_spaced_samples():
    for method in (iso.Isomap, iso.DiffusionMap):
        model = method(2, max_samples=80).fit(X)
        assert model.settings_["n_samples"] == len(model.samples_) == 80
        same = np.linspace(0, len(X) - 1, 80).round().astype(int)
        np.testing.assert_array_equal(model.samples_, X[same])
        assert model.transform(X).shape == (len(X), 2)


@pytest.mark.parametrize("method", [iso.Isomap, iso.DiffusionMap])
def test_pieces_are_told_of(method):
    apart = np.concatenate([X, X + 100])
    with pytest.warns(UserWarning, match="falls into 2 pieces"):
        model = method(2).fit(apart)
    assert model.settings_["n_pieces"] == 2
    z = model.transform(apart)
    assert np.isfinite(z).all()
    assert abs(np.corrcoef(z[:, 0], np.arange(len(z)) >= len(X))[0, 1]) > 0.99


@pytest.mark.parametrize("method", [iso.Isomap, iso.DiffusionMap])
def test_equal_samples_do_no_harm(method):
    """Bins without a spike are all equal, and more than the neighbours of any of them."""
    silent = np.concatenate([X, np.zeros((40, X.shape[1]))])
    with pytest.warns(UserWarning, match="pieces"):
        z = method(2).fit(silent).transform(silent)
    assert np.isfinite(z).all()
    assert np.ptp(z[-40:], axis=0).max() < 1e-6
    with pytest.raises(DataError, match=r"all of them are equal|half of the samples equal"):
        method(2).fit(np.ones((50, 3)))


# -- neighbours -----------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
@pytest.mark.parametrize("channels", [6, 40])
def test_neighbours_are_those_of_brute_force_to_the_last_bit_alone_or_not(metric, channels):
    train, new = rows(300, channels)[0], rows(50, channels, seed=3)[0]
    search = Neighbors(train, metric)
    distance, index = search.query(new, 9)
    brute = cdist(new, train, metric)
    np.testing.assert_array_equal(index, np.argsort(brute, axis=1)[:, :9])
    np.testing.assert_allclose(distance, np.sort(brute, axis=1)[:, :9], atol=1e-12)
    alone = [search.query(new[[i]], 9)[0] for i in range(8)]
    np.testing.assert_array_equal(np.vstack(alone), distance[:8])


def test_angles_need_samples_that_have_one():
    with pytest.raises(DataError, match="0 in all channels; 1 of 3 are"):
        measured(np.array([[1.0, 0], [0, 0], [2, 1]]), "cosine")
    with pytest.raises(DataError, match="equal in all channels; 1 of 2 are"):
        measured(np.array([[1.0, 1], [0, 2]]), "correlation")


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "package"), EXTRAS.items())
def test_a_missing_package_is_named_with_its_extra(name, package, monkeypatch):
    for module in [package, *(m for m in sys.modules if m.split(".")[0] == package)]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingDependencyError, match=rf'{package}.*pip install "isofold\[{name}\]"'
    ):
        build(name).fit(X)


@pytest.mark.parametrize("name", ["isomap", "factor-analysis", "gpfa", "diffusion-map"])
def test_only_learning_tsne_and_umap_needs_an_optional_package(name, monkeypatch, tmp_path):
    build(name).fit(X).save(tmp_path / "model.isofold")
    for package in EXTRAS.values():
        monkeypatch.setitem(sys.modules, package, None)
    assert iso.load(tmp_path / "model.isofold").transform(NEW).shape == (60, 2)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("umap", {"n_neighbors": 240}, r"n_neighbors must lie between 1 and 239 .*, got 240"),
        ("umap", {"metric": "hamming"}, "metric must be one of"),
        ("umap", {"output_dimension": 239, "init": "random"}, "between 1 and 238"),
        ("umap", {"output_dimension": 7}, "between 1 and 6 .*channels unless random"),
        ("umap", {"init": "spectral"}, "init must be one of"),
        ("tsne", {"output_dimension": 4}, r"between 1 and 3 .*, got 4"),
        ("tsne", {"perplexity": 100}, r"at most a third .*79\.7 here, got 100"),
        ("tsne", {"initialization": "spectral"}, "initialization must be one of"),
        ("tsne", {"metric": "correlation"}, "metric must be one of"),
        ("isomap", {"n_neighbors": 0}, "n_neighbors must lie between 1 and 239"),
        ("isomap", {"metric": "hamming"}, "metric must be one of"),
        ("isomap", {"output_dimension": 0}, "output_dimension must lie between"),
        ("diffusion-map", {"epsilon": -1}, "epsilon must be a positive number or 'auto'; got -1"),
        ("diffusion-map", {"epsilon": "wide"}, "epsilon must be a positive number"),
        ("diffusion-map", {"n_neighbors": 500}, "n_neighbors must lie between"),
        ("factor-analysis", {"output_dimension": 7}, "between 1 and 6 .*6 channels"),
        ("gpfa", {"output_dimension": 7}, "between 1 and 6 .*channels that vary"),
        ("gpfa", {"output_dimension": 0}, "between 1 and 6"),
        ("gpfa", {"window": 1}, "window must be at least 2"),
        ("gpfa", {"tau_init": 0.0}, "tau_init must be positive"),
        ("gpfa", {"eps_init": 0.0}, "eps_init must be positive"),
    ],
)
def test_refuses_settings_that_break_a_rule(name, settings, message):
    with pytest.raises(DataError, match=message):
        build(name, **settings).fit(X)


def test_gpfa_needs_two_channels_that_vary():
    still = np.column_stack([X[:, 0], np.ones(len(X))])
    with pytest.raises(DataError, match="at least 2 channels that vary; 1 of n_features = 2 do"):
        build("gpfa", output_dimension=1).fit(still)


def test_fitting_draws_nothing_from_the_global_generator():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for name in ("tsne", "isomap", "factor-analysis", "gpfa", "diffusion-map"):
        build(name).fit(X).transform(NEW)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.filterwarnings("ignore:the graph of")
@pytest.mark.parametrize(
    "name",
    [pytest.param(m, marks=[pytest.mark.slow] if m in SLOW else []) for m in sorted(QUICK)],
)
def test_labels_and_samples_outside_trials_change_nothing(name):
    table = pd.DataFrame({"start": [0, 120], "stop": [100, 240]})
    apart = X.copy()
    apart[100:120] = 50.0
    one, other = (
        build(name).fit(iso.Recording(x, 1.0, labels={"a": ANGLE}, trials=table), labels=["a"])
        for x in (X, apart)
    )
    assert (one.transform(NEW) == other.transform(NEW)).all()
    told = build(name, outside_trials=True).fit(iso.Recording(apart, 1.0, trials=table))
    assert (told.transform(NEW) != other.transform(NEW)).any()
