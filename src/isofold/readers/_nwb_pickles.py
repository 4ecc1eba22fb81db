"""Arrays that hdmf-zarr stored as pickles, read as data: no import, no call, no object of theirs.

hdmf-zarr < 0.14 writes arrays of references (and of mixed words) so unless told otherwise, and
numcodecs would run them. Here the operations of the pickle are walked through instead, and those
that words, numbers, lists, references and NumPy's array of objects need are carried out; any other
ends in `UnsafeFileError`.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import UnsafeFileError

ARRAY = {f"numpy.{core}.multiarray._reconstruct" for core in ("core", "_core")}
REFERENCE = "hdmf_zarr.utils.ZarrReference"
NAMES = {*ARRAY, REFERENCE, "numpy.ndarray", "numpy.dtype"}
"""The only names that a pickle may mention; none of them is looked up."""


@contextmanager
def pickles_as_data(file: str) -> Iterator[None]:
    """While a store is open, its arrays filtered by "pickle" are decoded here."""
    from numcodecs.registry import codec_registry

    before = codec_registry.get("pickle")
    codec_registry["pickle"] = _codec(file)
    try:
        yield
    finally:
        codec_registry.pop("pickle")
        if before is not None:
            codec_registry["pickle"] = before


def _codec(file: str) -> Any:
    from numcodecs.abc import Codec
    from numcodecs.compat import ensure_bytes

    class PickleAsData(Codec):
        codec_id = "pickle"

        def __init__(self, protocol: int = 5):
            self.protocol = protocol

        def encode(self, buf: Any) -> Any:
            raise UnsafeFileError("isofold writes no pickles")

        def decode(self, buf: Any, out: Any = None) -> Any:
            decoded = decode(ensure_bytes(buf), file)
            if out is None:
                return decoded
            out[...] = decoded
            return out

    return PickleAsData


class _Name(str):
    """A name that the pickle mentions."""


class _Array(list):
    """An array in the making: what BUILD gives it."""


class _Reference(dict):
    """A reference in the making."""


class _Mark:
    """Where a list, tuple or mapping begins on the stack."""


def decode(content: bytes, file: str) -> Any:
    """The array, words or lists that a pickle describes.

    Raises
    ------
    UnsafeFileError
        It asks for anything else.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for operation, argument, _ in pickletools.genops(content):
        name, at = operation.name, argument if isinstance(argument, int) else 0
        if name in LITERALS:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name]())
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if name == "MEMOIZE" else at] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[at])
        elif name in OPERATIONS:
            OPERATIONS[name](stack, argument, file)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise _refusal(file, f"the operation {name}")
    return _finished(stack[-1])


LITERALS = {
    "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2", "LONG1",
    "BINFLOAT", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8",
}  # fmt: skip
CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "MARK": _Mark,
}


def _since_mark(stack: list[Any]) -> list[Any]:
    at = max(i for i, item in enumerate(stack) if isinstance(item, _Mark))
    items = stack[at + 1 :]
    del stack[at:]
    return items


def _tuple(n: int | None) -> Callable[[list[Any], Any, str], None]:
    def make(stack: list[Any], argument: Any, file: str) -> None:
        items = _since_mark(stack) if n is None else stack[-n:]
        if n is not None:
            del stack[-n:]
        stack.append(tuple(items))

    return make


def _name(stack: list[Any], argument: Any, file: str) -> None:
    said = argument.replace(" ", ".") if argument else f"{stack.pop(-2)}.{stack.pop()}"
    if said not in NAMES:
        raise _refusal(file, said)
    stack.append(_Name(said))


def _call(stack: list[Any], argument: Any, file: str) -> None:
    """Of NumPy's two and the reference: the empty thing that a later operation fills."""
    _, function = stack.pop(), stack.pop()
    stack.append(_Array() if function in ARRAY else _Reference() if function == REFERENCE else {})


def _append(stack: list[Any], argument: Any, file: str) -> None:
    item = stack.pop()
    stack[-1].append(item)


def _appends(stack: list[Any], argument: Any, file: str) -> None:
    items = _since_mark(stack)
    stack[-1].extend(items)


def _set_item(stack: list[Any], argument: Any, file: str) -> None:
    value, key = stack.pop(), stack.pop()
    stack[-1][key] = value


def _set_items(stack: list[Any], argument: Any, file: str) -> None:
    items = _since_mark(stack)
    stack[-1].update(zip(items[::2], items[1::2], strict=True))


def _build(stack: list[Any], argument: Any, file: str) -> None:
    """Give an array its state: (version, shape, dtype, Fortran order, items)."""
    state = stack.pop()
    if isinstance(stack[-1], _Array):
        stack[-1][:] = state


OPERATIONS: dict[str, Callable[[list[Any], Any, str], None]] = {
    "TUPLE": _tuple(None),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "GLOBAL": _name,
    "STACK_GLOBAL": _name,
    "REDUCE": _call,
    "NEWOBJ": _call,
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "BUILD": _build,
}


def _finished(value: Any) -> Any:
    """References as hdmf-zarr's, arrays as NumPy's."""
    if isinstance(value, _Array):
        _, shape, _, fortran, items = value
        out = np.empty(len(items), dtype=object)
        out[:] = [_finished(item) for item in items]
        return out.reshape(shape, order="F" if fortran else "C")
    if isinstance(value, _Reference):
        from hdmf_zarr.utils import ZarrReference

        return ZarrReference(**value)
    if isinstance(value, dict):
        return {key: _finished(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_finished(item) for item in value)
    return value


def _refusal(file: str, what: str) -> UnsafeFileError:
    return UnsafeFileError(
        f"{file} holds a pickle that asks for {what}: loading it would run code that the file "
        "carries. Open it where you trust it, and convert it to HDF5"
    )
