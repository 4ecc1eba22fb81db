"""AIND fiber photometry, current layout; files written by hand after the file standard."""

from __future__ import annotations

import json

import numpy as np
import pytest
from acquisition_files import CLOCK, aind, aind_run, behavior, camera

import isofold as iso
from isofold.errors import ReadError


def run_of(home):
    return next((home / "fib").iterdir())


def changed(path, old, new, count=1):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


@pytest.mark.parametrize("order", [None, "shuffled"])
def test_lights_fibers_and_clock(tmp_path, order):
    home = aind(tmp_path, order=order)
    session = iso.read(home)
    assert session.name == home.name
    assert list(session.series) == ["green", "green_floor", "red", "red_floor", "iso", "iso_floor"]
    assert session.metadata["warnings"] == []
    red = session.series["red"]
    assert list(red.columns) == [f"Fiber_{k}" for k in range(4)]
    np.testing.assert_allclose(red.times(), CLOCK + np.arange(50) / 20 + 0.016, atol=1e-6)
    np.testing.assert_allclose(red.values[:, 3], 2030 + np.arange(50) / 7, atol=1e-6)
    np.testing.assert_allclose(session.series["iso_floor"].values, 257 + 0.1 * np.arange(50))


def test_every_folder_of_the_acquisition_is_an_entrance(tmp_path):
    home = aind(tmp_path)
    behavior(home)
    whole = iso.read(home)
    for path in (home / "fib", run_of(home)):
        again = iso.read(path)
        assert again.name == home.name
        assert list(again.series) == list(whole.series)
        assert list(again.events) == list(whole.events)
    one = iso.read(run_of(home) / "iso.csv")
    assert list(one.series) == ["iso", "iso_floor"]


def test_ten_fibers_are_in_order_of_their_number(tmp_path):
    session = iso.read(aind(tmp_path, fibers=12, order="shuffled"))
    assert list(session.series["green"].columns) == [f"Fiber_{k}" for k in range(12)]


def test_an_interrupted_session_is_joined_with_a_gap(tmp_path):
    home = aind(tmp_path)
    aind_run(home / "fib" / "fip_2026-11-05T110000", start=CLOCK + 3600, n=30)
    session = iso.read(home)
    assert len(session.series["green"]) == 80
    warnings = session.metadata["warnings"]
    assert any(w.startswith("green: joined from 2 folders") for w in warnings)
    assert any(w.startswith("green: 1 gaps, first after 18930") for w in warnings)
    recording = session.bin(0.05, signal="green")
    assert len(recording.segments) == 2


def test_two_folders_that_do_not_fit(tmp_path):
    home = aind(tmp_path)
    aind_run(home / "fib" / "fip_2026-11-05T110000", start=CLOCK + 3600, fibers=3)
    with pytest.raises(ReadError, match=r"the same in every folder.*Read each folder by itself"):
        iso.read(home)
    home = aind(tmp_path / "later")
    aind_run(home / "fib" / "fip_2026-11-05T110000", start=CLOCK - 3600)
    with pytest.raises(
        ReadError, match=r"green.csv.*column 'ReferenceTime': time must not go back"
    ):
        iso.read(home)
    assert len(iso.read(home, unsorted="sort").series["green"]) == 100


def test_behaviour_becomes_events_and_trials(tmp_path):
    home = aind(tmp_path)
    behavior(home)
    (home / "behavior" / "sounds.csv").write_text(
        f"time,event\n{CLOCK + 1},tone\n{CLOCK + 2},tone\n"
    )
    session = iso.read(home)
    assert {k: len(v) for k, v in session.events.items()} == {
        "left_lick_time": 2, "left_reward_delivery_time": 1,
        "FIP_rising_time": 50, "FIP_falling_time": 50, "tone": 2,
    }  # fmt: skip
    assert session.trials["start"].tolist() == [CLOCK + 0.2, CLOCK + 1.2]
    assert session.trials["goCue_start_time"].tolist() == [CLOCK + 0.3, CLOCK + 1.3]
    assert session.trials["rewarded_historyL"].tolist() == [True, False]
    warnings = session.metadata["warnings"]
    assert [w[:38] for w in warnings] == ["trials: 3 starts and 2 ends, 0 of them"]


def test_broken_behaviour_costs_the_behaviour_only(tmp_path):
    home = aind(tmp_path)
    behavior(home)
    path = next((home / "behavior").glob("*.json"))
    path.write_text(path.read_text()[:100])
    behavior(home / "other", B_LeftLickTime="often")
    (home / "other" / "behavior" / path.name).rename(home / "behavior" / "b.json")
    session = iso.read(home)
    assert len(session.series) == 6
    warnings = session.metadata["warnings"]
    assert any(w.startswith(f"behavior: {path.name} is not JSON") for w in warnings)
    assert "left_lick_time: B_LeftLickTime is no list of times; left out" in warnings


# -- guarantees ---------------------------------------------------------------------------------


def drop_row(run):
    text = (run / "red.csv").read_text().splitlines(keepends=True)
    (run / "red.csv").write_text("".join(text[:-3]))


