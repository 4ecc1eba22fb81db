"""CEBRA: contrastive embeddings by time, by behaviour, across trials and across recordings."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from ._contrastive import Contrastive


class CEBRA(Contrastive):
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
        Name in `isofold.networks.ARCHITECTURES`; "auto" is "offset10-model". Or a function
        (n_channels, num_hidden_units, output_dimension, seed) → Equinox module that states its
        `offset` (`isofold.networks.check_encoder`).
    device
        "cpu", "cuda", "cuda:1"; "cuda_if_available" is JAX's own choice.
    causal
        The window of a sample ends with it; needed for `stream`.
    distance
        "cosine" or "euclidean" (negative squared); "auto" follows the model.
    conditional
        None means "time" without labels and "time_delta" with continuous ones. Across trials:
        "trial_time", "trial_delta", "trial_time_delta" (`isofold.sampling.AcrossTrialsSampler`).
    temperature, temperature_mode, min_temperature
        τ of the loss. Mode "auto" learns it, not below `min_temperature`; "validation" fits several
        (a list, or .1, .3, 1 and 3 times the value) and keeps the one whose held-out positives are
        nearest to their references most often (`temperatures_tried_`).
    time_offsets
        Δ in samples.
    delta
        Standard deviation of "delta_normal" and of the rules across trials, in the label's unit.
    prior
        "empirical": references as often as their class occurs; "uniform": every class alike;
        "trials": every trial alike, for rules across trials.
    time_window, same_trial, balance, fixed_partner
        Across trials: samples on either side, whether the own trial counts, whether "samples" or
        "trials" are drawn evenly, and whether a trial keeps its partner.
    hybrid, hybrid_dimensions, hybrid_weights
        Behaviour on the first latents, time on all, and how much each counts.
    objectives
        In their place: a list of tables with any of conditional, labels, dimensions (first, last),
        weight (a number or a schedule), temperature, distance and the settings of the rule.
    jacobian, jacobian_projections
        Weight (or schedule) of ½ ‖∂z/∂x‖² at the references, exact or by random directions.
    sessions
        Several recordings: "separate" encoders, one "trunk" behind input layers of their own, or
        "joined" side by side as channels of one encoder.
    validation, patience
        Share of the trials held out of training; looks without gain after which it stops.
    n_init, keep
        Starts, and which is kept: the best on "validation", or the one of most "consistency".
    masking_kwargs
        Masks of the input in training, pairs (name, value) as in `cebra`; also "PoissonThinning".
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
    pad_before_transform
        False leaves out the samples whose window reaches an edge.
    random_state
        Seed; equal seeds give equal bits on one machine.

    Attributes
    ----------
    loss_, temperature_, settings_, interrupted_
        Loss of every step (nats), final τ, resolved settings, whether Ctrl-C ended the fit.
    encoders_, sessions_, validation_
        One encoder a recording and their names; information on held-out trials over the steps.

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
        device="cuda_if_available",
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
        pad_before_transform=True,
        hybrid=False,
        optimizer_kwargs=(),
        masking_kwargs=None,
        *,
        num_negatives="auto",
        channel_dropout="auto",
        causal=False,
        prior="auto",
        time_window=10,
        same_trial=False,
        balance="samples",
        fixed_partner=False,
        hybrid_dimensions=3,
        hybrid_weights=(1.0, 1.0),
        objectives=None,
        jacobian=0.0,
        jacobian_projections=0,
        sessions="separate",
        validation=None,
        patience=10,
        n_init=1,
        keep="validation",
        edges="replicate",
        outside_trials=False,
        random_state=None,
    ):
        self.model_architecture = model_architecture
        self.device = device
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
        self.pad_before_transform = pad_before_transform
        self.hybrid = hybrid
        self.optimizer_kwargs = optimizer_kwargs
        self.masking_kwargs = masking_kwargs
        self.num_negatives = num_negatives
        self.channel_dropout = channel_dropout
        self.causal = causal
        self.prior = prior
        self.time_window = time_window
        self.same_trial = same_trial
        self.balance = balance
        self.fixed_partner = fixed_partner
        self.hybrid_dimensions = hybrid_dimensions
        self.hybrid_weights = hybrid_weights
        self.objectives = objectives
        self.jacobian = jacobian
        self.jacobian_projections = jacobian_projections
        self.sessions = sessions
        self.validation = validation
        self.patience = patience
        self.n_init = n_init
        self.keep = keep
        self.edges = edges
        self.outside_trials = outside_trials
        self.random_state = random_state

    @staticmethod
    def supported_model_architectures(pattern: str = "*") -> list[str]:
        """Names of architectures with a row for every sample, by a pattern such as "offset1-*"."""
        from ..networks import ARCHITECTURES

        return [n for n, a in ARCHITECTURES.items() if a.stride == 1 and fnmatch(n, pattern)]

    def save(self, path: str | Path, backend: str | None = None) -> Path:
        """Write one safetensors file. `backend` is accepted and ignored: nothing is pickled."""
        return super().save(path)

    @staticmethod
    def load(
        path: str | Path,
        backend: str | None = None,
        weights_only: bool | None = None,
        *,
        encoder: Callable | None = None,
    ) -> CEBRA:
        """`isofold.load`, under the name that the `cebra` package has for it.

        `backend` and `weights_only` are accepted and ignored: loading never executes anything.
        """
        from . import load

        return load(path, encoder=encoder)  # type: ignore[return-value]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.conditional in ("delta_normal", "delta")
        return tags
