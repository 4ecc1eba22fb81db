"""What TCL and PCL share: features trained by a regression that tells examples apart."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from ..errors import DataError
from ..networks import ACTIVATIONS, get_architecture
from ..recording import Recording
from ..sampling import Pool
from ..trials import Ints, expand
from ._base import Estimator
from ._contrast import on_disk, pool_source
from ._device import on_device
from ._encode import at_edge, embed
from ._inputs import gather, positional, used_segments
from ._progress import progress
from ._recipe import _positive, _whole
from ._vae_fit import moments
from ._vae_store import arrays_of, filled

if TYPE_CHECKING:
    from ..training.classify import Deal

VERSION = 1
ENCODERS = ("mlp", "conv")
CHANCE_DRAWS = 20


class Classifying(Estimator):
    """An estimator whose latents are features by which examples are classified. Abstract.

    Subclasses say what examples and classes are. `fit` leaves `params_` (features and regression).
    """

    score_unit_ = "bits"
    settings_: dict[str, Any]
    feature = "linear"
    """What the last layer of the features does."""

    @abstractmethod
    def _learn(self, recording: Recording, labels: Sequence[str]) -> dict[str, Any]:
        """Settings that depend on the recording; learns what is needed to make examples."""

    @abstractmethod
    def _head(self, settings: dict[str, Any], rng: np.random.Generator) -> Any:
        """The regression on the features, before training."""

    @abstractmethod
    def _examples(self, recording: Recording, settings: dict[str, Any]) -> Callable[[Pool], Deal]:
        """Draws examples from pools of the recording."""

    # -- fit ----------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        *y: Any,
        labels: Sequence[str] | str | None = None,
        trials: Any = None,
        callback: Callable[[int, Any], Any] | None = None,
        callback_frequency: int | None = None,
        **keyword: Any,
    ) -> Self:
        """Train from scratch, on one recording."""
        if callback_frequency is not None and callback is None:
            raise DataError("callback_frequency says how often callback runs: give callback too")
        inputs = gather(self, X, positional(y, keyword), labels, trials, reset=True)
        recording = inputs.recording
        start, stop = used_segments(recording, self.outside_trials)
        settings = _resolve(
            self.get_params(deep=False), int((stop - start).sum()), recording.n_channels
        )
        settings |= self._learn(recording, inputs.labels)
        rng = np.random.default_rng(self.random_state)
        with on_device(self.device):
            self._train(recording, settings, rng, callback, callback_frequency)
        return self

    def _train(self, recording: Recording, settings: dict[str, Any], rng, callback, every) -> None:
        from .. import training
        from ..training.classify import ClassifyPlan, train_classifier
        from ..training.classify_step import Params

        start, stop = used_segments(recording, settings["outside_trials"])
        mean, deviation = moments(recording, settings["outside_trials"])
        params = Params(self._features(settings, mean, deviation, rng), self._head(settings, rng))
        rotate = on_disk(recording.signal)
        source, _ = pool_source(recording, params.features.offset, start, stop, rotate)
        steps, rate = int(settings["max_iterations"]), float(settings["learning_rate"])
        constant = settings["schedule"] == "constant"
        rates = np.full(steps, rate) if constant else training.one_cycle(steps, rate)
        plan = ClassifyPlan(rates, int(settings["batch_size"]))

        def keep(trained: Any) -> None:
            self.params_, self.settings_ = trained.params, settings
            self.loss_, self.interrupted_ = trained.loss, trained.interrupted
            self.output_dimension_ = int(settings["output_dimension"])
            self.offset_ = trained.params.features.offset
            self._finish(recording)

        def report(done: int, trained: Any) -> None:
            keep(trained)
            if callback is not None:
                callback(done, self)

        with progress(steps, self.verbose) as tick:
            trained = train_classifier(
                params, source, self._examples(recording, settings), plan, rng,
                report if callback else None, every, tick,
            )  # fmt: skip
        _check_finite(trained.finite, rate)
        keep(trained)

    def _features(self, settings: dict[str, Any], mean: NDArray, deviation: NDArray, rng) -> Any:
        from ..networks.features import features

        return features(
            settings["encoder"], len(mean), int(settings["output_dimension"]),
            feature=self.feature, hidden=tuple(settings["encoder_hidden"]),
            activation=settings["activation"], architecture=settings["model_architecture"],
            num_hidden_units=int(settings["num_hidden_units"]), shift=mean, scale=1 / deviation,
            rng=rng,
        )  # fmt: skip

    def _finish(self, recording: Recording) -> None:
        """Learn how features become latents from those of the training samples."""
        used = expand(*used_segments(recording, self.outside_trials))
        self.mean_, self.unmixing_ = self._linear(self._h(recording)[used].astype(float))

    def _linear(self, h: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
        """Mean and (latent, feature) matrix of z = W (h − mean)."""
        deviation = h.std(axis=0)
        return h.mean(axis=0), np.diag(1 / np.where(deviation > 0, deviation, 1))

    # -- use ----------------------------------------------------------------------------------

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        z = (self._h(recording) - self.mean_) @ self.unmixing_.T
        return z.astype(np.float32), at_edge(self.params_.features, recording)

    def _h(self, recording: Recording) -> NDArray[np.float32]:
        """(time, latent) features, as the regression sees them."""
        with on_device(self.device):
            return embed(self.params_.features, recording)[0]

    def _log2_probability(self, h: NDArray[np.float32]) -> NDArray[np.float64]:
        """(example, class) from the features of (example, view)."""
        import jax
        import jax.numpy as jnp

        with on_device(self.device):
            logits = self.params_.head(jnp.asarray(h))
            return np.asarray(jax.nn.log_softmax(logits, axis=1), float) / np.log(2)

    # -- files --------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, NDArray]:
        learned = {"loss": np.asarray(self.loss_), "mean": self.mean_, "unmixing": self.unmixing_}
        return arrays_of(self.params_) | learned

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_, "interrupted": self.interrupted_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        from ..training.classify_step import Params

        self.settings_, self.interrupted_ = facts["settings"], facts["interrupted"]
        rng, one = np.random.default_rng(0), np.ones(self.n_features_in_)
        features = self._features(self.settings_, one, one, rng)
        self.params_ = filled(Params(features, self._head(self.settings_, rng)), arrays)
        self.loss_, self.mean_, self.unmixing_ = (arrays[k] for k in ("loss", "mean", "unmixing"))
        self.output_dimension_ = int(self.settings_["output_dimension"])
        self.offset_ = self.params_.features.offset


def _resolve(params: dict[str, Any], n_samples: int, n_channels: int) -> dict[str, Any]:
    """Settings with every "auto" of both estimators replaced, or an error."""
    constant = params["learning_rate"] != "auto"
    settings = dict(params)
    if settings["batch_size"] == "auto":
        settings["batch_size"] = min(512, n_samples)
    if settings["max_iterations"] == "auto":
        # Few samples of many channels are learned by heart: on 40 units and 2,300 samples held-out
        # bits fall from step 100 on, on 5 channels and 40,000 samples they still rise at 5,000.
        steps = n_samples / 8 * min(1.0, 5 / n_channels) ** 0.5
        settings["max_iterations"] = 25 * round(np.clip(steps, 100, 6_000) / 25)
    if not constant:
        settings["learning_rate"] = 1e-2
    settings["schedule"] = "constant" if constant else "one-cycle"
    settings["recipe"] = VERSION
    one_of = {"encoder": ENCODERS, "activation": tuple(sorted(ACTIVATIONS))}
    for name, known in one_of.items():
        if settings[name] not in known:
            raise DataError(f"{name} must be one of {known}, got {settings[name]!r}")
    rules = [
        ("output_dimension", "must be a whole number >= 1", _whole(1)),
        ("num_hidden_units", "must be a whole number >= 2", _whole(2)),
        ("max_iterations", "must be a whole number >= 0", _whole(0)),
        ("batch_size", "must be a whole number >= 1", _whole(1)),
        ("learning_rate", "must be positive", _positive),
        ("encoder_hidden", "must be widths of layers, like (64, 64)", _widths),
    ]
    for name, rule, holds in rules:
        if not holds(settings[name]):
            raise DataError(f"{name} {rule}, got {settings[name]!r}")
    if settings["encoder"] == "conv":
        get_architecture(settings["model_architecture"])
    return settings


def _widths(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(_whole(1)(v) for v in value)


def _check_finite(finite: NDArray, rate: float) -> None:
    """Say which steps had no finite gradient; where none had one, nothing was learned."""
    left_out = int(np.sum(np.asarray(finite) == 0))
    if not left_out:
        return
    text = (
        f"{left_out} of {len(finite)} steps had a gradient that is not finite and were left out: "
        f"give a smaller learning_rate than {rate:g}, or bring the signal to a common scale "
        "(preprocess.zscore)"
    )
    if left_out == len(finite):
        raise DataError(text)
    warnings.warn(text, ConvergenceWarning, stacklevel=2)


def per_segment(values: NDArray, start: Ints, stop: Ints) -> NDArray[np.float64]:
    """Mean of one value a sample in every segment, weighted so that their mean is that of all
    samples."""
    total = np.append(0.0, np.cumsum(values))
    return (total[stop] - total[start]) * len(start) / max(np.sum(stop - start), 1)
