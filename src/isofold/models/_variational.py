"""What latent variable models do: fit, embed with and without labels, decode, score, save."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError
from . import _vae_recipe, _vae_use
from ._device import on_device
from ._fit import split_off
from ._inputs import Inputs, gather, gather_several, is_list_of_recordings, positional
from ._label_code import LabelCode, candidates, learn_code, used_values
from ._latent_model import LatentModel
from ._vae_fit import check_counts, draw_params, draw_parts, train_together

N_CANDIDATES = 200
"""Labels that a sample without label is compared with."""

OF_THE_MODEL = (
    "output_dimension", "encoder", "observation", "objective", "decoder", "target", "prior",
    "prior_mean", "model_architecture", "num_hidden_units", "encoder_hidden", "prior_hidden",
    "decoder_hidden", "activation", "smoothing", "labels", "rate",
)  # fmt: skip
"""Settings that all recordings of a model share; the others are those of its training."""


class Variational(LatentModel):
    """A latent variable model, put together from parts and fitted by its evidence. Abstract.

    Every "auto" below is the choice that makes a subclass what it is (`AUTO`).

    Parameters
    ----------
    output_dimension
        Number of latents.
    encoder
        "mlp" sees one bin, "conv" a window of bins (`model_architecture`), "smooth" the bins
        weighted by a Gaussian in time (`smoothing`). None looks beyond its segment.
    objective
        What is maximised: "direct", the evidence bound of the encoder itself; "elbo", of its
        product with the label prior; "ci", of the best mixture of both; "released", what the
        published code of CI-iVAE maximises (for comparison only).
    observation
        "poisson", "negative-binomial" (counts), or "gaussian".
    decoder
        "flow"; "mlp"; or "conv", transposed convolutions for a "window" target.
    target
        What is explained: the "centre" bin, or the whole "window" of a "conv" encoder. Windows
        count every bin as often as they overlap: evidence is then a composite likelihood, and is
        given per bin of a window.
    prior_mean
        False: the label sets the variance of the latent only.
    prior
        "labels"; "time" or "trial_time" (seconds) in their place; "none": N(0, 1).
    model_architecture, num_hidden_units
        Of the "conv" encoder, as in `CEBRA`, without its unit length and without
        subsampling.
    encoder_hidden, prior_hidden, decoder_hidden
        Widths of hidden layers; of the decoder None: max(60, outputs / 4).
    activation
        Of the decoder: "gelu" ("auto"), "tanh", "softplus", "xtanh", "relu", "leaky-relu".
    smoothing
        Standard deviation of the "smooth" encoder in seconds; "auto" is 2.5 samples.
    max_iterations, batch_size, learning_rate
        Steps of Adam, samples a step of each recording, and its rate; an explicit rate is constant,
        "auto" one cycle.
    mixture_draws
        Draws that the gain of a mixture is estimated with ("ci", "released").
    warm_up, beta
        Steps over which the weight of the KL rises from 0 to `beta`.
    gradient_clip
        Longest gradient, of the loss in nats a channel and bin.
    validation
        Share of trials held out inside the fit: the weights that explain them best are kept
        (`validation_`).
    patience
        Looks at them without a better one before a fit of constant rate stops.
    n_init, keep
        Fits from several seeds; kept is the best on held-out trials ("validation") or the one most
        like the others ("consistency"). All are in `initialisations_`.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of weights, batches and draws.
    """

    AUTO: ClassVar[dict[str, Any]] = {}
    """What "auto" means for this estimator."""

    def __init__(
        self,
        output_dimension: int = 2,
        *,
        encoder: str = "mlp",
        observation: str = "auto",
        objective: str = "auto",
        decoder: str = "auto",
        target: str = "centre",
        prior: str = "auto",
        prior_mean: bool = True,
        model_architecture: str = "offset10-model",
        num_hidden_units: int = 32,
        encoder_hidden: Sequence[int] = (100, 100),
        prior_hidden: Sequence[int] = (20, 20),
        decoder_hidden: int | None = None,
        activation: str = "auto",
        smoothing: float | str = "auto",
        max_iterations: int | str = "auto",
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        mixture_draws: int = 10,
        warm_up: int | str = "auto",
        beta: float = 1.0,
        gradient_clip: float = 1.0,
        validation: float | None = None,
        patience: int = 10,
        n_init: int = 1,
        keep: str = "validation",
        outside_trials: bool = False,
        random_state: Any = None,
        device: str = "cpu",
        verbose: bool = False,
    ):
        self.output_dimension = output_dimension
        self.encoder = encoder
        self.observation = observation
        self.objective = objective
        self.decoder = decoder
        self.target = target
        self.prior = prior
        self.prior_mean = prior_mean
        self.model_architecture = model_architecture
        self.num_hidden_units = num_hidden_units
        self.encoder_hidden = encoder_hidden
        self.prior_hidden = prior_hidden
        self.decoder_hidden = decoder_hidden
        self.activation = activation
        self.smoothing = smoothing
        self.max_iterations = max_iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.mixture_draws = mixture_draws
        self.warm_up = warm_up
        self.beta = beta
        self.gradient_clip = gradient_clip
        self.validation = validation
        self.patience = patience
        self.n_init = n_init
        self.keep = keep
        self.outside_trials = outside_trials
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        *y: Any,
        labels: Sequence[str] | str | None = None,
        trials: Any = None,
        adapt: bool = False,
        callback: Callable[[int, Any], Any] | None = None,
        callback_frequency: int | None = None,
        **keyword: Any,
    ) -> Self:
        """Train from scratch; with `adapt`, add a recording to a fit and leave the label prior as
        it is, so that its latents are those of the others.

        Several recordings share the label prior and have encoders and decoders of their own: the
        one with most channels is trained first, then all. A prior that has its shape is followed
        from the first step, without `warm_up`.
        """
        y = positional(y, keyword)
        watch: dict[str, Any] = {"callback": callback, "callback_frequency": callback_frequency}
        if self.n_init > 1 and not adapt:
            from ._seeds import keep_one

            return keep_one(self, X, y, labels=labels, trials=trials, **watch)
        if callback_frequency is not None and callback is None:
            raise DataError("callback_frequency says how often callback runs: give callback too")
        several = is_list_of_recordings(X) and len(X) > 1
        inputs = (
            gather_several(self, X, y, labels, trials)
            if several
            else [gather(self, X, y, labels, trials, reset=True)]
        )
        recordings = [one.recording for one in inputs]
        settings = self._resolve(inputs)
        check_counts(recordings, settings)
        rng = np.random.default_rng(self.random_state)
        if adapt:
            return self._join(recordings, settings, rng, watch)
        outside = settings["outside_trials"]
        code = learn_code(recordings, settings["labels"], settings["prior"], outside)
        params = draw_params(recordings, code, settings, rng)
        self.code_ = code
        values = used_values(code, recordings, outside)
        self.candidates_ = (
            candidates(code, values, N_CANDIDATES, rng) if code.parts else pd.DataFrame()
        )
        _check_classes(code, len(self.candidates_), settings)
        self._train(params, recordings, settings, rng, watch)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        given: dict[str, Any] = {"prior": self.prior, "observation": self.observation}
        given |= {k: self.AUTO.get(k) for k, v in given.items() if v == "auto"}
        tags.target_tags.required = given["prior"] == "labels"
        tags.input_tags.positive_only = given["observation"] != "gaussian"
        return tags

    def _resolve(self, inputs: Sequence[Inputs]) -> dict[str, Any]:
        first = inputs[0]
        params: dict[str, Any] = self.get_params(deep=False)
        params.update((k, v) for k, v in self.AUTO.items() if params[k] == "auto")
        n = int(np.mean([len(one.recording) for one in inputs]))
        settings = _vae_recipe.resolve(params, n, first.recording.rate)
        settings["labels"] = [] if settings["prior"] != "labels" else list(first.labels)
        if settings["prior"] == "labels" and not first.labels:
            raise DataError(
                f"{type(self).__name__} needs labels for its prior p(z|u); it requires y to be "
                "passed, but the target y is None: give labels=[...] (or arrays), prior='time' or "
                "'trial_time' for the time in their place, or use VAE"
            )
        _vae_recipe.check(settings)
        return settings

    def _train(self, params, recordings, settings, rng, watch, before: Known | None = None) -> None:
        """Train these parts; `before` are those of a fit that they join, and its prior stays."""
        shown, kept_out = split_off(recordings, settings["validation"])
        held = _vae_use.watch_evidence(kept_out, self.code_, settings) if kept_out else None
        user, known = watch["callback"], before or Known()

        def keep(trained: Any, best: Any = None) -> None:
            self._keep(trained, (best or trained).params, settings, recordings, known)

        def report(done: int, trained: Any) -> None:
            keep(trained)
            user(done, self)

        with on_device(self.device):
            trained = train_together(
                params, shown, self.code_, settings, rng, keep_prior=before is not None,
                watch=held, callback=report if user else None,
                callback_frequency=watch["callback_frequency"], verbose=self.verbose,
            )  # fmt: skip
        keep(trained, held.best if held else None)
        self.validation_ = held.table() if held else None

    def _keep(self, trained: Any, params: Any, settings, recordings, known: Known) -> None:
        self.params_ = params._replace(parts=(*known.parts, *params.parts))
        self.sessions_ = (*known.sessions, *[r.name for r in recordings])
        self.channels_ = (*known.channels, *[r.n_channels for r in recordings])
        self.settings_ = settings
        self.loss_, self.interrupted_ = trained.loss, trained.interrupted
        self.log_ = _vae_use.log_table(trained.record)
        self.validation_ = None
        self.output_dimension_ = int(settings["output_dimension"])
        self.offset_ = self.params_.parts[0].posterior.offset

    def _join(self, recordings, settings, rng, watch) -> Self:
        """Train encoder and decoder of one more recording under the prior of the fit."""
        check_is_fitted(self, "params_")
        if len(recordings) > 1:
            raise DataError(f"adapt=True takes one recording at a time, got {len(recordings)}")
        now, then = ({k: s[k] for k in OF_THE_MODEL} for s in (settings, self.settings_))
        changed = {k: (then[k], now[k]) for k in OF_THE_MODEL if then[k] != now[k]}
        if changed:
            raise DataError(
                "adapt=True adds a recording to the model of the fit, so labels, rate and the "
                f"settings of the model must be the same; changed (before, now): {changed}"
            )
        before = Known(self.params_.parts, self.sessions_, self.channels_)
        if recordings[0].name in ("", *before.sessions):
            recordings = [replace(recordings[0], name=str(len(before.sessions)))]
        parts = draw_parts(recordings, self.code_.width, settings, rng)
        params = self.params_._replace(parts=parts)
        self._train(params, recordings, settings, rng, watch, before)
        return self


@dataclass(frozen=True)
class Known:
    """Recordings that a model had before another joined."""

    parts: tuple = ()
    sessions: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()


def _check_classes(code: LabelCode, classes: int, settings: dict[str, Any]) -> None:
    """Warn where the classes that occur are too few to identify the latent."""
    n = int(settings["output_dimension"])
    if not code.parts or not code.discrete:
        return
    needed = (2 if settings["prior_mean"] else 1) * n + 1
    if classes < needed:
        warnings.warn(
            f"{n} latents are identifiable from {needed} distinct labels or more (means and "
            f"variances of the label prior; Khemakhem et al. 2020, Theorem 1), got {classes} "
            "classes: latents may be mixed with each other; use fewer latents or further labels",
            UserWarning,
            stacklevel=4,
        )
