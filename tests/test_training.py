"""The training loop: both ways to encode agree, schedules, cache, a frozen part stays."""

import os
import subprocess
import sys

import equinox as eqx
import jax
import numpy as np
import pytest

import isofold as iso
from isofold import training
from isofold.models import _contrast
from isofold.networks import ARCHITECTURES, build
from isofold.sampling import Layout, MemorySource, OwnPairs, TimeSampler


def problem(n=300, channels=4):
    rng = np.random.default_rng(0)
    signal = np.cumsum(rng.standard_normal((n, channels)), axis=0).astype(np.float32)
    encoder = build(ARCHITECTURES["offset10-model"], channels, 8, 8, 3, rng)
    start, stop = np.array([0, n // 2]), np.array([n // 2, n])
    layout = Layout(signal, start, stop, encoder.offset, 512, 8)
    return (encoder,), (MemorySource(layout),), by_time(TimeSampler)


def by_time(sampler):
    return lambda pools: OwnPairs([[sampler(pool, 3)] for pool in pools])


def plan(steps=30, **changes):
    base = {
        "rates": np.full(steps, 1e-2),
        "batch_size": 32,
        "num_negatives": 16,
        "temperature": (1.0,),
        "objectives": ((0, 3, "cosine"),),
        "hyper": training.Hyper(n_channels=(4,)),
    }
    return training.Plan(**{**base, **changes})


def test_whole_recording_and_single_windows_train_alike():
    """Two programs for the same gradient: losses agree from first to last step."""
    loss = [
        training.train(*problem(), plan(whole=(whole,)), np.random.default_rng(1)).loss
        for whole in (True, False)
    ]
    np.testing.assert_allclose(*loss, atol=2e-3)
    assert loss[0][-5:].mean() < loss[0][:5].mean() - 0.1


def test_one_step_is_adam_written_out():
    """θ ← θ − rate · m̂ / (√v̂ + ε): the first step moves every weight by the rate, against its
    gradient."""
    encoder, source, sampler = problem()
    done = training.train(encoder, source, sampler, plan(steps=1), np.random.default_rng(0))
    before, after = (jax.tree.leaves(eqx.filter(e, eqx.is_array)) for e in (encoder, done.encoders))
    moved = np.concatenate([np.ravel(a - b) for a, b in zip(after, before, strict=True)])
    nonzero = np.abs(moved) > 1e-4
    np.testing.assert_allclose(np.abs(moved[nonzero]), 1e-2, rtol=0.02)
    assert nonzero.mean() > 0.7  # the rest: padded channels, whose gradient is zero


def test_full_batch_uses_every_reference_once():
    encoder, source, sampler = problem(n=60)
    full = plan(batch_size=None, steps=2)
    pool = next(source[0].pools(np.random.default_rng(0)))
    drawn = sampler([pool]).draw(np.random.default_rng(0), 2, None, 0)
    reference, positive, negative = np.split(drawn.drawn[0][0], 3)
    usable = [*range(27), *range(30, 57)]
    assert reference.tolist() == usable
    assert (positive == reference + 3).all()
    assert sorted(negative) == usable
    assert training.train(encoder, source, sampler, full, np.random.default_rng(0)).loss.shape == (
        2,
    )


def test_learned_temperature_stops_at_its_floor_and_leaves_it_again():
    """At the floor of the `cebra` package the gradient is zero and τ stays there for ever."""
    hyper = training.Hyper(min_temperature=0.5, n_channels=(4,))
    settings = {"hyper": hyper, "learn_temperature": True, "temperature": (0.5,)}
    done = training.train(*problem(), plan(steps=60, **settings), np.random.default_rng(0))
    assert done.temperatures.min() >= 0.5 - 1e-6
    # A floor below the start, and positives that are noise: τ rises although it began at the floor.
    encoder, source, _ = problem()

    class Unrelated(TimeSampler):
        def positives(self, rng, reference):
            return self.negatives(rng, reference.shape)

    noise = training.train(
        encoder, source, by_time(Unrelated), plan(steps=150, **settings),
        np.random.default_rng(0),
    )  # fmt: skip
    assert noise.temperatures[-1, 0] > 0.53


def test_only_the_first_layer_learns_when_asked():
    encoder, source, sampler = problem()
    done = training.train(
        encoder, source, sampler, plan(first_layer_only=True), np.random.default_rng(0)
    )
    same = [
        eqx.tree_equal(a, b)
        for a, b in zip(encoder[0].layers, done.encoders[0].layers, strict=True)
        if jax.tree.leaves(a)
    ]
    assert not same[0]
    assert all(same[1:])


def test_one_cycle_rises_and_falls_to_nearly_nothing():
    rates = training.one_cycle(300, 2e-2)
    peak = rates.argmax()
    assert (np.diff(rates[:peak]) > 0).all()
    assert (np.diff(rates[peak + 1 :]) < 0).all()
    assert rates[-1] == pytest.approx(2e-6, rel=0.01)
    assert training.one_cycle(1, 1e-2).shape == (1,)
    assert training.one_cycle(0, 1e-2).shape == (0,)


def test_a_long_recording_rotates_and_still_finds_the_circle(monkeypatch):
    monkeypatch.setattr(_contrast, "POOL_ROWS", 1024)
    circle = iso.simulate.circle(
        seed=0, n_samples=6000, n_units=20, mixing="linear", noise=0.1, n_trials=12
    )
    train, test = circle.split(test=0.25)
    model = iso.CEBRA(output_dimension=2, max_iterations=150, batch_size=256, random_state=0)
    model.fit(train)
    assert float(iso.scores.recovery(model.transform(test), test.truth)) > 0.9


def test_a_full_batch_is_never_a_part_of_the_recording(monkeypatch):
    monkeypatch.setattr(_contrast, "POOL_ROWS", 128)
    circle = iso.simulate.circle(seed=0, n_samples=400, n_units=5, mixing="linear")
    seen = []
    monkeypatch.setattr(_contrast, "RotatingSource", lambda layout: seen.append(layout))
    iso.CEBRA(batch_size=None, max_iterations=1, random_state=0).fit(circle)
    assert seen == []


def test_dropout_is_a_tool_of_training_only():
    circle = iso.simulate.circle(seed=0, n_samples=500, n_units=10, mixing="linear")
    model = iso.CEBRA(max_iterations=5, channel_dropout=0.5, random_state=0).fit(circle)
    assert (model.transform(circle).values == model.transform(circle).values).all()


CACHED = """
import sys, jax, numpy as np, isofold as iso
hits = []
jax.monitoring.register_event_listener(lambda name, **k: hits.append(name))
print(iso.enable_cache(sys.argv[1]))
iso.CEBRA(max_iterations=3, random_state=0).fit(np.random.default_rng(0).normal(size=(200, 5)))
print(sum("cache_hit" in h for h in hits))
"""


def test_compiled_programs_are_found_by_the_next_process(tmp_path):
    env = os.environ | {"JAX_PLATFORMS": "cpu"}
    out = [
        subprocess.run(
            [sys.executable, "-c", CACHED, str(tmp_path)],
            env=env, capture_output=True, text=True, check=True,
        ).stdout.split("\n")
        for _ in range(2)
    ]  # fmt: skip
    assert out[0][0].startswith(str(tmp_path / "jax-"))
    assert int(out[0][1]) == 0
    assert int(out[1][1]) > 0


def test_the_cache_is_off_until_it_is_asked_for():
    code = "import isofold, isofold.training, jax; print(jax.config.jax_compilation_cache_dir)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
