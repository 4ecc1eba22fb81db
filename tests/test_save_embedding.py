"""Embeddings on disk, opened by programs that know no isofold."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import isofold as iso
from isofold.errors import DataError


@pytest.fixture(scope="module")
def embedding():
    """Two labels, words and a trial table, with a gap in time."""
    rng = np.random.default_rng(0)
    n = 60
    recording = iso.Recording(
        rng.normal(size=(n, 5)),
        rate=20.0,
        labels={"position": np.linspace(0, 1, n), "place": rng.normal(size=(n, 2))},
        trials=pd.DataFrame({"start": [0, 30], "stop": [30, 50], "side": ["l", "ré"]}),
        name="rat1",
    )
    return iso.PCA(output_dimension=3).fit(recording).transform(recording)


def test_csv(embedding, tmp_path):
    table = pd.read_csv(iso.save_embedding(embedding, tmp_path / "z.csv"), keep_default_na=False)
    assert list(table.columns[:3]) == ["time", "trial", "edge"]
    np.testing.assert_array_equal(table["time"], embedding["time"])
    np.testing.assert_array_equal(table["trial"], embedding["trial"])
    np.testing.assert_array_equal(table["position"], embedding["position"])
    assert table["side"].tolist() == embedding["side"].values.tolist()
    z = table[["latent0", "latent1", "latent2"]].to_numpy()
    np.testing.assert_allclose(z, embedding.values, rtol=1e-6)


def test_mat(embedding, tmp_path):
    import scipy.io

    found = scipy.io.loadmat(iso.save_embedding(embedding, tmp_path / "z.mat"))
    np.testing.assert_array_equal(found["embedding"], embedding.values)
    np.testing.assert_array_equal(found["time"].ravel(), embedding["time"])
    np.testing.assert_array_equal(found["trial"].ravel(), embedding["trial"])
    np.testing.assert_array_equal(found["place_1"].ravel(), embedding["place_1"])
    assert [str(v[0]) if len(v) else "" for v in found["side"].ravel()][35] == "ré"
    assert json.loads(found["attributes"][0])["method"] == embedding.attrs["method"]


def test_nwb(embedding, tmp_path):
    import pynwb

    path = iso.save_embedding(embedding, tmp_path / "z.nwb")
    with pynwb.NWBHDF5IO(path, "r") as io:
        module = io.read().processing["behavior"]
        series, table = module["embedding"], module["embedding_labels"].to_dataframe()
        np.testing.assert_array_equal(series.data[:], embedding.values)
        assert (series.rate, series.starting_time) == (20.0, float(embedding["time"][0]))
        assert "rat1" in series.description
        assert json.loads(series.comments)["rate"] == 20.0
    np.testing.assert_array_equal(table["trial"], embedding["trial"])
    np.testing.assert_array_equal(table["position"], embedding["position"])
    assert table["side"].tolist() == embedding["side"].values.tolist()
    back = iso.read(path)
    np.testing.assert_array_equal(back.series["embedding"].values[:], embedding.values)


def test_names_that_collide_or_are_too_long(tmp_path):
    import scipy.io

    z = xr.DataArray(
        np.zeros((3, 1)), dims=("time", "latent"),
        coords={"time": [0.0, 1.0, 2.0], "latent0": ("time", [1, 2, 3]), "id": ("time", [1, 2, 3]),
                "x" * 40: ("time", [1, 2, 3]), "x" * 41: ("time", [4, 5, 6]),
                "7/%": ("time", [7, 8, 9])},
    )  # fmt: skip
    assert "latent0_" in pd.read_csv(iso.save_embedding(z, tmp_path / "z.csv"))
    found = scipy.io.loadmat(iso.save_embedding(z, tmp_path / "z.mat"))
    assert found["x7__"].ravel().tolist() == [7, 8, 9]
    assert found["x" * 31].ravel().tolist() == [1, 2, 3]
    assert found["x" * 28 + "_1"].ravel().tolist() == [4, 5, 6]
    iso.save_embedding(z, tmp_path / "z.nwb")


def test_what_is_refused_leaves_nothing(embedding, tmp_path):
    with pytest.raises(DataError, match=r"is written to \.nwb, \.mat, \.csv; got 'z\.pkl'"):
        iso.save_embedding(embedding, tmp_path / "z.pkl")
    with pytest.raises(DataError, match=r"dims \(time, latent\).*got ndarray"):
        iso.save_embedding(embedding.values, tmp_path / "z.csv")
    with pytest.raises(DataError, match=r"got \('latent', 'time'\)"):
        iso.save_embedding(embedding.T, tmp_path / "z.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".nwb", ".mat", ".csv"])
def test_an_older_file_survives_a_failure(embedding, tmp_path, suffix):
    path = iso.save_embedding(embedding, tmp_path / f"z{suffix}")
    before = path.read_bytes()
    broken = embedding.assign_coords(odd=("time", [{1, 2}] * embedding.shape[0]))
    with pytest.raises(DataError, match=r"'odd' has dtype object: recode it"):
        iso.save_embedding(broken, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
