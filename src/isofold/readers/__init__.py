"""Files → `Session`. One file per format; the format is told by content, not by suffix."""

from __future__ import annotations

import bz2
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import IsofoldError, ReadError, UnsafeFileError
from ..session import Session
from . import nwb
from ._nwb_store import is_zarr
from ._remote import is_address, read_address
from .spikeinterface import from_spikeinterface

__all__ = ["from_spikeinterface", "read"]

HDF5 = b"\x89HDF\r\n\x1a\n"
PICKLE_SUFFIXES = (".pkl", ".pickle", ".jl", ".joblib")
ARRAY_OPTIONS = {"rate", "start", "signal", "trial", "trial_samples", "event"}
"""Options that say a table is a plain one, whatever its columns are called."""


def read(path: str | Path, **options: Any) -> Session:
    """Read a file, a folder or what lies at an address as a `Session`.

    Knows NWB (HDF5, Zarr), `.npz`, `.npy`, `.csv`, `.parquet`, MATLAB (v5 and v7.3), Doric,
    pyPhotometry and Neurophotometrics by their content, and folders of AIND photometry (now and
    from Bonsai), Neurophotometrics, TDT, suite2p and Phy by what lies in them; of addresses NWB
    (`https://…`, `s3://…`, `dandi://…`), a part at a time as it is used. Array files say no clock:
    give `rate=` in samples per second (and `start=` in s), or `time=`, the name of the array or
    column that holds it ("time" is found by itself).

    Parameters
    ----------
    path
        The file, folder or address.
    options
        Array files: `rate`, `start`, `time`; `signal`, names that together form the series
        "signal"; `trial`, the name of a trial number per sample (negative or NaN: none).
        Tables of one trial a row: `trial_samples`, a pattern of the columns that are samples, with
        `rate`, `start` (s from the event) and `event`, its name.
        NWB and array files: `unsorted`, what to do with a series whose time goes back: "raise",
        "sort" or "skip". NWB: `skip`, names of what to leave out; `missing_chunks="fill"` for a
        Zarr folder without its empty chunks; at addresses `storage_options` (fsspec) and
        `dandi_api`. suite2p and Phy: `rate`. AIND from Bonsai: `pulses`. Neurophotometrics:
        `time`, the column that is the clock.

    Raises
    ------
    ReadError
        No such file, an empty, damaged or unknown one, or one without a clock.
    UnsafeFileError
        The file needs pickle, which runs code that the file carries.

    Notes
    -----
    Not for arrays in memory (build a `Recording`), nor for what `Recording.save` wrote
    (`isofold.load_recording`). docs/recordings.md shows every kind of file.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "run.npz"
    >>> np.savez(path, dff=np.zeros((20, 3)), speed=np.arange(20.0))
    >>> read(path, rate=10.0)
    <Session 'run': 0 units, 2 series, no trials>
    """
    if is_address(path):
        return read_address(str(path), **options)
    path = Path(path)
    if not path.exists():
        raise ReadError(f"no such file: {path}")
    if path.is_file() and path.stat().st_size == 0:
        raise ReadError(f"the file is empty (0 bytes): {path}")
    try:
        return _reader(path, options)(path, **options)
    except IsofoldError:
        raise
    except Exception as error:
        if "unexpected keyword argument" in str(error):  # an option that this format has not
            raise
        raise ReadError(
            f"{path.name} could not be read; it may be cut short or damaged "
            f"({type(error).__name__}: {error})"
        ) from error


