"""Pure functions on (start, stop), and lazy rows, against brute force on sets of samples."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold import trials
from isofold._rows import Rows, blocks, take
from isofold.errors import DataError

FAST = settings(max_examples=100, deadline=None)


@st.composite
def intervals(draw, n=30, touching=True):
    """Sorted, disjoint, non-empty intervals in [0, n)."""
    edges = sorted(draw(st.sets(st.integers(0, n), max_size=12)))
    if touching and len(edges) > 1:
        keep = draw(st.lists(st.booleans(), min_size=len(edges) - 1, max_size=len(edges) - 1))
        pairs = [p for p, k in zip(pairwise(edges), keep, strict=True) if k]
    else:
        pairs = list(zip(edges[::2], edges[1::2], strict=False))
    array = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def members(start, stop):
    return [i for a, b in zip(start, stop, strict=True) for i in range(a, b)]


@FAST
@given(intervals())
def test_expand_runs_and_joined_agree_on_the_samples(interval):
    start, stop = interval
    samples = members(start, stop)
    assert trials.expand(start, stop).tolist() == samples
    mask = np.isin(np.arange(30), samples)
    a, b = trials.joined(start, stop)
    assert members(a, b) == samples
    np.testing.assert_array_equal((a, b), trials.runs(mask))


@FAST
@given(intervals())
def test_walls_cut_the_whole_signal_at_every_border(interval):
    start, stop = interval
    left, right, position = trials.walls(start, stop, 30)
    assert members(left, right) == list(range(30))
    owner = np.full(30, -1)
    for row, (a, b) in enumerate(zip(start, stop, strict=True)):
        owner[a:b] = row
    np.testing.assert_array_equal(np.repeat(position, right - left), owner)
    want = np.unique(np.concatenate([[0], start, stop]))
    np.testing.assert_array_equal(left, want[want < 30])


@FAST
@given(intervals(), st.sampled_from([(-1, int), (np.nan, float), ("", str)]))
def test_spread_gives_each_sample_the_value_of_its_trial(interval, kind):
    start, stop = interval
    fill, of = kind
    values = np.array([of(i) for i in range(len(start))], dtype=None if len(start) else of)
    want = np.array([fill] * 30, dtype=object)
    for row, (a, b) in enumerate(zip(start, stop, strict=True)):
        want[a:b] = values[row]
    got = trials.spread(values, start, stop, 30, fill)
    np.testing.assert_array_equal(got, want.astype(got.dtype))


@FAST
@given(intervals(), intervals())
def test_cut_gives_the_pieces_of_each_interval_that_are_kept(interval, keep):
    left, right, owner = trials.cut(*interval, *keep)
    kept = set(members(*keep))
    pieces = list(zip(left.tolist(), right.tolist(), owner.tolist(), strict=True))
    for row, (a, b) in enumerate(zip(*interval, strict=True)):
        mine = [i for x, y, o in pieces if o == row for i in range(x, y)]
        assert mine == [i for i in range(a, b) if i in kept]
    assert all(x < y for x, y, _ in pieces)


@FAST
@given(
    st.integers(2, 40), st.floats(0.01, 0.99), st.sampled_from(["last", "interleaved", "random"])
)
def test_choose_holds_out_the_share_asked_for(n, share, how):
    held = trials.choose(n, share, how, np.random.default_rng(0))
    assert len(set(held.tolist())) == len(held) == min(max(round(share * n), 1), n - 1)
    assert np.all(np.diff(held) > 0)
    assert held.min() >= 0
    assert held.max() < n
    if how == "last":
        assert held.tolist() == list(range(n - len(held), n))
    if how == "interleaved" and len(held) > 1:
        assert np.ptp(np.diff(held)) <= 1


@FAST
@given(st.integers(0, 9), st.lists(st.integers(0, 2), min_size=6, max_size=30))
def test_choose_within_strata_is_balanced(seed, strata):
    strata = np.array(strata)
    held = trials.choose(len(strata), 0.25, "random", np.random.default_rng(seed), strata)
    for value in np.unique(strata):
        n = int((strata == value).sum())
        want = min(max(round(0.25 * n), 1), n - 1) if n > 1 else 0
        assert int((strata[held] == value).sum()) == want


@FAST
@given(st.integers(2, 40), st.integers(2, 10), st.sampled_from(["blocks", "interleaved"]))
def test_folds_are_of_equal_size_and_in_order(n, k, how):
    if k > n:
        with pytest.raises(DataError, match=f"got k={k} for {n} trials"):
            trials.fold_of(n, k, how)
        return
    fold = trials.fold_of(n, k, how)
    assert np.ptp(np.bincount(fold, minlength=k)) <= 1
    assert (np.all(np.diff(fold) >= 0)) == (how == "blocks" or k == n)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: trials.choose(5, 0.0, "last", np.random.default_rng()), "between 0 and 1, got 0"),
        (lambda: trials.choose(5, 1.0, "last", np.random.default_rng()), "between 0 and 1, got 1"),
        (lambda: trials.choose(5, 0.2, "first", np.random.default_rng()), "how must be .* 'first'"),
        (lambda: trials.fold_of(5, 1, "blocks"), "folds need 2 <= k"),
        (lambda: trials.fold_of(5, 2, "random"), "how must be 'blocks' or 'interleaved'"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(DataError, match=message):
        call()


# -- lazy rows --------------------------------------------------------------------------------


def _stored(kind, values, folder):
    if kind == "numpy":
        return values
    if kind == "memmap":
        out = np.memmap(folder / "rows.dat", mode="w+", shape=values.shape, dtype=values.dtype)
        out[:] = values
        return out
    out = zarr.open_array(
        str(folder / "rows"), mode="w", shape=values.shape, chunks=(7, 2), dtype=values.dtype
    )
    out[:] = values
    return out


KEYS = [
    slice(None),
    slice(2, 9),
    slice(-5, None),
    slice(9, 2),
    slice(None, None, 3),
    slice(None, None, -2),
    slice(8, 2, -1),
    ...,
    4,
    -1,
    np.int64(3),
    np.array([5, 1, 5, -2]),
    [0, 3],
    np.arange(14) % 3 == 0,
    (slice(1, 8), 2),
    (slice(None), [0, 2]),
    (np.array([5, 1, 5]), slice(0, 2)),
    (3, 1),
    np.array([], dtype=int),
]


@pytest.mark.parametrize("kind", ["numpy", "memmap", "zarr"])
@pytest.mark.parametrize("nested", [False, True])
def test_rows_index_like_numpy(kind, nested, tmp_path):
    values = np.arange(90.0).reshape(30, 3)
    base = _stored(kind, values, tmp_path)
    start, stop = np.array([1, 10, 14, 25]), np.array([7, 14, 20, 29])
    rows, want = Rows(base, start, stop), values[trials.expand(start, stop)]
    if nested:
        rows, want = Rows(rows, np.array([0, 5]), np.array([3, 16])), want[np.r_[0:3, 5:16]]
    assert rows.shape == want.shape
    assert len(rows) == len(want)
    keys = [k for k in KEYS if not (isinstance(k, np.ndarray) and k.dtype == bool)]
    for key in [*keys, np.arange(len(want)) % 3 == 0]:
        got = rows[key]
        assert type(got) is np.ndarray or np.isscalar(got)
        np.testing.assert_array_equal(got, want[key], err_msg=str(key))
    np.testing.assert_array_equal(np.asarray(rows), want)
    np.testing.assert_array_equal(take(rows, np.array([7, 0, 7])), want[[7, 0, 7]])
    with pytest.raises(IndexError):
        rows[len(want)]


def test_no_rows():
    rows = Rows(np.zeros((4, 2), np.float32), np.array([], int), np.array([], int))
    assert rows.shape == (0, 2)
    assert np.asarray(rows).dtype == np.float32
    assert rows[:].shape == (0, 2)


@FAST
@given(st.integers(0, 50), st.integers(1, 400))
def test_blocks_cover_the_rows_once(n, size):
    import isofold._rows as module

    whole, module.BLOCK_BYTES = module.BLOCK_BYTES, size
    try:
        found = list(blocks(np.zeros((n, 3))))
    finally:
        module.BLOCK_BYTES = whole
    assert [i for a, b in found for i in range(a, b)] == list(range(n))
    assert all((b - a) * 24 <= max(size, 24) for a, b in found)
