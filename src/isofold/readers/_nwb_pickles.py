"""NWB-Zarr holds lists of words as pickles; here they are opened by a reader that runs no code."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import UnsafeFileError

HARMLESS = {
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
"""What an array of words and lists needs; anything else that a pickle asks for could run code."""


@contextmanager
def text_only_pickles(name: str) -> Iterator[None]:
    """While the file is open, arrays filtered by "pickle" decode to words and lists, or raise.

    hdmf-zarr < 0.14 writes arrays of words, lists and references so unless told otherwise, and
    numcodecs would hand their bytes to `pickle.loads`.
    """
    from numcodecs.registry import codec_registry

    before = codec_registry.get("pickle")
    codec_registry["pickle"] = _codec(name)
    try:
        yield
    finally:
        if before is None:
            codec_registry.pop("pickle")
        else:
            codec_registry["pickle"] = before


class _WordsOnly(pickle.Unpickler):
    file = ""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in HARMLESS:
            raise UnsafeFileError(
                f"{self.file} holds a pickle that asks for {module}.{name}: loading it would run "
                "code that the file carries. Open it where you trust it, and convert it to HDF5"
            )
        return super().find_class(module, name)


def _codec(file: str) -> Any:
    from numcodecs.abc import Codec
    from numcodecs.compat import ensure_bytes

    class WordsOnly(Codec):
        codec_id = "pickle"

        def __init__(self, protocol: int = 5):
            self.protocol = protocol

        def encode(self, buf: Any) -> Any:
            raise UnsafeFileError("isofold writes no pickle")

        def decode(self, buf: Any, out: Any = None) -> Any:
            reader = _WordsOnly(io.BytesIO(ensure_bytes(buf)))
            reader.file = file
            decoded = reader.load()
            if out is None:
                return decoded
            out[...] = decoded
            return out

    return WordsOnly
