"""README and docs: every example runs, every name and link is there, no table is out of date."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer

import isofold as iso
from isofold import cli
from isofold.models import METHODS, _vae_recipe
from isofold.models._inputs import gather
from isofold.studies import (
    axes,
    claim_spec,
    method_spec,
    recording_spec,
    score_spec,
    single_trial_spec,
    spec,
    steps,
    sweep_spec,
)

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?P<skip><!-- not run: [^>]+ -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)


def blocks(page: Path, language: str):
    """(first line, text) of every block of a language that is not marked as not run."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        if found["language"] == language and not found["skip"]:
            yield text.count("\n", 0, found.start("text")), found["text"]


def doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def pages(language: str):
    return [pytest.param(p, id=p.stem) for p in PAGES if any(blocks(p, language))]


# -- examples -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages("python"))
def test_examples_run(page, tmp_path, monkeypatch):
    """The blocks of a page run in order in one namespace, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for line, text in blocks(page, "python"):
        exec(compile("\n" * line + text, page.name, "exec"), namespace)


@pytest.mark.parametrize("page", pages("sh"))
def test_command_lines_parse(page):
    """Every `isofold …` line names a command, options that it has and as many arguments."""
    app = typer.main.get_command(cli.app)
    lines = [line for _, text in blocks(page, "sh") for line in text.splitlines()]
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] != ["isofold"]:
            continue
        command = app.commands[words[1]]
        context = command.context_class(command, info_name=words[1])
        if "--help" not in words:
            options, left, _ = command.make_parser(context).parse_args(words[2:])
            needed = {p.name for p in command.params if p.required}
            assert not left, f"{line}: {left} is too much"
            assert needed <= {k for k, v in options.items() if v is not None}, line
            assert options.get("method", "raw") in [*METHODS, "raw"], line


def test_the_check_of_command_lines_can_fail(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nisofold embed rat.npz --methods pca\n```\n")
    with pytest.raises(Exception, match="--methods"):
        test_command_lines_parse(page)


@pytest.mark.parametrize("page", pages("toml"))
def test_study_files_parse(page):
    """Whole study files, or parts of one put into the smallest there is."""
    for _, text in blocks(page, "toml"):
        given = tomllib.loads(text)
        smallest = {"name": "x", "recordings": [{"path": "rat.nwb"}], "methods": ["pca"]}
        iso.Study(**smallest | given)


# -- what must be on which page -------------------------------------------------------------------


def public():
    """Every public name, with dots: isofold's own, and those of its public modules."""
    for name in iso.__all__:
        value = getattr(iso, name)
        yield name, value
        for inner in getattr(value, "__all__", ()) if inspect.ismodule(value) else ():
            yield f"{name}.{inner}", getattr(value, inner)


def test_reference_lists_every_public_name():
    text = doc("reference.md")
    assert [name for name, _ in public() if f"`{name}`" not in text] == []


def test_every_public_name_has_a_docstring():
    described = (type, type(inspect), type(inspect.getdoc))
    found = [(n, v) for n, v in public() if isinstance(v, described)]
    assert len(found) > 40
    assert [name for name, value in found if not value.__doc__] == []


def test_reference_lists_every_error():
    errors = [n for n, v in vars(iso.errors).items() if isinstance(v, type)]
    assert errors
    assert [n for n in errors if n not in doc("reference.md")] == []


def test_every_method_has_its_paragraph():
    text = doc("choose-a-method.md")
    assert [name for name in METHODS if f"**`{name}`**" not in text] == []


def test_every_key_of_a_study_file_is_explained():
    tables = (
        *(spec._KEYS, recording_spec._KEYS, recording_spec._BIN, recording_spec._RESTRICT),
        *(recording_spec._CHOOSE, method_spec._OWN, score_spec._OWN, score_spec._DECODE),
        *score_spec._OWN.values(),
        *(axes.AXES, axes._RANGE, claim_spec._KEYS, sweep_spec._KEYS, single_trial_spec._KEYS),
        *(steps.clean_names(), score_spec._DECODE_TRIALS),
        *steps.step_names().items(),
    )
    keys = {k for table in tables for part in table for k in np.atleast_1d(part)}
    text = doc("studies.md")
    assert sorted(k for k in keys if f"`{k}`" not in text) == []


