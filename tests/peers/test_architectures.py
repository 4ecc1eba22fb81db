"""Same meaning: the peer's weights in our encoders give its outputs."""

import logging
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from isofold.networks import ARCHITECTURES, build

log = logging.getLogger(__name__)
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """What the peer wrote: (name, part) → array."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from _jobs import peer_python

        python = peer_python()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"the environment of the cebra package cannot be made here: {error}")
    finally:
        sys.path.remove(str(BENCHMARKS))
    out = tmp_path_factory.mktemp("peer") / "out.npz"
    script = BENCHMARKS / "peers" / "architectures_cebra.py"
    subprocess.run([python, script, out], check=True)
    with np.load(out) as file:
        return {tuple(key.split("/")): file[key] for key in file}


def with_weights(encoder, weights):
    """The encoder with torch's weights (unit, channel[, tap]) in place of its own."""
    turned = [w[..., None] if w.ndim == 2 else w for w in weights]
    turned = [w.transpose(2, 1, 0) if w.ndim == 3 else w for w in turned]
    leaves, tree = jax.tree.flatten(encoder)
    assert [w.shape for w in turned] == [leaf.shape for leaf in leaves]
    return jax.tree.unflatten(tree, [jnp.asarray(w) for w in turned])


@eqx.filter_jit
def embed(encoder, x):
    return encoder(x)


def test_names_are_the_peers(peer):
    assert {name for name, _ in peer} == ARCHITECTURES.keys()


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_peers_weights_give_its_outputs(peer, name):
    """Also for its "N layers" of one layer used N times: then ours are N equal ones."""
    windows, output = peer[name, "window"], peer[name, "output"]
    weights = [peer[key] for key in peer if key[0] == name and key[1].startswith("weight")]
    # Arguments of the script.
    encoder = build(ARCHITECTURES[name], 12, 12, 16, 3, np.random.default_rng(0))
    encoder = with_weights(encoder, weights)
    assert [*encoder.offset, encoder.stride] == peer[name, "offset"].tolist()
    n, _, field = windows.shape
    z = embed(encoder, windows.transpose(0, 2, 1).reshape(n * field, -1))
    difference = np.abs(np.asarray(z)[:: field // encoder.stride] - output).max()
    log.info("%s: largest difference %.1e", name, difference)  # seen with --log-cli-level=INFO
    assert difference < 1e-5
    if name.endswith("-clip-1-1"):
        assert output.min() == -1  # the limits were met
        assert output.max() == 1
