"""Encoders: Equinox modules whose receptive field follows from their layers."""

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .augment import augment, check_counts, parse_masking
from .build import build
from .decoder import DECODERS, OBSERVATIONS, Decoder, decoder
from .encoder import Encoder
from .flow import Flow, flow, log_determinant
from .layers import Clip, Conv, Dropout, Gelu, Residual, Skip, Subsample, Tanh
from .own import OwnEncoder, check_encoder
from .perceptron import ACTIVATIONS, Perceptron, perceptron
from .posterior import Posterior, posterior
from .prior import Prior, prior

__all__ = [
    "ACTIVATIONS",
    "ARCHITECTURES",
    "DECODERS",
    "OBSERVATIONS",
    "Architecture",
    "Clip",
    "Conv",
    "Decoder",
    "Dropout",
    "Encoder",
    "Flow",
    "Gelu",
    "OwnEncoder",
    "Perceptron",
    "Posterior",
    "Prior",
    "Residual",
    "Skip",
    "Subsample",
    "Tanh",
    "augment",
    "build",
    "check_counts",
    "check_encoder",
    "decoder",
    "flow",
    "get_architecture",
    "log_determinant",
    "parse_masking",
    "perceptron",
    "posterior",
    "prior",
]
