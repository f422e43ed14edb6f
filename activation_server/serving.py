"""Runs the application until it is told to stop: socket first, then the model, then the URL."""

import contextlib
import errno
import socket as sockets
import webbrowser

import uvicorn

from activation_server.app import create_app
from activation_server.errors import BadRequest
from activation_server.session import ModelSession
from activation_server.settings import Settings
from activation_server.terminal import print_ready
from neuron_explainer.models.transformer import Transformer


def listen(host: str, port: int) -> sockets.socket:
    """Take the address before the model is loaded, so that a taken port is known at once."""
    try:
        family, _, _, _, address = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
    except OSError as problem:
        raise BadRequest(f"There is no address {host}.", "Use --host 127.0.0.1.") from problem
    # asyncio switches off the delay of small packets (40 ms) only where the protocol is named.
    socket = sockets.socket(family, sockets.SOCK_STREAM, sockets.IPPROTO_TCP)
    socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
    try:
        socket.bind(address)
    except OSError as problem:
        socket.close()
        if problem.errno == errno.EADDRINUSE:
            raise BadRequest(
                f"Port {port} is taken.", f"Use another, as in --port {port + 1}, or --port 0."
            ) from problem
        raise BadRequest(
            f"{host}:{port} cannot be listened on: {problem.strerror}.", "Use another address."
        ) from problem
    socket.listen()
    return socket


def serve_forever(
    settings: Settings, model: Transformer, socket: sockets.socket, *, open_browser: bool
) -> None:
    """Serve a model on a socket until the process is told to stop."""
    app = create_app(settings, ModelSession(model, settings))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="on"
    )
    server = _Announced(config, _url(settings, socket), model.config.name, open_browser)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl+C is how one stops it
        server.run([socket])


class _Announced(uvicorn.Server):
    """A server that says where it is once it can be reached."""

    def __init__(self, config: uvicorn.Config, url: str, model: str, open_browser: bool) -> None:
        super().__init__(config)
        self._url, self._model, self._open_browser = url, model, open_browser

    async def startup(self, sockets: list[sockets.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        print_ready(self._url, self._model)
        if self._open_browser:
            webbrowser.open(self._url)


def _url(settings: Settings, socket: sockets.socket) -> str:
    port = socket.getsockname()[1]
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host else host
    token = "" if settings.token is None else f"/?token={settings.token}"
    return f"http://{host}:{port}{token}"
