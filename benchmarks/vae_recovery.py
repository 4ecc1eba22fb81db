"""The simulations of the pi-VAE and CI-iVAE papers against the best that could be known of them.

python benchmarks/vae_recovery.py [--seeds 5] [--data pivae_continuous pivae_discrete sine …]

For each data set (a seed of the simulator) a fit with every setting at "auto" on 80 % of the
samples; on the rest R² of a linear map from the embedding to the true latent, with labels and
without, beside the ceilings of `isofold.simulate.ceilings`: labels alone, the posterior mean
without labels, with labels. `share` is (R² − labels alone) / (ceiling with labels − labels alone);
`within` the R² of what labels leave of the latent, with its interval over samples. `nats` is the
held-out log p(x|u) (importance weighted, 100 draws) under the exact one. The CI-iVAE simulations
are fitted by each objective.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

import _jobs
import isofold as iso

SAMPLES = {"pivae_continuous": 15_000, "pivae_discrete": 10_000}
"""As in the papers; others 15,000."""

COLLAPSED = 0.01
"""Nats of KL below which a latent says nothing of the data."""

POISSON = {"elbo": iso.PiVAE}
GAUSSIAN = {
    "elbo": lambda **s: iso.PiVAE(observation="gaussian", **s),
    "ivae": iso.IVAE,
    "ci": iso.CIiVAE,
    "released": lambda **s: iso.CIiVAE(objective="released", **s),
}


def r2(z: np.ndarray, truth: np.ndarray) -> float:
    """Mean over latents of R² of the best linear map, fitted on the same rows."""
    return float(np.mean(1 - residuals(z, truth).var(axis=0) / truth.var(axis=0)))


def residuals(z: np.ndarray, truth: np.ndarray) -> np.ndarray:
    design = np.column_stack([z, np.ones(len(z))])
    return truth - design @ np.linalg.lstsq(design, truth, rcond=None)[0]


def within_labels(model, test, z: np.ndarray, rest: np.ndarray) -> tuple[float, float]:
    """R² of what labels leave of the truth, by what they leave of z; and its 2.5th percentile."""
    from isofold.training.evidence_step import split

    mine = z - np.asarray(split(model.params_.prior(model.code_.of(test))).mean)
    left = residuals(mine, rest)
    rng = np.random.default_rng(0)
    draws = [
        np.mean(1 - left[i].var(axis=0) / rest[i].var(axis=0))
        for i in (rng.integers(len(rest), size=len(rest)) for _ in range(500))
    ]
    return float(np.mean(1 - left.var(axis=0) / rest.var(axis=0))), float(np.quantile(draws, 0.025))


def measure(name: str, seed: int, make) -> dict[str, float]:
    best = iso.simulate.ceilings(name, seed=seed, n_samples=SAMPLES.get(name, 15_000))
    whole = best.recording
    train, test = whole.split(test=0.2)
    at = np.rint(test.time * whole.rate).astype(int)
    start = perf_counter()
    model = make(random_state=seed).fit(train, labels=list(whole.labels))
    seconds = perf_counter() - start
    truth = test.truth
    alone, without, with_ = (
        r2(z[at], truth) for z in (best.labels_only, best.without_labels, best.with_labels)
    )
    z = model.transform(test, with_labels=True).values
    free = r2(model.transform(test).values, truth)
    within, low = within_labels(model, test, z, truth - best.labels_only[at])
    kl = model.log_.filter(like="kl_").iloc[-100:].mean()
    exact = best.log_likelihood[at].mean()
    return {
        "labels_alone": alone, "ceiling": with_, "r2": r2(z, truth),
        "share": (r2(z, truth) - alone) / (with_ - alone),
        "ceiling_free": without, "r2_free": free, "share_free": free / without,
        "within": within, "within_low": low,
        "nats": float(model.log_likelihood(test, n_samples=100).mean() - exact),
        "collapsed": int((kl < COLLAPSED).sum()), "seconds": seconds,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    names = ["pivae_continuous", "pivae_discrete", "sine", "quadratic", "two_circles"]
    parser.add_argument("--data", nargs="+", default=names, choices=names)
    parser.add_argument("--out", type=Path, default=_jobs.HERE / "results" / "vae_recovery.json")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = _jobs.Rows(given.out, seeds=given.seeds)
    for name in given.data:
        for objective, make in (POISSON if name in SAMPLES else GAUSSIAN).items():
            for seed in range(given.seeds):
                rows.add(data=name, objective=objective, seed=seed, **measure(name, seed, make))


if __name__ == "__main__":
    main()
