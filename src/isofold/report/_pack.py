"""What scripts of the page read, as text inside it: arrays, data and the figure library."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed(values: NDArray, dtype: str) -> str:
    """Little-endian numbers in base64, which the page unpacks to a typed array."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")


def deflated(text: str) -> str:
    """Text as zlib and base64: letters, digits, `+`, `/` and `=`, so no name inside can end a tag.

    >>> zlib.decompress(base64.b64decode(deflated("</script>"))).decode()
    '</script>'
    """
    return base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii")


def data_block(value: Any) -> str:
    """JSON for a script of the page."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return deflated(text)
