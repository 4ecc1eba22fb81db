"""pi-VAE: a Poisson latent variable model whose prior depends on labels."""

from __future__ import annotations

from typing import Any, ClassVar

from ._variational import Variational


class PiVAE(Variational):
    """Poisson identifiable VAE: latents whose prior is set by the labels, firing rates by latents.

    (time, channel) counts → (time, latent). The model is p(z|u) = N(m(u), v(u)), a decoder f that
    cannot fold (a volume-preserving flow), and counts x ~ Poisson(softplus(f(z))) per bin. The
    posterior is the product q(z|x,u) ∝ q(z|x) p(z|u), and the fit maximises

        E0 = E_q(z|x,u) log p(x|z) − KL( q(z|x,u) ‖ p(z|u) ),

    a bound on log p(x|u). With enough distinct labels the latent is identified up to a simple map
    (`isofold` docs, "Identifiable VAEs").

    E0 trains q(z|x) only as the factor that the prior is multiplied with: without labels
    `transform` gives the mean of Σ p(u|x) q(z|x,u) instead. Where the noise is large E0 may let the
    posterior collapse onto the label prior (`diagnose`); `CIiVAE` is made against it.

    Not for judging on labels it was trained on: with labels the embedding follows them. Score on
    held-out trials, without labels, or beside `isofold.scores.beyond_labels`.

    Parameters
    ----------
    output_dimension, encoder, observation, target, …
        As in `isofold.models._variational.Variational`, whose settings all models share.

    Attributes
    ----------
    params_
        Label prior, and posterior and decoder of each recording.
    candidates_
        Labels considered where none is given, with their weights.
    loss_, log_, validation_
        Nats a channel and bin; step by step what it is made of; what held-out trials said.

    Raises
    ------
    DataError
        A setting breaks a rule; counts are not counts; labels are missing.

    References
    ----------
    Zhou & Wei, "Learning identifiable and interpretable latent models of high-dimensional neural
    activity using pi-VAE" (NeurIPS 2020), sections 2–3.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=6, n_units=20)
    >>> model = iso.PiVAE(max_iterations=50, random_state=0).fit(rat, labels=["position"])
    >>> model.transform(rat).shape == (len(rat), 2)
    True
    """

    AUTO: ClassVar[dict[str, Any]] = {
        "objective": "elbo",
        "observation": "poisson",
        "decoder": "flow",
        "prior": "labels",
    }
