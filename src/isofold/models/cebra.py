"""CEBRA: contrastive embeddings by time, by behaviour, or both kinds of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..networks import build, get_architecture
from ..recording import Recording
from ..sampling import Layout, Targets, padded_size
from . import _recipe
from ._base import Estimator
from ._contrast import adam_settings, choose_rule, pair_sampler, source_of
from ._inputs import Inputs, gather, positional, targets_of, used_segments

EVALUATION = {"batches": 100, "batch_size": 512, "num_negatives": 512}
"""How `score` draws pairs: fixed, so that scores of one temperature and dimension compare."""


class CEBRA(Estimator):
    """Consistent embeddings by contrast: near pairs close together, random pairs apart.

    (time, channel) → (time, latent). Minimises InfoNCE, the mean over references r with positive p
    and negatives n of −φ(r, p)/τ + log Σ exp φ(r, n)/τ (`isofold.objectives.infonce`), over an
    encoder of a short window of the signal. What makes a pair near is `conditional`: "time" (Δ
    samples later in the same trial), "time_delta" (a sample whose label is that of the reference
    plus a change seen elsewhere), "delta_normal" (label within a Gaussian of width `delta`).
    Discrete labels restrict positives to the reference's class. Windows, pairs and label
    differences never cross a trial or a gap.

    Settings left at "auto" follow `settings_["recipe"]` (docs/choose-a-method.md); settings given
    explicitly are obeyed exactly. An explicit `learning_rate` means a constant rate.

    Not for reading distances as physical ones, nor for judging on the data it was trained on: with
    labels it decodes them even from noise there. Score on held-out trials, beside
    `isofold.scores.control`.

    Its authors state that US patent 12499131 (EPFL) covers the method; the README says more.

    Parameters
    ----------
    model_architecture
        Name in `isofold.networks.ARCHITECTURES`; "auto" is "offset10-model".
    distance
        "cosine" or "euclidean" (negative squared); "auto" follows the model.
    conditional
        None means "time" without labels and "time_delta" with continuous ones.
    temperature, temperature_mode, min_temperature
        τ of the loss; "auto" learns it, not below `min_temperature`.
    time_offsets
        Δ in samples.
    delta
        Standard deviation of "delta_normal", in the label's unit.
    max_iterations, batch_size, num_negatives, learning_rate
        `batch_size=None` uses every sample as a reference in each step.
    optimizer_kwargs
        Pairs (name, value): betas, eps, weight_decay of Adam.
    output_dimension, num_hidden_units
        Width of the embedding and of the encoder.
    channel_dropout
        Share of channels zeroed at random in training, against leaning on few units.
    edges
        "replicate" repeats a segment's first and last sample; "valid" trains as `cebra` does.
    outside_trials
        Also train on samples that lie in no trial.
    verbose
        Progress bar with steps/s, loss and time left, on a terminal.
    random_state
        Seed; equal seeds give equal bits on one machine.

    Attributes
    ----------
    loss_, temperature_, settings_, interrupted_
        Loss of every step (nats), final τ, resolved settings, whether Ctrl-C ended the fit.

    Raises
    ------
    DataError
        A setting, label or shape breaks a rule.
    MissingValuesError
        NaN in what would be used; names channel or label and the first time.

    References
    ----------
    Schneider, Lee & Mathis, Nature 617, 360 (2023), Methods.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=10, n_units=20)
    >>> train, test = rat.split(test=0.2)
    >>> model = iso.CEBRA(output_dimension=3, max_iterations=20, random_state=0)
    >>> z = model.fit(train, labels=["position", "direction"]).transform(test)
    >>> z.dims, z.sizes["latent"]
    (('time', 'latent'), 3)
    """

    score_unit_ = "bits"

    def __init__(
        self,
        model_architecture="auto",
        criterion="infonce",
        distance="auto",
        conditional=None,
        temperature=1.0,
        temperature_mode="constant",
        min_temperature=0.1,
        time_offsets="auto",
        delta=None,
        max_iterations="auto",
        max_adapt_iterations=500,
        batch_size="auto",
        learning_rate="auto",
        optimizer="adam",
        output_dimension=8,
        verbose=False,
        num_hidden_units=32,
        optimizer_kwargs=(),
        num_negatives="auto",
        channel_dropout="auto",
        edges="replicate",
        outside_trials=False,
        random_state=None,
    ):
        self.model_architecture = model_architecture
        self.criterion = criterion
        self.distance = distance
        self.conditional = conditional
        self.temperature = temperature
        self.temperature_mode = temperature_mode
        self.min_temperature = min_temperature
        self.time_offsets = time_offsets
        self.delta = delta
        self.max_iterations = max_iterations
        self.max_adapt_iterations = max_adapt_iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.output_dimension = output_dimension
        self.verbose = verbose
        self.num_hidden_units = num_hidden_units
        self.optimizer_kwargs = optimizer_kwargs
        self.num_negatives = num_negatives
        self.channel_dropout = channel_dropout
        self.edges = edges
        self.outside_trials = outside_trials
        self.random_state = random_state

    # -- fit ----------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        *y: Any,
        labels: Sequence[str] | str | None = None,
        trials: pd.DataFrame | None = None,
        adapt: bool = False,
        callback: Callable[[int, CEBRA], Any] | None = None,
        callback_frequency: int | None = None,
        **keyword: Any,
    ) -> Self:
        """Train from scratch; with `adapt`, retrain only the first layer for other channels."""
        inputs = gather(self, X, positional(y, keyword), labels, trials, reset=True)
        settings, architecture = self._resolve(inputs)
        rng = np.random.default_rng(self.random_state)
        channels = self.n_features_in_
        encoder = build(
            architecture,
            channels,
            padded_size(channels),
            int(settings["num_hidden_units"]),
            int(settings["output_dimension"]),
            rng,
        )
        steps = settings["max_iterations"]
        if adapt:
            encoder = self._with_first_layer(encoder)
            steps = settings["max_adapt_iterations"]
        self.settings_ = settings
        return self._train(inputs, encoder, int(steps), rng, adapt, callback, callback_frequency)

    def partial_fit(
        self,
        X: Any,
        *y: Any,
        labels: Sequence[str] | str | None = None,
        trials: pd.DataFrame | None = None,
        callback: Callable[[int, CEBRA], Any] | None = None,
        callback_frequency: int | None = None,
    ) -> Self:
        """Train on for `max_iterations` steps, on the data given now."""
        if not hasattr(self, "encoder_"):
            return self.fit(
                X,
                *y,
                labels=labels,
                trials=trials,
                callback=callback,
                callback_frequency=callback_frequency,
            )
        inputs = gather(self, X, y, labels, trials)
        self.settings_, _ = self._resolve(inputs)
        rng = np.random.default_rng(self.random_state)
        steps = int(self.settings_["max_iterations"])
        return self._train(inputs, self.encoder_, steps, rng, False, callback, callback_frequency)

    def _resolve(self, inputs: Inputs):
        params = self.get_params(deep=False)
        if params["model_architecture"] == "auto":
            params["model_architecture"] = "offset10-model"
        architecture = get_architecture(params["model_architecture"])
        settings = _recipe.resolve(params, architecture, len(inputs.recording))
        _recipe.check(settings, architecture)
        settings["conditional"] = choose_rule(settings["conditional"], inputs)
        settings["labels"] = [] if settings["conditional"] == "time" else list(inputs.labels)
        return settings, architecture

    def _with_first_layer(self, drawn):
        """The fitted encoder, with the first layer just drawn for the new channels."""
        import equinox as eqx

        if not hasattr(self, "encoder_"):
            raise DataError("adapt=True needs a fitted model; fit it on a first recording")
        return eqx.tree_at(lambda e: e.layers, drawn, (drawn.layers[0], *self.encoder_.layers[1:]))

    def _train(self, inputs, encoder, steps, rng, adapt, callback, every) -> Self:
        from .. import training
        from ._progress import progress

        settings, recording = self.settings_, inputs.recording
        start, stop = used_segments(recording, self.outside_trials, settings["labels"])
        source, whole = source_of(recording, encoder, settings, start, stop)
        constant = settings["schedule"] == "constant"
        rate = float(settings["learning_rate"])
        plan = training.Plan(
            rates=np.full(steps, rate) if constant else training.one_cycle(steps, rate),
            batch_size=settings["batch_size"],
            num_negatives=settings["num_negatives"] or 0,
            temperature=float(settings["temperature"]),
            distance=settings["distance"],
            hyper=adam_settings(settings),
            whole=whole,
            learn_temperature=settings["temperature_mode"] == "auto",
            first_layer_only=adapt,
        )

        def report(done: int, loss: float, encoder, temperature: float) -> None:
            self._keep(encoder, temperature)
            if callback is not None:
                callback(done, self)

        with progress(steps, self.verbose) as tick:
            trained = training.train(
                encoder,
                source,
                lambda pool: pair_sampler(pool, settings),
                plan,
                rng,
                callback=report if callback else None,
                callback_frequency=every,
                tick=tick,
            )
        finite = np.isfinite(trained.loss)
        if not finite.all():
            raise DataError(
                f"training diverged at step {int(np.argmin(finite))} of {steps}; "
                "bring the signal to a common scale (preprocess.zscore) or give a smaller "
                f"learning_rate than {rate:g}"
            )
        self._keep(trained.encoder, trained.temperature)
        self.loss_, self.temperatures_ = trained.loss, trained.temperatures
        self.interrupted_ = trained.interrupted
        return self

    def _keep(self, encoder, temperature: float) -> None:
        self.encoder_, self.temperature_ = encoder, temperature
        self.offset_ = encoder.offset
        self.output_dimension_ = int(self.settings_["output_dimension"])

    # -- use ----------------------------------------------------------------------------------

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        from ..training import encode

        seg = recording.segments
        start, stop = seg["start"].to_numpy(), seg["stop"].to_numpy()
        left, right = self.offset_
        place = np.arange(len(recording))
        segment = np.repeat(np.arange(len(start)), stop - start)
        edge = (place - start[segment] < left) | (stop[segment] - place < right)
        layout = Layout(
            recording.signal, start, stop, self.offset_, Targets(), 0,
            padded_size(self.n_features_in_),
        )  # fmt: skip
        parts = list(encode(self.encoder_, layout.blocks(_recipe.POOL_ROWS)))
        return np.concatenate(parts), edge

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Information in bits, log₂ M − InfoNCE/ln 2, of each evaluation batch.

        Pairs follow the rule of the fit, drawn from this recording. Chance pairs every reference
        with a random sample. 0 is a collapsed embedding.
        """
        from .._step import information

        names = self.settings_["labels"]
        start, stop = used_segments(recording, self.outside_trials, names)
        z, _ = self._embed(recording)
        n = int((stop - start).sum())
        targets = targets_of(recording, names)
        pool = Layout(z, start, stop, (0, 1), targets, n, z.shape[1]).lay(
            start, stop, np.arange(len(start))
        )
        pairs = pair_sampler(pool, self.settings_)
        rng = np.random.default_rng(seed)
        shape = (EVALUATION["batches"], EVALUATION["batch_size"])
        reference = pairs.references(rng, shape)
        positive = pairs.positives(rng, reference)
        negative = pairs.negatives(rng, (EVALUATION["batches"], EVALUATION["num_negatives"]))
        unrelated = rng.permuted(positive, axis=1)
        bits, chance = (
            information(
                *(pool.rows[index] for index in (reference, partner, negative)),
                self.temperature_,
                distance=self.settings_["distance"],
            )
            for partner in (positive, unrelated)
        )
        return np.asarray(bits, float), self.score_unit_, np.asarray(chance, float)

    def _scored(self, inputs: Inputs) -> Recording:
        wanted = self.settings_["labels"]
        if inputs.shape is not None and wanted and list(inputs.labels) != wanted:
            raise DataError(
                f"the model was fitted with {len(wanted)} label(s); give score() as many, "
                f"got {len(inputs.labels)}"
            )
        return inputs.recording

    # -- files --------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, NDArray]:
        import jax

        leaves = jax.tree.leaves(self.encoder_)
        arrays = {f"encoder.{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
        return arrays | {"loss": self.loss_, "temperatures": self.temperatures_}

    def _facts(self) -> dict[str, Any]:
        return {
            "settings": self.settings_,
            "temperature": self.temperature_,
            "interrupted": self.interrupted_,
        }

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        import jax
        import jax.numpy as jnp

        self.settings_ = facts["settings"]
        self.loss_, self.temperatures_ = arrays["loss"], arrays["temperatures"]
        self.interrupted_ = facts["interrupted"]
        skeleton = build(
            get_architecture(self.settings_["model_architecture"]),
            self.n_features_in_,
            padded_size(self.n_features_in_),
            int(self.settings_["num_hidden_units"]),
            int(self.settings_["output_dimension"]),
            np.random.default_rng(0),
        )
        leaves = [
            jnp.asarray(arrays[f"encoder.{i}"]) for i in range(len(jax.tree.leaves(skeleton)))
        ]
        self._keep(jax.tree.unflatten(jax.tree.structure(skeleton), leaves), facts["temperature"])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.conditional in ("time_delta", "delta_normal", "delta")
        return tags
