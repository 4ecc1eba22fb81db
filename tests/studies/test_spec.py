"""The study file: what is known is obeyed, what is not is named with its place."""

from __future__ import annotations

import numpy as np
import pytest
from stand_ins import Rotated, rat

from isofold import Recording, Study
from isofold.errors import StudyError

MINIMAL = """
name = "line"
[[recordings]]
path = "rat.npz"
{recording}
[[methods]]
method = "pca"
{method}
{end}
"""


def written(tmp_path, recording="", method="", end="", top=""):
    (tmp_path / "rat.npz").touch()
    path = tmp_path / "line.toml"
    path.write_text(top + MINIMAL.format(recording=recording, method=method, end=end))
    return path


def test_a_whole_file(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA", str(tmp_path))
    (tmp_path / "a.nwb").touch()
    path = tmp_path / "studies" / "line.toml"
    path.parent.mkdir()
    path.write_text(
        """
        name = "line"
        seeds = [0, 1, 2]
        folds = 5
        controls = ["permuted labels"]
        [[recordings]]
        path = "${DATA}/a.nwb"
        name = "rat1"
        subject = "install"
        restrict = {where = "running", units = "area == 'CA1'"}
        bin = {width = 0.1, labels = ["position", "direction"], trials = "laps"}
        steps = ["zscore", {smooth = {sigma = 0.1}}]
        [[recordings]]
        path = "../a.nwb"
        [[methods]]
        method = "cebra-behavior"
        labels = ["position", "direction"]
        output_dimension = 3
        grid = {temperature = [0.1, 1.0], max_iterations = [10, 20]}
        [[methods]]
        method = "raw"
        name = "naive Bayes"
        [[scores]]
        score = "decode"
        label = "position"
        decoder = "bayes"
        nuisance = "direction"
        methods = ["naive Bayes"]
        [[scores]]
        score = "goodness of fit"
        """
    )
    study = Study.from_toml(path)
    first, second = study.recordings
    assert first.path == second.path == str(tmp_path / "a.nwb")
    assert (first.name, second.name, first.subject) == ("rat1", "a", "install")
    assert first.steps == ({"zscore": {}}, {"smooth": {"sigma": 0.1}})
    assert study.n_folds(study.recordings[0]) == 5
    assert [m.name for m in study.methods][:2] == [
        "cebra-behavior (temperature=0.1, max_iterations=10)",
        "cebra-behavior (temperature=0.1, max_iterations=20)",
    ]
    assert study.methods[3].settings == {
        "output_dimension": 3, "temperature": 1.0, "max_iterations": 20,
    }  # fmt: skip
    bayes, fit = study.scores
    assert bayes.options == {"nuisance": "direction"}
    assert [bayes.wanted(m, first) for m in study.methods] == [False] * 4 + [True]
    assert fit.score == "goodness_of_fit"


def test_what_is_written_reads_back_the_same(tmp_path):
    """The study.toml of a results folder is the study."""
    text = 'bin = {width = 0.1, labels = ["x"], window = [-1, 2.5]}\nsteps = ["zscore"]\n'
    end = '[[scores]]\nscore = "decode"\nlabel = "x"\nk = 5'
    given = Study.from_toml(written(tmp_path, text, "output_dimension = 2", end))
    again = tmp_path / "again.toml"
    again.write_text(given.to_toml())
    assert Study.from_toml(again) == given


@pytest.mark.parametrize(
    ("where", "text", "message"),
    [
        ("top", "sedes = [0]", r"unknown key 'sedes' \(did you mean 'seeds'\?\); known: .*seeds"),
        ("top", "seeds = 3", "seeds must be a list of whole numbers"),
        ("top", "seeds = [0.5]", "seeds must be whole numbers, got 0.5"),
        ("top", "seeds = [true]", "seeds must be whole numbers, got True"),
        ("top", "seeds = [1, 1]", "must be different"),
        ("top", "seeds = []", "seeds must be a list"),
        ("top", "folds = 1", "folds must be at least 2, got 1"),
        ("top", 'folds = "five"', "folds must be a whole number"),
        ("top", "folds = {n = 3}", "folds: unknown key 'n'"),
        ("top", "folds = {}", "folds must be a whole number"),
        ("top", "folds = 5\nsplit = {test = 0.2}", "folds or a split, not both"),
        ("top", "split = {tset = 0.2}", "split: unknown key 'tset' .*'test'"),
        ("top", "split = 0.2", "split must be a table"),
        ("top", 'controls = ["shuffled"]', "unknown control 'shuffled'; known: permuted labels"),
        ("recording", "bins = {width = 1}", r"recordings\[0\]: unknown key 'bins' .*'bin'"),
        ("recording", "bin = {widht = 1}", r"recordings\[0\].bin: unknown key 'widht' .*'width'"),
        ("recording", "bin = 0.1", r"recordings\[0\].bin must be a table"),
        ("recording", "name = 3", r"recordings\[0\].name must be a name, got 3"),
        ("recording", "restrict = {speed = 3}", "unknown key 'speed'; known: units, where"),
        ("recording", "steps = [{zscroe = {}}]", r"steps\[0\]: unknown step 'zscroe' .*'zscore'"),
        ("recording", "steps = [{smooth = {sgima = 1}}]", r"\(smooth\): unknown key 'sgima'"),
        ("recording", "steps = [{smooth = {sigma = -1}}]", r"steps\[0\] \(smooth\): sigma must be"),
        ("recording", "steps = [{smooth = {}}]", r"steps\[0\] \(smooth\): .*sigma"),
        ("recording", "steps = {zscore = {}}", "steps must be a list"),
        ("recording", "choose = {width = [0.1]}", 'choose needs label = "…"'),
        ("recording", 'choose = {label = "x"}', "choose needs width"),
        ("recording", 'choose = {label = "x", width = 0.1}', "choose.width must be a list"),
        ("recording", 'choose = {label = "x", width = ["a"]}', "choose.width must be seconds"),
        ("method", "output_dimensoin = 3", "unknown key 'output_dimensoin' .*_dimension'"),
        ("method", "random_state = 3", "unknown key 'random_state'"),
        ("method", "labels = 3", r"methods\[0\].labels must be a list of names"),
        ("method", "grid = {output_dimension = 3}", "grid.output_dimension must be a list"),
        ("method", "grid = {dim = [3]}", r"\(pca\): unknown key 'dim'"),
        ("method", 'name = "a (b)"', "must not hold"),
        ("end", '[[methods]]\nmethod = "pca"', "'pca' stands twice"),
        ("end", '[[methods]]\nmethod = "cebra-tmie"', "unknown method 'cebra-tmie' .*'cebra-time'"),
        ("end", '[[methods]]\nmethod = "cebra-behavior"', r"\(cebra-behavior\) learns"),
        ("end", "[[methods]]\nlabels = []", r'methods\[1\] needs method = "…"'),
        ("end", '[[recordings]]\npath = "rat.npz"', "'rat' stands twice"),
        ("end", '[[recordings]]\nname = "b"', r'recordings\[1\] needs path = "…"'),
        ("end", '[[recordings]]\npath = "none.npz"', "recording 'none': no file .*none.npz"),
        ("end", '[[recordings]]\npath = "${NOWHERE_}/x"', "no variable NOWHERE_"),
        ("end", '[[scores]]\nscore = "deocde"', r"scores\[0\]: unknown score 'deocde' .*'decode'"),
        ("end", '[[scores]]\nscore = "decode"', r"scores\[0\] \(decode\) needs label"),
        ("end", '[[scores]]\nscore = "decode"\nlabel = ["x"]', "the name of one label"),
        ("end", '[[scores]]\nscore = "recovery"\nlabel = "x"', "unknown key 'label'"),
        ("end", '[[scores]]\nscore = "consistency"\nbetween = "x"', "between: unknown 'x'"),
        ("end", '[[scores]]\nscore = "consistency"\nbetween = "datasets"', "name them: labels"),
        ("end", '[[scores]]\nscore = "recovery"\nmethods = ["pac"]', "no method 'pac' .*'pca'"),
        ("end", "[scores]\na = 1", "scores must be a list"),
        ("top", "x = = 2", "is not a TOML file"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(tmp_path, where, text, message):
    path = written(tmp_path, **{where: text + "\n"})
    with pytest.raises(StudyError, match=message) as caught:
        Study.from_toml(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("key", ["name", "recordings", "methods"])
def test_what_a_study_needs(key):
    tables = {"name": "x", "recordings": [], "methods": []}
    del tables[key]
    with pytest.raises(StudyError, match=f"a study needs {key}"):
        Study.from_dict(tables)


def test_labels_with_kinds_are_decoded_by_default(tmp_path):
    text = 'bin = {width = 0.1, labels = {head = "circular", position = "continuous"}}'
    study = Study.from_toml(written(tmp_path, text, "output_dimension = 2"))
    assert [s.label for s in study.scores if s.score == "decode"] == ["head", "position"]


def test_recordings_as_objects():
    with pytest.raises(StudyError, match="needs a name"):
        Study("x", [Recording(np.zeros((20, 2)), rate=1.0)], ["pca"])
    with pytest.raises(StudyError, match="at least one of recordings"):
        Study("x", [], ["pca"])
    study = Study("x", [rat()], ["pca", {"method": "mine"}], estimators={"mine": Rotated})
    assert [s.label for s in study.scores] == [None, None, "position"]
    with pytest.raises(StudyError, match=r"\(mine\): unknown key 'dim'"):
        Study("x", [rat()], [{"method": "mine", "dim": 3}], estimators={"mine": Rotated})


def test_methods_and_scores_of_some_recordings_and_folds_of_one():
    from isofold.studies.tasks import unrolled

    line = Recording(np.zeros((40, 1)), rate=1.0, labels={"x": np.arange(40.0)}, name="a")
    simulated = {"simulate": {"name": "circle", "n_samples": 100}, "name": "b", "folds": {"k": 2}}
    study = Study(
        "two",
        [line, simulated],
        ["raw", {"method": "pca", "recordings": ["b"]}],
        folds=5,
        scores=[{"score": "recovery", "recordings": ["b"]}, {"score": "decode", "label": "x"}],
    )
    tasks = unrolled(study, {"a": "1", "b": "2"})
    count = {(r, m): 0 for r in "ab" for m in ("raw", "pca")}
    for task in tasks:
        count[task.recording.name, task.method.name] += 1
    assert count == {("a", "raw"): 5, ("a", "pca"): 0, ("b", "raw"): 2, ("b", "pca"): 2}
    asked = {t.recording.name: [s.score for s in t.scores] for t in tasks}
    assert asked == {"a": ["decode"], "b": ["recovery", "decode"]}
    again = Study(**{**study.to_dict(), "recordings": study.recordings})
    assert again.to_dict() == study.to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": [{"method": "pca", "recordings": ["c"]}]}, "methods"),
        (
            {"scores": [{"score": "recovery", "recordings": ["c"]}]},
            r"scores\[0\].recordings: no re",
        ),
        ({"single_trials": [{"event": "cue"}]}, r"single_trials\[0\] needs window"),
        ({"single_trials": [{"event": "cue", "window": [1, 0]}]}, "must start before it stops"),
        ({"single_trials": [{"event": "cue", "window": 3}]}, r"must be \[start, stop\]"),
        ({"single_trials": [{"event": "cue", "window": [0, 1], "recordings": ["c"]}]}, "no rec"),
        ({"single_trials": [{"event": "cue", "window": [0, 1], "colour": 1}]}, "unknown key"),
    ],
)
def test_what_names_nothing_is_refused(change, message):
    tables = {"recordings": [{"simulate": {"name": "circle"}, "name": "b"}], "methods": ["raw"]}
    with pytest.raises(StudyError, match=message):
        Study("one", **(tables | change))


def test_steps_of_a_session_are_checked():
    with pytest.raises(StudyError, match=r"recordings\[0\].clean\[0\]: unknown step 'polish'"):
        Study("one", [{"path": "a.nwb", "clean": [{"polish": {}}]}], ["raw"])
    with pytest.raises(StudyError, match="must be a list such as"):
        Study("one", [{"path": "a.nwb", "clean": "polish"}], ["raw"])
    with pytest.raises(StudyError, match="for files"):
        Study("one", [{"simulate": {"name": "circle"}, "name": "b", "clean": []}], ["raw"])
