"""The table of features beside the `cebra` package: every cell has a test that is there."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

from isofold import CEBRA

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
WITHOUT_TEST = ("no:", "not yet", "no ")


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def rows(text: str):
    """(isofold, tests) of every row below a head that has a column of tests."""
    listed = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            listed = False
        elif cells[-1] == "tests":
            listed = True
        elif listed and not set(line) <= set("|-"):
            assert len(cells) == 3, line
            yield cells[1], cells[2]


def missing(text: str) -> list[str]:
    """Named tests that are not there."""
    return [
        f"{path}::{name}"
        for path, name in NAMED.findall(text)
        if not (ROOT / path).is_file() or name not in functions(path)
    ]


PAGE = (ROOT / "docs" / "cebra.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["docs/cebra.md", "tests/models/test_defects.py"])
def test_every_named_test_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > 10
    assert missing(text) == []


def test_every_cell_has_a_test_or_says_no():
    found = list(rows(PAGE))
    assert len(found) > 70
    assert [
        ours
        for ours, tests in found
        if not NAMED.search(tests) and not ours.startswith(WITHOUT_TEST)
    ] == []


def test_the_check_can_fail():
    assert missing("`tests/test_feature_table.py::test_nothing`") != []
    assert missing("`tests/test_nowhere.py::test_x`") != []
    assert list(rows("| a | b | tests |\n|---|---|---|\n| x | works | |\n")) == [("works", "")]


def test_parameters_are_those_of_the_package_in_its_order():
    names = list(inspect.signature(CEBRA).parameters)
    assert names[:22] == [
        "model_architecture", "device", "criterion", "distance", "conditional", "temperature",
        "temperature_mode", "min_temperature", "time_offsets", "delta", "max_iterations",
        "max_adapt_iterations", "batch_size", "learning_rate", "optimizer", "output_dimension",
        "verbose", "num_hidden_units", "pad_before_transform", "hybrid", "optimizer_kwargs",
        "masking_kwargs",
    ]  # fmt: skip
