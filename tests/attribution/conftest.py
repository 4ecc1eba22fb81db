import pytest
from attribution_helpers import mixed

import isofold as iso


@pytest.fixture(scope="session")
def parts():
    """Training and held-out half."""
    return mixed().split(test=0.5)


@pytest.fixture(scope="session")
def cebra(parts):
    model = iso.CEBRA(output_dimension=3, max_iterations=75, batch_size=256, random_state=0)
    return model.fit(parts[0], labels=["a", "b"])


@pytest.fixture(scope="session")
def flat_cebra(parts):
    """Without unit length: latents are free to lie along a and b."""
    model = iso.CEBRA(
        model_architecture="offset1-model-mse",
        output_dimension=2,
        max_iterations=150,
        batch_size=256,
        random_state=0,
    )
    return model.fit(parts[0], labels=["a", "b"])


@pytest.fixture(scope="session")
def pca(parts):
    return iso.PCA(output_dimension=2).fit(parts[0])
