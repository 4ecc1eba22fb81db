"""Estimators. `METHODS` is the only list of what can be named in a study or on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataError, ReadError
from ._base import OWN_ENCODER, Estimator
from ._files import read_model
from ._seeds import fit_seeds
from .cebra import CEBRA
from .ciivae import CIiVAE
from .diffusion_map import DiffusionMap
from .factor_analysis import FactorAnalysis
from .gpfa import GPFA
from .isomap import Isomap
from .ivae import IVAE
from .mind import MIND
from .pca import PCA
from .pcl import PCL
from .pivae import PiVAE
from .tcl import TCL
from .tsne import TSNE
from .umap import UMAP
from .vae import VAE

__all__ = [
    "CEBRA",
    "GPFA",
    "IVAE",
    "METHODS",
    "MIND",
    "PCA",
    "PCL",
    "TCL",
    "TSNE",
    "UMAP",
    "VAE",
    "CIiVAE",
    "DiffusionMap",
    "Estimator",
    "FactorAnalysis",
    "Isomap",
    "Method",
    "PiVAE",
    "fit_seeds",
    "load",
]


@dataclass(frozen=True)
class Method:
    """A named choice of estimator and settings. Calling it builds the estimator."""

    estimator: type[Estimator]
    summary: str
    settings: dict[str, Any] = field(default_factory=dict)
    labels: str = "ignored"
    """Whether labels are "ignored" or "required"."""

    def __call__(self, **settings: Any) -> Estimator:
        return self.estimator(**{**self.settings, **settings})


METHODS: dict[str, Method] = {
    "pca": Method(PCA, "linear projection on the directions of largest variance"),
    "cebra-time": Method(
        CEBRA, "contrastive, samples near in time belong together", {"conditional": "time"}
    ),
    "cebra-behavior": Method(
        CEBRA, "contrastive, samples with similar labels belong together", labels="required"
    ),
    "cebra-hybrid": Method(
        CEBRA,
        "contrastive by behaviour on the first latents and by time on all",
        {"hybrid": True},
        labels="required",
    ),
    "vae": Method(VAE, "latent variable model without labels: the baseline of those below"),
    "ivae": Method(IVAE, "identifiable VAE, an encoder of signal and label", labels="required"),
    "pivae": Method(
        PiVAE, "Poisson identifiable VAE: labels set the prior of the latent", labels="required"
    ),
    "conv-pivae": Method(
        PiVAE,
        "pi-VAE of a window: convolutional encoder, all bins of the window explained",
        {"encoder": "conv", "target": "window"},
        labels="required",
    ),
    "ciivae": Method(
        CIiVAE, "identifiable VAE whose encoder is a posterior by itself too", labels="required"
    ),
    "conv-ciivae": Method(
        CIiVAE,
        "CI-iVAE of activity smoothed in time, Gaussian noise",
        {"encoder": "smooth"},
        labels="required",
    ),
    "conv-poisson-ciivae": Method(
        CIiVAE,
        "CI-iVAE of a window: convolutional encoder, Poisson counts of all its bins",
        {"encoder": "conv", "observation": "poisson", "target": "window"},
        labels="required",
    ),
    "tcl": Method(TCL, "nonlinear ICA: features that tell stretches of time, or labels, apart"),
    "pcl": Method(PCL, "nonlinear ICA: features that tell neighbours in time from random pairs"),
    "mind": Method(MIND, "manifold from how probable it is to get from one state to another"),
    "mind-nieh-2021": Method(
        MIND,
        "MIND with larger leaves, more directions, and every state laid out",
        {"n_directions": 20, "min_leaf": 500, "landmarks": "all"},
    ),
    "umap": Method(UMAP, "a layout that keeps neighbours (needs umap-learn)"),
    "tsne": Method(TSNE, "a layout of neighbourhood probabilities (needs openTSNE)"),
    "isomap": Method(Isomap, "distances along the data, laid out in few dimensions"),
    "factor-analysis": Method(FactorAnalysis, "shared latents beside noise of each channel's own"),
    "gpfa": Method(GPFA, "factor analysis whose latents are smooth in time (needs elephant)"),
    "diffusion-map": Method(DiffusionMap, "slow directions of a random walk between neighbours"),
}
"""Every name that a study or `isofold embed` can give; docs/choose-a-method.md says when to."""


def load(path: str | Path, encoder: Callable | None = None) -> Estimator:
    """Read a model that `save` wrote. Nothing that the file names is imported or executed.

    Parameters
    ----------
    encoder
        For a model with an encoder of your own: the function that was its `model_architecture`.

    Raises
    ------
    ReadError
        There is no such file, or isofold did not write it.
    DataError
        The model has an encoder of its own and `encoder` is missing.

    Examples
    --------
    >>> import tempfile
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> file = iso.PCA(output_dimension=2).fit(circle).save(tempfile.mkdtemp() + "/model.isofold")
    >>> iso.load(file).transform(circle).shape
    (200, 2)
    """
    header, arrays = read_model(path)
    kinds = {m.estimator.__name__: m.estimator for m in METHODS.values()}
    if header["estimator"] not in kinds:
        raise ReadError(
            f"{path} holds a {header['estimator']!r}; this isofold knows {sorted(kinds)}"
        )
    params = header["params"]
    if OWN_ENCODER in (v for v in params.values() if isinstance(v, str)):
        if encoder is None:
            raise DataError(
                f"{path} holds a model with an encoder of its own: isofold.load(path, "
                "encoder=the function that was given as model_architecture)"
            )
        params = {k: encoder if v == OWN_ENCODER else v for k, v in params.items()}
    model = kinds[header["estimator"]](**params)
    model.n_features_in_ = header["n_features_in"]
    model._restore(arrays, header["facts"])
    return model
