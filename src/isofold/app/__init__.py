"""The local web app: a folder of results and recordings, looked at in a browser.

`isofold app DIR` serves it. It reads `Results`, draws with the colours of the report, and knows
nothing of training: studies that it starts run in processes of their own.
"""

from __future__ import annotations

from .server import create_app, serve

__all__ = ["create_app", "serve"]
