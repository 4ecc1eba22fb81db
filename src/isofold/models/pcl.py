"""PCL: permutation-contrastive learning, nonlinear ICA by telling true pairs from false."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..networks import get_architecture
from ..recording import Recording
from ..sampling import Pool, TimeSampler
from ..trials import Ints, expand
from ._classifying import CHANCE_DRAWS, Classifying, per_segment
from ._inputs import used_segments
from ._recipe import _whole

if TYPE_CHECKING:
    from ..training.classify import Deal

PAIR_FUNCTIONS = ("laplace", "general")


class PCL(Classifying):
    """Permutation-contrastive learning: features that tell neighbours in time from random pairs.

    log p(pair) / p(no pair) = c + Σ_i B_i(h_i(x_t), h_i(x_{t−Δ})), fitted by logistic regression of
    pairs (x_t, x_{t−Δ}) of one segment against (x_t, x_{t*}), t* random;  z_i = h_i(x), of mean 0
    and variance 1 over the training samples.

    If x = f(s) with independent stationary s_i whose dependence in time is not Gaussian, z is s up
    to order and a monotone function of each. Labels are accepted and not used.

    Not for sources without dependence in time, nor for Gaussian ones: they stay linearly mixed. Not
    for recordings that drift: then the drift tells pairs apart.

    Parameters
    ----------
    output_dimension
        Number of latents.
    time_offsets
        Δ in samples; "auto": 1, or the window of a "conv" encoder, so that pairs share no sample.
    pair_function
        "laplace": B = p |a h + a' h' + b| + q (ā h + b̄)², the paper's form, true of
        autoregressive sources with Laplace innovations; "general": a small network, which leaves
        every latent free to be bent.
    encoder
        "mlp" sees one sample, "conv" a window (`model_architecture`, must end in "-mse").
    encoder_hidden, activation
        Widths of the hidden layers of "mlp", and what follows each.
    num_hidden_units
        Of "conv".
    max_iterations, batch_size, learning_rate
        Steps of Adam, pairs a step (half of them true), and its rate; an explicit rate is constant,
        "auto" one cycle. Fewer steps where `score` on held-out trials is below 0.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of weights and pairs.

    Attributes
    ----------
    params_, loss_
        Features and regression; cross entropy of every step, in nats.

    Raises
    ------
    DataError
        No segment is longer than Δ, a setting breaks a rule, or several recordings were given.

    References
    ----------
    Hyvärinen & Morioka, "Nonlinear ICA of temporally dependent stationary sources" (AISTATS 2017).

    Examples
    --------
    >>> import isofold as iso
    >>> data = iso.simulate.segments(
    ...     seed=0, n_samples=800, n_segments=1, n_latents=2, sources="laplace", autocorrelation=0.7
    ... )
    >>> iso.PCL(max_iterations=50, random_state=0).fit(data).transform(data).shape
    (800, 2)
    """

    def __init__(
        self,
        output_dimension: int = 2,
        *,
        time_offsets: int | str = "auto",
        pair_function: str = "laplace",
        encoder: str = "mlp",
        encoder_hidden: Sequence[int] = (64, 64),
        activation: str = "gelu",
        model_architecture: str = "offset10-model-mse",
        num_hidden_units: int = 32,
        max_iterations: int | str = "auto",
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        outside_trials: bool = False,
        random_state: Any = None,
        device: str = "cpu",
        verbose: bool = False,
    ):
        self.output_dimension = output_dimension
        self.time_offsets = time_offsets
        self.pair_function = pair_function
        self.encoder = encoder
        self.encoder_hidden = encoder_hidden
        self.activation = activation
        self.model_architecture = model_architecture
        self.num_hidden_units = num_hidden_units
        self.max_iterations = max_iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.outside_trials = outside_trials
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def _learn(self, recording: Recording, labels: Sequence[str]) -> dict[str, Any]:
        if self.pair_function not in PAIR_FUNCTIONS:
            raise DataError(
                f"pair_function must be one of {PAIR_FUNCTIONS}, got {self.pair_function!r}"
            )
        lag = self.time_offsets
        if lag == "auto":
            conv = self.encoder == "conv"
            lag = get_architecture(self.model_architecture).receptive_field if conv else 1
        if not _whole(1)(lag):
            raise DataError(
                f"time_offsets must be a whole number of samples >= 1, or 'auto', got {lag!r}"
            )
        _require_pairs(*used_segments(recording, self.outside_trials), int(lag), recording)
        return {"labels": [], "time_offsets": int(lag)}

    def _head(self, settings: dict[str, Any], rng: np.random.Generator) -> Any:
        from ..networks.features import pair_function

        return pair_function(settings["pair_function"], int(settings["output_dimension"]), rng)

    def _examples(self, recording: Recording, settings: dict[str, Any]) -> Callable[[Pool], Deal]:
        lag = int(settings["time_offsets"])
        return lambda pool: _pairs(pool, lag)

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """1 bit minus the cross entropy of true and false pairs of each segment, as many of both;
        and the same with true and false dealt at random.

        Segments of Δ samples or fewer hold no pair and count for nothing.
        """
        start, stop = used_segments(recording, self.outside_trials)
        lag = int(self.settings_["time_offsets"])
        _require_pairs(start, stop, lag, recording)
        h, rng = self._h(recording), np.random.default_rng(seed)
        now, every = expand(start + np.minimum(lag, stop - start), stop), expand(start, stop)
        false = h[rng.choice(every, len(now))]
        said = [
            self._log2_probability(np.stack([h[now], before], axis=1))
            for before in (h[now - lag], false)
        ]
        bits = np.zeros(len(recording))
        bits[now] = 1 + (said[0][:, 1] + said[1][:, 0]) / 2
        gain = 1 + np.concatenate(said)
        real = np.repeat([1, 0], len(now))
        chance = [
            gain[np.arange(len(gain)), rng.permutation(real)].mean() for _ in range(CHANCE_DRAWS)
        ]
        some = stop - start > lag
        return (
            per_segment(bits, start[some] + lag, stop[some]), self.score_unit_, np.array(chance)
        )  # fmt: skip


def _pairs(pool: Pool, lag: int) -> Deal:
    """Pairs of a pool: (x_t, x_{t−lag}) of one segment, class 1, or (x_t, any other), class 0."""
    sampler = TimeSampler(pool, lag)

    def deal(rng: np.random.Generator, shape: tuple[int, int]):
        before, real = sampler.references(rng, shape), rng.integers(2, size=shape)
        now = sampler.positives(rng, before)
        other = np.where(real, before, sampler.negatives(rng, shape))
        return np.stack([now, other], axis=-1), real

    return deal


def _require_pairs(start: Ints, stop: Ints, lag: int, recording: Recording) -> None:
    longest = int((stop - start).max())
    if longest <= lag:
        raise DataError(
            f"a true pair lies {lag} sample(s) apart in one segment; the longest of recording "
            f"{recording.name!r} has {longest}: use a smaller time_offsets"
        )
