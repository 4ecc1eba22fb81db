"""Compiled programs kept on disk, so that the next process starts warm."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path


def enable_cache(folder: str | Path | None = None) -> Path:
    """Switch on JAX's compilation cache; returns its folder.

    The folder is named after processor and JAX version, since a compiled program fits one kind of
    machine only. Never called at import: the command line and the workers of a study call it.
    Default: `$ISOFOLD_CACHE`, else `~/.cache/isofold`.

    >>> enable_cache()  # doctest: +SKIP
    PosixPath('~/.cache/isofold/jax-…')
    """
    import jax

    base = Path(folder or os.environ.get("ISOFOLD_CACHE") or Path.home() / ".cache" / "isofold")
    path = base / f"jax-{jax.__version__}-{platform.machine()}-{_processor()}"
    path.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return path


def _processor() -> str:
    """A short name for what the processor can do."""
    text = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        wanted = ("model name", "flags", "Features")
        text = "".join(sorted({x for x in info.read_text().splitlines() if x.startswith(wanted)}))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
