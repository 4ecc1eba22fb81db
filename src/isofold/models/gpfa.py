"""GPFA: factor analysis whose latents are smooth in time, by the elephant package."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import FactorAnalysis

from .._extras import require
from ..errors import DataError
from ..recording import Recording
from ..trials import Ints, expand
from ._base import Estimator
from ._eigen import upright
from ._gaussian_process import Processes
from ._inputs import gather, positional, used_segments
from ._sample_model import CHANCE_DRAWS, Floats, require_dimension
from ._shared_variance import alone, torn

PIECE = 20
"""Samples of the pieces that are learned from, as in elephant."""
TAU = 5.0
"""First guess of the time scale, in samples: elephant's 100 ms in bins of 20 ms."""
ARRAYS = (
    *("loadings", "mean", "train_mean", "variance", "noise_variance"),
    *("active", "gamma", "eps", "time_scales"),
)
"""Fitted arrays that a file holds."""


class GPFA(Estimator):
    """x_t = C z_t + d + noise, each latent a Gaussian process: k(t, s) ∝ exp(−(t − s)²/2τ²).

    z_t = E[z_t | x of the whole trial], turned so that latents are orthonormal in the signal and
    sorted by the variance they explain there. Trials are the units of inference: nothing passes
    from one to the next. It is learned from pieces of 20 samples (shorter trials as they are).
    Trials of more than `window` samples are inferred in windows of that many that overlap by half,
    each sample in the window in whose middle it lies.

    Goodness of fit is the gain in log-likelihood over channels that are independent Gaussians, in
    bits a sample. Not for counts as they are (`preprocess.square_root` first), nor for latencies:
    a latent has seen the future of its trial. Slow: time grows with the cube of `window`.

    Parameters
    ----------
    output_dimension
        Number of latents.
    tau_init
        First guess of the time scale τ in seconds; None: 5 samples.
    em_max_iters, em_tol
        Expectation maximisation stops after so many rounds, or when the gain in log-likelihood
        falls below this share of the whole gain.
    min_var_frac
        Least private variance of a channel, as a share of its variance.
    eps_init
        Noise variance of the Gaussian processes.
    window
        Longest stretch that is inferred in one piece, in samples.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Accepted for the sake of one interface; nothing is drawn.

    Attributes
    ----------
    loadings_, mean_, noise_variance_
        C (channel, latent), d, and each channel's private variance. Channels that never varied
        have no loading.
    time_scales_
        τ of each Gaussian process (not of the turned latents), in seconds.
    log_likelihood_
        Of the training pieces after the last round, in nats.

    Raises
    ------
    MissingDependencyError
        elephant is not installed: pip install "isofold[gpfa]".
    DataError
        More latents than channels that vary, or a setting breaks a rule.

    References
    ----------
    Yu, Cunningham et al., J. Neurophysiol. 102, 614 (2009). Computed by elephant.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=4, n_units=10)
    >>> model = iso.GPFA(output_dimension=2, em_max_iters=5)
    >>> model.fit(rat).transform(rat).shape[1]
    2
    """

    score_unit_ = "bits a sample over independent channels"

    def __init__(
        self,
        output_dimension: int = 3,
        *,
        tau_init: float | None = None,
        em_max_iters: int = 500,
        em_tol: float = 1e-8,
        min_var_frac: float = 0.01,
        eps_init: float = 1e-3,
        window: int = 200,
        outside_trials: bool = False,
        random_state: Any = None,
    ):
        self.output_dimension = output_dimension
        self.tau_init = tau_init
        self.em_max_iters = em_max_iters
        self.em_tol = em_tol
        self.min_var_frac = min_var_frac
        self.eps_init = eps_init
        self.window = window
        self.outside_trials = outside_trials
        self.random_state = random_state

    def fit(self, X: Any, *y: Any, labels: Any = None, trials: Any = None, **keyword: Any) -> Self:
        """Learn loadings and time scales; labels are accepted and not used."""
        core = require("elephant.gpfa.gpfa_core", "gpfa", "GPFA")
        recording = gather(self, X, positional(y, keyword), labels, trials, reset=True).recording
        start, stop = used_segments(recording, self.outside_trials)
        signal = np.asarray(recording.signal, np.float64)
        rows = signal[expand(start, stop)]
        self._check(rows, recording)
        self.train_mean_, self.variance_ = rows.mean(axis=0), rows.var(axis=0)
        self.active_ = self.variance_ > 0
        first, last = windows(start, stop, PIECE)
        pieces = _sequences([signal[a:b, self.active_] for a, b in zip(first, last, strict=True)])
        tau = TAU if self.tau_init is None else self.tau_init * recording.rate
        with warnings.catch_warnings(), redirect_stdout(StringIO()):  # it prints as it goes
            warnings.simplefilter("ignore")
            found, _, likelihood, _ = core.em(
                self._guess(rows[:, self.active_], tau),
                pieces,
                max_iters=self.em_max_iters,
                tol=self.em_tol,
                min_var_frac=self.min_var_frac,
                freq_ll=5,
            )
        self._learned(found, recording.rate)
        self.log_likelihood_ = float(np.asarray(likelihood)[np.isfinite(likelihood)][-1])
        self.settings_ = {
            "output_dimension": self.output_dimension,
            "tau_init": tau / recording.rate,
            "n_iter": len(likelihood),
            "window": self.window,
        }
        return self

    def _check(self, rows: Floats, recording: Recording) -> None:
        n_active = int(np.sum(rows.var(axis=0) > 0))
        if n_active < 2:
            raise DataError(
                f"GPFA needs at least 2 channels that vary; {n_active} of "
                f"n_features = {rows.shape[1]} do"
            )
        most = min(n_active, len(rows) - 1)
        require_dimension(self.output_dimension, most, "channels that vary, samples − 1")
        if self.window < 2:
            raise DataError(f"window must be at least 2 samples, got {self.window}")
        given = {"tau_init": self.tau_init, "eps_init": self.eps_init}
        for name, value in given.items():
            if value is not None and not value > 0:
                raise DataError(f"{name} must be positive, got {value}")

    def _guess(self, rows: Floats, tau: float) -> dict[str, Any]:
        """Where expectation maximisation starts: factor analysis, as in elephant."""
        shared = FactorAnalysis(self.output_dimension, noise_variance_init=rows.var(axis=0))
        shared.fit(rows)
        floor = self.min_var_frac * rows.var(axis=0)
        return {
            "covType": "rbf",
            "gamma": np.full(self.output_dimension, tau**-2.0),
            "eps": np.full(self.output_dimension, self.eps_init),
            "d": rows.mean(axis=0),
            "C": shared.components_.T,
            "R": np.diag(np.maximum(shared.noise_variance_, floor)),
            "notes": {"learnKernelParams": True, "learnGPNoise": False, "RforceDiagonal": True},
        }

    def _learned(self, found: dict[str, Any], rate: float) -> None:
        self.loadings_ = np.zeros((len(self.active_), self.output_dimension))
        self.loadings_[self.active_] = found["C"]
        self.mean_ = self.train_mean_.copy()
        self.mean_[self.active_] = found["d"]
        self.noise_variance_ = np.zeros(len(self.active_))
        self.noise_variance_[self.active_] = np.diag(found["R"])
        self.gamma_, self.eps_ = np.asarray(found["gamma"]), np.asarray(found["eps"])
        self.time_scales_ = 1 / np.sqrt(self.gamma_) / rate
        self.output_dimension_ = self.output_dimension

    def _processes(self) -> Processes:
        return Processes(
            self.loadings_[self.active_],
            self.mean_[self.active_],
            self.noise_variance_[self.active_],
            self.gamma_,
            self.eps_,
        )

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Bits a sample over independent channels, per segment; chance: channels shifted apart."""
        start, stop = used_segments(recording, self.outside_trials)
        rows = np.asarray(recording.signal, np.float64)[expand(start, stop)]
        border = np.concatenate([[0], np.cumsum(stop - start)])
        rng = np.random.default_rng(seed)
        draws = [rows, *(torn(rows, border[:-1], border[1:], rng) for _ in range(CHANCE_DRAWS))]
        segments = [one for draw in draws for one in np.split(draw, border[1:-1])]
        gain = self._gain(segments).reshape(len(draws), len(start))
        return gain[0], self.score_unit_, gain[1:] @ (stop - start) / len(rows)

    def _gain(self, segments: list[Floats]) -> Floats:
        """Bits a sample of each segment, cut where it is longer than a window."""
        segments = [one[:, self.active_] for one in segments]
        cuts = [np.array_split(one, -(-len(one) // self.window)) for one in segments]
        _, nats = self._processes().infer([piece for pieces in cuts for piece in pieces])
        first = np.cumsum([0, *(len(pieces) for pieces in cuts[:-1])])
        together = np.add.reduceat(nats, first)
        mean, variance = self.train_mean_[self.active_], self.variance_[self.active_]
        own = np.array([alone(one, mean, variance).sum() for one in segments])
        return (together - own) / np.log(2) / np.array([len(one) for one in segments])

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        signal, table = np.asarray(recording.signal, np.float64), recording.segments
        first, last = windows(
            table["start"].to_numpy(), table["stop"].to_numpy(), self.window, self.window // 2
        )
        pieces = [signal[a:b, self.active_] for a, b in zip(first, last, strict=True)]
        latents, _ = self._processes().infer(pieces)
        _, size, right = np.linalg.svd(self.loadings_, full_matrices=False)
        turn = upright(right.T) * size
        left, right = first.copy(), last.copy()
        shared = first[1:] < last[:-1]  # with the window before: each up to the middle
        left[1:][shared] = right[:-1][shared] = ((first[1:] + last[:-1]) // 2)[shared]
        z = np.empty((len(signal), self.output_dimension_))
        for latent, start, a, b in zip(latents, first, left, right, strict=True):
            z[a:b] = latent[a - start : b - start] @ turn
        return z, np.zeros(len(z), bool)

    def _arrays(self) -> dict[str, NDArray]:
        return {name: getattr(self, f"{name}_") for name in ARRAYS}

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_, "log_likelihood": self.log_likelihood_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        for name in ARRAYS:
            setattr(self, f"{name}_", arrays[name])
        self.settings_, self.log_likelihood_ = facts["settings"], facts["log_likelihood"]
        self.output_dimension_ = self.loadings_.shape[1]


def windows(start: Ints, stop: Ints, length: int, overlap: int = 0) -> tuple[Ints, Ints]:
    """Start and stop of windows of one length, evenly over each stretch; shorter ones as they are.

    Neighbours share at least `overlap` samples.

    >>> windows(np.array([0, 100]), np.array([45, 110]), 20)
    (array([  0,  12,  25, 100]), array([ 20,  32,  45, 110]))
    """
    first, last = [], []
    for a, b in zip(start, stop, strict=True):
        size = min(length, b - a)
        n = max(1, -(-(b - a - overlap) // (length - overlap))) if size == length else 1
        begin = np.linspace(a, b - size, n).round().astype(np.int64)
        first.append(begin)
        last.append(begin + size)
    return np.concatenate(first), np.concatenate(last)


def _sequences(pieces: Sequence[Floats]) -> NDArray:
    """Pieces (time, channel) as elephant takes them."""
    sequences = np.empty(len(pieces), dtype=[("T", int), ("y", object)])
    for sequence, piece in zip(sequences, pieces, strict=True):
        sequence["T"], sequence["y"] = len(piece), piece.T
    return sequences
