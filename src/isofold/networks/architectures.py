"""Named encoders as short specifications; receptive field and offsets follow from the layers.

Names and layers are those of the `cebra` package 0.6.1 (Schneider, Lee & Mathis, Nature 2023).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from ..errors import DataError
from .layers import Conv, Encoder, Gelu, Skip, centred


@dataclass(frozen=True)
class Architecture:
    """Layers as text: "conv:2:u" is a convolution of 2 taps to u units, "skip:3" adds its input,
    "gelu" is the nonlinearity. Widths: u = hidden units, o = output dimension; "u/2", "30o"."""

    layers: tuple[str, ...]
    normalize: bool

    @property
    def receptive_field(self) -> int:
        return 1 + sum(int(layer.split(":")[1]) - 1 for layer in self.layers if ":" in layer)

    @property
    def offset(self) -> tuple[int, int]:
        return centred(self.receptive_field)


def _perceptron(*widths: str) -> tuple[str, ...]:
    layers = [part for width in widths for part in (f"conv:1:{width}", "gelu")]
    return tuple(layers[:-1])


def _convolutions(skips: int, last: int) -> tuple[str, ...]:
    return ("conv:2:u", "gelu", *["skip:3"] * skips, f"conv:{last}:o")


ARCHITECTURES: dict[str, Architecture] = {
    "offset1-model": Architecture(_perceptron("u", "u", "u/2", "o"), normalize=True),
    "offset10-model": Architecture(_convolutions(3, 3), normalize=True),
    "offset1-model-mse": Architecture(_perceptron("30o", "30o", "10o", "o"), normalize=False),
    "offset10-model-mse": Architecture(_convolutions(3, 3), normalize=False),
}


def get_architecture(name: str) -> Architecture:
    """The named specification, or an error that lists the names."""
    if name not in ARCHITECTURES:
        close = difflib.get_close_matches(str(name), ARCHITECTURES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise DataError(
            f"model_architecture must be one of {sorted(ARCHITECTURES)}, got {name!r}{hint}"
        )
    return ARCHITECTURES[name]


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
    layers: list[Conv | Gelu | Skip] = []
    width = n_channels
    for text in architecture.layers:
        kind, *rest = text.split(":")
        if kind == "gelu":
            layers.append(Gelu())
            continue
        taps = int(rest[0])
        units = width if kind == "skip" else _width(rest[1], num_hidden_units, output_dimension)
        conv = _draw(taps, width, n_padded if not layers else width, units, rng)
        layers.append(Skip(conv) if kind == "skip" else conv)
        width = units
    return Encoder(tuple(layers), architecture.normalize)


def _width(text: str, hidden: int, out: int) -> int:
    if text == "u/2":
        return hidden // 2
    factor = int(text[:-1] or 1)
    return factor * {"u": hidden, "o": out}[text[-1]]


def _draw(taps: int, inputs: int, padded: int, units: int, rng: np.random.Generator) -> Conv:
    bound = 1 / np.sqrt(taps * inputs)
    weight = np.zeros((taps, padded, units), np.float32)
    weight[:, :inputs] = rng.uniform(-bound, bound, (taps, inputs, units))
    bias = rng.uniform(-bound, bound, units).astype(np.float32)
    return Conv(jnp.asarray(weight), jnp.asarray(bias))
