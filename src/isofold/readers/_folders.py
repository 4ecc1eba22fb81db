"""Folders that are a recording: which reader knows what lies in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import ReadError
from ..session import Session
from . import aind_fip, bonsai_fip, neurophotometrics, phy, suite2p, tdt_block

FOLDERS: tuple[tuple[Callable[[Path], object], Callable[..., Session]], ...] = (
    (tdt_block.is_tdt, tdt_block.read_tdt),
    (phy.is_phy, phy.read_phy),
    (suite2p.is_suite2p, suite2p.read_suite2p),
    (aind_fip.is_aind_fip, aind_fip.read_aind_fip),
    (bonsai_fip.bonsai_tables, bonsai_fip.read_bonsai_fip),
    (neurophotometrics.neurophotometrics_tables, neurophotometrics.read_neurophotometrics),
)
"""(does it know the folder, its reader); the first that does reads it."""


def folder_reader(path: Path) -> Callable[..., Session]:
    """The reader for what the folder holds.

    Raises
    ------
    ReadError
        None knows it.
    """
    for knows, reader in FOLDERS:
        if knows(path):
            return reader
    inside = sorted(p.name for p in path.iterdir())
    raise ReadError(
        f"{path} is a folder of no known format; it holds {inside[:8]}. isofold reads folders of "
        "AIND photometry (fib/, or FIP_Data*.csv), Neurophotometrics tables, TDT blocks, suite2p "
        "and Phy; of anything else give the path of a file"
    )
