"""Keys of runs: stable where nothing changed, different where anything did."""

from __future__ import annotations

import pytest
from stand_ins import Rotated, rat

from isofold import Study
from isofold.studies.keys import input_fingerprint, run_key
from isofold.studies.recording_spec import RecordingSpec
from isofold.studies.tasks import unrolled


def keys(fingerprint="abc", **changed):
    given = {
        "name": "x",
        "recordings": [RecordingSpec("rat1", path="/one/place/rat.nwb")],
        "methods": [{"method": "mine", "labels": ["position"]}],
        "scores": [{"score": "decode", "label": "position"}],
        "estimators": {"mine": Rotated},
    }
    return [t.key for t in unrolled(Study(**(given | changed)), {"rat1": fingerprint})]


def test_same_study_same_keys():
    assert keys() == keys()
    elsewhere = RecordingSpec("rat1", path="/another/place/rat.nwb")
    assert keys(recordings=[elsewhere]) == keys()  # the place of a file is no content
    assert keys(name="other title") == keys()
    assert run_key("1", "a", {"x": 1, "y": 2}) == run_key("1", "a", {"y": 2, "x": 1})


@pytest.mark.parametrize(
    "changed",
    [
        {"fingerprint": "abd"},
        {"seeds": [1]},
        {"split": {"test": 0.3}},
        {"methods": [{"method": "mine", "labels": ["position"], "output_dimension": 3}]},
        {"methods": [{"method": "mine"}]},
        {"methods": [{"method": "mine", "labels": ["position"], "steps": ["zscore"]}]},
        {"recordings": [RecordingSpec("rat1", path="/x", bin={"width": 0.1})]},
        {"recordings": [RecordingSpec("rat1", path="/x", steps=({"zscore": {}},))]},
        {"scores": [{"score": "decode", "label": "position", "decoder": "ridge"}]},
    ],
)
def test_any_change_is_another_run(changed):
    assert not set(keys(**changed)) & set(keys())


def test_folds_seeds_and_controls_are_runs_of_their_own():
    several = keys(folds=3, seeds=[0, 1], controls=["permuted labels"])
    assert len(several) == len(set(several)) == 3 * 2 * 2
    # consistency is scored between runs: asking for it repeats no run
    scores = [{"score": "decode", "label": "position"}]
    assert keys(scores=scores) == keys(scores=[*scores, "consistency"])


def test_baselines_have_one_seed_and_controls_need_labels():
    study = Study("x", [rat()], ["raw", "pca"], seeds=[0, 1], controls=["permuted labels"])
    runs = [(t.method.name, t.seed, t.control) for t in unrolled(study, {"rat1": "a"})]
    assert runs == [("raw", 0, "none"), ("pca", 0, "none"), ("pca", 1, "none")]


def test_fingerprints_follow_content_alone(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "x").write_bytes(b"123")
    same = input_fingerprint(tmp_path / "a"), input_fingerprint(tmp_path / "b")
    assert same[0] == same[1]
    (tmp_path / "b" / "deep" / "x").rename(tmp_path / "b" / "deep" / "y")
    assert input_fingerprint(tmp_path / "b") != same[0]
    (tmp_path / "one").write_bytes(b"12")
    (tmp_path / "two").write_bytes(b"13")
    assert input_fingerprint(tmp_path / "one") != input_fingerprint(tmp_path / "two")
