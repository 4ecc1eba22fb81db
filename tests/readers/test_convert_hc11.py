"""benchmarks/convert_hc11.py, on small files of the form of the distributed ones."""

import gzip
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import joblib
import numpy as np
import pytest

import isofold as iso

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "convert_hc11.py"
LAP, N_LAPS, N_UNITS = 20, 8, 5


def rat():
    """Runs right, left, right, … of equal length; in the last, bins are left out on the way."""
    there = np.linspace(0.0, 1.6, LAP)
    position = np.concatenate([there, there[::-1]] * (N_LAPS // 2))
    right = np.repeat(np.arange(N_LAPS) % 2 == 0, LAP)
    keep = np.ones(len(position), bool)
    keep[-12:-8] = False
    spikes = np.random.default_rng(0).poisson(0.5, (len(position), N_UNITS))
    behaviour = np.stack([position, right, ~right], axis=1)
    return {"spikes": spikes[keep], "position": behaviour[keep]}


def convert(path, out, *options):
    command = [sys.executable, SCRIPT, path, out, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fails(path, *options):
    """What the script says to a file that it refuses; nothing is written."""
    out = path.parent / "refused.npz"
    done = convert(path, out, *options)
    assert done.returncode == 1
    assert not out.exists()
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def npz(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hc11")
    joblib.dump(rat(), folder / "achilles.jl")
    done = convert(folder / "achilles.jl", folder / "achilles.npz", "--trust")
    assert done.returncode == 0, done.stderr
    assert "156 bins of 25 ms x 5 units, 9 laps" in done.stdout
    return folder / "achilles.npz"


def test_labels_and_signal(npz):
    session = iso.read(npz, signal="spikes", trial="lap")
    found = session.bin(signal="signal", labels=["position", "direction"])
    given = rat()
    assert session.metadata["warnings"] == []
    assert (found.rate, found.name) == (40.0, "achilles")
    np.testing.assert_array_equal(found.signal, given["spikes"])
    np.testing.assert_allclose(found.labels["position"], given["position"][:, 0], atol=1e-12)
    np.testing.assert_array_equal(found.labels["direction"] == "right", given["position"][:, 1])
    assert set(found.labels["direction"]) == {"right", "left"}
    assert found.kinds == {"position": "continuous", "direction": "discrete"}


def test_a_lap_is_a_wall_and_begins_at_a_turn_or_jump(npz):
    found = iso.read(npz, signal="spikes", trial="lap").bin(signal="signal", labels=["direction"])
    begins = [*range(0, N_LAPS * LAP, LAP), N_LAPS * LAP - 12]
    assert found.trials["start"].tolist() == begins
    assert found.trials["stop"].tolist() == [*begins[1:], len(found)]
    assert found.segments[["start", "stop"]].equals(found.trials.reset_index()[["start", "stop"]])
    assert all(len(set(found.labels["direction"][a:b])) == 1 for a, b in pairwise(begins))


def test_a_round_trip_holds_two_runs(npz):
    found = iso.read(npz, signal="spikes", trial="round_trip").bin(signal="signal")
    assert found.trials["start"].tolist() == [0, 40, 80, 120]
    assert found.trials["stop"].tolist() == [40, 80, 120, 156]


def test_folds_are_thirds_of_laps(npz):
    found = iso.read(npz, signal="spikes", trial="lap").bin(signal="signal")
    tests = [test.trials.index.tolist() for _, test in found.folds(3)]
    assert tests == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_gzipped(tmp_path, npz):
    joblib.dump(rat(), tmp_path / "a.jl")
    (tmp_path / "a.jl.gz").write_bytes(gzip.compress((tmp_path / "a.jl").read_bytes()))
    assert convert(tmp_path / "a.jl.gz", tmp_path / "a.npz", "--trust").returncode == 0
    with np.load(tmp_path / "a.npz") as one, np.load(npz) as other:
        assert one.files == other.files
        assert all((one[key] == other[key]).all() for key in one.files)


def test_isofold_refuses_the_file_itself(tmp_path):
    joblib.dump(rat(), tmp_path / "achilles.jl")
    with pytest.raises(iso.errors.UnsafeFileError, match="run code"):
        iso.read(tmp_path / "achilles.jl")


class Runs:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_an_unknown_file_is_not_loaded(tmp_path):
    made = tmp_path / "made"
    joblib.dump(Runs(made), tmp_path / "achilles.jl")
    assert "is none of the files that the authors distribute" in fails(tmp_path / "achilles.jl")
    assert not made.exists()
    assert "must hold 'spikes' and 'position'" in fails(tmp_path / "achilles.jl", "--trust")
    assert made.exists()  # so that the first half means something


WRONG = {
    "it holds ['position']": {"spikes": None},
    "it holds ['spikes']": {"position": None},
    "spikes must be (time, unit), got shape (156,)": {"spikes": np.zeros(156)},
    "spikes must be counts": {"spikes": np.full((156, 5), 0.5)},
    "spikes must hold finite numbers": {"spikes": np.full((156, 5), np.nan)},
    "whole numbers from 0": {"spikes": np.full((156, 5), -1)},
    "got shape (155, 3)": {"position": np.zeros((155, 3))},
    "position must be (time, 3)": {"position": np.zeros((156, 2))},
    "must say right or left": {"position": np.zeros((156, 3))},
    "position must hold finite numbers": {"position": np.array([["a"] * 3] * 156)},
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_content_is_named(tmp_path, message):
    content = {k: v for k, v in (rat() | WRONG[message]).items() if v is not None}
    joblib.dump(content, tmp_path / "rat.jl")
    assert message in fails(tmp_path / "rat.jl", "--trust")


def test_other_files(tmp_path):
    (tmp_path / "text.jl").write_text("not a pickle")
    assert "text.jl is not a joblib file, or is cut short" in fails(tmp_path / "text.jl", "--trust")
    joblib.dump(rat(), tmp_path / "whole.jl")
    (tmp_path / "half.jl").write_bytes((tmp_path / "whole.jl").read_bytes()[:500])
    assert "half.jl is not a joblib file, or is cut short" in fails(tmp_path / "half.jl", "--trust")
    joblib.dump([1, 2], tmp_path / "list.jl")
    assert "it holds a list" in fails(tmp_path / "list.jl", "--trust")
    assert "No such file" in fails(tmp_path / "absent.jl", "--trust")
    done = convert(tmp_path / "whole.jl", tmp_path / "rat.nwb", "--trust")
    assert "must end in .npz, got rat.nwb" in done.stderr
    assert not (tmp_path / "rat.nwb").exists()
