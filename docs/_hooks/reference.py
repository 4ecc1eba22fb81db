"""Reference pages from docstrings: every public name of isofold, found at build time.

A public module has a page of its own; other names stand with the package that they come from. A new
public name needs no edit here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

FOLDER = "api"
_PAGE_OF = {
    "models": "models",
    "studies": "studies",
    "report": "studies",
    "plot": "plot",
    "scores": "scores",
}
_TITLES = {
    "isofold": "Recordings and files", "models": "Estimators", "studies": "Studies and reports",
}  # fmt: skip


def public() -> Iterator[tuple[str, str, str]]:
    """(page, name after `isofold.`, path of its definition) of every public name.

    On the page of a public module its own names come first.
    """
    import isofold as iso

    modules = {n: v for n in iso.__all__ if inspect.ismodule(v := getattr(iso, n))}
    inside = {id(getattr(m, n)) for m in modules.values() for n in getattr(m, "__all__", ())}
    beside: list[tuple[str, str, str]] = []
    for name in iso.__all__:
        value = getattr(iso, name)
        if name in modules or name.startswith("__") or id(value) in inside:
            continue
        home = iso._DOOR[name].split(".")[0]
        entry = (_PAGE_OF.get(home, "isofold"), name, _path(value, f"isofold.{home}.{name}"))
        if entry[0] in modules:
            beside.append(entry)
        else:
            yield entry
    for name, module in modules.items():
        for part in getattr(module, "__all__", None) or _classes(module):
            path = _path(getattr(module, part), f"isofold.{name}.{part}")
            yield name, f"{name}.{part}", path
    yield from beside


def _classes(module: Any) -> list[str]:
    return [n for n, v in vars(module).items() if inspect.isclass(v)]


def _path(value: Any, otherwise: str) -> str:
    """Where a class or function is defined; a constant is where its module shows it."""
    name = getattr(value, "__qualname__", None)
    return f"{value.__module__}.{name}" if name else otherwise


def pages() -> dict[str, str]:
    """Markdown of each page by its name."""
    import isofold as iso

    made: dict[str, list[str]] = {}
    for page, name, path in public():
        if page not in made:
            title = _TITLES.get(page, f"isofold.{page}")
            lead = inspect.getdoc(getattr(iso, page)) if page not in _TITLES else ""
            made[page] = [f"# {title}\n", f"{_sentences(lead or '')}\n"]
        options = f'    options:\n      heading: "{name}"\n      toc_label: "{name}"\n'
        made[page].append(f"::: {path}\n{options}")
    return {page: "\n".join(parts) for page, parts in made.items()}


def _sentences(doc: str) -> str:
    """A module's docstring without figures drawn in characters."""
    return "\n\n".join(p for p in doc.split("\n\n") if not set("├└│") & set(p))


def on_config(config: Any) -> Any:
    names = dict.fromkeys(page for page, _, _ in public())
    section = next(s["Reference"] for s in config.nav if "Reference" in s)
    section += [{_TITLES.get(n, f"isofold.{n}"): f"{FOLDER}/{n}.md"} for n in names]
    return config


def on_files(files: Any, config: Any) -> Any:
    from mkdocs.structure.files import File

    for name, text in pages().items():
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=text))
    return files
