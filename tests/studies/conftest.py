"""Studies in this process, without workers or page."""

from __future__ import annotations

import importlib

import pytest

from isofold.studies import one_run

run_ = importlib.import_module("isofold.studies.run")  # the package shows the function


class Here:
    """An executor in this process: fast, and exceptions are seen."""

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def as_completed(self, submitted):
        return iter(list(submitted))

    def close(self, now=False):
        pass


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(run_, "make_executor", lambda *options: Here())
    monkeypatch.setattr(run_, "_write_page", lambda out: None)
    monkeypatch.setattr(one_run, "_warm", lambda: None)
