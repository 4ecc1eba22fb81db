"""Which channels matter: from tables of runs to bars on the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fake_results import write_results
from reading import Reading

from isofold import plot
from isofold.errors import DataError
from isofold.report import write_report
from isofold.report._attribution import rankings


def ranks(share, chance=0.3, label="x"):
    names = [f"u{k}" for k in range(len(share))]
    table = {"label": label, "channel": names, "share": share, "chance_mean": 0.1}
    return pd.DataFrame(table | {"chance": chance, "r2": 0.5})


def runs(n=2, control=()):
    table = {"key": [str(k) for k in range(n)], "variant": "cebra", "recording": "rat1"}
    return pd.DataFrame(table | {"is_control": [k in control for k in range(n)]})


def test_runs_are_averaged_channel_by_channel():
    tables = {"0": ranks([0.6, 0.4, 0.0]), "1": ranks([0.2, 0.5, 0.3])}
    (one,) = rankings(runs(), tables.get)
    assert one.table["channel"].tolist() == ["u1", "u0", "u2"]
    np.testing.assert_allclose(one.table["share"], [0.45, 0.4, 0.15])
    assert one.table["beyond"].tolist() == [2, 1, 0]
    assert (one.variant, one.recording, one.label, one.n_runs) == ("cebra", "rat1", "x", 2)
    assert one.r2 == pytest.approx(0.5)


def test_every_label_has_its_own_and_controls_have_none():
    both = pd.concat([ranks([0.6, 0.4]), ranks([0.5, 0.5], label="y")])
    found = rankings(runs(2, control={1}), {"0": both, "1": both}.get)
    assert [(r.label, r.n_runs) for r in found] == [("x", 1), ("y", 1)]


def test_runs_without_a_table_are_passed_over():
    assert rankings(runs(), {"0": pd.DataFrame()}.get) == []
    assert rankings(runs(0), {}.get) == []


def test_the_page_shows_channels_where_the_study_asked(tmp_path, html):
    folder = write_results(tmp_path / "track", ranked=("position", "phase"), failed=0)
    page = write_report(folder).read_text(encoding="utf-8")
    reading = Reading(page)
    figures = reading.json("figures")
    names = [name for name in figures if name.startswith("channels-")]
    assert len(names) == 6  # three methods, two labels
    assert figures["channels-0"]["data"][0]["type"] == "bar"
    assert "Which channels matter" in page
    assert "unit &lt;0&gt;" in page
    assert "unit <0>" not in page
    assert page.count('<td class="n">3 of 3</td>') == 18
    assert page.count("Shown are 20 of 24 channels.") == 6
    assert page.count("The label cannot be read from this embedding") == 3
    assert "Which channels matter" not in html


def test_rankings_beyond_the_limit_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("isofold.report.page.MOST_RANKINGS", 2)
    folder = write_results(tmp_path / "track", ranked=("position",), seeds=(0,), channels=4)
    page = write_report(folder).read_text(encoding="utf-8")
    assert "1 further rankings are not drawn" in page


def test_a_broken_table_is_noted_and_left_out(tmp_path):
    folder = write_results(tmp_path / "track", ranked=("position",), seeds=(0,), failed=0)
    broken = sorted((folder / "runs").glob("*/attribution.parquet"))[0]
    broken.write_bytes(b"not parquet")
    page = write_report(folder).read_text(encoding="utf-8")
    assert f"Left out: attribution of run {broken.parent.name}" in page
    assert "Which channels matter" in page


def test_bars_stand_in_order_on_their_own_chance():
    table = ranks([0.1, 0.7, 0.2], chance=[0.3, 0.4, 0.5])
    figure = plot.channels(table)
    assert figure.data[0].x.tolist() == [0.7, 0.2, 0.1]
    assert list(figure.layout.yaxis.ticktext) == ["u1", "u2", "u0"]
    bands = [s for s in figure.layout.shapes if s.type == "rect"]
    assert [band.x1 for band in bands] == [0.4, 0.5, 0.3]
    assert plot.channels(table, most=2).data[0].x.tolist() == [0.7, 0.2]
    assert not plot.channels(table[["channel", "share"]]).layout.shapes


def test_bars_refuse_several_labels_and_missing_columns():
    both = pd.concat([ranks([0.6, 0.4]), ranks([0.5, 0.5], label="y")])
    with pytest.raises(DataError, match=r"one figure shows one label, got \['x', 'y'\]"):
        plot.channels(both)
    with pytest.raises(DataError, match=r"missing \['share'\]"):
        plot.channels(pd.DataFrame({"channel": [1]}))
