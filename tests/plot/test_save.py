"""Figures as files at journal sizes."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

from isofold import plot
from isofold.errors import DataError
from isofold.plot.save import height_inches, width_mm

pytest.importorskip("matplotlib")
MM = 72 / 25.4


def loss():
    return plot.loss({"a": [3.0, 2.0], "<b> $x_1$": [2.0, 1.0]}, title="Loss & more")


@pytest.mark.parametrize(("size", "width"), [("one-column", 85), ("two-columns", 174), (120, 120)])
def test_a_pdf_has_the_width_of_its_column(tmp_path, size, width):
    page = plot.save(loss(), tmp_path / "loss.pdf", size=size).read_bytes()
    assert page.startswith(b"%PDF")
    box = [float(v) for v in re.search(rb"/MediaBox \[([^\]]+)\]", page)[1].split()]
    assert box[2] == pytest.approx(width * MM, abs=0.6)


def test_text_of_a_pdf_is_text_in_truetype(tmp_path):
    page = plot.save(loss(), tmp_path / "loss.pdf").read_bytes()
    assert b"/Subtype /CIDFontType2" in page or b"/Subtype /TrueType" in page
    assert b"/Subtype /Type3" not in page


def test_text_of_an_svg_is_text_in_8_points(tmp_path):
    page = plot.save(loss(), tmp_path / "loss.svg").read_text(encoding="utf-8")
    assert re.search(r"<text[^>]*>Loss &amp; more</text>", page)
    assert re.search(r"<text[^>]*>&lt;b&gt; \$x_1\$</text>", page)
    sizes = {float(v) for v in re.findall(r"font: ([\d.]+)px", page)}
    assert sizes <= {7.0, 8.0}
    assert float(re.search(r'width="([\d.]+)pt"', page)[1]) == pytest.approx(85 * MM, abs=0.1)


def test_a_png_has_300_dots_an_inch(tmp_path):
    head = plot.save(loss(), tmp_path / "loss.png").read_bytes()[16:24]
    assert struct.unpack(">II", head)[0] == pytest.approx(85 / 25.4 * 300, abs=1)


@pytest.mark.parametrize("form", ["pdf", "png", "svg"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, form):
    first, second = (plot.save(loss(), tmp_path / f"{k}.{form}").read_bytes() for k in "ab")
    assert first == second


def test_many_points_become_an_image_and_texts_do_not(tmp_path):
    points = np.random.default_rng(0).normal(size=(5000, 2))
    page = plot.save(plot.embedding(points), tmp_path / "z.svg").read_text()
    assert page.count("<image") == 1
    assert "latent 1" in page
    assert len(page) < 300_000


def test_users_settings_stay_as_they_were(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot.save(loss(), tmp_path / "loss.pdf")
    assert dict(matplotlib.rcParams) == before


def test_heights_follow_the_content():
    few, many = (plot.decoding({f"m{k}": _score() for k in range(n)}) for n in (4, 12))
    assert height_inches(many, 3.3) > height_inches(few, 3.3)
    assert 1.6 <= height_inches(loss(), 3.3) <= 9


def _score():
    from isofold.scores import Score

    return Score(0.5, "R²")


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("loss.jpg", 85, "one of .'pdf', 'png', 'svg'., got 'loss.jpg'"),
        ("loss", 85, "got 'loss'"),
        ("loss.pdf", "three-columns", "30 to 400 mm, got 'three-columns'"),
        ("loss.pdf", 3, "30 to 400 mm, got 3"),
        ("loss.pdf", "nan", "got 'nan'"),
    ],
)
def test_refuses_a_file(tmp_path, name, size, message):
    with pytest.raises(DataError, match=message):
        plot.save(loss(), tmp_path / name, size=size)
    assert not list(tmp_path.iterdir())


def test_refuses_a_figure_of_matplotlib(tmp_path):
    with pytest.raises(DataError, match="saves itself with savefig"):
        plot.save(plot.loss([1.0], backend="matplotlib"), tmp_path / "a.pdf")


def test_sizes_are_numbers_too():
    assert [width_mm(s) for s in ("one-column", "two-columns", 100, "100")] == [85, 174, 100, 100]
