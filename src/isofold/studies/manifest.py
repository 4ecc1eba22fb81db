"""What a study was run with: versions, platform, input, command, date."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .keys import code_version
from .recording_spec import RecordingSpec
from .spec import Study

_PACKAGES = (
    *("isofold", "numpy", "scipy", "scikit-learn", "pandas", "xarray", "jax", "jaxlib", "equinox"),
    *("optax", "pynapple", "pynwb", "h5py", "zarr", "pyarrow", "dask", "distributed"),
)


def manifest(study: Study, fingerprints: Mapping[str, str], keys: list[str]) -> dict[str, Any]:
    """Everything but what the run adds at its end."""
    return {
        "study": study.name,
        "isofold": code_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "inputs": {
            r.name: {**_source(r), "sha256": fingerprints[r.name]} for r in study.recordings
        },
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "started": now(),
        "keys": keys,
    }


def _source(spec: RecordingSpec) -> dict[str, Any]:
    return (
        {"simulate": dict(spec.simulate)} if spec.simulate else {"file": Path(str(spec.path)).name}
    )


def now() -> str:
    """The time, with its zone."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
