"""Text from an App Panel and numbers from the environment."""

from __future__ import annotations

import pytest

from isofold.capsule import Settings
from isofold.errors import StudyError

GIB = 1 << 30


def settings(*places, environment=None, **given):
    return Settings.of(given, places, environment or {"CO_CPUS": "1"})


def test_every_value_is_text():
    told = settings(
        seeds="3",
        folds="4",
        controls="true",
        methods="['pca', 'cebra-time']",
        labels=" position , direction ",
        width="0.05",
        trials="laps",
        dimension="2",
        dry_run="False",
    )
    assert (told.seeds, told.folds, told.controls, told.dry_run) == ([3], 4, True, False)
    assert told.methods == ["pca", "cebra-time"]
    assert told.labels == ["position", "direction"]
    assert (told.width, told.trials, told.dimension) == (0.05, "laps", 2)
    assert told.of_default_study() == ["methods", "labels", "width", "trials", "dimension"]


@pytest.mark.parametrize("nothing", ["", "  ", None, "None", "null"])
def test_nothing_is_not_given(nothing):
    names = ("mode", "study", "seeds", "folds", "controls", "methods", "width", "workers", "data")
    told = settings("", environment={"CO_CPUS": "2"}, **dict.fromkeys(names, nothing))
    assert told == settings(environment={"CO_CPUS": "2"})
    assert (told.mode, str(told.data), str(told.results)) == ("all", "/data", "/results")


def test_places_and_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = settings("a.toml", "worker", environment={"ISOFOLD_DATA": "../x"}, results="out")
    assert (told.study, told.mode) == ("a.toml", "worker")
    assert told.data == tmp_path.parent / "x"
    assert told.results == tmp_path / "out"
    assert settings("a.toml", study="a.toml").study == "a.toml"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds": "one"}, r'--seeds must be whole numbers such as "\[0, 1\]", got \'one\''),
        ({"seeds": "[0, 1"}, r"--seeds must be a list"),
        ({"seeds": "1.5"}, r"--seeds must be whole numbers"),
        ({"folds": "1"}, r"--folds must be a whole number of at least 2, got '1'"),
        ({"folds": "2.5"}, r"--folds must be a whole number"),
        ({"width": "wide"}, r"--width must be a number"),
        ({"width": "nan"}, r"--width must be a number"),
        ({"controls": "maybe"}, r'--controls must be "true" or "false", got \'maybe\''),
        ({"dry_run": "2"}, r"--dry-run must be"),
        ({"mode": "everything"}, r"--mode must be one of all, dispatch, worker, collect"),
        ({"modality": "fibre"}, r"--modality must be one of behavior, .*fib"),
        ({"workers": "0"}, r"--workers must be a whole number of at least 1"),
    ],
)
def test_wrong_values_name_their_parameter(given, message):
    with pytest.raises(StudyError, match=message):
        settings(**given)


def test_too_many_places_and_twice():
    with pytest.raises(StudyError, match=r"by place there are study, mode; everything else is"):
        settings("a", "all", "pca")
    with pytest.raises(StudyError, match=r"--study is given twice: 'b' and, by place, 'a'"):
        settings("a", study="b")


@pytest.mark.parametrize(
    ("environment", "workers", "memory"),
    [
        ({"CO_CPUS": "4"}, 4, None),
        ({"CO_CPUS": "4", "CO_MEMORY": str(32 * GIB)}, 4, "7372 MiB"),
        ({"CO_CPUS": "16", "CO_MEMORY": str(4 * GIB)}, 3, "1228 MiB"),  # not 230 MiB each
        ({"CO_CPUS": "4", "CO_MEMORY": str(GIB // 2)}, 1, "460 MiB"),
        ({"CO_CPUS": "", "CO_MEMORY": ""}, None, None),
    ],
)
def test_processors_and_memory(environment, workers, memory):
    told = settings(environment=environment)
    assert told.workers >= 1 if workers is None else told.workers == workers
    assert told.memory == memory
    assert settings(environment=environment, workers="1").workers == 1


@pytest.mark.parametrize("value", ["many", "0", "-1"])
@pytest.mark.parametrize("name", ["CO_CPUS", "CO_MEMORY"])
def test_wrong_environment(name, value):
    with pytest.raises(StudyError, match=f"environment variable {name} must be a number above 0"):
        settings(environment={"CO_CPUS": "1", name: value})
