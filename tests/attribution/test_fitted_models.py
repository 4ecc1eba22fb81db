"""Every kind of encoder: of several recordings, causal, with a stride, a user's own."""

from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest
from attribution_helpers import mixed

import isofold as iso
from isofold.attribution import attribution, of_samples, rank
from isofold.errors import DataError
from isofold.models._encode import embed

SHORT = {"max_iterations": 2, "batch_size": 16, "output_dimension": 2, "random_state": 0}


@pytest.fixture(scope="module")
def one():
    return replace(mixed(n=400), name="one")


@pytest.fixture(scope="module")
def pair(one):
    other = mixed(seed=1, n=400)
    return [one, replace(other, signal=np.asarray(other.signal)[:, 2:], name="two", channels=None)]


def gained(encoder, recording, sample):
    """f(x) − f(0) of one sample, by the way of `transform`."""
    silent = replace(recording, signal=np.zeros_like(np.asarray(recording.signal)))
    return (embed(encoder, recording)[0] - embed(encoder, silent)[0])[sample]


def sums(model, recording, sample):
    how = {"method": "integrated-gradients", "baseline": "zeros", "steps": 400}
    return of_samples(model, recording, [sample], **how)[0].sum(axis=(1, 2))


def test_each_recording_is_seen_by_its_own_encoder(pair):
    model = iso.CEBRA(**SHORT).fit(pair)
    for number, recording in enumerate(pair):
        expected = gained(model.encoders_[number], recording, 150)
        np.testing.assert_allclose(sums(model, recording, 150), expected, atol=5e-3)
        assert attribution(model, recording, n_samples=9).values.shape == (2, 18 - 2 * number)
    table = rank(model, pair[1], "a", n_samples=50, n_chance=5)
    assert sorted(table["channel"]) == list(range(16))
    with pytest.raises(DataError, match="one of the 2 recordings of the fit"):
        attribution(model, replace(pair[0], name="three"))
    with pytest.raises(DataError, match=r"'two' must have the 16 channels .* got 18"):
        attribution(model, replace(pair[0], name="two"))


def test_a_joint_encoder_of_several_recordings_is_refused(pair):
    model = iso.CEBRA(**SHORT, sessions="joined").fit(pair, labels=["a"])
    with pytest.raises(DataError, match="sessions='joined' needs all of them at once"):
        attribution(model, pair[0])


@pytest.mark.parametrize("settings", [{"causal": True}, {"architecture": "4x"}, {}])
def test_windows_are_those_of_transform(one, settings):
    """A causal window ends with its sample; a stride still gives every sample its window."""
    name = "offset20-model-4x-subsample" if settings.get("architecture") else "offset5-model"
    causal = settings.get("causal", False)
    model = iso.CEBRA(**SHORT, model_architecture=name, causal=causal).fit(one)
    found = attribution(model, one, n_samples=20)
    left, right = model.encoder_.offset
    assert found.settings["lags"] == list(range(-left, right))
    assert found.lags.shape == (2, 18, left + right)
    assert not causal or found.settings["lags"][-1] == 0
    for sample in (101, 250):
        expected = gained(model.encoder_, one, sample)
        np.testing.assert_allclose(sums(model, one, sample), expected, atol=5e-3)
    table = rank(model, one, "a", n_samples=50, n_chance=5)
    assert table["share"].sum() == pytest.approx(1)


def test_a_user_s_own_encoder_is_an_encoder(one):
    class Linear(eqx.Module):
        weight: jax.Array
        offset: tuple[int, int] = eqx.field(static=True, default=(0, 1))

        def __call__(self, x):
            return x @ self.weight

    def own(channels, hidden, latents, seed):
        return Linear(jax.random.normal(jax.random.key(seed), (channels, latents)))

    model = iso.CEBRA(**SHORT, model_architecture=own, distance="euclidean").fit(one)
    weight = np.asarray(model.encoder_.module.weight)
    found = attribution(model, one, n_samples=5)
    np.testing.assert_allclose(found.values, weight.T, atol=1e-5)
