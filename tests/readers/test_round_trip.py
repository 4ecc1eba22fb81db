"""What any reader gives survives NWB: read, written, read again, equal."""

from __future__ import annotations

from pathlib import Path

import acquisition_files as files
import numpy as np
import pandas as pd
import pytest

import isofold as iso

SUFFIXES = [".nwb", ".nwb.zarr"]
"""Containers that `Session.to_nwb` writes."""

IBL = Path(__file__).parents[2] / "../shared/data/photometry_ibl"


def aind(folder):
    home = files.aind(folder)
    files.behavior(home)
    files.aind_run(home / "fib" / "fip_2026-11-05T110000", start=files.CLOCK + 3600)
    return iso.read(home)


def real(version):
    def read(_):
        if not IBL.exists():
            pytest.skip("real data not found: ../shared/data/photometry_ibl")
        return iso.read(IBL / version)

    return read


def sorting(_):
    class Sorting:
        get_unit_ids = lambda self: ["a", "b"]  # noqa: E731
        get_sampling_frequency = lambda self: 30_000.0  # noqa: E731
        get_property_keys = lambda self: ["quality"]  # noqa: E731
        get_property = lambda self, key: np.array(["good", "mua"])  # noqa: E731
        get_unit_spike_train = lambda self, unit, segment_index: np.arange(9) * 77  # noqa: E731

    return iso.from_spikeinterface(Sorting())


READERS = {
    "aind": aind,
    "bonsai": lambda folder: iso.read(files.bonsai(folder, pulses=50)),
    "neurophotometrics": lambda folder: iso.read(files.npm(folder)),
    "ibl 1": real("version_1"),
    "ibl 5": real("version_5"),
    "pyphotometry": lambda folder: iso.read(files.ppd(folder, version="1.1")),
    "doric 6": lambda folder: iso.read(files.doric(folder, series=("Series0001", "Series0002"))),
    "doric 5": lambda folder: iso.read(files.doric5(folder, traces=True)),
    "tdt": lambda folder: iso.read(files.tdt_block(folder)),
    "suite2p": lambda folder: iso.read(files.suite2p(folder, planes=2), rate=7.5),
    "phy": lambda folder: iso.read(files.phy(folder)),
    "spikeinterface": sorting,
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("reader", READERS)
def test_round_trip(tmp_path, reader, suffix):
    if reader == "tdt":
        pytest.importorskip("tdt", reason="the package tdt (extra tdt) is not installed")
    session = READERS[reader](tmp_path)
    again = iso.read(session.to_nwb(tmp_path / f"written{suffix}"))
    assert_equal(session, again)


def assert_equal(one, two):
    assert one.subject == two.subject
    assert list(one.series) == sorted(one.series, key=list(one.series).index)
    assert set(one.series) == set(two.series)
    for name, series in one.series.items():
        other = two.series[name]
        np.testing.assert_array_equal(series.times(), other.times(), err_msg=name)
        np.testing.assert_array_equal(series.values[:], other.values[:], err_msg=name)
        assert list(getattr(series, "columns", ())) == list(getattr(other, "columns", ())), name
    assert set(one.events) == set(two.events)
    for name, times in one.events.items():
        np.testing.assert_array_equal(times, two.events[name], err_msg=name)
    assert (one.trials is None) == (two.trials is None)
    if one.trials is not None:
        pd.testing.assert_frame_equal(
            one.trials, two.trials[list(one.trials.columns)], check_names=False, check_dtype=False
        )
    assert (one.units is None) == (two.units is None)
    if one.units is not None:
        assert list(one.units.index) == list(two.units.index)
        for unit in one.units.index:
            np.testing.assert_array_equal(one.units[unit].times(), two.units[unit].times())
        columns = [c for c in one.units.metadata_columns if c != "rate"]
        for column in columns:
            assert one.units.metadata[column].tolist() == two.units.metadata[column].tolist()
