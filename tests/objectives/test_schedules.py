"""Schedules of weights."""

import numpy as np
import pytest

from isofold.errors import DataError
from isofold.objectives import Constant, Linear, RampUp

STEPS = np.arange(60)


def test_linear_is_off_outside_and_straight_inside():
    weight = Linear(2.0, 4.0, start_step=10, end_step=30)(STEPS)
    assert (weight[:10] == 0).all()
    assert (weight[31:] == 0).all()
    np.testing.assert_allclose(weight[10:31], np.linspace(2, 4, 21))


def test_linear_may_fall():
    weight = Linear(1.0, 0.0, 0, 10)(STEPS)
    np.testing.assert_allclose(weight[:11], np.linspace(1, 0, 11))


def test_ramp_up_stays_on():
    weight = RampUp(0.3, start_step=20, end_step=40, start_weight=0.1)(STEPS)
    assert (weight[:20] == 0).all()
    assert weight[20] == pytest.approx(0.1)
    assert (np.diff(weight[20:41]) > 0).all()
    assert (weight[40:] == 0.3).all()


def test_constant_and_single_steps():
    assert (Constant(2)(STEPS) == 2.0).all()
    assert Constant(2)(STEPS).dtype == np.float64
    assert float(RampUp(1.0, 0, 10)(5)) == pytest.approx(0.5)


@pytest.mark.parametrize("make", [lambda w: Constant(w), lambda w: RampUp(w, 0, 5)])
@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_bad_weights_are_refused(make, weight):
    with pytest.raises(DataError, match="must be a number >= 0, got"):
        make(weight)


@pytest.mark.parametrize("steps", [(5, 5), (6, 5), (-1, 5)])
def test_bad_steps_are_refused(steps):
    with pytest.raises(DataError, match="0 <= start_step < end_step, got"):
        Linear(0.0, 1.0, *steps)
    with pytest.raises(DataError, match="0 <= start_step < end_step, got"):
        RampUp(1.0, *steps)
