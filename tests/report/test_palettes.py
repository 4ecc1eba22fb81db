"""Colours of the page: even for the eye, and told apart without red and green."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from isofold.report._palettes import _from_oklab, _rgb, _to_oklab, diverging, palettes

GROUND = {"light": "#f6f7f9", "dark": "#1c2027"}
GREEN_BLIND = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
"""How linear colours look without the middle cones: Machado et al. 2009, severity 1."""


def lab(colors) -> np.ndarray:
    return np.array([_to_oklab(_rgb(c)) for c in colors])


def seen_green_blind(color: str) -> np.ndarray:
    rgb = _rgb(color)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(GREEN_BLIND @ linear, 0, 1)
    return _to_oklab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))


def test_oklab_there_and_back_and_its_published_values():
    colors = np.array([_rgb(c) for c in ("#000000", "#ffffff", "#4477aa", "#b9bcc2")])
    np.testing.assert_allclose(_from_oklab(_to_oklab(colors)), colors, atol=1e-6)
    np.testing.assert_allclose(_to_oklab(np.ones(3)), [1, 0, 0], atol=1e-4)
    red = _to_oklab(np.array([1.0, 0, 0]))  # Ottosson's table of sRGB red
    np.testing.assert_allclose(red, [0.627955, 0.224863, 0.125846], atol=1e-4)


def test_sequential_rises_evenly_in_lightness():
    lightness = lab(palettes()["sequential"])[:, 0]
    steps = np.diff(lightness)
    assert steps.min() > 0
    assert steps.max() < 3 * np.median(steps)


def test_cyclic_ends_where_it_starts_and_has_one_lightness():
    colors = lab(palettes()["cyclic"])
    assert np.linalg.norm(colors[0] - colors[-1]) < 0.01
    assert np.ptp(colors[:, 0]) < 0.12


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_diverging_steps_are_even_and_its_middle_stands_on_the_ground(theme):
    colors = lab(diverging(theme))
    steps = np.linalg.norm(np.diff(colors, axis=0), axis=1)
    for side in (steps[:31], steps[31:]):
        assert side.max() < 1.6 * side.min()  # 8 bits a colour leave some
    assert np.hypot(*colors[31, 1:]) < 0.02  # grey
    ground = lab([GROUND[theme]])[0]
    assert np.abs(colors[:, 0] - ground[0]).min() > 0.12


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_two_sides_differ_without_the_middle_cones(theme):
    colors = diverging(theme)
    low, middle, high = (seen_green_blind(colors[k]) for k in (0, 31, 62))
    for a, b in combinations((low, middle, high), 2):
        assert np.linalg.norm(a - b) > 0.15


def test_categories_differ_without_the_middle_cones():
    seen = [seen_green_blind(c) for c in palettes()["categories"]]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 0.05
