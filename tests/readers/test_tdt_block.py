"""TDT: a block written here byte by byte, read by TDT's own package."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from acquisition_files import tdt_block

import isofold as iso
from isofold.errors import MissingDependencyError, ReadError

pytest.importorskip("tdt", reason="the package tdt (extra tdt) is not installed")
RATE = float(np.float32(1017.2526))


def test_streams_and_epocs(tmp_path, capfd):
    session = iso.read(tdt_block(tmp_path))
    assert set(session.series) == {"_405A", "_2ch"} or set(session.series) == {"_405A", "x_2ch"}
    one = session.series["_405A"]
    np.testing.assert_allclose(one.values, 1000 + np.arange(6 * 64))
    np.testing.assert_allclose(one.times(), np.arange(6 * 64) / RATE, atol=1e-6)
    two = session.series["_2ch"]
    assert list(two.columns) == [1, 2]
    np.testing.assert_allclose(two.values[:, 1], 2000 + np.arange(6 * 64))
    np.testing.assert_allclose(session.events["PtC0"], [0.05, 0.15, 0.25], atol=1e-5)
    np.testing.assert_allclose(session.events["PtC0_offset"], [0.07, 0.17, 0.27], atol=1e-5)
    assert session.metadata["warnings"] == []
    assert capfd.readouterr().out == ""  # the package prints; a reader does not


@pytest.mark.parametrize("size", [0, 40, 80, 119])
def test_headers_that_are_cut_short(tmp_path, size):
    """The package itself would never return from some of these."""
    block = tdt_block(tmp_path)
    path = next(block.glob("*.tsq"))
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ReadError, match=r"mouse-.*\.tsq is cut short: \d+ bytes hold no header"):
        iso.read(block)


def test_a_block_that_did_not_end_is_named(tmp_path):
    block = tdt_block(tmp_path)
    path = next(block.glob("*.tsq"))
    path.write_bytes(path.read_bytes()[:-40])
    session = iso.read(block)
    assert any("Block end marker not found" in w for w in session.metadata["warnings"])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ReadError, match="ends within a header: it is cut short; copy the block"):
        iso.read(block)


def test_files_that_are_missing_or_twice(tmp_path):
    block = tdt_block(tmp_path)
    tev = next(block.glob("*.tev"))
    tsq = next(block.glob("*.tsq"))
    (block / "other.tsq").write_bytes(tsq.read_bytes())
    with pytest.raises(ReadError, match=r"one \.tsq file; .* has \['mouse-.*', 'other.tsq'\]"):
        iso.read(block)
    (block / "other.tsq").unlink()
    tsq.write_bytes(bytes(400))
    with pytest.raises(ReadError, match="does not begin with a block's start mark"):
        iso.read(block)
    tev.unlink()
    tsq.write_bytes(bytes(40) + bytes(8) + b"\x01\0\0\0" + bytes(188))
    with pytest.raises(ReadError, match=r"lacks mouse-.*\.tev; copy the whole block"):
        iso.read(block)


def test_samples_that_are_cut_short(tmp_path):
    block = tdt_block(tmp_path)
    path = next(block.glob("*.tev"))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ReadError, match=r"\.tev is cut short: store '_2ch' needs 4608 bytes of it"):
        iso.read(block)


@pytest.mark.parametrize(
    ("byte", "value", "told"),
    [
        (0, 99, "'405A' must agree in size"),
        (12, 200, "'405A' must .*up to 200"),
        (32, 77, "'405A' must agree in size"),
        (37, 0xFF, "'405A' must agree"),
        (23, 0xFF, "the time of header"),
        (30, 0xFF, r"\.tev is cut short: store '405A'"),
    ],
)
def test_damaged_headers_are_refused_before_the_package_sees_them(tmp_path, byte, value, told):
    block = tdt_block(tmp_path)
    path = next(block.glob("*.tsq"))
    raw = bytearray(path.read_bytes())
    raw[2 * 40 + 3 * 40 + byte] = value  # the second chunk of _405A
    path.write_bytes(bytes(raw))
    with pytest.raises(ReadError, match=told):
        iso.read(block)


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tdt", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "isofold\[tdt\]"'):
        iso.read(tdt_block(tmp_path))
