"""TCL: time-contrastive learning, nonlinear ICA by telling stretches of time apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ..sampling import Pool
from ..trials import expand
from ._class_code import ClassCode, learn_classes
from ._classifying import CHANCE_DRAWS, Classifying, per_segment
from ._inputs import Inputs, used_segments
from ._recipe import _whole

if TYPE_CHECKING:
    from ..training.classify import Deal


class TCL(Classifying):
    """Time-contrastive learning: features that tell classes of samples apart, then linear ICA.

    log p(u | x) = w_u · h(x) + b_u + constant, fitted by cross entropy;  z = W (h(x) − mean), W the
    unmixing matrix of FastICA on the training features. Classes u are the joint classes of the
    labels (continuous ones are cut into `segments` of equal counts) or, without labels, equal
    stretches of each trial, or of a recording without trials.

    If x = f(s) with independent s_i whose densities given u form an exponential family with
    statistics q_i(s_i), z is q(s) up to order, sign and scale: s_i² where classes differ in
    variance, s_i where they differ in mean.

    Not for recordings that are stationary across the classes: then nothing is learned, and `score`
    is 0. Not for the sign of sources of mean 0, nor for more latents than vary between classes.

    Parameters
    ----------
    output_dimension
        Number of latents.
    segments
        Stretches of a trial, or classes of a continuous label. "auto": 10 for labels; as many
        stretches as have 20 samples, at most 40.
    feature
        The last layer: "maxout" (the larger of two linear units), "abs" (the paper's, for
        variances), "linear".
    ica
        False: z = h(x), which is q(s) up to a linear map.
    encoder
        "mlp" sees one sample, "conv" a window (`model_architecture`, must end in "-mse").
    encoder_hidden, activation
        Widths of the hidden layers of "mlp", and what follows each.
    num_hidden_units
        Of "conv".
    max_iterations, batch_size, learning_rate
        Steps of Adam, samples a step, and its rate; an explicit rate is constant, "auto" one cycle.
        Fewer steps where `score` on held-out trials is below 0.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of weights, batches and FastICA.

    Attributes
    ----------
    params_, loss_
        Features and regression; cross entropy of every step, in nats.
    code_
        How samples become classes.
    unmixing_, mean_
        W and mean of z = W (h − mean).

    Raises
    ------
    DataError
        There is one class only, a setting breaks a rule, or several recordings were given.

    References
    ----------
    Hyvärinen & Morioka, "Unsupervised feature extraction by time-contrastive learning and
    nonlinear ICA" (NeurIPS 2016). Linear ICA by scikit-learn.

    Examples
    --------
    >>> import isofold as iso
    >>> data = iso.simulate.segments(seed=0, n_samples=800, n_segments=8, n_latents=2)
    >>> model = iso.TCL(max_iterations=50, random_state=0).fit(data, labels=["segment"])
    >>> model.transform(data).shape
    (800, 2)
    """

    code_: ClassCode
    frequency_: NDArray[np.float64]

    def __init__(
        self,
        output_dimension: int = 2,
        *,
        segments: int | str = "auto",
        feature: str = "maxout",
        ica: bool = True,
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
        self.segments = segments
        self.feature = feature
        self.ica = ica
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
        from ..networks.features import FEATURES

        if self.segments != "auto" and not _whole(2)(self.segments):
            raise DataError(
                f"segments must be 'auto' or a whole number >= 2, got {self.segments!r}"
            )
        if self.feature not in FEATURES:
            raise DataError(f"feature must be one of {FEATURES}, got {self.feature!r}")
        start, stop = used_segments(recording, self.outside_trials, labels)
        self.code_ = learn_classes(recording, labels, self.segments, start, stop)
        classes = self.code_.of(recording, start, stop)[expand(start, stop)]
        count = np.bincount(classes, minlength=self.code_.n_classes) + 0.5
        self.frequency_ = count / count.sum()
        return {"labels": list(labels), "n_classes": self.code_.n_classes}

    def _head(self, settings: dict[str, Any], rng: np.random.Generator) -> Any:
        from ..networks.features import softmax

        return softmax(int(settings["output_dimension"]), int(settings["n_classes"]))

    def _examples(self, recording: Recording, settings: dict[str, Any]) -> Callable[[Pool], Deal]:
        classes = self.code_.of(recording, *used_segments(recording, self.outside_trials))

        def of(pool: Pool) -> Deal:
            def deal(rng: np.random.Generator, shape: tuple[int, int]):
                sample = rng.integers(len(pool.sample), size=shape)
                return sample[..., None], classes[pool.sample[sample]]

            return deal

        return of

    def _linear(self, h: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
        n = h.shape[1]
        if not self.settings_["ica"]:
            return np.zeros(n), np.eye(n)
        mean, scale = super()._linear(h)
        scaled = (h - mean) @ scale
        if n == 1:
            return mean, scale
        if len(h) <= n or np.linalg.matrix_rank(scaled, tol=1e-4 * np.sqrt(len(h))) < n:
            warnings.warn(
                f"the {n} features do not have {n} independent directions, so no linear ICA was "
                "done: use fewer latents, more samples or more steps",
                UserWarning,
                stacklevel=2,
            )
            return mean, scale
        from sklearn.decomposition import FastICA

        seed = int(np.random.default_rng(self.random_state).integers(2**31))
        ica = FastICA(whiten="unit-variance", random_state=seed, max_iter=1000, tol=1e-3)
        return mean, ica.fit(scaled).components_ @ scale

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """What x says of the class of a sample, log₂ p(u|x) − log₂ p(u), mean of each segment; and
        the same with classes of other samples.

        With equally frequent classes log₂(number of classes) minus the cross entropy in bits.
        """
        start, stop = used_segments(recording, self.outside_trials, self.settings_["labels"])
        classes = self.code_.of(recording, start, stop)
        gain = self._log2_probability(self._h(recording)[:, None]) - np.log2(self.frequency_)
        used, every = expand(start, stop), np.arange(len(gain))
        rng = np.random.default_rng(seed)
        chance = [gain[used, rng.permutation(classes[used])].mean() for _ in range(CHANCE_DRAWS)]
        return per_segment(gain[every, classes], start, stop), self.score_unit_, np.array(chance)

    def _scored(self, inputs: Inputs) -> Recording:
        wanted = self.settings_["labels"]
        if inputs.shape is not None and wanted and list(inputs.labels) != wanted:
            raise DataError(
                f"the model was fitted with {len(wanted)} label(s); give score() as many, got "
                f"{len(inputs.labels)}"
            )
        return inputs.recording

    def _arrays(self) -> dict[str, NDArray]:
        return super()._arrays() | {"frequency": self.frequency_}

    def _facts(self) -> dict[str, Any]:
        return super()._facts() | {"code": self.code_.to_json()}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        super()._restore(arrays, facts)
        self.code_ = ClassCode.from_json(facts["code"])
        self.frequency_ = arrays["frequency"]
