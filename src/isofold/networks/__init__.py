"""Encoders: Equinox modules whose receptive field follows from their layers."""

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .augment import augment, check_counts, parse_masking
from .build import build
from .encoder import Encoder
from .layers import Clip, Conv, Dropout, Gelu, Residual, Skip, Subsample, Tanh
from .own import OwnEncoder, check_encoder

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Clip",
    "Conv",
    "Dropout",
    "Encoder",
    "Gelu",
    "OwnEncoder",
    "Residual",
    "Skip",
    "Subsample",
    "Tanh",
    "augment",
    "build",
    "check_counts",
    "check_encoder",
    "get_architecture",
    "parse_masking",
]