def drop_frame(run):
    path = run / "camera_red_metadata.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:11] + lines[12:]))


def late_exposure(run):
    lines = (run / "camera_red_metadata.csv").read_text().splitlines()
    cells = lines[20].split(",")
    cells[2] = str(int(cells[2]) + 300_000)  # 0.3 ms in ns
    lines[20] = ",".join(cells)
    (run / "camera_red_metadata.csv").write_text("\n".join(lines) + "\n")


def other_frames(run):
    camera(run / "camera_green_iso_metadata.csv", 90, CLOCK, 0.025)


def short_movie(run):
    (run / "iso.bin").write_bytes(bytes(24 * 49))


def lost_circle(run):
    path = run / "regions.json"
    said = json.loads(path.read_text())
    said["camera_red_roi"].pop()
    path.write_text(json.dumps(said))


def no_metadata(run):
    (run / "camera_red_metadata.csv").unlink()


def one_background(run):
    (run / "background_green.csv").write_text("ReferenceTime\n1\n")


def unnumbered(run):
    changed(run / "green.csv", "Fiber_3", "Fiber_5")


def half_a_row(run):
    path = run / "green.csv"
    path.write_text(path.read_text()[:-60])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (drop_row, r"red: 47 frames in .*red.csv where 50 are in the longest"),
        (drop_row, r"red: 47 rows but 50 frames in red.bin"),
        (drop_frame, r"red: 1 jumps of CameraFrameNumber in .*first after frame 9: .*by hand"),
        (drop_frame, r"red: 1 rows are not in camera_red_metadata.csv, first frame 10"),
        (late_exposure, r"red: steps of CameraFrameTime and ReferenceTime differ by up to 0.3 ms"),
        (other_frames, r"green: 5 rows are not in camera_green_iso_metadata.csv, first frame 90"),
        (short_movie, r"iso: 50 rows but 49 frames in iso.bin"),
        (lost_circle, r"red: 4 fibers but 3 circles under camera_red_roi"),
        (no_metadata, r"red: no camera_red_metadata.csv: dropped frames cannot be told"),
        (one_background, r"red: background_red.csv is missing, others are there"),
        (unnumbered, r"green: patch cords are not numbered from 0 on"),
        (half_a_row, r"green: 1 rows of green.csv are cut short and left out, first line 51"),
        (lambda run: (run / "iso.csv").unlink(), "iso: there is no iso.csv; left out"),
        (lambda run: (run / "regions.json").write_text("{"), "regions.json is not JSON"),
    ],
)
def test_a_broken_guarantee_is_named_and_the_rest_is_read(tmp_path, damage, told):
    import re

    home = aind(tmp_path)
    damage(run_of(home))
    session = iso.read(home)
    assert len(session.series) >= 4
    assert any(re.search(told, w) for w in session.metadata["warnings"]), session.metadata


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ReferenceTime", "When", r"green.csv lacks the columns \['ReferenceTime'\]"),
        ("Background", "Dark", r"green.csv lacks the columns \['Background'\]"),
        ("Fiber_", "ROI", r"green.csv lacks the columns \['Fiber_0'\]"),
        (
            "1000.142857",
            "bright",
            r"column 'Fiber_0' of green.csv must hold numbers; row 1 holds 'b",
        ),
        ("Fiber_1", "Fiber_0", r"green.csv needs a name of its own; \['Fiber_0'\]"),
        ("1000.142857", "1,2,3", "green.csv is not a table: line 3 has more cells"),
    ],
)
def test_a_broken_table_is_an_error_with_file_and_field(tmp_path, old, new, told):
    home = aind(tmp_path)
    changed(run_of(home) / "green.csv", old, new, count=-1 if old == "Fiber_" else 1)
    with pytest.raises(ReadError, match=told):
        iso.read(home)


def test_times_that_repeat_or_go_back(tmp_path):
    home = aind(tmp_path)
    path = run_of(home) / "green.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:10], lines[9], *lines[10:]]) + "\n")
    assert any(
        w.startswith("green: 1 repeated times, first 18930")
        for w in iso.read(home).metadata["warnings"]
    )
    path.write_text("\n".join([*lines[:10], lines[11], lines[10], *lines[12:]]) + "\n")
    with pytest.raises(ReadError, match=r"green.csv, column 'ReferenceTime': .*unsorted='sort'"):
        iso.read(home)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("latin-1", "must be UTF-8 text; byte"), ("utf-16", "must be .* NUL bytes")],
)
def test_wrong_encodings(tmp_path, encoding, told):
    home = aind(tmp_path)
    path = run_of(home) / "green.csv"
    path.write_bytes(path.read_text().replace("Fiber_0", "Fibér_0").encode(encoding))
    with pytest.raises(ReadError, match=f"green.csv {told}"):
        iso.read(home)
    path.write_bytes(path.read_bytes().decode(encoding).replace("é", "e").encode("utf-8-sig"))
    assert len(iso.read(home).series["green"]) == 50
