"""Named encoders as short specifications; receptive field, offset and stride follow from them.

Names and layers are those of the `cebra` package 0.6.1 (Schneider, Lee & Mathis, Nature 2023),
apart from its two classifiers. Where that package builds "N layers" from one layer used N times,
these have N layers.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from ..errors import DataError
from .encoder import span, window_offset


@dataclass(frozen=True)
class Architecture:
    """Layers as text, one after the other.

    ======================  ========================================================
    conv:2:u, conv:3:u:2    convolution of 2 taps to u units; of 3 taps with stride 2
    skip:3, skip:3:0.1      x + GELU(conv(x)) of 3 taps; with dropout before the conv
    residual:u              x + linear(x), x cut or filled up with zeros to u units
    subsample:4:u:2         conv:4:u:2, and beside it every second row
    gelu, tanh, clip:1:5    pointwise; clip is to −1 … 5
    dropout:0.1             a tenth of the units
    ======================  ========================================================

    Widths: u = hidden units, o = output dimension, and "u/2", "30o". `normalize` divides each row
    of the output by its length: for the cosine distance. The window of a `causal` encoder ends
    with its sample, of others has it in the middle.
    """

    layers: tuple[str, ...]
    normalize: bool = True
    causal: bool = False

    @property
    def receptive_field(self) -> int:
        return span(_extent(layer) for layer in self.layers)[0]

    @property
    def stride(self) -> int:
        return span(_extent(layer) for layer in self.layers)[1]

    @property
    def offset(self) -> tuple[int, int]:
        return window_offset(self.receptive_field, self.causal)


def _extent(layer: str) -> tuple[int, int]:
    """(taps, stride) of a layer."""
    match layer.split(":"):
        case ["conv" | "subsample", taps, _, stride]:
            return int(taps), int(stride)
        case ["conv" | "skip", taps, *_]:
            return int(taps), 1
        case _:
            return 1, 1


def _perceptron(*widths: str) -> tuple[str, ...]:
    layers = [part for width in widths for part in (f"conv:1:{width}", "gelu")]
    return tuple(layers[:-1])


def _residuals(*widths: str) -> tuple[str, ...]:
    return tuple(part for width in widths for part in (f"residual:{width}", "gelu"))


def _convolutions(
    skips: int, last: int, skip: str = "skip:3", dropout: tuple[str, ...] = ()
) -> tuple[str, ...]:
    return ("conv:2:u", *dropout, "gelu", *[skip] * skips, f"conv:{last}:o")


def _subsampled(skips: int, last: int) -> tuple[str, ...]:
    return ("subsample:4:u:2", "conv:3:u:2", "gelu", *["skip:3"] * skips, f"conv:{last}:o")


_DROP = ("dropout:0.1",)
_LIMITS = (1, 5, 10, 15, 20, 25, 50, 100, 1000)
_DEPTHS = range(1, 11)
_TANH: dict[str, tuple[str, ...]] = {"": (), "-tanh": ("tanh",)}

_CONVOLUTIONAL = {
    "offset5-model": _convolutions(1, 2),
    "offset10-model": _convolutions(3, 3),
    "offset15-model": _convolutions(6, 2),
    "offset20-model": _convolutions(8, 3),
    "offset36-model": _convolutions(16, 3),
    "offset36-model-dropout": _convolutions(16, 3, dropout=_DROP),
    "offset36-model-more-dropout": _convolutions(16, 3, "skip:3:0.1", dropout=_DROP),
    "offset40-model": _convolutions(18, 3),
    "offset50-model": _convolutions(23, 3),
}
_SUBSAMPLED = {
    "offset40-model-4x-subsample": _subsampled(3, 3),
    "offset20-model-4x-subsample": _subsampled(1, 2),
    "offset4-model-2x-subsample": ("subsample:4:u:2", *_perceptron("u", "u", "u/2", "o")),
}
_OLD_NAMES = {
    "resample-model": _SUBSAMPLED["offset40-model-4x-subsample"],
    "resample5-model": _SUBSAMPLED["offset20-model-4x-subsample"],
    "resample1-model": _SUBSAMPLED["offset4-model-2x-subsample"],
}
_ONE_SAMPLE = {
    "offset1-model": _perceptron("u", "u", "u/2", "o"),
    "offset1-model-v2": _perceptron("u", "u", "u", "o"),
    "offset1-model-v3": ("conv:1:u", "gelu", *_residuals("u", "u"), "conv:1:o"),
    "offset1-model-v4": ("conv:1:u", "gelu", *["skip:1"] * 4, "conv:1:o"),
    "offset1-model-v5": ("conv:1:u", "gelu", *_residuals("u", "u", "u", "u"), "conv:1:o"),
}
# The wide perceptron ignores the hidden units.
_WIDE = _perceptron("30o", "30o", "10o", "o")
_EUCLIDEAN = {
    "offset1-model-mse": _WIDE,
    "offset1-model-mse-tanh": (*_WIDE, "tanh"),
    "offset10-model-mse": _CONVOLUTIONAL["offset10-model"],
    "offset10-model-mse-tanh": (*_CONVOLUTIONAL["offset10-model"], "tanh"),
}
_CLIPPED = {
    f"offset1-model-mse-clip-{a}-{b}": (*_WIDE, f"clip:{a}:{b}") for a in _LIMITS for b in _LIMITS
}
_DEEP = {
    f"offset1-model-mse-v2-{m}layers{end}": (*_perceptron(*"u" * (m + 1), "u/2", "o"), *last)
    for m in _DEPTHS
    for end, last in _TANH.items()
}
_RESNETS = {
    f"offset1-model-mse-resnet-{m}layers{end}": (
        *_residuals(*"u" * (m + 1), "u/2"),
        "conv:1:o",
        *last,
    )
    for m in _DEPTHS
    for end, last in _TANH.items()
}

ARCHITECTURES: dict[str, Architecture] = {
    name: Architecture(layers, normalize)
    for normalize, family in (
        (True, _ONE_SAMPLE | _CONVOLUTIONAL | _SUBSAMPLED | _OLD_NAMES),
        (False, _EUCLIDEAN | _DEEP | _RESNETS | _CLIPPED),
    )
    for name, layers in family.items()
}


def get_architecture(name: str, causal: bool = False) -> Architecture:
    """The named specification, or an error that lists the names.

    >>> get_architecture("offset10-model").offset, get_architecture("offset10-model", True).offset
    ((5, 5), (9, 1))
    """
    if name not in ARCHITECTURES:
        close = difflib.get_close_matches(str(name), ARCHITECTURES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        listed = sorted(_ONE_SAMPLE | _CONVOLUTIONAL | _SUBSAMPLED | _EUCLIDEAN)
        raise DataError(
            f"model_architecture must be one of {listed}, offset1-model-mse-clip-A-B, "
            "offset1-model-mse-v2-Nlayers, offset1-model-mse-resnet-Nlayers (all names: "
            f"isofold.networks.ARCHITECTURES), got {name!r}{hint}"
        )
    return replace(ARCHITECTURES[name], causal=causal)
