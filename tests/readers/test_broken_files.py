"""Files cut at many lengths, bytes changed, garbage: an error of ours that names the file, or a
session, and never anything else."""

from __future__ import annotations

import shutil

import acquisition_files as files
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold.errors import IsofoldError, ReadError
from isofold.session import Session


def aind(folder):
    home = files.aind(folder)
    files.behavior(home)
    return home, {}


def bonsai(folder):
    return files.bonsai(folder, pulses=50), {}


def npm(folder):
    path = folder / "npm"
    path.mkdir()
    files.npm(path)
    (path / "inputs.csv").write_text("Timestamp,Value\n100.5,True\n100.6,False\n")
    return path, {}


def ppd(folder):
    return files.ppd(folder, version="1.1"), {}


def doric(folder):
    return files.doric(folder), {}


def tdt(folder):
    pytest.importorskip("tdt", reason="the package tdt (extra tdt) is not installed")
    return files.tdt_block(folder), {}


def suite2p(folder):
    return files.suite2p(folder), {"rate": 10.0}


def phy(folder):
    return files.phy(folder), {}


MADE = {f.__name__: f for f in (aind, bonsai, npm, ppd, doric, tdt, suite2p, phy)}


def attempt(path, options) -> Session | IsofoldError:
    """A session, or an error of ours; anything else fails the test."""
    try:
        session = iso.read(path, **options)
    except IsofoldError as error:
        return error
    assert all(len(s) == len(s.times()) for s in session.series.values())
    session.summary()
    return session


def parts(path):
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())


@pytest.mark.parametrize("made", MADE)
def test_every_file_of_a_recording_cut_at_many_lengths(tmp_path, made):
    path, options = MADE[made](tmp_path)
    whole = attempt(path, options)
    assert isinstance(whole, Session), whole
    told = 0
    for part in parts(path):
        raw = part.read_bytes()
        for share in (0.0, 0.03, 0.4, 0.77, 0.995):
            part.write_bytes(raw[: int(len(raw) * share)])
            got = attempt(path, options)
            if isinstance(got, Session):
                told += len(got.metadata["warnings"]) > len(whole.metadata["warnings"])
            else:
                told += 1
                short = str(got)
                assert part.name in short or part.stem in short or path.name in short, short
        part.write_bytes(raw)
    assert told >= 3
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("made", MADE)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_bytes_changed_anywhere(tmp_path_factory, made, data):
    folder = tmp_path_factory.mktemp("fuzz")
    path, options = MADE[made](folder)
    inside = [p for p in parts(path) if p.suffix != ".bin"]
    part = data.draw(st.sampled_from(inside))
    raw = bytearray(part.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    part.write_bytes(bytes(raw))
    attempt(path, options)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["green.csv", "FIP_DataG_x.csv", "fp.csv", "x.ppd", "x.parquet"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    raw=st.one_of(
        st.binary(max_size=80),
        st.text(max_size=80).map(str.encode),
        st.lists(st.sampled_from(
            ["ReferenceTime", "Background", "Fiber_0", "LedState", "Region0G", "Timestamp", ",",
             "\n", "1", "2.5", "-1", "nan", "1e999", '"', "x", "\r\n", ";"]
        ), max_size=40).map(lambda words: "".join(words).encode()),
    )
)  # fmt: skip
def test_garbage(tmp_path_factory, name, raw):
    path = tmp_path_factory.mktemp("garbage") / name
    path.write_bytes(raw)
    attempt(path, {})
    attempt(path.parent, {})


@pytest.mark.parametrize("made", ["aind", "bonsai", "npm"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_encodings(tmp_path, made, encoding):
    path, options = MADE[made](tmp_path)
    table = next(p for p in parts(path) if p.name in ("green.csv", "fp.csv") or "DataG" in p.name)
    text = table.read_text()
    word = "é" if encoding != "utf-8-sig" else ""
    table.write_bytes((text.replace("\n", f"{word}\n", 1)).encode(encoding))
    got = attempt(path, options)
    if encoding == "utf-8-sig":
        assert isinstance(got, Session)
    elif isinstance(got, ReadError):  # of Neurophotometrics, what is no table is another file
        assert made == "npm" or f"{table.name} must be UTF-8 text" in str(got)


def test_numbers_without_end_in_a_clock(tmp_path):
    path = files.npm(tmp_path)
    path.write_text(path.read_text().replace("100.100000", "inf", 1))
    session = iso.read(path)
    assert any("samples without time left out" in w for w in session.metadata["warnings"])
    assert np.isfinite(session.series["560"].times()).all()