def _reader(path: Path, options: dict[str, Any]) -> Callable[..., Session]:
    """The reader for what the file or folder holds."""
    from . import arrays, matlab, pyphotometry, tables

    if path.is_dir():
        return _folder_reader(path)
    with path.open("rb") as file:
        head = file.read(4096)
    if pyphotometry.is_ppd(head, path.suffix):  # its first bytes can be those of a pickle
        return pyphotometry.read_ppd
    _refuse_pickle(path, head)
    if head.startswith(HDF5):
        return _hdf5_reader(path)
    if head.startswith(b"MATLAB 7.3"):
        return matlab.read_matlab73
    if head.startswith(b"MATLAB 5.0"):
        return matlab.read_matlab5
    if head.startswith(b"\x93NUMPY"):
        return arrays.read_npy
    if head.startswith(b"PAR1"):
        return _table_reader(path, tables.read_parquet, options)
    if head.startswith(b"PK\x03\x04"):
        return _zip_reader(path, arrays.read_npz)
    if _is_text(head):
        return _table_reader(path, tables.read_csv, options)
    raise ReadError(
        f"{path.name} is of no known format (first bytes {head[:8]!r}); isofold reads NWB (HDF5), "
        "npz, npy, csv, parquet, MATLAB, Doric and pyPhotometry files"
    )


def _folder_reader(path: Path) -> Callable[..., Session]:
    from . import _folders

    return nwb.read_nwb if is_zarr(path) else _folders.folder_reader(path)


def _hdf5_reader(path: Path) -> Callable[..., Session]:
    from . import doric

    return doric.read_doric if doric.is_doric(path) else nwb.read_nwb


def _table_reader(
    path: Path, plain: Callable[..., Session], options: dict[str, Any]
) -> Callable[..., Session]:
    """Tables of an acquisition system by name or columns; options of arrays say it is `plain`."""
    from . import aind_fip, bonsai_fip, neurophotometrics

    if ARRAY_OPTIONS & set(options):
        return plain
    if bonsai_fip.bonsai_tables(path):
        return bonsai_fip.read_bonsai_fip
    if aind_fip.is_aind_file(path):
        return aind_fip.read_aind_fip
    if neurophotometrics.is_table(neurophotometrics.column_names(path)):
        return neurophotometrics.read_neurophotometrics
    return plain


def _zip_reader(path: Path, read_npz: Callable[..., Session]) -> Callable[..., Session]:
    try:
        names = zipfile.ZipFile(path).namelist()
    except zipfile.BadZipFile as error:
        raise ReadError(f"{path.name} is a zip archive cut short or damaged ({error})") from error
    if any(name.endswith(".pkl") for name in names):
        raise UnsafeFileError(_why_not(path, "a zip archive that holds pickles"))
    if names and all(name.endswith(".npy") for name in names):
        return read_npz
    raise ReadError(f"{path.name} is a zip archive, but not an npz file: it holds {names[:3]}")


def _refuse_pickle(path: Path, head: bytes) -> None:
    """Pickle (protocol 2 and later), joblib's compressed pickles, or a file named like one."""
    start = _decompressed(head)
    compressed = start is not head
    if len(start) > 1 and start[0] == 0x80 and start[1] <= 5:
        raise UnsafeFileError(
            _why_not(path, "compressed pickle (joblib)" if compressed else "pickle")
        )
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise UnsafeFileError(_why_not(path, f"by its suffix {path.suffix} a pickle"))
    if compressed:
        raise ReadError(f"{path.name} is compressed; decompress it first")


def _why_not(path: Path, what: str) -> str:
    return (
        f"{path.name} is {what}: loading it would run code that the file carries. Open it where "
        "you trust it, and convert: np.savez('file.npz', **arrays), or session.to_nwb('file.nwb')"
    )


def _decompressed(head: bytes) -> bytes:
    """The first bytes of what zlib, gzip, bz2 or xz hold; `head` itself where nothing does."""
    openers: list[Any] = []
    if head[:1] == b"\x78" and head[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
        openers.append(zlib.decompressobj())
    elif head[:2] == b"\x1f\x8b":
        openers.append(zlib.decompressobj(wbits=31))
    elif head[:3] == b"BZh":
        openers.append(bz2.BZ2Decompressor())
    elif head[:6] == b"\xfd7zXZ\x00" or head[:3] == b"\x5d\x00\x00":
        openers.append(lzma.LZMADecompressor())
    for opener in openers:
        try:
            return opener.decompress(head, 64)
        except (zlib.error, OSError, EOFError, lzma.LZMAError):
            return head
    return head


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    try:
        head[: max(len(head) - 3, 1)].decode("utf-8")  # the cut may split the last character
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 8
    return True
