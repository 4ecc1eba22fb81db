"""Attribution: what each channel gives an embedding, and each label read from it.

With x_t the window of sample t, (lag, channel), and f the encoder, maps rest on the Jacobian
J_t = ∂f/∂x_t, shape (latent, channel, lag), or on what f loses when an input is taken away.
"""

from ._encoder import has_encoder
from .auc import auc
from .maps import METHODS, Attribution, attribution, of_samples
from .ranking import rank

__all__ = ["METHODS", "Attribution", "attribution", "auc", "has_encoder", "of_samples", "rank"]
