"""The built viewer: its files, and its index page for every path the viewer itself understands."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

_FOREVER = "public, max-age=31536000, immutable"
"""For files under assets/, whose names hold a hash of their content."""
_HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
"""For all others: ask again whether they changed."""

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Transformer Debugger</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>The server runs; the viewer is not built.</h1>
<p>Build it with <code>npm ci &amp;&amp; npm run build</code> in <code>neuron_viewer/</code>,
or start with <code>scripts/serve</code>, which does so. The interface itself works:
<a href="/api/openapi.json">/api/openapi.json</a>, <a href="/api/model">/api/model</a>.</p></body></html>
"""


class Viewer:
    """ASGI application for every path that no route matches."""

    def __init__(self, folder: Path | None) -> None:
        is_built = folder is not None and (folder / "index.html").is_file()
        self._root = folder.resolve() if folder is not None and is_built else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = self._response(scope["path"].lstrip("/"), scope["method"])
        await response(scope, receive, send)

    def _response(self, path: str, method: str) -> Response:
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404)
        if method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        if self._root is None:
            return HTMLResponse(_NOT_BUILT, headers=_HEADERS)
        file = _file_below(self._root, path)
        if path.startswith("assets/"):
            if file is None:
                raise HTTPException(404)
            return FileResponse(file, headers=_HEADERS | {"cache-control": _FOREVER})
        return FileResponse(file or self._root / "index.html", headers=_HEADERS)


def _file_below(root: Path, path: str) -> Path | None:
    """The file a path names, if it is one and lies below the root."""
    try:
        file = (root / path).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):
        return None
