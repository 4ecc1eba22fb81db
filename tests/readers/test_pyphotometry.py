"""pyPhotometry: words packed here with struct, after the layout that its own importer documents."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from acquisition_files import old_ppd, ppd

import isofold as iso
from isofold.errors import ReadError


@pytest.mark.parametrize(
    ("mode", "version", "late"),
    [
        ("2EX_2EM_pulsed", "1.0", 1 / 260),
        ("2EX_1EM_pulsed", "1.1", 1 / 260),
        ("1 colour time div.", "0.3", 1 / 260),
        ("GCaMP/iso", 0.1, 1 / 260),
        ("2EX_2EM_continuous", "1.1", 0.0),
        ("2 colour continuous", "0.2", 0.0),
    ],
)
def test_signals_lines_and_clocks(tmp_path, mode, version, late):
    session = iso.read(ppd(tmp_path, mode, version))
    first, second = session.series["analog_1"], session.series["analog_2"]
    dark = 100 if version == "1.1" and "pulsed" in mode else 0
    np.testing.assert_allclose(first.values, (1000 - dark + np.arange(40)) * 0.0001)
    np.testing.assert_allclose(second.values, (2000 - dark) * 0.0002 + np.arange(40) * 0.0002)
    np.testing.assert_allclose(first.times(), np.arange(40) / 130, atol=1e-9)
    np.testing.assert_allclose(second.times(), np.arange(40) / 130 + late, atol=1e-9)
    np.testing.assert_allclose(session.events["digital_1"], np.array([4, 14, 24, 34]) / 130)
    np.testing.assert_allclose(session.events["digital_2"], [30 / 130 + late])
    assert session.subject == "m1"
    assert session.metadata["warnings"] == []
    assert ("analog_1_baseline" in session.series) == bool(dark)


def test_a_signal_that_is_darker_than_its_baseline_is_negative(tmp_path):
    path = ppd(tmp_path, version="1.1", n=1)
    raw = path.read_bytes()
    path.write_bytes(raw[:-8] + struct.pack("<4H", 50 << 1, 100 << 1, 60 << 1, 100 << 1))
    session = iso.read(path)
    assert session.series["analog_1"].values == pytest.approx(-50 * 0.0001)
    assert session.series["analog_2_led_on"].values == pytest.approx(60 * 0.0002)


def test_three_signals(tmp_path):
    session = iso.read(ppd(tmp_path, "3EX_2EM_pulsed", signals=3, n_digital_signals=1))
    assert list(session.series) == ["analog_1", "analog_2", "analog_3"]
    assert session.series["analog_3"].values[0] == pytest.approx(3000 * 0.0001)
    assert session.series["analog_3"].times()[0] == pytest.approx(2 / 390)
    assert list(session.events) == ["digital_1"]


def test_the_header_before_json(tmp_path):
    session = iso.read(old_ppd(tmp_path))
    assert session.subject == "mouse7"
    assert session.metadata["acquired"] == "2018-02-03T10:11:12"
    assert session.series["analog_1"].values[0] == pytest.approx(1000 * 101220e-9)
    np.testing.assert_allclose(np.diff(session.series["analog_1"].times()), 1 / 200)


@pytest.mark.parametrize("size", [0x180, 0x280, 0x178])
def test_a_header_whose_length_looks_like_a_pickle_or_like_zlib(tmp_path, size):
    """80 01 begins a pickle of protocol 1 to 5, 78 01 a zlib stream."""
    filled = json.loads(ppd(tmp_path).read_bytes()[2:].split(b"}")[0] + b"}")
    pad = size - len(json.dumps(filled | {"note": ""}))
    session = iso.read(ppd(tmp_path, note="x" * pad))
    assert (tmp_path / "m1.ppd").read_bytes()[:2] == struct.pack("<H", size)
    assert len(session.series["analog_1"]) == 40


@pytest.mark.parametrize("left", [1, 2, 3])
def test_bytes_after_the_last_whole_sample_are_named(tmp_path, left):
    path = ppd(tmp_path)
    path.write_bytes(path.read_bytes()[:-left])
    session = iso.read(path)
    assert len(session.series["analog_2"]) == 39
    assert session.metadata["warnings"] == [
        f"analog_1: m1.ppd ends within a sample; its last {4 - left} bytes left out"
    ]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"mode": "4 colour time div."}, "mode '4 colour time div.', of which isofold does not kn"),
        ({"n_analog_signals": 3}, "has 2 signals, .* its header says 3 signals"),
        ({"sampling_rate": 0}, "a positive rate"),
        ({"sampling_rate": "fast"}, "lacks a field or holds none of its kind .*fast"),
        ({"volts_per_division": []}, "a positive rate and volts per division"),
        ({"version": "beta"}, "lacks a field or holds none of its kind"),
        ({"header": b"{not json, volts}"}, "its header is no JSON"),
        ({"header": b"[1]"}, "its header is neither JSON nor the 42 bytes"),
        ({"header": b'{"mode": "2EX_2EM_pulsed"}'}, "lacks a field .*sampling_rate"),
        ({"n": 0}, "holds no samples after its header"),
    ],
)
def test_headers_that_are_wrong(tmp_path, more, told):
    with pytest.raises(ReadError, match=rf"m1\.ppd.*{told}"):
        iso.read(ppd(tmp_path, **more))


def test_a_file_that_ends_within_its_header(tmp_path):
    path = ppd(tmp_path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ReadError, match=r"m1\.ppd is cut short: it ends within its header of"):
        iso.read(path)
