"""Neurophotometrics: interleaved frames, bits of their state, digital inputs."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from acquisition_files import npm, npm_rows

import isofold as iso
from isofold.errors import ReadError


def warned(session, told):
    return any(re.search(told, w) for w in session.metadata["warnings"])


@pytest.mark.parametrize("state", ["Flags", "LedState"])
@pytest.mark.parametrize("clock", ["SystemTimestamp", "Timestamp", "ComputerTimestamp"])
def test_frames_are_told_apart_by_their_light(tmp_path, state, clock):
    session = iso.read(npm(tmp_path, state=state, clock=clock))
    assert list(session.series) == ["415", "470", "560"]
    for k, (name, bits) in enumerate({"415": 1, "470": 2, "560": 4}.items()):
        rows = np.arange(60)[1:][k::3]
        light = session.series[name]
        assert list(light.columns) == ["Region0R", "Region1G"]
        np.testing.assert_allclose(light.times(), 100 + rows / 30, atol=1e-6)
        np.testing.assert_allclose(light.values[:, 0], 0.1 * bits + rows / 1000, atol=1e-6)
    assert session.metadata["warnings"] == [
        f"{state}: 1 of 60 frames of fp.csv are without light; left out, first row 0"
    ]


def test_bits_that_rise_are_events(tmp_path):
    session = iso.read(npm(tmp_path))
    assert list(session.events) == ["flag_input1"]  # output 0 is high throughout
    np.testing.assert_allclose(
        session.events["flag_input1"], 100 + np.array([20, 40]) / 30, atol=1e-6
    )


def test_columns_of_lines_are_events(tmp_path):
    rows = npm_rows(dark=0)
    rows = [rows[0] + ",Stimulation,Input0"] + [
        f"{row},0,{int(k in (7, 8))}" for k, row in enumerate(rows[1:])
    ]
    (tmp_path / "fp.csv").write_text("\n".join(rows) + "\n")
    session = iso.read(tmp_path / "fp.csv")
    np.testing.assert_allclose(session.events["flag_input0"], [100 + 7 / 30], atol=1e-6)
    assert list(session.series["470"].columns) == ["Region0R", "Region1G"]


def test_lights_that_are_on_together_have_a_name_of_their_own(tmp_path):
    session = iso.read(npm(tmp_path, lights=(1, 6)))
    assert list(session.series) == ["415", "470+560"]


def test_lost_frames_are_named(tmp_path):
    path = npm(tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:11] + lines[13:]))
    assert warned(iso.read(path), "^470: 1 jumps of FrameCounter in fp.csv, first after frame 9")


@pytest.mark.parametrize("names", [("L415", "L470"), ("FiberData415", "FiberData470")])
@pytest.mark.parametrize("state", [True, False])
def test_one_table_a_light(tmp_path, names, state):
    for name, bits in zip(names, (1, 2), strict=True):
        rows = ["FrameCounter,SystemTimestamp,LedState,Region0G"]
        rows += [f"{2 * i},{i / 20 + bits / 40},{bits},{bits + i}" for i in range(30)]
        if not state:
            rows = [",".join(np.delete(row.split(","), 2)) for row in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n")
    session = iso.read(tmp_path)
    assert list(session.series) == ["415", "470"]
    assert session.series["470"].values[:, 0].tolist() == [2 + i for i in range(30)]
    assert session.metadata["warnings"] == []


def test_two_tables_of_one_light(tmp_path):
    npm(tmp_path)
    (tmp_path / "again.csv").write_text((tmp_path / "fp.csv").read_text())
    with pytest.raises(ReadError, match=r"one table a light is needed; fp\.csv holds 415 nm"):
        iso.read(tmp_path)


@pytest.mark.parametrize("suffix", ["csv", "pqt"])
def test_digital_inputs_of_both_versions(tmp_path, suffix):
    first = pd.DataFrame({"Timestamp": [1.0, 1.1, 2.0, 2.1], "Value": [True, False, True, False]})
    named = pd.DataFrame(
        {
            "ChannelName": ["Input0", "Input1", "Input0"], "Channel": [0, 1, 0],
            "AlwaysTrue": [True] * 3, "SystemTimestamp": [5.0, 6.0, 7.0],
            "ComputerTimestamp": [5e6, 6e6, 7e6],
        }
    )  # fmt: skip
    for table, name in ((first, "first"), (named, "named")):
        path = tmp_path / f"{name}.{suffix}"
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    session = iso.read(tmp_path / f"first.{suffix}")
    assert session.events["input0"].tolist() == [1, 2]
    assert session.events["input0_fall"].tolist() == [1.1, 2.1]
    session = iso.read(tmp_path / f"named.{suffix}")
    assert {k: v.tolist() for k, v in session.events.items()} == {"input0": [5, 7], "input1": [6]}
    session = iso.read(tmp_path / f"named.{suffix}", time="ComputerTimestamp")
    assert session.events["input1"].tolist() == [6000]


def test_inputs_that_do_not_alternate(tmp_path):
    (tmp_path / "d.csv").write_text("Timestamp,Value\n1,True\n2,True\n3,False\n")
    assert warned(iso.read(tmp_path / "d.csv"), "^input0: rises and falls do not alternate.*row 0")
    (tmp_path / "d.csv").write_text("Timestamp,Value\n1,True\n2,up\n")
    with pytest.raises(
        ReadError, match=r"'Value' of d\.csv must be True or False; row 1 holds 'up'"
    ):
        iso.read(tmp_path / "d.csv")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("\n3,", "\n3.5,", None),
        (
            ",18,",
            ",18.5,",
            r"'LedState' of fp.csv must hold whole numbers of bits; row 2 holds 18.5",
        ),
        (",18,", ",-2,", r"row 2 holds -2.0. Is the file whole"),
        (",18,", ",blue,", r"column 'LedState' of fp.csv must hold numbers; row 2 holds 'blue'"),
        ("100.100000", "99", "fp.csv, times of 560 nm: time must not go back"),
    ],
)
def test_broken_tables(tmp_path, old, new, told):
    path = npm(tmp_path)
    path.write_text(path.read_text().replace(old, new, 1))
    if told is None:
        assert warned(iso.read(path), "jumps of FrameCounter")
        return
    if new == "99":
        path.write_text(path.read_text().replace("100.200000", "98", 1))
        path.write_text(path.read_text().replace("100.300000", "97", 1))
    with pytest.raises(ReadError, match=told):
        iso.read(path)


def test_only_dark_frames(tmp_path):
    with pytest.raises(ReadError, match="holds no frame with light and no event"):
        iso.read(npm(tmp_path, n=10, dark=10))


def test_options_of_arrays_read_the_plain_table(tmp_path):
    session = iso.read(npm(tmp_path), rate=30.0)
    assert "LedState" in session.series
    session = iso.read(npm(tmp_path), time="SystemTimestamp")
    assert list(session.series) == ["415", "470", "560"]
    with pytest.raises(ReadError, match="needs a column of times, clock; there are"):
        iso.read(npm(tmp_path), time="clock")
