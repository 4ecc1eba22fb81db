"""Time of one `Stream.push` at 120 channels, offset10, causal.

python benchmarks/stream_latency.py [--pushes 20000] [--channels 120]
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

import _jobs
from isofold.models._stream import Stream
from isofold.networks import build, get_architecture
from isofold.sampling import padded_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pushes", type=int, default=20_000)
    parser.add_argument("--channels", type=int, default=120)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    padded = padded_size(given.channels)
    encoder = build(
        get_architecture("offset10-model", causal=True), given.channels, padded, 32, 8, rng
    )
    stream = Stream(encoder, given.channels, encoder.offset, padded)
    samples = rng.standard_normal((given.pushes, given.channels)).astype(np.float32)
    took = np.empty(given.pushes)
    for at, sample in enumerate(samples):
        begin = time.perf_counter()
        stream.push(sample)
        took[at] = time.perf_counter() - begin
    p50, p99 = np.percentile(took[100:] * 1e6, [50, 99])
    row = {
        "machine": _jobs.machine(), "channels": given.channels, "pushes": given.pushes,
        "p50_us": round(float(p50), 1), "p99_us": round(float(p99), 1),
    }  # fmt: skip
    print(json.dumps(row))


if __name__ == "__main__":
    main()
