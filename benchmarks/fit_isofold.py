"""One fit with isofold: python fit_isofold.py JOB.json. The same jobs as peers/fit_cebra.py.

`cache` is the folder of compiled programs. With `recording` (a saved one), `folds` and `fold` the
walls of its trials hold and `labels` names labels; else the same plain arrays as the peer gets are
used. `multiply` also writes the rate of a matrix product in this process, FLOP a second.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

import isofold as iso
import isofold.training  # as the peer imports torch: before the clock starts


def main(path: str) -> None:
    with open(path) as file:
        job = json.load(file)
    iso.enable_cache(job["cache"])
    settings = {**job["settings"], "random_state": job["seed"]}
    x, y, options, embed = _inputs(job)
    if job.get("warm"):
        iso.CEBRA(**settings).set_params(max_iterations=1).fit(x, *y, **options)
    clock: list = []
    if job.get("look"):
        options["callback"] = lambda step, _: clock.append((step, time.perf_counter()))
        options["callback_frequency"] = job["look"]
    model = iso.CEBRA(**settings)
    start = time.perf_counter()
    model.fit(x, *y, **options)
    seconds = time.perf_counter() - start
    several = len(embed) > 1
    z = {
        f"z{n}": np.asarray(model.transform(one, session_id=n if several else None))[None]
        for n, one in enumerate(embed)
    }
    rate = product_rate() if job.get("multiply") else np.nan
    np.savez(
        job["out"], seconds=seconds, loss=model.loss_, clock=np.array(clock), product_rate=rate, **z
    )


def product_rate(size: int = 2048, repeats: int = 7) -> float:
    """FLOP a second of a float32 product of two square matrices; the median of some."""
    import jax
    import jax.numpy as jnp

    multiply = jax.jit(jnp.matmul)
    a = jnp.asarray(np.random.default_rng(0).standard_normal((size, size), np.float32))
    multiply(a, a).block_until_ready()
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        multiply(a, a).block_until_ready()
        took.append(time.perf_counter() - start)
    return 2 * size**3 / float(np.median(took))


def _inputs(job):
    """Signal, labels, options of `fit`, and what to embed."""
    if "recording" in job:
        recording = iso.load_recording(job["recording"])
        train, _ = recording.folds(job["folds"])[job["fold"]]
        return train, (), {"labels": job["labels"]}, [recording]
    data = np.load(job["data"])
    x = [data[name] for name in job["x"]]
    y = [[data[name] for name in label] for label in job["y"]]
    several = len(x) > 1
    embed = [data[name] for name in job.get("embed", [])]
    return x if several else x[0], [v if several else v[0] for v in y], {}, embed


if __name__ == "__main__":
    main(sys.argv[1])
