"""The loss of one step against NumPy, one pair at a time; and what objectives may say."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import isofold as iso
from isofold.errors import DataError
from isofold.models._objectives import weight_over
from isofold.networks import ARCHITECTURES, build
from isofold.training import contrast_step
from isofold.training.chunk import Fixed
from isofold.training.contrast_step import Batch, Hyper, Params, Program

TINY = {
    "model_architecture": "offset1-model", "output_dimension": 4, "num_hidden_units": 8,
    "max_iterations": 0, "batch_size": 16, "num_negatives": 16, "random_state": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def rat():
    return iso.simulate.place_cells(seed=0, n_laps=6, n_units=6)


# -- the loss, by hand ----------------------------------------------------------------------------


def by_hand(z, program, batch, temperature):
    """Loss of each objective: loops over references and pooled negatives of all recordings."""
    k = len(program.objectives)
    reference, negative = [], []
    positives = [[] for _ in range(k)]
    for part, n in zip(z, program.n_reference, strict=True):
        reference += list(part[:n])
        for number in range(k):
            positives[number] += list(part[(1 + number) * n : (2 + number) * n])
        negative += list(part[(1 + k) * n :])
    found = []
    for number, (first, last, distance) in enumerate(program.objectives):

        def similarity(a, b, cut=slice(first, last), distance=distance, tau=temperature[number]):
            a, b = a[cut], b[cut]
            return (a @ b if distance == "cosine" else -((a - b) ** 2).sum()) / tau

        terms = []
        for i, r in enumerate(reference):
            at = batch.partner[number][i] if program.dealt else i
            chance = np.log(sum(np.exp(similarity(r, n)) for n in negative))
            terms.append(chance - similarity(r, positives[number][at]))
        found.append(np.mean(terms))
    return np.array(found)


def problem(objectives, n_recordings=2, dealt=False, projections=None, seed=0):
    """Encoders, rows and one batch, small enough to be looked at."""
    rng = np.random.default_rng(seed)
    n_reference, n_negative, k = (3, 4)[:n_recordings], (5, 2)[:n_recordings], len(objectives)
    encoders = tuple(
        build(ARCHITECTURES["offset5-model"], n, 8, 8, 4, rng) for n in (5, 7)[:n_recordings]
    )
    rows = tuple(jnp.asarray(rng.standard_normal((40, 8)), jnp.float32) for _ in encoders)
    drawn = tuple(
        rng.integers(2, 37, n * (1 + k) + m) for n, m in zip(n_reference, n_negative, strict=True)
    )
    total = sum(n_reference)
    partner = np.zeros((0, 0), int)
    if dealt:
        partner = np.stack([rng.permutation(total) for _ in objectives])
    program = Program(
        n_reference, objectives, (True, False)[:n_recordings], dealt=dealt, projections=projections
    )
    weight = np.append(rng.uniform(0.5, 2, k), 0.3)
    return encoders, rows, Batch(drawn, partner, weight), program


def of_engine(encoders, rows, batch, program, temperature):
    arrays, static = eqx.partition(encoders, eqx.is_array)
    params = Params(arrays, -np.log(np.asarray(temperature, np.float32)))
    hyper = Hyper(n_channels=(5, 7)[: len(encoders)])
    loss = jax.jit(contrast_step._loss, static_argnames=("fixed", "program"))
    total, parts = loss(
        params, Fixed(Params(static, None)), rows, batch, hyper, jax.random.key(0), program=program
    )
    return float(total), np.asarray(parts)


def embedded(encoders, rows, batch):
    """Every window on its own."""
    return [
        np.asarray(jax.vmap(lambda x, e=e: e(x)[0])(jnp.stack([r[i - 2 : i + 3] for i in index])))
        for e, r, index in zip(encoders, rows, batch.drawn, strict=True)
    ]


CASES = {
    "one recording": ([(0, 4, "cosine")], 1, False),
    "several, own positives": ([(0, 4, "cosine")], 2, False),
    "several, dealt": ([(0, 4, "cosine")], 2, True),
    "hybrid slices": ([(0, 2, "cosine"), (0, 4, "cosine")], 1, False),
    "hybrid, several, dealt": ([(0, 2, "cosine"), (0, 4, "euclidean")], 2, True),
}


@pytest.mark.parametrize("case", CASES)
def test_the_loss_is_that_of_the_formula(case):
    objectives, n_recordings, dealt = CASES[case]
    temperature = [0.5, 2.0][: len(objectives)]
    encoders, rows, batch, program = problem(tuple(objectives), n_recordings, dealt)
    total, parts = of_engine(encoders, rows, batch, program, temperature)
    wanted = by_hand(embedded(encoders, rows, batch), program, batch, temperature)
    np.testing.assert_allclose(parts[:-1], wanted, rtol=1e-4)
    assert parts[-1] == 0
    assert total == pytest.approx(batch.weight[:-1] @ wanted, rel=1e-4)
    if dealt:  # the test would see a wrong partner
        other = batch._replace(partner=batch.partner[:, ::-1])
        assert abs(by_hand(embedded(encoders, rows, batch), program, other, temperature)
                   - wanted).max() > 1e-3  # fmt: skip


def test_the_jacobian_penalty_is_half_the_mean_squared_norm_at_the_references():
    encoders, rows, batch, program = problem(((0, 4, "cosine"),), projections=0)
    total, parts = of_engine(encoders, rows, batch, program, [1.0])
    each = []
    for e, r, index, n in zip(encoders, rows, batch.drawn, program.n_reference, strict=True):
        jacobians = [jax.jacrev(lambda x, e=e: e(x)[0])(r[i - 2 : i + 3]) for i in index[:n]]
        each.append(np.mean([0.5 * (np.asarray(j) ** 2).sum() for j in jacobians]))
    assert parts[-1] == pytest.approx(np.mean(each), rel=1e-4)
    assert total == pytest.approx(batch.weight @ parts, rel=1e-5)


def test_the_loss_depends_on_the_windows_drawn_and_nothing_else():
    """Rows of a recording that no window touches have no gradient, all others have one."""
    encoders, rows, batch, program = problem(((0, 4, "cosine"),), dealt=True)
    arrays, static = eqx.partition(encoders, eqx.is_array)
    params = Params(arrays, np.zeros(1, np.float32))

    def loss(rows):
        return contrast_step._loss(
            params,
            Fixed(Params(static, None)),
            rows,
            batch,
            Hyper(n_channels=(5, 7)),
            jax.random.key(0),
            program,
        )[0]

    for slope, index in zip(jax.jit(jax.grad(loss))(rows), batch.drawn, strict=True):
        touched = np.flatnonzero(np.abs(np.asarray(slope)).sum(axis=1))
        seen = np.unique(index[:, None] + np.arange(-2, 3))
        assert set(touched) == set(seen)


# -- what settings ask for ------------------------------------------------------------------------


def test_hybrid_trains_behaviour_on_the_first_latents_and_time_on_all(rat):
    model = iso.CEBRA(hybrid=True, hybrid_dimensions=2, hybrid_weights=(2.0, 0.5), **TINY)
    model.fit(rat, labels=["position"])
    behaviour, time = model.settings_["objectives"]
    assert (behaviour["conditional"], behaviour["dimensions"]) == ("time_delta", [0, 2])
    assert (time["conditional"], time["dimensions"], time["labels"]) == ("time", [0, 4], [])
    assert (behaviour["weight"], time["weight"]) == (2.0, 0.5)


def test_each_objective_has_its_own_temperature_and_distance(rat):
    objectives = [
        {"dimensions": (0, 2), "labels": ["position"], "temperature": 0.2},
        {"dimensions": (1, 4), "conditional": "time", "distance": "euclidean", "weight": 3},
    ]
    model = iso.CEBRA(objectives=objectives, **TINY).fit(rat, labels=["position", "direction"])
    assert model.objective_temperature_ == pytest.approx((0.2, 1.0))
    assert [o["distance"] for o in model.settings_["objectives"]] == ["cosine", "euclidean"]
    assert model.settings_["labels"] == ["position"]
    assert np.isfinite(model.score(rat))


def test_weights_follow_their_schedules(rat):
    ramp = {"schedule": "ramp", "end_weight": 0.5, "start_step": 10, "end_step": 20}
    model = iso.CEBRA(
        **TINY | {"max_iterations": 30}, jacobian=ramp,
        objectives=[{"conditional": "time", "weight": {"schedule": "constant", "weight": 2}}],
    ).fit(rat)  # fmt: skip
    weights = np.column_stack([np.full(30, 2.0), weight_over(30, ramp)])
    np.testing.assert_allclose(model.loss_, (weights * model.losses_).sum(axis=1), rtol=1e-6)
    assert weights[[0, 5, 25], 1].tolist() == [0, 0, 0.5]


@pytest.mark.parametrize(
    ("settings", "labels", "message"),
    [
        ({"hybrid": True}, [], "trains on time and on behaviour and needs labels"),
        ({"hybrid": True, "conditional": "time"}, ["position"], "drop one of the two"),
        ({"hybrid": True, "hybrid_dimensions": 9}, ["position"], "output_dimension=4 is smaller"),
        ({"objectives": [{"dimension": (0, 4)}]}, [], r"objectives\[0\] is a table of .*dimension"),
        ({"objectives": ["time"]}, [], r"objectives\[0\] is a table of .*'time'"),
        ({"objectives": []}, [], "nothing trains"),
        ({"objectives": [{"dimensions": (0, 5)}]}, [], r"first < last; got \(0, 5\)"),
        ({"objectives": [{"dimensions": (2, 2)}]}, [], r"first < last; got \(2, 2\)"),
        ({"objectives": [{"dimensions": 3}]}, [], r"\(first, last\) in 0…4"),
        ({"objectives": [{"dimensions": (0, 2.5)}]}, [], r"\(first, last\) in 0…4"),
        ({"objectives": [{"dimensions": (1, 4)}]}, [], r"leave no latent untrained.* \[0\]"),
        ({"objectives": [{}, {}]}, [], "each of its own"),
        ({"objectives": [{"conditional": "tim"}]}, [], "conditional must be one of .*'tim'"),
        ({"objectives": [{"labels": ["speed"]}]}, ["position"], r"'speed'\].* labels=\['position'"),
        ({"objectives": [{"labels": "position"}]}, ["direction"], r"'position'\].* labels=\['dir"),
        ({"objectives": [{"temperature": -1}]}, [], r"temperature must be positive, got -1"),
        ({"objectives": [{"distance": "l1"}]}, [], "distance must be 'cosine' or 'euclidean'"),
        ({"objectives": [{"time_offsets": 0}]}, [], "time_offsets must be a whole number"),
        (
            {"objectives": [{"conditional": "delta_normal"}]},
            ["position"],
            "needs delta > 0",
        ),
        ({"objectives": [{"weight": "high"}]}, [], "a weight is a number or a table"),
        ({"objectives": [{"weight": -1.0}]}, [], "weight must be a number >= 0"),
        ({"hybrid": True, "hybrid_weights": 1.0}, ["position"], "hybrid_weights"),
        ({"jacobian": {"schedule": "cosine"}}, [], "a weight is a number or a table"),
        ({"jacobian": {"schedule": "linear", "until": 3}}, [], "weight .*until"),
        ({"jacobian": -1.0}, [], "weight must be a number >= 0"),
    ],
)  # fmt: skip
def test_objectives_that_break_a_rule_are_named(rat, settings, labels, message):
    with pytest.raises(DataError, match=message):
        iso.CEBRA(**{**TINY, **settings}).fit(rat, labels=labels)


def test_one_label_may_be_named_without_a_list(rat):
    model = iso.CEBRA(objectives=[{"labels": "position"}], **TINY).fit(rat, labels=["position"])
    assert model.settings_["objectives"][0]["labels"] == ["position"]


def test_an_objective_without_references_is_refused():
    short = iso.simulate.place_cells(seed=0, n_laps=2, n_units=6)
    table = short.trials.iloc[[0]].assign(stop=lambda t: t["start"] + 12)
    one = dataclasses.replace(short, trials=table, segments=None)
    with pytest.raises(DataError, match="time_offsets=12 needs a segment longer"):
        iso.CEBRA(**TINY | {"max_iterations": 1}, hybrid=True, time_offsets=12).fit(
            one, labels=["position"]
        )
