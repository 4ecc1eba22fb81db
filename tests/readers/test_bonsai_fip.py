"""The earlier AIND layout from Bonsai, and its alignment to frame pulses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from acquisition_files import CLOCK, bonsai, bonsai_rows

import isofold as iso
from isofold.errors import ReadError


def table(home, light="G"):
    return next((home / "fib").glob(f"FIP_Data{light}_*"))


def warned(session, told):
    return any(re.search(told, w) for w in session.metadata["warnings"])


def test_frames_take_the_times_of_the_pulses(tmp_path):
    session = iso.read(bonsai(tmp_path, pulses=50))
    assert list(session.series) == ["green", "green_floor", "red", "red_floor", "iso", "iso_floor"]
    for light in session.series.values():
        np.testing.assert_allclose(light.times(), CLOCK + 0.05 * np.arange(50))
    iso_light = session.series["iso"]
    assert list(iso_light.columns) == ["Fiber_0", "Fiber_1"]
    np.testing.assert_allclose(iso_light.values[:, 1], 2010 + np.arange(50) / 7, atol=1e-6)
    np.testing.assert_allclose(session.series["red_floor"].values, 257 + 0.01 * np.arange(50))
    assert [w[:26] for w in session.metadata["warnings"]] == ["trials: 3 starts and 2 end"]


def test_without_pulses_the_clock_is_the_computers(tmp_path):
    session = iso.read(bonsai(tmp_path))
    np.testing.assert_allclose(session.series["green"].times(), 30333 + 0.05 * np.arange(50))
    assert warned(session, "^green: times are seconds of the computer's day.*no frame pulses")


def test_another_number_of_pulses(tmp_path):
    home = bonsai(tmp_path, pulses=53)
    with pytest.raises(ReadError, match=r"FIP_DataG_.* has 50 frames of green, .*has 53.*'last'"):
        iso.read(home)
    last = iso.read(home, pulses="last")
    np.testing.assert_allclose(last.series["green"].times(), CLOCK + 0.05 * np.arange(3, 53))
    assert warned(last, "^iso: 50 frames but 53 pulses; the last 50 of both")
    first = iso.read(home, pulses="first")
    np.testing.assert_allclose(first.series["green"].times(), CLOCK + 0.05 * np.arange(50))
    ignored = iso.read(home, pulses="ignore")
    assert ignored.series["green"].times()[0] == 30333
    with pytest.raises(ReadError, match="pulses must be one of"):
        iso.read(home, pulses="all")


def test_more_frames_than_pulses(tmp_path):
    session = iso.read(bonsai(tmp_path, pulses=45), pulses="last")
    green = session.series["green"]
    np.testing.assert_allclose(green.values[:, 0], 1000 + np.arange(5, 50) / 7, atol=1e-6)
    np.testing.assert_allclose(green.times(), CLOCK + 0.05 * np.arange(45))


def test_lost_falling_pulses(tmp_path):
    import json

    home = bonsai(tmp_path, pulses=50)
    path = next((home / "behavior").glob("*.json"))
    said = json.loads(path.read_text())
    said["B_PhotometryFallingTimeHarp"].pop()
    path.write_text(json.dumps(said))
    assert warned(iso.read(home), "^FIP_rising_time: 50 rising but 49 falling pulses")


def test_the_longest_of_several_tables(tmp_path):
    home = bonsai(tmp_path, pulses=50)
    bonsai(tmp_path, n=20, stamp="2024-06-05T08_20_00")
    session = iso.read(home)
    assert len(session.series["red"]) == 50
    assert warned(session, r"^red: 2 tables; the longest, .*08_25_33.*left out: .*\(20 frames\)")


@pytest.mark.parametrize("header", [False, True])
def test_a_trailing_column_of_harp_times_is_the_clock(tmp_path, header):
    session = iso.read(bonsai(tmp_path, harp=True, header=header))
    np.testing.assert_allclose(session.series["green"].times(), CLOCK + 0.05 * np.arange(50))
    assert list(session.series["green"].columns) == ["Fiber_0", "Fiber_1"]
    np.testing.assert_allclose(session.series["green_floor"].values, 257 + 0.01 * np.arange(50))
    assert session.metadata["warnings"] == []


def test_an_all_zero_column_of_old_iso_tables_is_dropped(tmp_path):
    session = iso.read(bonsai(tmp_path, pulses=50, zero=True))
    assert list(session.series["iso"].columns) == ["Fiber_0", "Fiber_1"]
    np.testing.assert_allclose(session.series["iso_floor"].values, 257 + 0.01 * np.arange(50))
    assert warned(session, "^iso: 1 columns of FIP_DataIso_.* are all 0; left out")


@pytest.mark.parametrize("rest", ["30335500.0,10", "30335500.0,1007.1,10x", "30335500.0,1,1,2.5.7"])
def test_a_broken_last_row_is_left_out(tmp_path, rest):
    home = bonsai(tmp_path)
    table(home).write_text(bonsai_rows(50, 2, 0) + rest)
    session = iso.read(home)
    assert len(session.series["green"]) == 50
    assert warned(session, "^green: .*(cut short and left out|is broken; left out)")


def test_the_clock_of_the_day_starts_anew_at_midnight(tmp_path):
    home = bonsai(tmp_path)
    day = 86_400_000
    rows = [f"{(day - 1000 + 50 * i) % day},{i},257" for i in range(60)]
    for light in ("G", "Iso", "R"):
        table(home, light).write_text("\n".join(rows) + "\n")
    t = iso.read(home).series["green"].times()
    np.testing.assert_allclose(np.diff(t), 0.05)


def test_one_table_by_itself(tmp_path):
    session = iso.read(table(bonsai(tmp_path), "Iso"))
    assert list(session.series) == ["iso", "iso_floor"]


def test_a_light_without_a_table_or_rows(tmp_path):
    home = bonsai(tmp_path)
    table(home, "R").unlink()
    table(home, "Iso").write_text("")
    session = iso.read(home)
    assert list(session.series) == ["green", "green_floor"]
    assert warned(session, "^red: there is no table of this light with rows; left out")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("1,2,3\n4,x,6\n7,8,9\n", r"must hold numbers; row 1, column 1 holds 'x'"),
        ("1,2\n3,4\n", "needs a time, at least one fiber and the sensor's floor; it has 2 columns"),
        ("50,1,2\n100,1,2\n60,1,2\n", "column of times: time must not go back"),
        ("1,2,3\n1,2,3,4\n2,2,3\n", "is not a table: line 2 has more cells"),
    ],
)
def test_broken_tables(tmp_path, rows, told):
    home = bonsai(tmp_path)
    table(home).write_text(rows)
    with pytest.raises(ReadError, match=f"FIP_DataG_2024-06-05T08_25_33.csv.*{told}"):
        iso.read(home)
