"""The one door: `import isofold` is fast, loads nothing heavy, and every name behind it opens."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import isofold as iso

SOURCE = Path(iso.__file__).parent
HEAVY = ("jax", "pynapple", "pynwb", "dask", "distributed", "plotly", "h5py", "pyarrow", "xarray")
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "print"}


def fresh(code: str) -> str:
    """What a new Python process writes."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["isofold", "isofold.cli"])
def test_import_takes_less_than_a_second(module):
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    assert min(float(fresh(code)) for _ in range(3)) <= 1.0


@pytest.mark.parametrize("module", ["isofold", "isofold.cli"])
def test_import_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    assert fresh(code) == ""


def test_every_public_name_opens():
    assert len(set(iso.__all__)) == len(iso.__all__)
    for name in iso.__all__:
        assert getattr(iso, name) is not None
    assert set(dir(iso)) == set(iso.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Recordings'"):
        _ = iso.Recordings


def forbidden(tree: ast.AST) -> list[str]:
    """What no source file of isofold may use: pickle, eval, print, star imports."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [m for m in [(node.module or "").split(".")[0]] if m in FORBIDDEN_MODULES]
            found += ["import *" for a in node.names if a.name == "*"]
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            found += [name] if name in FORBIDDEN_CALLS else []
            for word in node.keywords:
                allowed = word.arg != "allow_pickle" or getattr(word.value, "value", True) is False
                found += [] if allowed else ["allow_pickle"]
    return found


@pytest.mark.parametrize("path", [p.relative_to(SOURCE) for p in SOURCE.rglob("*.py")], ids=str)
def test_sources_use_no_pickle_eval_or_print(path):
    assert forbidden(ast.parse((SOURCE / path).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import dump",
        "from a import *",
        "eval('1')",
        "print(1)",
        "np.load(p, allow_pickle=True)",
        "np.load(p, allow_pickle=x)",
    ],
)
def test_the_check_of_sources_can_fail(code):
    assert forbidden(ast.parse(code))
