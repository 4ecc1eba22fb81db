"""The script that times pi-vae-pytorch: it builds the published model and trains it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ENCODER, PRIOR, DECODER = 11_164, 584, 30_474
"""Parameters at 120 units, 3 labels, 2 latents; one MLP as encoder, the decoder of the paper."""


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """What the script prints, called with options."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from _jobs import peer_python

        python = peer_python("pivae")
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"the environment of pi-vae-pytorch cannot be made here: {error}")
    finally:
        sys.path.remove(str(BENCHMARKS))
    data = tmp_path_factory.mktemp("pivae") / "data.npz"
    rng = np.random.default_rng(0)
    u = np.column_stack([rng.uniform(0, 1.6, 1000), np.eye(2)[rng.integers(0, 2, 1000)]])
    np.savez(data, x=rng.poisson(0.3, (1000, 120)), u=u)

    def call(*options):
        command = [python, BENCHMARKS / "peers" / "pivae_steps.py", data, *options]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    return call


def test_it_trains(peer):
    found = peer("--steps", "40", "--warm", "10")
    assert found["loss"][1] < 0.9 * found["loss"][0]
    assert found["steps_per_second"] > 0


def test_couplings_of_their_own_give_the_decoder_of_the_paper(peer):
    steps = ("--steps", "1", "--warm", "1")
    assert peer("--own-couplings", *steps)["parameters"] == ENCODER + PRIOR + DECODER
    assert peer(*steps)["parameters"] < ENCODER + PRIOR + DECODER


def test_a_seed_gives_the_same_run(peer):
    steps = ("--steps", "5", "--warm", "1", "--threads", "1")
    assert peer("--seed", "3", *steps)["loss"] == peer("--seed", "3", *steps)["loss"]
