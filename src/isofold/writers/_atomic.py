"""A file or folder that is either whole or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; renamed to it at the end, gone after an error."""
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    older = part.with_name(part.name + ".old")
    try:
        yield part
        if path.is_dir():  # a folder cannot be renamed onto another
            os.rename(path, older)
        os.replace(part, path)
    except BaseException:
        if older.exists() and not path.exists():
            os.rename(older, path)
        raise
    finally:
        for left in (part, older):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
