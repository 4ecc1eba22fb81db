"""The site reads with the network off: loading something from elsewhere is an error."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_LOADS = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href",
}  # fmt: skip


class _Loaded(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(_LOADS.get(tag, "")) or ""
        if address.startswith(("http:", "https:", "//")):
            self.addresses.append(address)


def loaded_from_elsewhere(html: str) -> list[str]:
    """Addresses outside the site that a page loads (not those that it only links to).

    >>> loaded_from_elsewhere('<a href="https://x.y"></a><script src="//x.y/z.js"></script>')
    ['//x.y/z.js']
    """
    found = _Loaded()
    found.feed(html)
    return found.addresses


def on_post_build(config: Any) -> None:
    from mkdocs.exceptions import PluginError

    site = Path(config.site_dir)
    for page in sorted(site.rglob("*.html")):
        addresses = loaded_from_elsewhere(page.read_text(encoding="utf-8"))
        if addresses:
            name = page.relative_to(site)
            raise PluginError(
                f"the site must load nothing from elsewhere; {name} loads {addresses}"
            )
