"""Who may talk to the server, and how much they may send. Checked before anything is parsed.

1. On a loopback address only this machine can connect, but so can any web page open on it. A page
   of another site is recognised by its Host (DNS rebinding), its Origin or Sec-Fetch-Site (CSRF),
   and refused.
2. On any other address a token is asked for: `Authorization: Bearer`, or the cookie of `/?token=`.
3. A body beyond the limit is answered 413 without being kept.
There is no CORS: the viewer comes from the same origin.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from activation_server.errors import (
    TOO_LONG_HINT,
    ApiError,
    NotAllowed,
    NoToken,
    TooLong,
    error_response,
)
from activation_server.settings import LOOPBACK_HOSTS, Settings

_DRAINED_BYTES = 64_000_000
"""How much of a refused body is read and thrown away, so that its sender gets to see the answer."""


class Guard:
    """ASGI middleware that lets a request through or answers it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._cookie = f"tdb_token_{settings.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        response: Response | None
        try:
            self._check_site(headers, scope["path"])
            response = self._check_token(headers, scope)
            receive = await self._limited(headers, receive)
        except ApiError as problem:
            response = error_response(problem)
        if response is None:
            await self._app(scope, receive, send)
        else:
            await response(scope, receive, send)

    def _check_site(self, headers: Headers, path: str) -> None:
        host, origin = _hostname(f"//{headers.get('host', '')}"), headers.get("origin")
        if self._settings.is_loopback and host not in LOOPBACK_HOSTS:
            raise NotAllowed(
                f"This server answers on this machine only, not as {host[:100] or 'nobody'!r}.",
                "Open it as http://localhost, or serve with --host and --token.",
            )
        if origin is not None:
            theirs = _hostname(origin)
            same = theirs in LOOPBACK_HOSTS if self._settings.is_loopback else theirs == host
            if not same:
                raise NotAllowed("A page of another site sent this request.", "Use the viewer.")
        elif headers.get("sec-fetch-site") == "cross-site" and path.startswith("/api/"):
            raise NotAllowed("A page of another site sent this request.", "Use the viewer.")

    def _check_token(self, headers: Headers, scope: Scope) -> Response | None:
        """None to go on; a redirect that sets the cookie when a page is opened with ?token=."""
        token = self._settings.token
        if token is None:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        in_query = next((value for key, value in query if key == "token"), "")
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        given = (in_query, bearer, self._from_cookie(headers))
        if not any(_same(one, token) for one in given):
            raise NoToken(
                "This server asks for a token.",
                "Open /?token=..., or send Authorization: Bearer ...; `tdb serve --token` set it.",
            )
        if not _same(in_query, token) or scope["path"].startswith("/api/"):
            return None
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        response = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), status_code=303)
        response.set_cookie(self._cookie, token, httponly=True, samesite="lax")
        return response

    def _from_cookie(self, headers: Headers) -> str:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self._cookie].value if self._cookie in cookies else ""

    async def _limited(self, headers: Headers, receive: Receive) -> Receive:
        """`receive` that refuses to hand on more than the limit."""
        limit = self._settings.max_body_bytes
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            await _drain(receive, int(length))
            raise _too_large(limit)
        n_received = 0

        async def limited() -> Message:
            nonlocal n_received
            message = await receive()
            n_received += len(message.get("body", b""))
            if n_received > limit:
                if message.get("more_body", False):
                    await _drain(receive, _DRAINED_BYTES)
                # FastAPI lets only this exception through while it reads a body.
                raise HTTPException(413, _too_large(limit).message)
            return message

        return limited


def _too_large(limit: int) -> TooLong:
    return TooLong(f"The request is larger than {limit / 1e6:g} MB.", TOO_LONG_HINT)


async def _drain(receive: Receive, n_bytes: int) -> None:
    """Read and forget the rest of a body."""
    if n_bytes > _DRAINED_BYTES:
        return
    while n_bytes > 0:
        message = await receive()
        n_bytes -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())
