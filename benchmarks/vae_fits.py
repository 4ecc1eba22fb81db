"""A conv-pi-VAE fit with every setting at "auto" against the published recipe, in the same code.

python benchmarks/vae_fits.py [--epochs 600] [--repeats 1]

A simulated rat of 120 units in bins of 25 ms: windows of ten bins, about 7,000 to train on, whole
laps held out. Published (the third-party folder of the CEBRA repository): Adam at 2.5e-4, batches
of 200, 600 epochs, no warm-up. Both have the encoder, prior and decoder of the published model (3.0
million parameters). Held out: evidence over constant rates in bits per spike, importance weighted by 50
draws. Then the time in which 1,000 windows are decoded by 100 draws for each of 200 labels.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from time import perf_counter

import _jobs
import isofold as iso

LAPS, BATCH = 55, 200
PUBLISHED = {"learning_rate": 2.5e-4, "batch_size": BATCH, "warm_up": 0, "activation": "relu"}


def fitted(train, seed: int, **settings) -> tuple[iso.PiVAE, float]:
    start = perf_counter()
    model = iso.METHODS["conv-pivae"](decoder_hidden=300, random_state=seed, **settings)
    model.fit(train, labels=["position", "direction"])
    return model, perf_counter() - start


def decoding_seconds(model, recording) -> float:
    """1,000 windows, 200 labels, 100 draws; compiled before."""
    windows = iso.Recording(recording.signal[:1000], recording.rate, labels={}, name=recording.name)
    model.label_posterior(windows)
    start = perf_counter()
    model.label_posterior(windows)
    return perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path, default=_jobs.HERE / "results" / "vae_fits.json")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = _jobs.Rows(given.out, epochs=given.epochs)
    rat = iso.simulate.place_cells(seed=0, n_laps=LAPS, n_units=120, rate=40.0)
    for seed in range(given.repeats):
        train, test = rat.split(test=0.2, seed=seed)
        auto, cold = fitted(train, seed)
        warm = fitted(train, seed)[1]
        windows = int((train.trial >= 0).sum())
        steps = given.epochs * windows // BATCH
        published, slow = fitted(train, seed, max_iterations=steps, **PUBLISHED)
        rows.add(
            seed=seed, windows=windows, candidates=len(auto.candidates_),
            auto_seconds_cold=cold, auto_seconds_warm=warm, published_seconds=slow,
            ratio_cold=slow / cold, ratio_warm=slow / warm,
            auto_bits_per_spike=auto.score(test), published_bits_per_spike=published.score(test),
            decode_1000_seconds=decoding_seconds(auto, test),
        )  # fmt: skip


if __name__ == "__main__":
    main()
