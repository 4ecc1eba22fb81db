"""The docs site: every page and public name is on it, its examples run, and it reads offline."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import isofold as iso

ROOT = Path(__file__).parents[1]
NAV = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]


def hook(name: str):
    """A module of docs/_hooks, which is no package."""
    spec = importlib.util.spec_from_file_location(f"_{name}", ROOT / f"docs/_hooks/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_nav(entries) -> list[str]:
    values = [value for entry in entries for value in entry.values()]
    return [p for v in values for p in (in_nav(v) if isinstance(v, list) else [v])]


def test_every_page_is_in_the_navigation_once():
    assert sorted(in_nav(NAV)) == sorted(p.name for p in (ROOT / "docs").glob("*.md"))


def test_the_doors_are_tutorial_how_to_explanation_and_reference():
    assert [next(iter(e)) for e in NAV][1:] == ["Tutorial", "How-to", "Explanation", "Reference"]


def test_every_public_name_has_an_entry_in_the_reference():
    """`Score` stands once, as `scores.Score`."""
    reference = hook("reference")
    entries = {name for _, name, _ in reference.public()}
    names = {n for n in iso.__all__ if not hasattr(getattr(iso, n), "__spec__")} - {"__version__"}
    assert {n for n in names if n not in entries} == {"Score"}
    for module in ("scores", "simulate", "preprocess", "single_trial", "plot", "attribution"):
        missing = {f"{module}.{n}" for n in getattr(iso, module).__all__} - entries
        assert not missing
    assert {"CEBRA", "read", "errors.DataError", "scores.Score", "plot_embedding"} <= entries


def test_a_new_public_name_needs_no_edit(monkeypatch):
    """A name that is added to a public module is on its page at once."""
    monkeypatch.setattr(iso.scores, "__all__", [*iso.scores.__all__, "anew"])
    monkeypatch.setattr(iso.scores, "anew", iso.scores.decode, raising=False)
    assert 'heading: "scores.anew"' in hook("reference").pages()["scores"]


def test_every_example_of_the_gallery_says_what_it_shows():
    examples = hook("gallery").examples()
    assert len(examples) >= 5
    for name, title, text, alt, code in examples:
        compile(code, name, "exec")
        assert title
        assert len(alt) > 40, f"{name}: an alt text says what is to be seen"
        assert text
        assert "ALT =" not in code


@pytest.mark.parametrize("source", ['"""Title."""\nfigure = 1\n', 'ALT = "x"\nfigure = 1\n'])
def test_an_example_without_title_or_alt_text_is_an_error(source, tmp_path):
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(ValueError, match=r"bad\.py must have a docstring .* and one ALT"):
        hook("gallery")._read(tmp_path / "bad.py")


def test_a_picture_is_the_same_each_time():
    pytest.importorskip("matplotlib")
    gallery = hook("gallery")
    assert gallery.draw("03_torus") == gallery.draw("03_torus")


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="https://a.b/c.js"></script>', ["https://a.b/c.js"]),
        ('<link rel="stylesheet" href="//a.b/c.css">', ["//a.b/c.css"]),
        ("<IMG SRC='http://a.b/c.png'>", ["http://a.b/c.png"]),
        ('<a href="https://a.b">source</a><img src="images/c.png"><script src="x.js">', []),
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(html, found):
    assert hook("offline").loaded_from_elsewhere(html) == found


def test_links_out_of_the_docs_become_paths():
    changed = hook("markdown").on_page_markdown(
        "[table](../benchmarks/x.md), [a](a.md), `[x](../y)`"
    )
    assert changed.startswith("table (`benchmarks/x.md` in the repository), [a](a.md)")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    for needed in ("mkdocs", "material", "mkdocstrings", "matplotlib"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip('the site needs mkdocs: pip install -e ".[docs,figures]"')
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    quiet = {"NO_MKDOCS_2_WARNING": "1", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT / "src")}
    env = os.environ | quiet
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 35
    check = hook("offline").loaded_from_elsewhere
    assert {p.name: found for p in pages if (found := check(p.read_text("utf-8")))} == {}


@pytest.mark.slow
def test_every_docstring_is_on_the_site(site):
    for page, name, path in hook("reference").public():
        text = (site / f"api/{page}.html").read_text("utf-8")
        assert f'id="{path}"' in text, f"{name} is not on api/{page}.html"


@pytest.mark.slow
def test_every_picture_of_the_gallery_is_on_the_site(site):
    text = (site / "gallery.html").read_text("utf-8")
    for example in hook("gallery").examples():
        assert f'src="gallery/{example.name}.png"' in text
        assert (site / f"gallery/{example.name}.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_the_search_finds_a_word_without_a_server(site):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        asked, wrong = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto((site / "index.html").as_uri())
        page.locator("input.md-search__input").first.fill("procrustes")
        page.wait_for_selector(".md-search-result__link")
        first = page.locator(".md-search-result__link").first.get_attribute("href")
        browser.close()
    assert "html" in first
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
