"""What a browser would read from a page, without a browser."""

from __future__ import annotations

import base64
import json
import zlib
from html.parser import HTMLParser


class Reading(HTMLParser):
    """Tags with their attributes, and the text of every script and of everything else."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif self._inside == "style":
            self.styles.append(data)
        else:
            self.text += data

    def unpacked(self, name: str) -> str:
        """The text of a deflated block."""
        packed = next(text for attrs, text in self.scripts if attrs.get("id") == name)
        return zlib.decompress(base64.b64decode(packed, validate=True)).decode()

    def json(self, name: str) -> dict:
        """The content of a data block."""
        return json.loads(self.unpacked(name))