def auto_table() -> str:
    """What "auto" becomes, as the page shows it."""
    given = ({}, {"learning_rate": 3e-4})
    recording = iso.Recording(np.zeros((10_000, 2)), rate=40.0)
    models = [iso.CEBRA(**settings) for settings in given]
    resolved = [m._resolve([gather(m, recording, reset=True)]) for m in models]
    names = [k for k, v in iso.CEBRA().get_params().items() if v == "auto"]
    rows = [
        '| setting left at "auto" | becomes | with an explicit `learning_rate` |',
        "|---|---|---|",
    ]
    for name in [*names, "schedule"]:
        values = [f"`{r[name]}`" for r in resolved]
        if name == "learning_rate":
            values[1] = "as given"
        rows.append(f"| `{name}` | {values[0]} | {values[1]} |")
    return "\n".join(rows)


def test_the_table_of_auto_settings_is_that_of_the_code():
    shown = doc("choose-a-method.md").split("<!-- auto -->\n")[1].split("\n<!-- /auto -->")[0]
    assert shown == auto_table(), "docs/choose-a-method.md must hold this table:\n" + auto_table()


VAES = (iso.VAE, iso.IVAE, iso.PiVAE, iso.CIiVAE)


def vae_kind_table() -> str:
    """The settings by which the VAEs differ."""
    rows = [
        "| | " + " | ".join(f"`{name}`" for name in iso.VAE.AUTO) + " |",
        "|---|---|---|---|---|",
    ]
    for model in VAES:
        values = " | ".join(f'`"{model.AUTO[name]}"`' for name in iso.VAE.AUTO)
        rows.append(f"| `{model.__name__}` | {values} |")
    return "\n".join(rows)


def vae_auto_table() -> str:
    """What "auto" becomes for all of them."""
    resolved = [
        _vae_recipe.resolve(iso.VAE(**given).get_params(), 10_000, 40.0)
        for given in ({}, {"learning_rate": 3e-4})
    ]
    names = [k for k, v in iso.VAE().get_params().items() if v == "auto" and k not in iso.VAE.AUTO]
    rows = [
        '| setting left at "auto" | becomes | with an explicit `learning_rate` |',
        "|---|---|---|",
    ]
    for name in [*names, "schedule"]:
        values = [
            f"`{r[name]:.5g}`" if isinstance(r[name], float) else f"`{r[name]}`" for r in resolved
        ]
        if name == "learning_rate":
            values[1] = "as given"
        rows.append(f"| `{name}` | {values[0]} | {values[1]} |")
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("mark", "made"), [("auto-vae-kind", vae_kind_table), ("auto-vae", vae_auto_table)]
)
def test_the_tables_of_the_vaes_are_those_of_the_code(mark, made):
    text = doc("choose-a-method.md")
    shown = text.split(f"<!-- {mark} -->\n")[1].split(f"\n<!-- /{mark} -->")[0]
    assert shown == made(), "docs/choose-a-method.md must hold this table:\n" + made()


@pytest.mark.parametrize("page", ["README.md", "docs/choose-a-method.md"])
def test_the_patent_notice_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "US12499131B2" in text
    assert "EPFL" in text


# -- links ----------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, as GitHub makes them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", [pytest.param(p, id=p.stem) for p in PAGES])
def test_relative_links_resolve(page):
    text = re.sub(r"`[^`]*`", "", BLOCK.sub("", page.read_text(encoding="utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(linked), f"{page.name}: {target}"


def test_every_page_is_reached_from_the_index():
    index = doc("index.md")
    assert [p.name for p in PAGES[1:] if p.name != "index.md" and p.name not in index] == []


def test_no_package_registry_in_any_committed_file():
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"))]
    hosts += [".".join(parts) for parts in (("anaconda", "org"), ("npmjs", "org"))]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert len(paths) > 100
    found = [
        f"{path.name}: {host}"
        for path in paths
        if path.is_file()
        for host in hosts
        if host.encode() in path.read_bytes()
    ]
    assert found == []
