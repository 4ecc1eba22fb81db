"""From a specification to an encoder with weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np

from ..errors import DataError
from .architectures import Architecture
from .encoder import Encoder
from .layers import Clip, Conv, Dropout, Gelu, Layer, Residual, Skip, Subsample, Tanh


def build(
    architecture: Architecture,
    n_channels: int,
    n_padded: int,
    num_hidden_units: int,
    output_dimension: int,
    rng: np.random.Generator,
) -> Encoder:
    """Draw an encoder: weights and biases uniform in ±1/√(taps · inputs).

    The input layer has `n_padded` channels; those beyond `n_channels` start at zero and, since
    their input is zero, stay there.
    """
    layers: list[Layer] = []
    used, padded = n_channels, n_padded
    for text in architecture.layers:
        width = partial(_width, hidden=num_hidden_units, out=output_dimension)
        layer = _layer(text, used, width, partial(_draw, rng, used, padded))
        layers.append(layer)
        if isinstance(layer, Subsample):
            # The channels go on beside the new units, unused ones last.
            units = layer.conv.bias.size
            used, padded = units + used, units + padded
        elif isinstance(layer, Conv | Residual):
            conv = layer.linear if isinstance(layer, Residual) else layer
            used = padded = conv.bias.size
    return Encoder(tuple(layers), architecture.normalize, architecture.causal)


def _layer(text: str, used: int, width: Callable[[str], int], draw: Callable[..., Conv]) -> Layer:
    match text.split(":"):
        case ["gelu"]:
            return Gelu()
        case ["tanh"]:
            return Tanh()
        case ["clip", below, above]:
            return Clip(float(below), float(above))
        case ["dropout", rate]:
            return Dropout(float(rate))
        case ["conv", taps, units]:
            return draw(int(taps), width(units))
        case ["conv", taps, units, stride]:
            return draw(int(taps), width(units), int(stride))
        case ["skip", taps]:
            return Skip(draw(int(taps), used))
        case ["skip", taps, rate]:
            return Skip(draw(int(taps), used), Dropout(float(rate)))
        case ["residual", units]:
            return Residual(draw(1, width(units)))
        case ["subsample", taps, units, stride]:
            return Subsample(draw(int(taps), width(units), int(stride)))
    raise DataError(
        f"a layer of an Architecture must be written like 'conv:2:u', 'skip:3' or 'gelu', got "
        f"{text!r}; see the docstring of isofold.networks.Architecture"
    )


def _width(text: str, hidden: int, out: int) -> int:
    if text == "u/2":
        units = hidden // 2
    else:
        units = int(text[:-1] or 1) * {"u": hidden, "o": out}[text[-1]]
    if units < 1:
        raise DataError(
            f"every layer needs a unit, got {units} for {text!r} with num_hidden_units={hidden} "
            f"and output_dimension={out}; raise them (at least 2 hidden units)"
        )
    return units


def _draw(
    rng: np.random.Generator, used: int, padded: int, taps: int, units: int, stride: int = 1
) -> Conv:
    bound = 1 / np.sqrt(taps * used)
    weight = np.zeros((taps, padded, units), np.float32)
    weight[:, :used] = rng.uniform(-bound, bound, (taps, used, units))
    bias = rng.uniform(-bound, bound, units).astype(np.float32)
    return Conv(jnp.asarray(weight), jnp.asarray(bias), stride)
