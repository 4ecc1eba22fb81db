"""Errors of other packages → one that names the file, the part of it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import IsofoldError, ReadError


@contextmanager
def blamed(file: str, part: str | None = None, skip: str | None = None) -> Iterator[None]:
    """Whatever goes wrong inside is a `ReadError` about this part of this file.

    `skip` is the name under which `read(path, skip=[...])` leaves the part out.
    """
    try:
        yield
    except Exception as error:
        if (ours := _ours(error)) is not None:
            if ours is error:
                raise
            raise ours from error
        what = file if part is None else f"{file}: {part}"
        remedy = "Copy it again from its source"
        if skip is not None:
            remedy += f', or read the rest with read(path, skip=["{skip}"])'
        raise ReadError(
            f"{what} could not be read; the file may be cut short or damaged "
            f"({type(error).__name__}: {_short(error)}). {remedy}"
        ) from error


def _ours(error: BaseException | None) -> IsofoldError | None:
    """The error of ours that another package may have wrapped in its own."""
    while error is not None and not isinstance(error, IsofoldError):
        error = error.__cause__ or error.__context__
    return error


def _short(error: Exception) -> str:
    said = " ".join(str(error).split())
    return said if len(said) < 300 else said[:300] + " …"
