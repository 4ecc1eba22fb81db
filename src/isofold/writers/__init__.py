"""`Session` and embeddings → files."""

from .embedding import save_embedding
from .nwb import write_nwb

__all__ = ["save_embedding", "write_nwb"]
