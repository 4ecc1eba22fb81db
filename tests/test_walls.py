"""No window, positive or difference touches two segments, on the arrays the step receives."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold import CEBRA, Recording
from isofold.models import _contrast
from isofold.networks import ARCHITECTURES, build
from isofold.sampling import Layout, MemorySource, RotatingSource
from isofold.training import encode_at, loop

OFFSETS = {"offset1-model": 1, "offset10-model": 10}


@st.composite
def recordings(draw):
    """Random trials with samples between them, and gaps in time inside and outside trials."""
    lengths = draw(st.lists(st.integers(1, 30), min_size=1, max_size=6))
    pauses = draw(st.lists(st.integers(0, 4), min_size=len(lengths), max_size=len(lengths)))
    start = np.cumsum([p + n for p, n in zip(pauses, [0, *lengths[:-1]], strict=True)])
    stop = start + lengths
    n = int(stop[-1]) + draw(st.integers(0, 3))
    keep = np.ones(n, bool)
    for at in draw(st.lists(st.integers(0, n - 1), max_size=3)):
        keep[at] = False
    keep[int(start[0])] = True
    # Channel 0 holds the number of the sample, so every row tells where it came from.
    signal = np.stack([np.arange(n, dtype=float), np.ones(n)], axis=1)
    signal[~keep] = np.nan
    labels = {"x": np.sin(np.arange(n)), "class": np.arange(n) % 2}
    trials = pd.DataFrame({"start": start, "stop": stop})
    return Recording(signal, rate=1.0, labels=labels, trials=trials).fill("drop")


class Recorder:
    """Stands in for the compiled step and keeps what it was handed."""

    def __call__(self, params, adam, rows, batch, rates, count, seed, first, *, program, **rest):
        (self.rows,), (index,), (self.n_ref,) = rows, batch.drawn, program.n_reference
        self.rows, self.index = np.asarray(self.rows), index[:count]
        k = len(program.objectives)
        return params, adam, (jnp.zeros((len(index), k + 1)), jnp.zeros((len(index), k)))


def received(recording, model, labels):
    """Fit with a recorder in the place of the step."""
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "run_chunk", recorder)
        model.fit(recording, labels=labels)
    return recorder


def segment_of_sample(recording):
    """Segment of each original sample number (channel 0), -1 where dropped or outside trials."""
    seg = recording.segments
    out = np.full(200, -1)
    for number, (a, b, trial) in enumerate(
        zip(seg["start"], seg["stop"], seg["trial"], strict=True)
    ):
        if trial != -1:
            out[recording.signal[a:b, 0].astype(int)] = number
    return out


@settings(max_examples=60, deadline=None)
@given(
    recordings(),
    st.sampled_from(sorted(OFFSETS)),
    st.sampled_from([[], ["x"], ["class"], ["x", "class"]]),
    st.integers(1, 4),
    st.sampled_from(["replicate", "valid"]),
)
def test_windows_and_pairs_stay_inside_segments(recording, architecture, labels, lag, edges):
    model = CEBRA(
        architecture, time_offsets=lag, batch_size=8, max_iterations=2, edges=edges, random_state=0
    )
    seg = recording.segments
    inside = seg["trial"] != -1
    if (seg["stop"] - seg["start"])[inside].sum() < 2:
        with pytest.raises(ValueError, match="at least 2 samples"):
            received(recording, model, labels)
        return
    too_short = (seg["stop"] - seg["start"])[inside].max() <= lag
    if too_short and labels in ([], ["x"], ["x", "class"]):
        with pytest.raises(ValueError, match=f"needs a segment longer than {lag} samples"):
            received(recording, model, labels)
        return
    got = received(recording, model, labels)
    belongs = segment_of_sample(recording)
    left = OFFSETS[architecture] // 2
    right = OFFSETS[architecture] - left
    windows = got.rows[got.index[..., None] + np.arange(-left, right)][..., 0].astype(int)
    segment = belongs[windows]
    assert (segment >= 0).all()
    assert (segment == segment[..., :1]).all()
    if not labels:
        centre = got.rows[got.index, 0].astype(int)
        reference, positive = centre[:, : got.n_ref], centre[:, got.n_ref : 2 * got.n_ref]
        assert (belongs[reference] == belongs[positive]).all()
        if edges == "replicate" or architecture == "offset1-model":
            assert (positive - reference == lag).all()


def test_label_differences_stay_inside_segments():
    """A label that jumps only between trials has no differences inside, so positives stay put."""
    label = np.repeat([0.0, 100.0, 200.0], 20)
    trials = pd.DataFrame({"start": [0, 20, 40], "stop": [20, 40, 60]})
    signal = np.stack([np.arange(60.0), np.ones(60)], axis=1)
    recording = Recording(signal, rate=1.0, labels={"x": label}, trials=trials)
    model = CEBRA("offset1-model", time_offsets=1, batch_size=64, max_iterations=1, random_state=0)
    got = received(recording, model, ["x"])
    at = got.rows[got.index[0], 0].astype(int)
    assert (label[at[: got.n_ref]] == label[at[got.n_ref : 2 * got.n_ref]]).all()


FAMILIES = [
    "offset1-model", "offset1-model-v5", "offset5-model", "offset10-model",
    "offset10-model-mse-tanh",
    pytest.param("offset36-model-more-dropout", marks=pytest.mark.slow),
    "offset40-model-4x-subsample", "offset4-model-2x-subsample",
]  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("whole", [True, False])
def test_gradient_with_respect_to_another_trial_is_exactly_zero(name, whole):
    rng = np.random.default_rng(0)
    start, stop = np.array([0, 7, 30]), np.array([7, 30, 42])
    signal = rng.standard_normal((42, 3)).astype(np.float32)
    encoder = build(ARCHITECTURES[name], 3, 8, 8, 2, rng)
    if whole and encoder.stride > 1:
        pytest.skip("subsampling models are trained on single windows")
    layout = Layout(signal, start, stop, encoder.offset, 192, 8)
    pool = layout.lay(start, stop, np.arange(3))
    segment = np.searchsorted(stop, np.arange(42), side="right")

    def embed(rows):
        return encode_at(encoder, rows, jnp.asarray(pool.centre), whole)

    jacobian = np.asarray(
        jax.jacrev(embed)(jnp.asarray(pool.rows))
    )  # (sample, latent, row, channel)
    touched = np.abs(jacobian).sum(axis=(1, 3)) > 0
    row_segment = np.where(pool.origin >= 0, segment[np.maximum(pool.origin, 0)], -1)
    assert not (touched & (row_segment[None, :] != segment[:, None])).any()
    assert touched.any(axis=1).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=8), st.integers(0, 5), st.integers(0, 99))
def test_rotating_pools_keep_the_walls_and_visit_every_sample(lengths, left, seed):
    stop = np.cumsum(lengths)
    start = stop - lengths
    signal = np.arange(stop[-1], dtype=float)[:, None]
    layout = Layout(signal, start, stop, (left, 3), 4 * (18 + left), 8)
    pools = RotatingSource(layout, tile=16).pools(np.random.default_rng(seed))
    visits = np.zeros(stop[-1], int)
    for _ in range(8 * (len(lengths) + int(stop[-1]) // 16)):
        pool = next(pools)
        np.add.at(visits, pool.sample, 1)
        windows = pool.rows[pool.centre[:, None] + np.arange(-left, 3), 0].astype(int)
        segment = np.searchsorted(stop, windows, side="right")
        own = np.searchsorted(stop, pool.sample, side="right")
        assert (segment == own[:, None]).all()
        # The stretch ends are not walls: true neighbours are seen as far as the segment goes.
        wanted = np.clip(
            pool.sample[:, None] + np.arange(-left, 3),
            start[own][:, None],
            stop[own][:, None] - 1,
        )
        assert (windows == wanted).all()
    assert visits.min() > 0
    assert visits.max() - visits.min() <= 2


class SeveralRecorder:
    """Keeps the rows, indices and program of the first chunk."""

    def __call__(self, params, adam, rows, batch, rates, count, seed, first, *, program, **rest):
        if not hasattr(self, "program"):
            self.rows, self.program = [np.asarray(r) for r in rows], program
            self.index = [np.asarray(i)[:count] for i in batch.drawn]
            self.partner = np.asarray(batch.partner)[:count]
        k = len(program.objectives)
        return params, adam, (jnp.zeros((len(rates), k + 1)), jnp.zeros((len(rates), k)))


SEVERAL = {
    "time": ([], {}),
    "discrete": (["class"], {}),
    "mixed": (["x", "class"], {}),
    "hybrid": (["x"], {"hybrid": True}),
    "trial_time": (["class"], {"conditional": "trial_time", "time_window": 2}),
    "trial_time_delta": (["x"], {"conditional": "trial_time_delta", "delta": 0.1}),
    "joined": (["x"], {"sessions": "joined"}),
}


def numbered(n, offset, name, lengths):
    """Channel 0 holds the number of the sample, unlike those of any other recording."""
    stop = np.cumsum(lengths)
    signal = np.stack([offset + np.arange(n, dtype=float), np.ones(n)], axis=1)
    trials = pd.DataFrame({"start": stop - lengths, "stop": stop})
    labels = {"x": np.sin(np.arange(n)), "class": np.arange(n) % 2}
    return Recording(signal, rate=1.0, labels=labels, trials=trials, name=name)


@pytest.mark.parametrize("mode", SEVERAL)
@pytest.mark.parametrize("edges", ["replicate", "valid"])
@pytest.mark.parametrize("rotating", [False, True])
def test_the_step_receives_windows_of_one_segment_for_several_recordings(mode, edges, rotating):
    labels, settings = SEVERAL[mode]
    two = [
        numbered(60, 1000, "a", np.array([25, 3, 20])),
        numbered(90, 5000, "b", np.array([40, 11, 30])),
    ]
    recorder = SeveralRecorder()
    model = CEBRA(
        "offset5-model", output_dimension=3, batch_size=32, num_negatives=8, max_iterations=30,
        time_offsets=2, edges=edges, random_state=0, **settings,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "run_chunk", recorder)
        if rotating:
            patch.setattr(_contrast, "POOL_ROWS", 48)
        model.fit(two, labels=labels)
    k = len(recorder.program.objectives)
    for rec, rows, index in zip(two, recorder.rows, recorder.index, strict=True):
        first = int(rec.signal[0, 0])
        windows = rows[index[..., None] + np.arange(-2, 3), 0].astype(int) - first
        assert (windows >= 0).all()
        assert (windows < len(rec)).all()  # of this recording, and no padding
        segment = np.searchsorted(rec.trials["stop"], windows, side="right")
        assert (segment == segment[..., :1]).all()
        if edges == "replicate" and mode in ("time", "hybrid"):
            at = windows[..., 2]
            reference, later = at[:, :32], at[:, 32 * k : 32 * (k + 1)]
            assert (later == reference + 2).all()
    dealt = mode not in ("time", "joined")
    assert recorder.program.dealt == dealt
    assert recorder.partner.shape[1:] == ((k, 64) if dealt else (0, 0))
    if dealt:
        assert (np.sort(recorder.partner, axis=2) == np.arange(64)).all()
    # Rules across trials need whole trials and never rotate.
    assert (len(recorder.rows[1]) == 48) == (rotating and not mode.startswith("trial"))


@pytest.mark.parametrize("name", ["offset5-model", "offset4-model-2x-subsample"])
def test_the_loss_has_no_derivative_across_walls_in_rotating_pools(name):
    """A pair's similarity depends on the rows of its own two segments alone, in every pool."""
    rng = np.random.default_rng(0)
    start, stop = np.array([0, 21, 50]), np.array([21, 50, 62])
    encoder = build(ARCHITECTURES[name], 3, 8, 8, 2, rng)
    signal = rng.standard_normal((62, 3)).astype(np.float32)
    layout = Layout(signal, start, stop, encoder.offset, 48, 8)
    pools = RotatingSource(layout, tile=8).pools(rng)
    similarity = jax.jit(
        jax.vmap(
            jax.grad(
                lambda rows, pair: jnp.prod(encode_at(encoder, rows, pair, False), axis=0).sum()
            ),
            (None, 0),
        )
    )
    for pool in (next(pools) for _ in range(3)):
        pairs = rng.integers(len(pool.sample), size=(20, 2))
        slope = np.asarray(similarity(jnp.asarray(pool.rows), jnp.asarray(pool.centre[pairs])))
        segment = np.searchsorted(stop, pool.sample[pairs], side="right")
        owner = np.where(pool.origin >= 0, np.searchsorted(stop, pool.origin, side="right"), -1)
        foreign = (owner[None] != segment[:, :1]) & (owner[None] != segment[:, 1:])
        assert (slope[foreign] == 0).all()
        assert (np.abs(slope).sum(axis=(1, 2)) > 0).all()


def test_memory_source_never_changes():
    layout = Layout(np.zeros((10, 1)), np.array([0]), np.array([10]), (5, 5), 64, 8)
    pools = MemorySource(layout).pools(np.random.default_rng(0))
    assert next(pools) is next(pools)
