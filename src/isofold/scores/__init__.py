"""Scores: one file per question asked of an embedding. They know no model class."""

from .align import Alignment, align
from .bayes import PoissonBayes
from .beyond_labels import beyond_labels
from .cca import cca
from .chance import blocks, surrogate, surrogate_within
from .choose_dimension import DimensionChoice, choose_dimension
from .circular_coordinates import circular_coordinates
from .cka import cka
from .consistency import consistency
from .consistency_score import consistency_score
from .control import control
from .decode import decode
from .dimension import dimension
from .geodesic_correlation import geodesic_correlation
from .goodness_of_fit import goodness_of_fit
from .infonce_loss import (
    goodness_of_fit_history,
    goodness_of_fit_score,
    infonce_loss,
    infonce_to_goodness_of_fit,
)
from .mcc import mcc
from .neighbors import continuity, trustworthiness
from .procrustes import procrustes
from .recovery import recovery
from .score import Score
from .topology import Topology, betti

__all__ = [
    "Alignment",
    "DimensionChoice",
    "PoissonBayes",
    "Score",
    "Topology",
    "align",
    "betti",
    "beyond_labels",
    "blocks",
    "cca",
    "choose_dimension",
    "circular_coordinates",
    "cka",
    "consistency",
    "consistency_score",
    "continuity",
    "control",
    "decode",
    "dimension",
    "geodesic_correlation",
    "goodness_of_fit",
    "goodness_of_fit_history",
    "goodness_of_fit_score",
    "infonce_loss",
    "infonce_to_goodness_of_fit",
    "mcc",
    "procrustes",
    "recovery",
    "surrogate",
    "surrogate_within",
    "trustworthiness",
]
