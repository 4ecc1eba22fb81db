"""How an NWB file is opened: HDF5 or Zarr, on this machine or far away, without loading data."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ReadError
from ._nwb_pickles import pickles_as_data

Lazy = Callable[[Any], Any]
"""A dataset of the open file → an array that can be read after the file was closed."""

MISSING_CHUNKS = ("raise", "fill")


@dataclass(frozen=True)
class Source:
    """Where an NWB file lies: a path, or an address that was resolved."""

    name: str
    """As messages call it."""
    at: Any
    """Path or address; for HDF5 also an open binary file."""
    zarr: bool
    remote: bool = False
    storage_options: dict[str, Any] = field(default_factory=dict)


def source_of(path: Path) -> Source:
    """A file is HDF5, a folder is Zarr, whatever the suffix says."""
    return Source(path.name, path, zarr=path.is_dir())


def is_zarr(path: Path) -> bool:
    """Is the folder a Zarr store, of either format?"""
    return path.is_dir() and any((path / n).exists() for n in (".zgroup", "zarr.json", ".zarray"))


@contextmanager
def opened(source: Source, missing_chunks: str = "raise") -> Iterator[tuple[Any, Lazy]]:
    """The pynwb file, and how to get at data that outlive it."""
    with warnings.catch_warnings():  # about how the file was written: not the reader's
        warnings.simplefilter("ignore")
        with _zarr(source, missing_chunks) if source.zarr else _hdf5(source) as both:
            yield both


@contextmanager
def _hdf5(source: Source) -> Iterator[tuple[Any, Lazy]]:
    import h5py
    import pynwb

    with h5py.File(source.at, "r") as file:
        if "nwb_version" not in file.attrs:
            raise ReadError(
                f"{source.name} is an HDF5 file but not NWB (no attribute nwb_version); it holds "
                f"{sorted(file)[:8]}. Save its arrays as npz, or as NWB"
            )
        own: list[Any] = []  # a handle of its own, opened once, closed with the last series

        def lazy(data: Any) -> Any:
            if not isinstance(data, h5py.Dataset):
                return np.asarray(data)
            if not own:
                own.append(h5py.File(source.at, "r"))
            return own[0][data.name]

        with pynwb.NWBHDF5IO(file=file, mode="r", load_namespaces=True) as io:
            yield io.read(), lazy


@contextmanager
def _zarr(source: Source, missing_chunks: str) -> Iterator[tuple[Any, Lazy]]:
    import zarr

    if missing_chunks not in MISSING_CHUNKS:
        raise ReadError(f"missing_chunks must be one of {MISSING_CHUNKS}, got {missing_chunks!r}")
    if not source.remote:
        _check_folder(source, missing_chunks)

    def lazy(data: Any) -> Any:
        return data if isinstance(data, zarr.Array) else np.asarray(data)

    with pickles_as_data(source.name), _zarr_io(source) as io:
        yield io.read(), lazy


def _zarr_io(source: Source) -> Any:
    """hdmf-zarr's reader for the format that the store has, if the one installed has it.

    hdmf-zarr < 0.14 knows Zarr format 2 only; from 0.14 `NWBZarrIO` knows format 3 only, and
    `NWBZarrV2IO` reads format 2.
    """
    import hdmf_zarr

    older = getattr(hdmf_zarr, "NWBZarrV2IO", None)
    if zarr_format(source) == 3 and older is None:
        raise ReadError(
            f"{source.name} is a Zarr store of format 3, which hdmf-zarr {hdmf_zarr.__version__} "
            'cannot read; pip install "hdmf-zarr>=0.14" (Python 3.12 or newer), or convert it to '
            "HDF5 there"
        )
    reader = hdmf_zarr.NWBZarrIO if zarr_format(source) == 3 or older is None else older
    options = source.storage_options or None
    return reader(path=str(source.at), mode="r", load_namespaces=True, storage_options=options)


def zarr_format(source: Source) -> int:
    """2 or 3, by the file that describes the root group."""
    if not source.remote:
        return 3 if (Path(source.at) / "zarr.json").exists() else 2
    import fsspec

    fs, root = fsspec.core.url_to_fs(source.at, **source.storage_options)
    return 3 if fs.exists(f"{root}/zarr.json") else 2


# -- a folder that lost a part ------------------------------------------------------------------


def _check_folder(source: Source, missing_chunks: str) -> None:
    """Descriptions that do not parse, no NWB, and chunks that are gone (Zarr would give zeros)."""
    folder = Path(source.at)
    described = [*folder.rglob(".z*"), *folder.rglob("zarr.json")]
    for file in described:
        try:
            json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ReadError(
                f"{source.name} is damaged: {file.relative_to(folder)} is not whole JSON "
                f"({error}); copy the folder again from its source"
            ) from error
    about = _attributes(folder)
    if "nwb_version" not in about:
        recording = (folder / "recording.json").exists()
        raise ReadError(
            f"{source.name} is a Zarr folder but not NWB (no attribute nwb_version). "
            + (
                "Recording.save() wrote it: open it with isofold.load_recording"
                if recording
                else "Read its arrays with zarr, and give them to isofold.Recording"
            )
        )
    if missing_chunks == "raise":
        for file in described:
            if file.name == ".zarray":
                _check_chunks(source, folder, file)


def _attributes(folder: Path) -> dict[str, Any]:
    file = folder / "zarr.json"
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")).get("attributes", {}))
    file = folder / ".zattrs"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _check_chunks(source: Source, folder: Path, file: Path) -> None:
    """As many chunk files as the array has chunks. Format 3 leaves out empty ones by default."""
    about = json.loads(file.read_text(encoding="utf-8"))
    grid = [-(-n // max(c, 1)) for n, c in zip(about["shape"], about["chunks"], strict=True)]
    expected = int(np.prod(grid)) if grid else 1
    nested = about.get("dimension_separator") == "/"
    found = file.parent.rglob("*") if nested else file.parent.iterdir()
    n = sum(f.is_file() and not f.name.startswith(".z") for f in found)
    if n < expected:
        raise ReadError(
            f"{source.name} is damaged: {file.parent.relative_to(folder)} has {n} of {expected} "
            "chunks; copy the folder again from its source. If its writer left out empty chunks, "
            'read(path, missing_chunks="fill")'
        )
