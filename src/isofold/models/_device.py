"""Where arrays are computed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import DataError

NAMES = "'cpu', 'cuda', 'cuda:N' or 'cuda_if_available'"


@contextmanager
def on_device(name: str) -> Iterator[None]:
    """JAX's default device for a while: "cpu", "cuda", "cuda:1", or a GPU where there is one."""
    import jax

    with jax.default_device(_device(name)):
        yield


def _device(name: str):
    import jax

    kind, _, number = str(name).partition(":")
    if kind not in ("cpu", "cuda", "gpu", "cuda_if_available") or (number and not number.isdigit()):
        raise DataError(f"device must be {NAMES}, got {name!r}")
    if kind == "cuda_if_available":
        return None  # JAX's own choice
    try:
        devices = jax.devices("cuda" if kind == "gpu" else kind)
    except RuntimeError as error:
        raise DataError(f"device={name!r} is not there: {error}; use 'cpu'") from error
    if int(number or 0) >= len(devices):
        raise DataError(f"device={name!r}: there are {len(devices)} of this kind, counted from 0")
    return devices[int(number or 0)]
