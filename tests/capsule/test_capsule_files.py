"""The files that make a clone a capsule agree with the project."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from capsule_shim import ROOT

from isofold import __version__
from isofold.capsule.settings import MODES

EXTRAS = ("umap", "tsne", "gpfa", "topology", "dimension", "s3", "http", "tdt")
PINS, NEEDED = ROOT / "environment" / "constraints.txt", ROOT / "environment" / "requirements.txt"


def test_the_image_has_what_the_project_needs():
    """Code Ocean builds from environment/ alone, so both are told twice."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *(r for name in EXTRAS for r in extras[name])]
    listed = [line for line in NEEDED.read_text().splitlines() if line[:1] != "#"]
    assert listed == needed, f"write these to {NEEDED}"
    same = PINS.read_bytes() == (ROOT / "constraints.txt").read_bytes()
    assert same, "cp constraints.txt environment/"


def test_the_dockerfile_is_as_code_ocean_expects():
    first, rest = (ROOT / "environment" / "Dockerfile").read_text().split("\n", 1)
    sum_ = hashlib.sha256(rest.encode()).hexdigest()
    assert first == f"# hash:sha256:{sum_}"
    lines = rest.splitlines()
    assert "ARG REGISTRY_HOST" in lines
    (image,) = [line for line in lines if line.startswith("FROM")]
    assert image.startswith("FROM $REGISTRY_HOST/codeocean/")
    assert set(re.findall(r"https?://(\w+)", rest)) == {"HOST"}


def run_post_install(folder: Path, **environment: str) -> list[str]:
    """What pip is called with."""
    pip = folder / "bin" / "pip"
    pip.parent.mkdir(parents=True)
    pip.write_text(f'#!/bin/sh\necho "$@" >> {folder}/called\n')
    pip.chmod(0o755)
    script = folder / "environment" / "postInstall"
    script.parent.mkdir()
    script.write_bytes((ROOT / "environment" / "postInstall").read_bytes())
    path = os.pathsep.join([str(pip.parent), "/usr/bin", "/bin"])
    subprocess.run(["bash", str(script)], env={"PATH": path, **environment}, check=True)
    return (folder / "called").read_text().splitlines()


def test_the_image_takes_the_clone_or_an_address_or_neither(tmp_path):
    needs = "install --no-cache-dir -c constraints.txt -r requirements.txt"
    assert run_post_install(tmp_path / "neither") == [needs]
    address = "git+https://host/owner/isofold@0123456"
    assert run_post_install(tmp_path / "address", ISOFOLD=address) == [
        needs,
        f"install --no-cache-dir --no-deps {address}",
    ]
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "pyproject.toml").touch()
    called = run_post_install(tmp_path / "clone", ISOFOLD=address)
    assert called[1] == "install --no-cache-dir --no-deps .."


def test_metadata_says_what_code_ocean_asks():
    yaml = pytest.importorskip("yaml")
    about = yaml.safe_load((ROOT / "metadata" / "metadata.yml").read_text())
    assert about["metadata_version"] == 1
    assert about["name"] == "isofold"
    assert len(about["description"]) > 50
    assert all(author["name"] for author in about["authors"])
    assert "photometry" in about["tags"]


def test_the_pipeline_runs_the_modes_of_the_command():
    text = (ROOT / "pipeline" / "main.nf").read_text()
    processes = re.findall(r"^process (\w+) \{", text, re.M)
    assert processes == [mode for mode in MODES if mode != "all"]
    assert re.findall(r"capsule\('(\w+)', task\)", text) == processes
    assert "nextflow.enable.dsl = 2" in text
    for one, other in ("{}", "()"):
        assert text.count(one) == text.count(other)
    config = (ROOT / "pipeline" / "nextflow.config").read_text()
    profiles = config.split("profiles {")[1]
    assert re.findall(r"^    (\w+) \{", profiles, re.M) == ["codeocean", "slurm", "local"]
    assert f"PIPELINE_VERSION = '{__version__}'" in config
