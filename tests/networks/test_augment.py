"""Masks and thinning against what they should do on average, run by run."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binom

from isofold.errors import DataError
from isofold.networks import augment, check_counts, parse_masking
from isofold.networks.thinning import binomial

RUNS, WINDOW, CHANNELS = 3_000, 10, 8


def changed(masking, x=None, window=WINDOW, seed=0, **settings):
    """(run, lag, channel)"""
    kinds, values = parse_masking(masking)
    x = jnp.ones((RUNS * window, CHANNELS)) if x is None else x
    run = jax.jit(lambda key, x, values: augment(key, x, window, kinds, values, **settings))
    return np.asarray(run(jax.random.key(seed), x, values)).reshape(-1, window, x.shape[1])


def within(observed, rate, n):
    """Whether a share of n independent draws may be that of draws with this rate."""
    return (np.abs(observed - rate) < 4.5 * np.sqrt(rate * (1 - rate) / n) + 1e-9).all()


def uncorrelated(a, b):
    return abs(np.corrcoef(a, b)[0, 1]) < 4.5 / np.sqrt(len(a))


def test_neuron_masks_are_of_whole_channels_and_independent():
    y = changed({"RandomNeuronMask": 0.3})
    assert set(np.unique(y)) == {0, 1}
    assert (y == y[:, :1]).all()
    masked = y[:, 0] == 0
    assert within(masked.mean(axis=0), 0.3, RUNS)
    assert uncorrelated(masked[:, 0], masked[:, 1])
    assert uncorrelated(masked[:-1, 0], masked[1:, 0])


def test_timestep_masks_are_of_whole_rows_and_independent():
    y = changed({"RandomTimestepMask": 0.3})
    assert (y == y[:, :, :1]).all()
    masked = y[:, :, 0] == 0
    assert within(masked.mean(axis=0), 0.3, RUNS)
    assert uncorrelated(masked[:, 0], masked[:, 1])
    assert uncorrelated(masked[:-1, 0], masked[1:, 0])


@pytest.mark.parametrize(("ratio", "size"), [(0.25, 2), (0.3, 2), (0.9, 7), (0.1, 0)])
def test_neuron_blocks_have_one_size_and_a_uniform_place(ratio, size):
    y = changed({"NeuronBlockMask": ratio})
    assert (y == y[:, :1]).all()
    masked = y[:, 0] == 0
    assert (masked.sum(axis=1) == size).all()
    if size:
        first = masked.argmax(axis=1)
        assert (np.diff(masked.astype(int), axis=1) == 1).sum(axis=1).max() <= 1  # one block
        assert (masked[np.arange(RUNS), first + size - 1]).all()
        places = CHANNELS - size + 1
        counts = np.bincount(first, minlength=places)
        assert len(counts) == places
        assert within(counts / RUNS, 1 / places, RUNS)
        assert uncorrelated(first[:-1], first[1:])


@pytest.mark.parametrize("ratio", [0.1, 0.29, 0.3, 0.7])
def test_a_share_of_many_channels_is_not_one_short(ratio):
    """0.29 × 100 is 28.999… in binary."""
    x = jnp.ones((4, 100))
    y = changed({"NeuronBlockMask": ratio}, x, window=1)
    assert ((y == 0).sum(axis=2) == round(100 * ratio)).all()


def test_blocks_lie_before_the_padded_channels():
    y = changed({"NeuronBlockMask": 0.5}, n_channels=4)
    assert y[:, :, 4:].all()
    assert ((y[:, 0] == 0).sum(axis=1) == 2).all()


@pytest.mark.parametrize(("rate", "length"), [(0.1, 1), (0.2, 3), (0.3, 4), (0.9, 2), (0.05, 3)])
def test_time_blocks_are_those_of_a_brute_force_draw(rate, length):
    """Every lag is masked as often as when different starts are drawn and filled in a loop."""
    y = changed({"TimeBlockMask": (rate, length)})
    assert (y == y[:, :, :1]).all()
    got = y[:, :, 0] == 0
    rng = np.random.default_rng(0)
    want = np.zeros((RUNS, WINDOW), bool)
    for mask in want:
        for start in rng.permutation(WINDOW)[: int(WINDOW * rate)]:
            mask[start : start + length] = True
    error = np.sqrt(want.var(axis=0) / RUNS + got.var(axis=0) / RUNS)
    assert (np.abs(got.mean(axis=0) - want.mean(axis=0)) <= 4.5 * error).all()
    totals = got.sum(axis=1), want.sum(axis=1)
    error = np.sqrt(sum(total.var() for total in totals) / RUNS)
    assert abs(totals[0].mean() - totals[1].mean()) <= 4.5 * error
    if length == 1:
        assert (totals[0] == int(WINDOW * rate)).all()


def test_channel_dropout_keeps_the_mean():
    y = changed({"ChannelDropout": 0.3})
    assert set(np.unique(y)) == {0, np.float32(1 / 0.7)}
    assert (y == y[:, :1]).all()
    assert within((y[:, 0] == 0).mean(axis=0), 0.3, RUNS)


def test_thinned_counts_are_binomial():
    counts = np.random.default_rng(0).poisson(2, (RUNS * WINDOW, CHANNELS)).astype(np.float32)
    y = changed({"PoissonThinning": 0.4}, jnp.asarray(counts)).reshape(counts.shape)
    kept = np.round(y * 0.6)
    np.testing.assert_allclose(kept / 0.6, y, rtol=1e-5)
    for n in range(1, 6):
        of_n = kept[counts == n]
        shares = np.array([(of_n == k).mean() for k in range(n + 1)])
        assert within(shares, binom.pmf(np.arange(n + 1), n, 0.6), len(of_n))
    assert (kept[counts == 0] == 0).all()


@pytest.mark.parametrize("p", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("n", [2, 30, 100, 101, 350])
def test_binomial_has_its_mean_and_variance_for_large_counts_too(n, p):
    size = 20_000
    drawn = np.asarray(binomial(jax.random.key(n), jnp.full(size, float(n)), jnp.float32(p)))
    assert ((drawn >= 0) & (drawn <= n) & (drawn == np.round(drawn))).all()
    mean, variance, _, kurtosis = (float(m) for m in binom.stats(n, p, moments="mvsk"))
    assert abs(drawn.mean() - mean) < 4.5 * np.sqrt(variance / size)
    assert abs(drawn.var() - variance) < 4.5 * variance * np.sqrt((kurtosis + 2) / size)


def test_one_kind_and_one_value_are_picked_a_call():
    masking = {"RandomNeuronMask": [0.1, 0.9], "RandomTimestepMask": (0.4, 0.6, 0.2)}
    kinds, values = parse_masking(masking)
    x = jnp.ones((40 * WINDOW, CHANNELS))
    run = jax.jit(jax.vmap(lambda key: augment(key, x, WINDOW, kinds, values)))
    y = np.asarray(run(jax.random.split(jax.random.key(0), 200)))
    y = y.reshape(200, 40, WINDOW, CHANNELS)
    by_channel = (y == y[:, :, :1]).all(axis=(1, 2, 3))
    by_row = (y == y[:, :, :, :1]).all(axis=(1, 2, 3))
    assert (by_channel != by_row).all()  # never both
    assert within(by_channel.mean(), 0.5, 200)
    rates = (y == 0).mean(axis=(1, 2, 3))
    for found, choices in ((rates[by_channel], (0.1, 0.9)), (rates[by_row], (0.4, 0.6))):
        near = np.abs(found[:, None] - choices) < 0.1
        assert near.any(axis=1).all()
        assert within(near.mean(axis=0), 0.5, len(found))


def test_another_value_runs_the_same_program():
    traced = []

    @jax.jit
    def run(key, x, values):
        traced.append(1)
        return augment(key, x, 2, ("RandomNeuronMask", "TimeBlockMask"), values)

    for masking in (
        {"RandomNeuronMask": 0.3, "TimeBlockMask": (0.2, 3)},
        {"RandomNeuronMask": 0.5, "TimeBlockMask": (0.5, 1)},
    ):
        run(jax.random.key(0), jnp.ones((6, 3)), parse_masking(masking)[1])
    assert len(traced) == 1


def test_the_same_key_gives_the_same_mask():
    kinds, values = parse_masking({"RandomNeuronMask": 0.5})
    x = jnp.ones((20, 6))
    a, b, c = (augment(jax.random.key(seed), x, 2, kinds, values) for seed in (0, 0, 1))
    assert (a == b).all()
    assert (a != c).any()


def test_no_mask_is_no_change():
    x = jnp.ones((4, 2))
    assert parse_masking(None) == parse_masking({}) == ((), ())
    assert augment(jax.random.key(0), x, 2, (), ()) is x


def test_a_derivative_passes_through_a_mask():
    kinds, values = parse_masking({"RandomNeuronMask": 0.5})
    x = jnp.ones((4, 6))
    y, back = jax.vjp(lambda x: augment(jax.random.key(0), x, 2, kinds, values), x)
    assert (back(jnp.ones_like(y))[0] == y).all()


def test_ratios_from_min_max_and_step_end_at_max():
    for value, want in (
        ((0.1, 0.3, 0.1), [0.1, 0.2, 0.3]),  # numpy.arange(0.1, 0.4, 0.1) has 0.4
        ((0.0, 1.0, 0.25), [0, 0.25, 0.5, 0.75, 1]),
        ((0.1, 0.9, 0.3), [0.1, 0.4, 0.7]),
        ((0.4, 0.6, 0.2), [0.4, 0.6]),  # 0.6 − 0.4 is below 0.2 in binary
        ([0.2, 0.5], [0.2, 0.5]),
        (0.2, [0.2]),
        (np.float64(0.2), [0.2]),
    ):
        kinds, (got,) = parse_masking((("NeuronBlockMask", value),))
        assert kinds == ("NeuronBlockMask",)
        np.testing.assert_allclose(got, want, atol=1e-7)


@pytest.mark.parametrize(
    ("masking", "message"),
    [
        (0.3, r"must be pairs \(name, value\) .* got 0.3"),
        ("RandomNeuronMask", "must be pairs"),
        (("RandomNeuronMask", 0.3), "must be pairs"),
        ((("RandomNeuronMask", 0.3), ("RandomNeuronMask", 0.5)), "every name once"),
        ({"NeuronMask": 0.3}, r"a mask must be one of \['RandomNeuronMask'.*got 'NeuronMask'"),
        ({0: 0.3}, "a mask must be one of .* got 0"),
        ({"RandomNeuronMask": 0.0}, "ratio between 0 and 1.* got 0.0"),
        ({"RandomNeuronMask": 1.0}, "ratio between 0 and 1.* got 1.0"),
        ({"RandomNeuronMask": 1}, "ratio between 0 and 1.* got 1"),
        ({"RandomNeuronMask": True}, "ratio between 0 and 1.* got True"),
        ({"RandomNeuronMask": -0.1}, "ratio between 0 and 1.* got -0.1"),
        ({"RandomNeuronMask": float("nan")}, "ratio between 0 and 1.* got nan"),
        ({"RandomNeuronMask": "0.3"}, "ratio between 0 and 1.* got '0.3'"),
        ({"RandomNeuronMask": None}, "ratio between 0 and 1.* got None"),
        ({"RandomNeuronMask": []}, r"a list of ratios.* got \[\]"),
        ({"RandomNeuronMask": [0.3, 1.5]}, r"got \[0.3, 1.5\]"),
        ({"RandomNeuronMask": (0.1, 0.3)}, r"got \(0.1, 0.3\); several ratios .* are a list"),
        ({"RandomNeuronMask": (0.3, 0.1, 0.1)}, "0 <= min < max <= 1"),
        ({"RandomNeuronMask": (0.1, 0.3, 0.0)}, "0 < step <= max - min"),
        ({"RandomNeuronMask": (0.1, 0.3, 0.5)}, "0 < step <= max - min"),
        ({"RandomNeuronMask": (0.1, 1.3, 0.5)}, "0 <= min < max <= 1"),
        ({"ChannelDropout": (0.0, 1.0, 0.5)}, "its max is below 1"),
        ({"PoissonThinning": (0.0, 1.0, 0.5)}, "its max is below 1"),
        ({"TimeBlockMask": 0.3}, r"must be \(rate, length\).* got 0.3"),
        ({"TimeBlockMask": (0.3, 2, 1)}, r"must be \(rate, length\)"),
        ({"TimeBlockMask": (0.3, 2.5)}, "a whole number of samples"),
        ({"TimeBlockMask": (0.3, 0)}, "a whole number of samples"),
        ({"TimeBlockMask": (1.0, 2)}, "a rate between 0 and 1"),
        ({"TimeBlockMask": (0.3, float("inf"))}, "a whole number of samples"),
    ],
)
def test_what_is_wrong_is_told(masking, message):
    with pytest.raises(DataError, match=message):
        parse_masking(masking)


def test_only_counts_are_thinned():
    check_counts(("PoissonThinning",), np.array([[0, 3.0]]))
    check_counts(("RandomNeuronMask",), np.array([[-0.5]]))
    for signal in ([[0.5, 1], [2, 1.5]], [[-1, 2], [3, -4]]):
        first = signal[0][0]
        with pytest.raises(
            DataError, match=f"needs counts .* got 2 other values, the first {first}"
        ):
            check_counts(("PoissonThinning",), np.array(signal, float))
