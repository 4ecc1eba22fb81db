"""Encoders: Equinox modules whose receptive field follows from their layers."""

from .architectures import ARCHITECTURES, Architecture, build, get_architecture
from .layers import Conv, Encoder, Gelu, Skip

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Conv",
    "Encoder",
    "Gelu",
    "Skip",
    "build",
    "get_architecture",
]
