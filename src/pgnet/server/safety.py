"""Who may talk to the server: checks of every request before anything looks at it, and what every answer says.

A page of another site must not be able to use the server through the user's browser: requests that change something
have to come from the server's own page (`Origin`), and the name by which the server is called has to be its own
(`Host`), or a name that an attacker controls could be pointed at this machine. With a token, only those who have it
get in.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgnet.server.settings import Settings

COOKIE = "pgnet-token"
READING = ("GET", "HEAD", "OPTIONS")
JSON_BYTES = 1 << 20
"""Of a request, but for those that carry a file."""
FILE_PATHS = ("/videos", "/import")
"""Ends of the paths of those."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ASK = """<!doctype html><html lang="en"><meta charset="utf-8"><title>pgnet</title><main><h1>pgnet</h1>
<p>This server asks for a token: open the address that <code>pgnet serve</code> printed, or give the token here.</p>
<form action="/"><label>Token <input name="token" autofocus autocomplete="off"></label> <button>Open</button></form>
</main></html>"""


class Guard:
    """The checks, around an application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._token = app, settings.token
        self._names = {
            "localhost",
            settings.host.lower(),
            socket.gethostname().lower(),
            *map(str.lower, settings.hosts),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":  # there are no web sockets here
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store" if scope["path"].startswith("/api/") else "no-cache")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, answer)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that must go no further."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return _problem(400, f"This server is not called {host[:100]!r}; start it with --allow-host to allow that.")
        if scope["method"] not in READING:
            origin = headers.get("origin")
            site = headers.get("sec-fetch-site", "none")
            if urlsplit(origin).netloc != host if origin is not None else site not in ("none", "same-origin"):
                return _problem(403, "This request comes from another site; use the server's own page.")
            if not scope["path"].endswith(FILE_PATHS):
                if "transfer-encoding" in headers:
                    return _problem(411, "This request does not say how long it is; send it with a Content-Length.")
                length = headers.get("content-length", "0")
                if not length.isdecimal() or int(length) > JSON_BYTES:
                    return _problem(413, f"This request is longer than {JSON_BYTES >> 20} MiB.")
        return self._stranger(scope, headers)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)  # a number cannot be pointed elsewhere
        except ValueError:
            return name in self._names
        return True

    def _stranger(self, scope: Scope, headers: Headers) -> Response | None:
        """The answer to somebody who has not got the token."""
        if self._token is None:
            return None
        if scope["path"] == "/" and (given := parse_qs(scope["query_string"].decode("latin-1")).get("token")):
            if self._is_token(given[0]):
                response = RedirectResponse("/", 303)
                response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", max_age=90 * 86400)
                return response
            return HTMLResponse(ASK, 401)
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            cookies.clear()
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        known = (scheme.lower() == "bearer" and self._is_token(bearer)) or (
            COOKIE in cookies and self._is_token(cookies[COOKIE].value)
        )
        if known:
            return None
        if scope["path"] == "/":
            return HTMLResponse(ASK, 401)
        return _problem(401, "This server asks for a token; open the address that pgnet serve printed.")

    def _is_token(self, given: str) -> bool:
        return self._token is not None and compare_digest(given.encode(), self._token.encode())


def _problem(status: int, sentence: str) -> Response:
    headers: dict[str, Any] = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response(json.dumps({"detail": sentence}), status, headers, "application/json")
