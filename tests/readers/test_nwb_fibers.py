"""Series that say what their columns are: fibers (ndx-fiber-photometry), regions of interest."""

from __future__ import annotations

import numpy as np
import pytest
from test_read_nwb import T, new_file, saved

import isofold as iso

ndx = pytest.importorskip("ndx_fiber_photometry")


def devices(nwb):
    """Four fibers' worth of devices that the table wants."""
    from ndx_ophys_devices import (
        ExcitationSource,
        FiberInsertion,
        Indicator,
        OpticalFiber,
        Photodetector,
    )

    fibers = [
        OpticalFiber(name=f"fiber_{k}", fiber_insertion=FiberInsertion(name="fiber_insertion"))
        for k in "abcd"
    ]
    green = Indicator(name="dLight", description="d", label="dLight1.1")
    source, detector = ExcitationSource(name="led470"), Photodetector(name="camera")
    for device in (*fibers, source, detector):
        nwb.add_device(device)
    return fibers, green, source, detector


def with_fibers(locations, rows, data, n_fibers=4):
    nwb = new_file()
    fibers, green, source, detector = devices(nwb)
    indicators = ndx.FiberPhotometryIndicators(indicators=[green])
    table = ndx.FiberPhotometryTable(name="fiber_photometry_table", description="d")
    for k, location in enumerate(locations):
        table.add_row(
            location=location, excitation_wavelength_in_nm=470.0, emission_wavelength_in_nm=525.0,
            indicator=green, optical_fiber=fibers[k % n_fibers], excitation_source=source,
            photodetector=detector,
        )  # fmt: skip
    nwb.add_lab_meta_data(
        ndx.FiberPhotometry(
            name="fiber_photometry",
            fiber_photometry_table=table,
            fiber_photometry_indicators=indicators,
        )
    )
    region = table.create_fiber_photometry_table_region(region=list(rows), description="d")
    nwb.add_acquisition(
        ndx.FiberPhotometryResponseSeries(
            name="green", data=data, timestamps=T, unit="counts",
            fiber_photometry_table_region=region,
        )
    )  # fmt: skip
    return nwb


@pytest.mark.parametrize(
    ("locations", "rows", "n_fibers", "expected"),
    [
        (["NAc", "VTA", "DMS"], (2, 0), 4, ["DMS", "NAc"]),
        (["NAc", "NAc", "DMS"], (0, 1), 4, ["NAc fiber_a", "NAc fiber_b"]),
        (["NAc", "NAc"], (0, 1), 1, ["NAc fiber_a row0", "NAc fiber_a row1"]),
    ],
)
@pytest.mark.parametrize("suffix", [".nwb", ".nwb.zarr"])
def test_columns_are_called_by_their_fiber(tmp_path, locations, rows, n_fibers, expected, suffix):
    data = np.arange(100.0).reshape(50, 2)
    path = saved(with_fibers(locations, rows, data, n_fibers), tmp_path)
    session = iso.read(path)
    green = session.series["green"]
    assert list(green.columns) == expected
    about = green.metadata
    assert about["location"].tolist() == [locations[r] for r in rows]
    assert about["optical_fiber"].tolist() == [f"fiber_{'abcd'[r % n_fibers]}" for r in rows]
    assert about["indicator"].tolist() == ["dLight", "dLight"]
    assert about["excitation_wavelength_in_nm"].tolist() == [470.0, 470.0]
    assert session.bin(signal="green").channels["name"].tolist() == expected
    back = iso.read(session.to_nwb(tmp_path / f"back{suffix}")).series["green"]
    assert list(back.columns) == expected
    assert back.metadata["location"].tolist() == about["location"].tolist()
    assert session.metadata["warnings"] == []


def test_one_fiber_is_a_plain_series(tmp_path):
    session = iso.read(saved(with_fibers(["NAc"], (0,), np.arange(50.0)), tmp_path))
    assert session.series["green"].values.shape == (50,)


def test_regions_of_interest_bring_their_plain_columns(tmp_path):
    from pynwb.ophys import Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

    nwb = new_file()
    channel = OpticalChannel(name="green", description="d", emission_lambda=500.0)
    plane = nwb.create_imaging_plane(
        name="plane", optical_channel=channel, description="d", device=nwb.create_device("scope"),
        excitation_lambda=600.0, indicator="GCaMP", location="V1",
    )  # fmt: skip
    box = ImageSegmentation(name="masks")
    module = nwb.create_processing_module("ophys", "o")
    module.add(box)
    rois = box.create_plane_segmentation(name="cells", description="d", imaging_plane=plane)
    rois.add_column("accepted", "d")
    rois.add_column("kind", "d")
    for k, kind in enumerate(["soma", "dendrite", "soma"]):
        rois.add_roi(image_mask=np.zeros((4, 4)), accepted=bool(k), kind=kind, id=10 + k)
    fluorescence = Fluorescence(name="F")
    module.add(fluorescence)
    region = rois.create_roi_table_region(description="d", region=[2, 0, 1])
    fluorescence.add_roi_response_series(
        RoiResponseSeries(name="raw", data=np.zeros((50, 3)), rois=region, unit="a.u.", rate=25.0)
    )
    session = iso.read(saved(nwb, tmp_path))
    raw = session.series["raw"]
    assert list(raw.columns) == [12, 10, 11]
    assert raw.metadata["roi_kind"].tolist() == ["soma", "soma", "dendrite"]
    assert raw.metadata["roi_accepted"].tolist() == [True, False, True]
    back = iso.read(session.to_nwb(tmp_path / "back.nwb.zarr")).series["raw"]
    assert list(back.columns) == [12, 10, 11]
    assert back.metadata["roi_kind"].tolist() == ["soma", "soma", "dendrite"]
    assert back.metadata["roi_accepted"].tolist() == [True, False, True]
