"""CI-iVAE: an identifiable VAE made against collapse onto the label prior."""

from __future__ import annotations

from typing import Any, ClassVar

from ._variational import Variational


class CIiVAE(Variational):
    """Covariate-informed identifiable VAE: the best mixture of the posteriors with and without u.

    The model of `PiVAE`; the posterior of each sample is q_a = a q(z|x) + (1 − a) q(z|x,u) with the
    weight a* that makes the evidence bound largest,

        ELBO(a) = a E1 + (1−a) E0 + a KL(q1‖q_a) + (1−a) KL(q0‖q_a),

    E1 and E0 the bounds of q1 = q(z|x) and q0 = q(z|x,u) (Proposition 5; the published code has the
    sign of the last two terms reversed, `objective="released"`). q(z|x) cannot equal a prior that
    depends on the label, so the embedding keeps to the data. Counts or values, with any encoder:
    Poisson counts and a convolutional encoder go together, for every KL is one between Gaussians in
    z and the counts enter through E log p(x|z) alone (docs/identifiable-vaes.md).

    q(z|x) is trained as a posterior too: without labels `transform(posterior="encoder")` gives its
    mean. The default is Σ p(u|x) q(z|x,u), unless the encoder sees more than is explained.

    q(z|x,u) can collapse all the same, where the best weight stays at 0: a warning and `diagnose`
    say so.

    Not where labels are few and the noise is small: there `PiVAE` does as well in less time.

    Parameters
    ----------
    output_dimension, encoder, observation, target, …
        As in `isofold.models._variational.Variational`, whose settings all models share.

    Attributes
    ----------
    params_, candidates_, loss_, log_, validation_
        As in `PiVAE`; `log_` has the mean weight a* and the share of samples at each end.

    Raises
    ------
    DataError
        A setting breaks a rule; counts are not counts; labels are missing.

    References
    ----------
    Kim et al., "Covariate-informed representation learning to prevent posterior collapse of iVAE"
    (AISTATS 2023), section 4.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=6, n_units=20)
    >>> model = iso.CIiVAE(max_iterations=50, random_state=0).fit(rat, labels=["position"])
    >>> model.transform(rat).shape == (len(rat), 2)
    True
    """

    AUTO: ClassVar[dict[str, Any]] = {
        "objective": "ci",
        "observation": "gaussian",
        "decoder": "flow",
        "prior": "labels",
    }
