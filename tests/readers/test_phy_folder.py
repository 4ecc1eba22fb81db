"""Phy and Kilosort folders; params.py is parsed and never run."""

from __future__ import annotations

import numpy as np
import pytest
from acquisition_files import phy

import isofold as iso
from isofold.errors import ReadError, UnsafeFileError


def test_units_and_their_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = iso.read(phy(tmp_path))
    assert list(session.units.index) == [2, 5, 7]
    assert session.units[2].times() == pytest.approx([0.001, 0.01, 0.05, 0.15])
    table = session.units.metadata
    assert table["quality"].tolist() == ["good", "noise", "mua"]
    assert table["KSLabel"].tolist() == ["mua", "good", "mua"]
    assert table["area"].tolist() == ["CA1", "", "CA3"]
    assert table["best_channel"].tolist() == [12, 11, 11]
    assert list(session.restrict(units="quality == 'good' and area == 'CA1'").units.index) == [2]
    assert not (tmp_path / "ran").exists()


def test_cluster_info_and_what_repeats_it(tmp_path):
    home = phy(tmp_path)
    (home / "cluster_info.tsv").write_text(
        "id\tAmplitude\tch\tdepth\tgroup\n7\t3.5\t4\t20.0\tmua\n2\t7.5\t3\t\tgood\n9\t1\t1\t1\t\n"
    )
    table = iso.read(home).units.metadata
    assert table["ch"].tolist()[0] == 3
    assert np.isnan(table["depth"].tolist()).tolist() == [True, True, False]
    assert table["group"].tolist() == ["good", "", "mua"]
    assert table["quality"].tolist() == ["good", "good", "mua"]  # 5: Kilosort's, none by hand


def test_a_sorting_that_nobody_curated(tmp_path):
    home = phy(tmp_path)
    for name in ("spike_clusters.npy", "cluster_group.tsv", "cluster_area.tsv", "templates.npy"):
        (home / name).unlink()
    units = iso.read(home).units
    assert list(units.index) == [0, 1, 2, 3]
    assert units.metadata["quality"].tolist() == ["", "", "mua", ""]


@pytest.mark.parametrize(
    "text", ["", "sample_rate = 10 ** 4", "sample_rate = 'fast'", "sample_rate = -3."]
)
def test_a_rate_that_params_does_not_say(tmp_path, text):
    home = phy(tmp_path)
    (home / "params.py").write_text(f"x = 1\n{text}\n")
    with pytest.raises(ReadError, match=r"sample_rate in params.py.*give read\(path, rate=...\)"):
        iso.read(home)
    assert iso.read(home, rate=10_000).units[2].times()[0] == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("spike_clusters", np.zeros(7, int), "spike_clusters.npy must have one value a spike; it"),
        ("spike_templates", np.zeros(9, int), "spike_templates.npy must have one value a spike"),
        ("spike_clusters", np.zeros(8), "spike_clusters.npy whole numbers"),
        ("spike_times", np.array([]), "must have one value a spike"),
        ("spike_templates", np.full(8, 6), r"templates.npy must be \(template, sample, channel\)"),
        ("templates", np.zeros((4, 6)), r"templates.npy must be \(template, sample, channel\)"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, name, array, told):
    home = phy(tmp_path)
    np.save(home / f"{name}.npy", array)
    with pytest.raises(ReadError, match=told):
        iso.read(home)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("unit\tgroup\n1\tgood\n", r"cluster_group.tsv needs a column cluster_id"),
        ("cluster_id\tgroup\nx\tgood\n", "of whole numbers"),
        ("cluster_id\tgroup\n2\tgood\n3\ta\tb\n", "cluster_group.tsv"),
        ("", "cluster_group.tsv is empty"),
    ],
)
def test_cluster_tables_that_are_broken(tmp_path, text, told):
    home = phy(tmp_path)
    (home / "cluster_group.tsv").write_text(text)
    with pytest.raises(ReadError, match=told):
        iso.read(home)


def test_twice_named_clusters_and_spikes_out_of_order(tmp_path):
    home = phy(tmp_path)
    (home / "cluster_group.tsv").write_text("cluster_id\tgroup\n2\tmua\n2\tgood\n")
    samples = np.load(home / "spike_times.npy").ravel()
    samples[0] = 4600
    np.save(home / "spike_times.npy", samples)
    session = iso.read(home)
    assert session.units.metadata["quality"].tolist()[0] == "good"
    warnings = session.metadata["warnings"]
    assert any(w.startswith("unit 2: time goes back") for w in warnings)
    assert any("names clusters twice" in w for w in warnings)


def test_objects_are_refused(tmp_path):
    home = phy(tmp_path)
    np.save(home / "spike_clusters.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UnsafeFileError, match="run code that the file carries"):
        iso.read(home)
