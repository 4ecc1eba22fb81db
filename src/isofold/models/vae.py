"""VAE: the model without labels, as the baseline of those with."""

from __future__ import annotations

from typing import Any, ClassVar

from ._variational import Variational


class VAE(Variational):
    """Variational autoencoder: a standard normal latent, and the signal given the latent.

    p(z) = N(0, 1), x ~ N(f(z), σ²) or Poisson(softplus(f(z))), and the fit maximises
    E_q(z|x) log p(x|z) − KL(q(z|x) ‖ p(z)). Labels are accepted and not used. Its latents are not
    identified: another seed may give any rotation, and with a curved decoder any distortion.

    Not for reading single latents, nor comparing them between fits without alignment.

    Parameters
    ----------
    output_dimension, encoder, observation, target, …
        As in `isofold.models._variational.Variational`, whose settings all models share.

    Attributes
    ----------
    params_, loss_, log_, validation_
        As in `PiVAE`.

    Raises
    ------
    DataError
        A setting breaks a rule.

    References
    ----------
    Kingma & Welling, "Auto-encoding variational Bayes" (ICLR 2014).

    Examples
    --------
    >>> import isofold as iso
    >>> data = iso.simulate.circle(seed=0, n_samples=300, n_units=10, mixing="linear")
    >>> iso.VAE(max_iterations=50, random_state=0).fit(data).transform(data).shape
    (300, 2)
    """

    AUTO: ClassVar[dict[str, Any]] = {
        "objective": "direct",
        "observation": "gaussian",
        "decoder": "mlp",
        "prior": "none",
    }
