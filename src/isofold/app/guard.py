"""Who may ask: Host, Origin and token of every request, and what a page may do.

A page elsewhere on the web can send requests to 127.0.0.1 in its reader's name, directly or under
a host name of its own that it points there. So every request must name a host that the app is
served under, must not come from another origin, and must carry the token where there is one.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

MOST_BYTES = 2**20
"""Of a request; the app takes no files."""
SHORTEST_TOKEN = 16
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EVERYWHERE = ("0.0.0.0", "::")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
    (True, False, True)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def protect(server: Any, host: str, token: str | None, inline: Iterable[str]) -> None:
    """Make a Flask server refuse foreign requests and tell browsers what a page may do.

    Parameters
    ----------
    server
        The Flask application.
    host
        Address it listens on.
    token
        What a request must carry, at first in the address (`?token=…`), then in a cookie.
    inline
        Hashes of the inline scripts that may run.
    """
    import flask

    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    server.config["MAX_FORM_MEMORY_SIZE"] = MOST_BYTES
    policy = _policy(inline)

    @server.before_request
    def check() -> Any:
        request = flask.request
        reason = refused(request.host, request.headers, request.method, host)
        if not reason and token is not None:
            given = request.args.get("token")
            if given is not None and _same(given, token):
                return _entered(flask, request, token)
            if not _same(request.cookies.get(_cookie(request.host), ""), token):
                reason = "this app needs its token: open the address that `isofold app` printed"
        return _answer(flask, reason) if reason else None

    @server.after_request
    def say(response: Any) -> Any:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if not flask.request.path.startswith("/_dash-component-suites/"):
            response.headers["Cache-Control"] = "no-store"
        return response


def refused(host: str, headers: Any, method: str, bound: str) -> str:
    """Why a request is refused; "" where it is not.

    >>> refused("127.0.0.1:8050", {}, "GET", "127.0.0.1")
    ''
    >>> refused("evil.example", {}, "GET", "127.0.0.1")
    "Host 'evil.example' is not what this app is served under"
    """
    if not known_host(host, bound):
        return f"Host {host[:100]!r} is not what this app is served under"
    origin = headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return f"requests from another origin are refused: {origin[:100]!r}"
    # browsers say where a request comes from, also where they send no Origin
    site, mode = headers.get("Sec-Fetch-Site", "none"), headers.get("Sec-Fetch-Mode", "")
    followed = method == "GET" and mode == "navigate"
    if site in ("cross-site", "same-site") and not followed:
        return "requests from pages of another site are refused"
    return ""


def known_host(host: str, bound: str) -> bool:
    """Whether a Host header names this app. Names of others that lead here are not known; an
    address is, where the app listens on all: only a name can be made to lead elsewhere."""
    name = _name(host)
    if name in (*_LOOPBACK, bound.lower()):
        return True
    if is_loopback(bound):
        return False
    if name in (socket.gethostname().lower(), socket.getfqdn().lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return bound in _EVERYWHERE


def _name(host: str) -> str:
    """Without its port.

    >>> _name("[::1]:8050"), _name("localhost:8050"), _name("127.0.0.1")
    ('::1', 'localhost', '127.0.0.1')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _cookie(host: str) -> str:
    """Cookies know no ports: several apps on one machine have one each."""
    return f"isofold-{host.rpartition(':')[2] if ':' in host else 80}"


def _entered(flask: Any, request: Any, token: str) -> Any:
    """On to the same page without the token, which is in a cookie from now on."""
    rest = [(k, v) for k, v in request.args.items(multi=True) if k != "token"]
    # one slash: two would name another host
    path = "/" + request.path.lstrip("/\\")
    response = flask.redirect(path + (f"?{urlencode(rest)}" if rest else ""))
    response.set_cookie(
        _cookie(request.host), token, httponly=True, samesite="Strict", secure=request.is_secure
    )
    return response


def _answer(flask: Any, reason: str) -> Any:
    return flask.Response(f"403: {reason}\n", 403, mimetype="text/plain")


def _policy(inline: Iterable[str]) -> str:
    return (
        f"default-src 'none'; script-src 'self' {' '.join(inline)}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
