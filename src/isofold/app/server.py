"""Making the app and serving it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from .._extras import require
from ..errors import IsofoldError, StudyError
from .folder import Folder
from .guard import SHORTEST_TOKEN, is_loopback, protect
from .jobs import Jobs
from .library import Library

HOST, PORT = "127.0.0.1", 8050
_log = logging.getLogger(__name__)


def create_app(
    folder: str | Path, host: str = HOST, token: str | None = None, jobs: Jobs | None = None
) -> Any:
    """The Dash app of a folder; its `server` is a Flask application.

    Parameters
    ----------
    folder
        What it shows; nothing outside is opened.
    host
        Address that it will listen on; requests that name another host are refused.
    token
        What every request must carry. Needed unless the host is a loopback address.
    jobs
        The studies it runs; whoever serves the app closes them.

    Raises
    ------
    StudyError
        There is no such folder, or a token is needed, or too short.
    MissingDependencyError
        Dash is not installed.
    """
    _check_token(host, token)
    library = Library(Folder(folder))
    dash = require("dash", "app", "isofold app")
    from . import shell

    app = dash.Dash(
        "isofold",
        assets_folder=str(resources.files(__package__).joinpath("assets")),
        serve_locally=True,
        suppress_callback_exceptions=True,
        update_title=None,
        title="isofold",
        on_error=_said,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    shell.build(app, library, jobs or Jobs())
    app._setup_server()  # its inline script is known from here on
    protect(app.server, host, token, app.csp_hashes())
    return app


def serve(
    folder: str | Path,
    host: str = HOST,
    port: int = PORT,
    token: str | None = None,
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve the app until Ctrl-C or SIGTERM; the studies that it runs are stopped with it.

    Parameters
    ----------
    port
        0 takes a free one.
    token
        Made anew where one is needed and none is given.
    started
        Called with the address to open, once it is served.

    Raises
    ------
    OSError
        The port is taken.
    """
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    jobs = Jobs()
    app = create_app(folder, host, token, jobs)
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would log addresses with tokens
    server = make_server(host, port, app.server, threaded=True)
    try:
        if started:
            started(_address(host, server.server_port, token))
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        jobs.close()


def _check_token(host: str, token: str | None) -> None:
    if token is None and not is_loopback(host):
        raise StudyError(f"{host} can be reached from other machines: give a token")
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii()):
        raise StudyError(f"a token needs at least {SHORTEST_TOKEN} characters, all of them ASCII")


def _address(host: str, port: int, token: str | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def _said(error: Exception) -> None:
    """What went wrong in a callback stands at the top of the page."""
    from dash import set_props

    if isinstance(error, IsofoldError | OSError):
        message = str(error)
    else:
        _log.exception("a request failed", exc_info=error)
        message = "this could not be shown; the terminal of the app says why"
    set_props("notice", {"children": message, "hidden": False})
