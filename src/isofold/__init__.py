"""isofold: low-dimensional embeddings of physiological recordings that can be trusted.

Public names stand here in the order data meets them; each is imported when it is first used, so
that `import isofold` stays fast.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_DOOR = {
    # a recording goes in
    "read": "readers",
    "from_spikeinterface": "readers",
    "Session": "session",
    "Recording": "recording",
    "load_recording": "_store",
    "simulate": "",
    "preprocess": "",
    # embeddings come out
    "PCA": "models",
    "CEBRA": "models",
    "VAE": "models",
    "IVAE": "models",
    "PiVAE": "models",
    "CIiVAE": "models",
    "TCL": "models",
    "PCL": "models",
    "MIND": "models",
    "UMAP": "models",
    "TSNE": "models",
    "Isomap": "models",
    "FactorAnalysis": "models",
    "GPFA": "models",
    "DiffusionMap": "models",
    "METHODS": "models",
    "load": "models",
    "fit_seeds": "models",
    "enable_cache": "training",
    "save_embedding": "writers",
    # they are scored
    "Score": "scores",
    "scores": "",
    "single_trial": "",
    # and studied
    "Study": "studies",
    "run": "studies",
    "Results": "studies",
    "open_results": "studies",
    "write_report": "report",
    "plot": "",
    "attribution": "",
    "errors": "",
}

__all__ = ["__version__", *_DOOR]


def __getattr__(name: str) -> object:
    if name not in _DOOR:
        raise AttributeError(f"module 'isofold' has no attribute {name!r}")
    home = _DOOR[name]
    if not home:
        return import_module(f".{name}", __name__)
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
