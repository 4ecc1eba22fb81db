"""Addresses → NWB files that stay where they are: s3://, https://, dandi:// and what fsspec knows.

HDF5 over http comes through remfile, anything else through fsspec. Only parts that are used travel.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

from .._extras import require
from ..errors import IsofoldError, ReadError
from ..session import Session
from ._nwb_store import Source
from .nwb import read_source

DANDI = "https://api.dandiarchive.org/api"
"""Asked only for an address that begins with dandi://."""
SCHEMES = ("dandi", "s3", "http", "https", "memory", "file")
HDF5 = b"\x89HDF\r\n\x1a\n"
BLOCK = 1 << 20
"""Bytes that are fetched at a time."""
WAIT = 60.0
"""Seconds after which the DANDI API counts as silent."""


def is_address(path: Any) -> bool:
    """Does it begin with a scheme, as "s3://bucket/file.nwb" does?"""
    return isinstance(path, str) and "://" in path


def read_address(
    address: str,
    *,
    storage_options: dict[str, Any] | None = None,
    dandi_api: str = DANDI,
    unsorted: str = "raise",
    skip: Sequence[str] = (),
) -> Session:
    """The session of an NWB file or folder at an address.

    `storage_options` go to fsspec (for S3 without AWS credentials in the environment: anonymous);
    `dandi_api` is another archive's API.

    Raises
    ------
    ReadError
        An unknown scheme, nothing there, or no NWB there.
    MissingDependencyError
        The package for this scheme is not installed.
    """
    scheme = address.split("://")[0].lower()
    if scheme not in SCHEMES:
        raise ReadError(
            f"an address begins with one of {', '.join(s + '://' for s in SCHEMES)}; got "
            f"{address!r}. Download the file and give its path"
        )
    name = urlsplit(address).path.rstrip("/").rsplit("/", 1)[-1] or address
    try:
        if scheme == "dandi":
            address = _dandi(address, dandi_api.rstrip("/"))
        source = _source(address, name, storage_options)
    except IsofoldError:
        raise
    except Exception as error:
        raise ReadError(
            f"nothing could be fetched from {address} ({type(error).__name__}: {error}); check "
            "the address, the network, and for a private place storage_options="
        ) from error
    return read_source(source, unsorted, skip)


def _source(address: str, name: str, given: dict[str, Any] | None) -> Source:
    """HDF5 by its first bytes, Zarr by the description of its root."""
    import fsspec

    scheme = address.split("://")[0].lower()
    options = _options(scheme, given)
    fs, root = fsspec.core.url_to_fs(address, **options)
    if _first_bytes(fs, root) == HDF5:
        return Source(name, _binary(fs, root, address, scheme, given), zarr=False, remote=True)
    if any(fs.exists(f"{root.rstrip('/')}/{n}") for n in (".zgroup", "zarr.json")):
        return Source(name, address, zarr=True, remote=True, storage_options=options)
    raise ReadError(
        f"{address} is neither an HDF5 file nor a Zarr folder (or is not there); only NWB is read "
        "from afar: download other files and give the path"
    )


def _options(scheme: str, given: dict[str, Any] | None) -> dict[str, Any]:
    if scheme == "s3":
        require("s3fs", "s3", "reading from s3://")
        return {"anon": not _has_credentials()} if given is None else dict(given)
    if scheme in ("http", "https"):
        require("aiohttp", "http", "reading from https://")
    return dict(given or {})


def _has_credentials() -> bool:
    """Those of the environment or of the AWS tools; without any, only public buckets open."""
    named = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
    return any(n in os.environ for n in named) or Path("~/.aws/credentials").expanduser().exists()


def _first_bytes(fs: Any, root: str) -> bytes:
    try:
        return bytes(fs.cat_file(root, start=0, end=len(HDF5)))[: len(HDF5)]
    except (OSError, ValueError):  # a folder, or nothing: the caller asks further
        return b""


def _binary(fs: Any, root: str, address: str, scheme: str, given: dict[str, Any] | None) -> Any:
    if scheme in ("http", "https") and not given:  # options (a header, a token) are fsspec's
        remfile = require("remfile", "http", "HDF5 over https")
        return remfile.File(address)
    return fs.open(root, "rb", block_size=BLOCK, cache_type="blockcache")


# -- DANDI --------------------------------------------------------------------------------------


def _dandi(address: str, api: str) -> str:
    """dandi://DANDISET[@VERSION]/path → where the asset's content lies."""
    rest = address.split("://", 1)[1]
    dandiset, _, path = rest.partition("/")
    dandiset, _, version = dandiset.partition("@")
    if not path:
        raise ReadError(f"a DANDI address is dandi://DANDISET/path/to/file.nwb; got {address!r}")
    version = version or "draft"
    listed = _get(f"{api}/dandisets/{dandiset}/versions/{version}/assets/?path={quote(path)}")
    assets = [a for a in listed.get("results", []) if a["path"] == path.rstrip("/")]
    if not assets:
        near = [a["path"] for a in listed.get("results", [])][:5]
        raise ReadError(
            f"dandiset {dandiset} (version {version}) has no asset {path!r}"
            + (f"; there are {near}" if near else "; look up its path at dandiarchive.org")
        )
    about = _get(f"{api}/assets/{assets[0]['asset_id']}/")
    places = [u for u in about.get("contentUrl", []) if "/api/" not in u] or about["contentUrl"]
    return str(places[0])


def _get(url: str) -> dict[str, Any]:
    try:
        with urlopen(url, timeout=WAIT) as answer:
            return dict(json.loads(answer.read()))
    except (URLError, ValueError) as error:
        raise ReadError(
            f"the DANDI API did not answer {url} ({error}); check the dandiset, the path and the "
            "network"
        ) from error
