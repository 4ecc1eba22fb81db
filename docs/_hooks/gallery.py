"""The gallery: every docs/gallery/*.py is run, and its figure and code are shown.

A script has a docstring (a title, an empty line, what is seen), a line `ALT = "…"` that says the
picture in words, and leaves a matplotlib `figure`. Pictures go into the site, not the repository.
"""

from __future__ import annotations

import ast
import contextlib
import io
import runpy
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = "gallery"
SCRIPTS = Path(__file__).parents[1] / FOLDER


class Example(NamedTuple):
    name: str
    title: str
    text: str
    alt: str
    code: str


def examples() -> list[Example]:
    """All scripts in the order of their names (01_…, 02_…), read but not run."""
    return [_read(path) for path in sorted(SCRIPTS.glob("[!_]*.py"))]


def _read(path: Path) -> Example:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source, path.name)
    title, _, text = (ast.get_docstring(tree) or "").partition("\n\n")
    alts = [
        (node.lineno, node.end_lineno, ast.literal_eval(node.value))
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ALT"
    ]
    if not title or len(alts) != 1:
        raise ValueError(f"{path.name} must have a docstring that begins with a title, and one ALT")
    first, last, alt = alts[0]
    lines = source.splitlines()
    shown = lines[tree.body[0].end_lineno : first - 1] + lines[last or first :]
    return Example(path.stem, title.rstrip("."), text, alt, "\n".join(shown).strip())


def draw(name: str) -> tuple[bytes, str]:
    """Picture (PNG) and printed text of one script."""
    import matplotlib

    printed, picture = io.StringIO(), io.BytesIO()
    style = {"font.size": 9, "svg.hashsalt": "isofold", "savefig.facecolor": "white"}
    with matplotlib.rc_context(style), contextlib.redirect_stdout(printed):
        figure = runpy.run_path(str(SCRIPTS / f"{name}.py"))["figure"]
        figure.savefig(picture, format="png", dpi=150, metadata={"Software": None})
    return picture.getvalue(), printed.getvalue()


def page(printed: dict[str, str]) -> str:
    parts = [
        "# Gallery\n\nEvery picture was made by the code below it when these pages were built; "
        "each takes seconds on two cores. How to draw your own: [figures](figures.md).\n"
    ]
    for name, title, text, alt, code in examples():
        said = f"\n```text\n{printed[name].rstrip()}\n```\n" if printed.get(name) else ""
        parts.append(
            f"## {title}\n\n{text}\n\n"
            f'<div class="example" markdown>\n![{alt}]({FOLDER}/{name}.png)\n</div>\n{said}\n'
            f'??? note "The code"\n\n    ```python\n{_indented(code)}\n    ```\n'
        )
    return "\n".join(parts)


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.splitlines())


def on_config(config: Any) -> Any:
    config.nav.insert(2, {"Gallery": f"{FOLDER}.md"})
    return config


def on_files(files: Any, config: Any) -> Any:
    from mkdocs.structure.files import File

    printed = {}
    for name, *_ in examples():
        picture, printed[name] = draw(name)
        files.append(File.generated(config, f"{FOLDER}/{name}.png", content=picture))
    files.append(File.generated(config, f"{FOLDER}.md", content=page(printed)))
    return files
