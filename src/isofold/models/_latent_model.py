"""What fitted latent variable models do: embed with and without labels, decode, score, save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording
from . import _vae_decode, _vae_observe, _vae_use
from ._base import Estimator
from ._device import on_device
from ._embedding import as_embedding
from ._encode import at_edge
from ._inputs import Inputs, inputs_of, is_list_of_recordings, tables_of
from ._label_code import LabelCode
from ._sessions import require_channels, session_number
from ._vae_frames import along_candidates, given_back, named, require_draws
from ._vae_store import arrays_of, facts_of, log_of, restore

if TYPE_CHECKING:
    import xarray as xr

    from ._vae_diagnosis import Diagnosis


class LatentModel(Estimator):
    """A fitted model of signal and label given a latent. Abstract: subclasses fit.

    `params_` holds one label prior, and posterior and decoder of each recording; `code_` says how
    labels are coded, `candidates_` which to consider where none is given.
    """

    device: str
    params_: Any
    code_: LabelCode
    candidates_: pd.DataFrame
    settings_: dict[str, Any]
    sessions_: tuple[str, ...]
    channels_: tuple[int, ...]

    # -- embed --------------------------------------------------------------------------------

    def transform(  # type: ignore[override]  # labels may be given
        self,
        X: Any,
        *y: Any,
        with_labels: bool = False,
        posterior: str = "auto",
        session_id: int | str | None = None,
        trials: Any = None,
    ) -> Any:
        """Embed every sample as the mean of a posterior.

        Parameters
        ----------
        X
            As in `fit`. A list comes back as a list.
        *y
            Labels of an array, with `with_labels`.
        with_labels
            Use the labels: the mean of q(z|x,u). `attrs["labels_used"]` says so.
        posterior
            Without labels: "encoder", the mean of q(z|x); "marginal", the mean of
            Σ p(u|x) q(z|x,u) over `candidates_`, what the model believes where the label is not
            known; "auto" is `default_posterior`.
        session_id
            Which recording of a fit of several an array belongs to (its place or name).
        trials
            With a (time, channel) array: table of `start`, `stop`, walls for windows.

        Raises
        ------
        MissingValuesError
            A sample, or a label that is used, has no value.
        DataError
            The number of channels is not that of the fit; a class that the fit has not seen.
        """
        check_is_fitted(self, "params_")
        if is_list_of_recordings(X):
            walls = tables_of(X, trials)
            places = len(self.sessions_) > 1 and not isinstance(X[0], Recording)
            return [
                self.transform(
                    x, *[v[n] for v in y], with_labels=with_labels, posterior=posterior,
                    session_id=n if places else session_id, trials=table,
                )
                for n, (x, table) in enumerate(zip(X, walls, strict=True))
            ]  # fmt: skip
        number, inputs = self._one(X, y, session_id, trials, with_labels)
        with on_device(self.device):
            z, edge = _vae_use.embed_mean(
                self, number, inputs.recording, with_labels, self._posterior(posterior)
            )
        if inputs.shape is not None:
            return inputs.give_back(z)
        return as_embedding(z, inputs.recording, edge, type(self).__name__, with_labels)

    @property
    def default_posterior(self) -> str:
        """ "marginal", what the model believes where labels are not known; "encoder" where there is
        no label, or where q(z|x) is trained as a posterior and sees more than is explained."""
        settings = self.settings_
        part = self.params_.parts[0]
        sees_more = part.posterior.receptive_field > part.decoder.bins
        trained = settings["objective"] in ("ci", "released")
        return "encoder" if settings["prior"] == "none" or (trained and sees_more) else "marginal"

    def _posterior(self, name: str) -> str:
        if name not in ("auto", "encoder", "marginal"):
            raise DataError(f"posterior must be 'auto', 'encoder' or 'marginal', got {name!r}")
        chosen = self.default_posterior if name == "auto" else name
        if chosen == "encoder" and _vae_use.labels_seen(self.settings_):
            raise DataError(
                f"the encoder of {type(self).__name__} takes labels: without them use "
                "posterior='marginal'"
            )
        return "encoder" if self.settings_["prior"] == "none" else chosen

    def _one(
        self, X: Any, y: tuple, session_id: int | str | None, trials: Any, with_labels: bool
    ) -> tuple[int, Inputs]:
        """The place of the only input among the recordings of the fit, and the input, checked."""
        check_is_fitted(self, "params_")
        if is_list_of_recordings(X):
            raise DataError(
                f"this takes one recording or array at a time, got a list of {len(X)}; only "
                "transform takes several"
            )
        inputs = inputs_of(
            self, X, y, trials=trials, reset=None if len(self.sessions_) > 1 else False
        )
        recording = inputs.recording
        number = session_number(self, session_id, X if isinstance(X, Recording) else None)
        require_channels(self, number, recording)
        used = self.settings_["labels"] if with_labels else []
        if used:
            inputs = named(inputs, used)
            recording = inputs.recording
        if inputs.shape is None or used:
            require_complete(recording, used, np.ones(len(recording), bool))
        return number, inputs

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        number = session_number(self, None, recording)
        require_channels(self, number, recording)
        with on_device(self.device):
            return _vae_use.embed_mean(self, number, recording, False, self._posterior("auto"))

    # -- what it believes ---------------------------------------------------------------------

    def posterior(
        self, X: Any, *y: Any, with_labels: bool = False, posterior: str = "auto",
        session_id: int | str | None = None, trials: Any = None,
    ) -> xr.Dataset:  # fmt: skip
        """Mean and variance of the posterior whose mean `transform` gives.

        Returns `mean` and `variance`, both (time, latent); trials of an array follow one another.
        Parameters and errors are those of `transform`, for one recording.
        """
        number, inputs = self._one(X, y, session_id, trials, with_labels)
        with on_device(self.device):
            mean, variance, edge = _vae_use.embed_gaussian(
                self, number, inputs.recording, with_labels, self._posterior(posterior)
            )
        z = as_embedding(mean, inputs.recording, edge, type(self).__name__, with_labels)
        return z.to_dataset(name="mean").assign(variance=z.copy(data=variance))

    def label_posterior(
        self,
        X: Any,
        *,
        candidates: pd.DataFrame | None = None,
        n_samples: int = 100,
        prior: str = "empirical",
        session_id: int | str | None = None,
        trials: Any = None,
    ) -> xr.DataArray:
        """log p(u|x) of every sample over candidate labels, by Monte Carlo.

            p(u|x) ∝ p(u) p(x|u),   p(x|u) ≈ 1/S Σ_s p(x|z_s),   z_s ~ p(z|u)

        With the same draws for all candidates. A window is explained as a whole. Not where few of
        the draws explain x at all (very many channels, a wide p(z|u)): raise `n_samples` until
        the answer stays.

        Parameters
        ----------
        candidates
            Table of labels to consider, a column for each (name_0, name_1, … for one of several
            columns), and `weight`, p(u) up to a factor. Default `candidates_`.
        n_samples
            Draws S for each candidate.
        prior
            "empirical": p(u) is `weight` (equal where there is none); "flat": equal.

        Returns
        -------
        xarray.DataArray
            (time, candidate) in nats; labels as coordinates of `candidate`, and `log_evidence`
            (time,) log p(x) = log Σ p(u) p(x|u).

        Raises
        ------
        DataError
            The model has no labels; candidates lack a label or are not known to the fit.
        """
        require_draws(n_samples)
        number, inputs = self._one(X, (), session_id, trials, False)
        table, log_p, evidence = self._labels(number, inputs, candidates, n_samples, prior)
        return along_candidates(log_p, evidence, table, inputs.recording)

    @available_if(_vae_decode.decodes)  # scikit-learn asks what a VAE has
    def predict(
        self,
        X: Any,
        label: str | None = None,
        *,
        joint: bool = False,
        candidates: pd.DataFrame | None = None,
        n_samples: int = 100,
        prior: str = "flat",
        session_id: int | str | None = None,
        trials: Any = None,
    ) -> Any:
        """The most probable value of one label, (time,), as `label_posterior` has it.

        Other labels are summed out (as pi-VAE decodes position over directions); with `joint`, the
        value is that of the best candidate as a whole (as conv-pi-VAE does). Where `candidates_`
        are samples, of labels of several continuous columns, both are the same.

        Parameters
        ----------
        label
            Which; may be left out where there is one.
        candidates, n_samples, prior
            As in `label_posterior`; flat by default, as published.

        Raises
        ------
        DataError
            As `label_posterior`; the label is not one of the fit, or not said.
        """
        require_draws(n_samples)
        number, inputs = self._one(X, (), session_id, trials, False)
        name = _vae_decode.wanted_label(self, label)
        table, log_p, _ = self._labels(number, inputs, candidates, n_samples, prior)
        found = _vae_decode.best_label(log_p, table, name, joint)
        dims = ("column",) if found.ndim > 1 else ()
        return given_back(found, inputs, f"predicted {name}", dims=dims)

    def log_likelihood(
        self,
        X: Any,
        *y: Any,
        n_samples: int = 50,
        with_labels: bool = True,
        session_id: int | str | None = None,
        trials: Any = None,
    ) -> Any:
        """log p(x|u) of every sample in nats, (time,), all constants kept.

        By importance weighting, log 1/S Σ p(x|z_s) p(z_s|u) / q(z_s) with z_s ~ q: in the mean
        below log p(x|u), and rising to it with S (Burda et al. 2016). With target="window" it is
        that of the whole window, which counts a bin as often as windows have it.

        Parameters
        ----------
        n_samples
            Draws S; without labels, of p(z|u) for each candidate.
        with_labels
            False: log p(x) over `candidates_`, as in `label_posterior`. A model without labels
            gives log p(x) either way.

        Raises
        ------
        DataError
            As in `transform`.
        """
        require_draws(n_samples)
        number, inputs = self._one(X, y, session_id, trials, with_labels)
        edge = at_edge(self.params_.parts[number].posterior, inputs.recording)
        if with_labels or not self.code_.parts:
            with on_device(self.device):
                values = _vae_use.evidence_of(
                    self.params_, number, inputs.recording, self.code_, self.settings_, n_samples
                )
        else:
            values = self._labels(number, inputs, None, n_samples, "empirical")[2]
        return given_back(values, inputs, "log_likelihood", edge=edge, unit="nats")

    def rates(
        self, X: Any, *y: Any, with_labels: bool = False, posterior: str = "auto",
        session_id: int | str | None = None, trials: Any = None,
    ) -> Any:  # fmt: skip
        """Expected activity (time, channel) per bin at the mean that `transform` gives.

        Of the sample's own bin where windows are explained. Parameters and errors as there.
        """
        number, inputs = self._one(X, y, session_id, trials, with_labels)
        recording = inputs.recording
        with on_device(self.device):
            z, edge = _vae_use.embed_mean(
                self, number, recording, with_labels, self._posterior(posterior)
            )
            found = _vae_observe.expected(self.params_.parts[number], z)
        return given_back(
            found, inputs, "rates", edge=edge, dims=("channel",), unit=_vae_observe.UNIT,
            coords={"channel": recording.channels.index.to_numpy()},
        )  # fmt: skip

    def tuning(self, n: int = 40, session_id: int | str | None = None) -> xr.DataArray:
        """Expected activity of every channel over the latent, (latent_0, latent_1, channel).

        `n` steps a latent, over the middle 98 % of the model's own latents, Σ p(u) p(z|u). Of
        other than two latents (latent, step, channel): along each, the others at their median;
        coordinate `value` (latent, step) says where.
        """
        check_is_fitted(self, "params_")
        if not isinstance(n, (int, np.integer)) or n < 2:
            raise DataError(f"tuning needs n >= 2 steps a latent, a whole number, got {n!r}")
        with on_device(self.device):
            return _vae_observe.tuning(self, session_number(self, session_id), int(n))

    def sample(
        self, n: int | pd.DataFrame, seed: int = 0, session_id: int | str | None = None
    ) -> NDArray[Any]:
        """Activity drawn from the model, (n, channel); whole numbers where it models counts.

        `n` samples of labels as common as in `candidates_`, or one of p(x|u) for each row of a
        table of labels. Bins are drawn one by one: no dependence in time but that of the labels.
        """
        check_is_fitted(self, "params_")
        with on_device(self.device):
            return _vae_observe.sample(self, session_number(self, session_id), n, seed)

    def diagnose(
        self, X: Any, *y: Any, session_id: int | str | None = None, trials: Any = None
    ) -> Diagnosis:
        """Are latents collapsed, do labels decide, are there labels enough: a `Diagnosis`.

        On held-out data with labels, where there are any. Its `verdict` says it in sentences.
        """
        from ._vae_diagnosis import diagnose

        check_is_fitted(self, "params_")
        recording = self._scored(self._to_score(X, y, None, trials))
        number = session_number(self, session_id, X if isinstance(X, Recording) else None)
        require_channels(self, number, recording)
        with on_device(self.device):
            return diagnose(self, number, recording)

    def _labels(self, number: int, inputs: Inputs, candidates, n_samples: int, prior: str):
        with on_device(self.device):
            return _vae_decode.posterior_of_labels(
                self, number, inputs.recording, candidates, n_samples, prior
            )

    # -- score --------------------------------------------------------------------------------

    @property
    def score_unit_(self) -> str:
        """Unit of `score`."""
        return _vae_use.unit(self.settings_)

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Evidence of each segment over that of constant rates, its unit, and the same with labels
        of other samples."""
        number = session_number(self, None, recording)
        require_channels(self, number, recording)
        with on_device(self.device):
            values, chance = _vae_use.goodness(self, number, recording, seed)
        return values, self.score_unit_, chance

    def _to_score(self, X, y, labels, trials) -> Inputs:
        return inputs_of(self, X, y, labels, trials, None if len(self.sessions_) > 1 else False)

    def _scored(self, inputs: Inputs) -> Recording:
        return named(inputs, self.settings_["labels"]).recording

    # -- files --------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, NDArray]:
        return arrays_of(self.params_) | log_of(self)

    def _facts(self) -> dict[str, Any]:
        return facts_of(self)

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        restore(self, arrays, facts)
