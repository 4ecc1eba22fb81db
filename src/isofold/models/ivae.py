"""iVAE: the first identifiable VAE, whose encoder takes signal and label together."""

from __future__ import annotations

from typing import Any, ClassVar

from ._variational import Variational


class IVAE(Variational):
    """Identifiable VAE: an encoder of signal and label, values with Gaussian noise.

    p(z|u) = N(m(u), v(u)), x ~ N(f(z), σ²) with one σ a channel (learned), q(z|x,u) one network of
    x and u, and the fit maximises the evidence bound E_q log p(x|z) − KL(q ‖ p(z|u)). (The released
    code maximises a weighted sum instead, holds the prior's mean at 0, `prior_mean=False`, and σ
    fixed.) Only the encoders "mlp" and "smooth".

    Without labels `transform` gives the mean of Σ p(u|x) q(z|x,u), one pass a candidate label.

    Not where the noise is large: the posterior may collapse onto the label prior; see `CIiVAE`.

    Parameters
    ----------
    output_dimension, encoder, observation, target, …
        As in `isofold.models._variational.Variational`, whose settings all models share.

    Attributes
    ----------
    params_, candidates_, loss_, log_, validation_
        As in `PiVAE`.

    Raises
    ------
    DataError
        A setting breaks a rule; labels are missing.

    References
    ----------
    Khemakhem et al., "Variational autoencoders and nonlinear ICA: a unifying framework" (AISTATS
    2020), section 4.

    Examples
    --------
    >>> import isofold as iso
    >>> data = iso.simulate.circle(seed=0, n_samples=300, n_units=10, mixing="linear")
    >>> model = iso.IVAE(max_iterations=50, random_state=0).fit(data, labels=["angle"])
    >>> model.transform(data, with_labels=True).attrs["labels_used"]
    True
    """

    AUTO: ClassVar[dict[str, Any]] = {
        "objective": "direct",
        "observation": "gaussian",
        "decoder": "mlp",
        "prior": "labels",
    }
