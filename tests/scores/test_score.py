import dataclasses

import numpy as np
import pytest

from isofold.scores import Score


def test_is_a_number_and_cannot_be_changed():
    score = Score(0.25, "R²")
    assert float(score) == 0.25
    with pytest.raises(dataclasses.FrozenInstanceError):
        score.value = 1.0


def test_fields_are_those_of_the_contract():
    names = [f.name for f in dataclasses.fields(Score)]
    assert names == [
        "value", "unit", "parts", "interval", "chance", "ceiling", "also", "split", "settings",
    ]  # fmt: skip


def test_p_counts_draws_at_least_as_good_with_the_plus_one_rule():
    assert Score(1.0, "R²", chance=np.array([0.0, 1.0, 2.0])).p == pytest.approx(3 / 4)
    assert Score(9.0, "R²", chance=np.zeros(99)).p == pytest.approx(0.01)
    assert np.isnan(Score(1.0, "R²").p)


def test_repr_says_value_unit_interval_chance_and_split():
    score = Score(
        0.5,
        "bits",
        interval=(0.4, 0.6),
        chance=np.zeros(9),
        also={"median_error": 3.0},
        split="test",
    )
    for text in ("0.5 bits", "0.4 to 0.6", "p = 0.1", "median error: 3", "split: test"):
        assert text in repr(score)
    assert "<table>" in score._repr_html_()


def test_html_escapes_what_comes_from_outside():
    assert "<b>" not in Score(1.0, "<b>x</b>")._repr_html_()
