"""Pools from chunks: exact rows, every sample once an epoch, few reads of a chunk, one thread."""

import threading
import time

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold import _rows
from isofold._rows import InOrder, Rows, borders, chunked, take
from isofold.models import _contrast
from isofold.sampling import Layout, RotatingSource, rotating
from isofold.sampling.rotating import ahead, cut, in_turns


class Chunks:
    """Looks like a Zarr array, and counts how often each chunk is decompressed."""

    def __init__(self, values, rows, delay=None):
        self.values, self.chunks, self.delay = values, (rows, values.shape[1]), delay
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, 2
        self.reads = np.zeros(-(-len(values) // rows), int)

    def __getitem__(self, key):
        assert isinstance(key, slice), "chunked arrays are read by slices"
        start, stop, _ = key.indices(len(self.values))
        self.reads[start // self.chunks[0] : -(-stop // self.chunks[0])] += 1
        if self.delay:
            time.sleep(next(self.delay))
        return self.values[key].copy()


def numbered(n, channels=2):
    """Column 0 is the number of the row."""
    values = np.zeros((n, channels), np.float32)
    values[:, 0] = np.arange(n)
    return values


def source(signal, stop=None, n_rows=512, offset=(5, 5), tile=16):
    stop = np.array([signal.shape[0]]) if stop is None else np.asarray(stop)
    layout = Layout(signal, np.append(0, stop[:-1]), stop, offset, n_rows, 8)
    return layout, RotatingSource(layout, tile=tile)


def dealt(src, n_samples, seed=0):
    """Samples of the first pools, in the order of dealing."""
    out, pools = [], src.pools(np.random.default_rng(seed))
    while sum(map(len, out)) < n_samples:
        out.append(next(pools).sample)
    pools.close()
    return np.concatenate(out)


# -- what a pool holds -----------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=8),
    chunk=st.integers(1, 60),
    held=st.sampled_from([1, 200, 10_000]),
    left=st.integers(0, 5),
    split=st.booleans(),
    seed=st.integers(0, 99),
)
def test_pools_from_chunks_are_those_from_memory(lengths, chunk, held, left, split, seed):
    stop = np.cumsum(lengths)
    values = numbered(stop[-1])
    signal = Chunks(values, chunk)
    if split:  # a split of a recording: every other piece of a longer one
        longer = numbered(2 * stop[-1])
        pieces = np.cumsum(np.repeat(lengths, 2)).reshape(-1, 2)
        signal = Rows(Chunks(longer, chunk), pieces[:, 0], pieces[:, 1])
        values = np.asarray(Rows(longer, pieces[:, 0], pieces[:, 1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotating, "HELD_BYTES", held)
        patch.setattr(rotating, "READ_BYTES", 8)
        layout, src = source(signal, stop, n_rows=100, offset=(left, 3))
        in_memory = Layout(values, layout.start, stop, (left, 3), 100, 8)
        order, pools = [], src.pools(np.random.default_rng(seed))
        while sum(map(len, order)) < 2 * stop[-1]:
            pool = next(pools)
            order.append(pool.sample)
            first, last = pool.sample[pool.start], pool.sample[pool.stop - 1] + 1
            same = in_memory.lay(first, last, np.searchsorted(stop, first, side="right"))
            for name in ("rows", "origin", "centre", "start", "stop", "sample", "trial", "place"):
                assert (getattr(pool, name) == getattr(same, name)).all(), name
        pools.close()
    order = np.concatenate(order)
    for epoch in range(2):
        visited = order[epoch * stop[-1] : (epoch + 1) * stop[-1]]
        assert (np.sort(visited) == np.arange(stop[-1])).all()


def test_a_zarr_recording_is_dealt_like_its_stand_in():
    values = numbered(3000)
    stored = zarr.array(values, chunks=(400, 2))
    pair = [dealt(source(s)[1], 3000) for s in (stored, Chunks(values, 400))]
    assert (pair[0] == pair[1]).all()
    _, src = source(stored)
    pools = src.pools(np.random.default_rng(0))
    pool = next(pools)
    assert (pool.rows[pool.centre, 0] == pool.sample).all()


def test_a_pool_holds_stretches_from_all_over_the_recording(monkeypatch):
    monkeypatch.setattr(rotating, "READ_BYTES", 1)
    monkeypatch.setattr(rotating, "HELD_BYTES", 20_000)
    n, tiles = 64_000, 512 // 25
    for signal, least in ((numbered(n), tiles - 3), (Chunks(numbered(n), 640), 8)):
        _, src = source(signal)
        pools = src.pools(np.random.default_rng(0))
        parts = []
        for _ in range(30):
            pool = next(pools)
            parts.append(len(np.unique(pool.sample[pool.start] * tiles // n)))
        pools.close()
        assert np.median(parts) >= least


def test_before_an_epoch_ends_all_parts_were_visited_about_equally(monkeypatch):
    monkeypatch.setattr(rotating, "READ_BYTES", 1)
    monkeypatch.setattr(rotating, "HELD_BYTES", 10_000)
    n = 64_000
    for signal, most in ((numbered(n), 1.1), (Chunks(numbered(n), 640), 1.6)):
        visits = np.bincount(dealt(source(signal)[1], n // 2) // (n // 10), minlength=10)
        assert visits.max() < most * visits.min()


def test_many_short_trials_fill_a_pool_at_once():
    n_trials, length = 100_000, 12
    values = numbered(n_trials * length)
    stop = np.arange(1, n_trials + 1) * length
    for signal in (values, Chunks(values, 50_000)):
        _, src = source(signal, stop, n_rows=4096, tile=256)
        pools = src.pools(np.random.default_rng(0))
        begin = time.thread_time()
        for _ in range(10):
            pool = next(pools)
            assert (pool.origin >= 0).mean() > 0.99
            assert (pool.stop - pool.start == length).all()
        assert time.thread_time() - begin < 1  # a Python loop over trials and pools takes longer
        pools.close()


# -- reading -------------------------------------------------------------------------------------


def test_each_chunk_is_read_a_few_times_an_epoch(monkeypatch):
    monkeypatch.setattr(rotating, "READ_BYTES", 1)
    n = 40_000
    for held, passes in ((10**9, 1), (128_000, 2), (1, rotating.MOST_PASSES)):
        monkeypatch.setattr(rotating, "HELD_BYTES", held)
        signal = Chunks(numbered(n), 1000)
        _, src = source(signal, tile=100)
        assert src._passes == passes
        dealer, visited = src._dealt(np.random.default_rng(0)), 0
        while visited < n:
            stretch = next(dealer)
            visited += stretch.stop - stretch.start
        assert signal.reads.min() >= 1
        # Once a pass for itself; once for the last stretch of the chunk before, which reaches into
        # it; rarely for the first of the chunk after, whose windows do.
        assert signal.reads.max() <= passes + 2
        assert signal.reads.mean() < passes + 1.2


def test_the_buffer_is_bounded(monkeypatch):
    monkeypatch.setattr(rotating, "HELD_BYTES", 30_000)
    monkeypatch.setattr(rotating, "READ_BYTES", 1)
    sizes = []
    pick = rotating._pick

    def watched(held, rng):
        sizes.append(sum(s.rows.nbytes for s in held))
        return pick(held, rng)

    monkeypatch.setattr(rotating, "_pick", watched)
    dealt(source(Chunks(numbered(40_000), 500))[1], 40_000)
    assert max(sizes) < 30_000 + 2 * 500 * 8  # a chunk more, with the context of its stretches


def test_chance_does_not_depend_on_the_time_that_reading_takes():
    values = numbered(4000)
    waits = np.random.default_rng(0).uniform(0, 2e-3, 100_000)
    fast, slow = Chunks(values, 300), Chunks(values, 300, iter(waits))
    assert (dealt(source(fast)[1], 9000, seed=5) == dealt(source(slow)[1], 9000, seed=5)).all()
    one, other = (dealt(source(fast)[1], 900, seed=seed)[:900] for seed in (5, 6))
    assert (one != other).any()


def test_the_training_loop_draws_the_same_whether_or_not_the_thread_is_ahead():
    """Pools have a generator of their own; the one they are given moves on by one draw."""
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    _, src = source(numbered(2000))
    pools = src.pools(rng)
    next(pools)
    other.integers(2**63)
    assert rng.random() == other.random()
    pools.close()


# -- the thread ------------------------------------------------------------------------------------


def readers():
    return [t for t in threading.enumerate() if t.name.startswith("isofold-reader")]


def test_the_thread_ends_with_its_pools():
    _, src = source(numbered(2000))
    pools = src.pools(np.random.default_rng(0))
    next(pools)
    assert readers()
    pools.close()
    assert not readers()
    pools = src.pools(np.random.default_rng(0))
    next(pools)
    del pools
    assert not readers()


def test_an_error_of_reading_reaches_who_asked():
    class Broken(Chunks):
        def __getitem__(self, key):
            raise OSError("chunk 3 is damaged")

    pools = source(Broken(numbered(2000), 100))[1].pools(np.random.default_rng(0))
    with pytest.raises(OSError, match="chunk 3 is damaged"):
        next(pools)
    assert not readers()


def test_no_more_is_made_than_asked_for_and_a_few():
    made = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    few = ahead(items(), most=3)
    assert next(few) == 0
    time.sleep(0.05)
    assert len(made) <= 4
    few.close()
    assert list(ahead(iter(range(20)), most=3)) == list(range(20))
    assert list(ahead(iter([]))) == []


def test_ctrl_c_in_a_fit_leaves_no_thread(monkeypatch):
    monkeypatch.setattr(_contrast, "POOL_ROWS", 1024)
    circle = iso.simulate.circle(seed=0, n_samples=4000, n_units=5, mixing="linear")

    def stop(step, model):
        raise KeyboardInterrupt

    with pytest.warns(RuntimeWarning, match="interrupted"):
        iso.CEBRA(max_iterations=100, batch_size=64, random_state=0).fit(
            circle, callback=stop, callback_frequency=25
        )
    assert not readers()


# -- a fit ---------------------------------------------------------------------------------------


def test_a_fit_from_zarr_is_as_good_as_one_from_memory(monkeypatch):
    monkeypatch.setattr(_contrast, "POOL_ROWS", 2048)
    monkeypatch.setattr(rotating, "HELD_BYTES", 400_000)
    monkeypatch.setattr(rotating, "READ_BYTES", 1)
    circle = iso.simulate.circle(
        seed=0, n_samples=20_000, n_units=20, mixing="linear", noise=0.3, n_trials=40
    )
    stored = zarr.array(np.asarray(circle.signal, np.float32), chunks=(1500, 20))
    bits = []
    for signal in (circle.signal, stored):
        recording = iso.Recording(signal, circle.rate, labels=circle.labels, trials=circle.trials)
        train, test = recording.split(test=0.2, how="interleaved")
        model = iso.CEBRA(output_dimension=2, max_iterations=200, batch_size=256, random_state=0)
        bits.append(model.fit(train, labels=["angle"]).score(test))
    assert bits[0] > 0.3
    assert bits[1] == pytest.approx(bits[0], rel=0.03)


# -- cutting and dealing ---------------------------------------------------------------------------


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(1, 20), st.integers(0, 99))
def test_stretches_are_a_partition_of_the_segments(lengths, tile, seed):
    stop = np.cumsum(lengths) + np.arange(len(lengths))  # with a sample between
    start = stop - lengths
    a, b, segment = cut(start, stop, tile, np.random.default_rng(seed))
    assert (b > a).all()
    assert (b - a <= tile).all()
    assert (a >= start[segment]).all()
    assert (b <= stop[segment]).all()
    assert (np.diff(a) > 0).all()
    assert (b - a).sum() == sum(lengths)
    inner = (a > start[segment]) & (b < stop[segment])
    assert (b - a == tile)[inner].all()
    assert ((b - a)[np.isin(segment, np.flatnonzero(stop - start <= tile))] > 0).all()
    assert (np.bincount(segment)[stop - start <= tile] == 1).all()


def test_every_sample_begins_a_stretch_as_often():
    rng = np.random.default_rng(0)
    begins = np.zeros(100, int)
    for _ in range(4000):
        begins[cut(np.array([0]), np.array([100]), 8, rng)[0]] += 1
    assert begins[0] == 4000
    assert abs(begins[1:] - 500).max() < 6 * np.sqrt(500)


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 99))
def test_turns_visit_all_and_cover_the_range_in_every_round(n, strata, seed):
    order = in_turns(n, strata, np.random.default_rng(seed))
    assert (np.sort(order) == np.arange(n)).all()
    k = min(strata, n)
    for first in range(0, (n // k) * k, k):
        assert len(np.unique(order[first : first + k] * k // n)) == k


# -- rows of chunked arrays ------------------------------------------------------------------------


@given(
    n=st.integers(1, 60),
    chunk=st.integers(1, 25),
    picks=st.lists(st.integers(0, 10**6), max_size=40),
)
def test_take_reads_each_chunk_once(n, chunk, picks):
    signal, index = Chunks(numbered(n), chunk), np.array(picks, dtype=np.int64) % n
    assert (take(signal, index)[:, 0] == index).all()
    assert (signal.reads == np.isin(np.arange(len(signal.reads)), index // chunk)).all()


@given(
    n=st.integers(0, 80),
    chunk=st.integers(1, 30),
    size=st.integers(1, 400),
    most=st.sampled_from([40, 10**6]),
)
def test_borders_are_those_of_chunks(n, chunk, size, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_rows, "MOST_BYTES", most)
        edges = borders(Chunks(numbered(n), chunk), size)
        assert edges[-1] == n
        assert (np.diff(edges) > 0).all()
        if chunk * 8 <= most:
            assert (edges[:-1] % chunk == 0).all()
            assert (np.diff(edges) * 8 <= max(size, chunk * 8)).all()
        else:
            assert (np.diff(edges) * 8 <= most).all()


def test_borders_of_a_split_fall_where_its_chunks_end():
    base = Chunks(numbered(40), 10)
    rows = Rows(base, np.array([3, 12, 25, 38]), np.array([7, 23, 30, 40]))
    # Rows 3-6 of chunk 0, 12-19 of 1, 20-22 and 25-29 of 2, 38-39 of 3.
    assert borders(rows, 1).tolist() == [0, 4, 12, 20, 22]
    assert chunked(rows)
    assert not chunked(Rows(numbered(5), np.array([0]), np.array([5])))
    assert borders(Rows(base, np.array([12]), np.array([14])), 1).tolist() == [0, 2]


@pytest.mark.parametrize("piece", [1, 7, 33, 100])
def test_reading_in_order_decompresses_each_chunk_once(monkeypatch, piece):
    monkeypatch.setattr(_rows, "BLOCK_BYTES", 1)
    signal = Chunks(numbered(100), 13)
    view = InOrder(signal)
    for first in range(0, 100, piece):
        index = np.clip(np.arange(first - 4, first + piece + 5), 0, 99)
        assert (take(view, index)[:, 0] == index).all()
    # Context reaches back over a border: only then is a chunk read that was let go.
    assert signal.reads.max() <= 2
    assert signal.reads.sum() <= len(signal.reads) * (1 if piece >= 7 else 2)
