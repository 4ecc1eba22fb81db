"""Pages are written for the repository; here what a site reads differently is mended.

Anchors are those of the repository's pages. What a page links outside docs/ is not on the site: its
path is shown instead.
"""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def on_config(config: Any) -> Any:
    from pymdownx.slugs import slugify

    config.mdx_configs.setdefault("toc", {})["slugify"] = slugify(case="lower")
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links out of docs/ as text with the path.

    >>> on_page_markdown("see [the table](../benchmarks/x.md)")
    'see the table (`benchmarks/x.md` in the repository)'
    """
    return _OUTSIDE.sub(r"\1 (`\2` in the repository)", markdown)
