"""Optional packages: imported where they are used, with an error that names what to install."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .errors import MissingDependencyError


def require(module: str, extra: str, what: str) -> ModuleType:
    """The module, for `what` needs it.

    Raises
    ------
    MissingDependencyError
        It is not installed; the message names the extra that brings it.

    Examples
    --------
    >>> require("no_such_package", "umap", "UMAP")
    Traceback (most recent call last):
    isofold.errors.MissingDependencyError: UMAP needs the package no_such_package, ...
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} needs the package {module.split('.')[0]}, which is not installed "
            f'({error}); pip install "isofold[{extra}]"'
        ) from error
