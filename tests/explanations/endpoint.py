"""A small OpenAI-compatible server on loopback: answers as told, or misbehaves as told, and counts."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], str]
Embed = Callable[[str], list[float]]
Echo = Callable[[str], dict[str, Any]]
"""What `logprobs` of a prompt are, as in the completions API."""


@dataclass
class Script:
    """What happens to the next requests, in order; then they are answered."""

    answer: Answer
    troubles: list[str] = field(default_factory=list)
    """429, 500, 401, cut, hang, garbage, no_choices, huge."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Those that were answered."""
    at_once: int = 0
    most_at_once: int = 0
    delay: float = 0.0
    refuses: tuple[str, ...] = ()
    """Options that are answered with 400."""
    embed: Embed | None = None
    echo: Echo | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def endpoint(script: Script, port: int = 0) -> Iterator[str]:
    """Serve until the block ends; gives the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with script.lock:
                script.at_once += 1
                script.most_at_once = max(script.most_at_once, script.at_once)
                trouble = script.troubles.pop(0) if script.troubles else ""
            try:
                time.sleep(script.delay)
                self._respond(body, trouble)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                with script.lock:
                    script.at_once -= 1

        def _respond(self, body: dict[str, Any], trouble: str) -> None:
            if trouble == "cut":
                self.send_response(200)
                self.send_header("content-length", "1000")
                self.end_headers()
                self.wfile.write(b'{"choices": [')
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif trouble == "hang":
                time.sleep(3)
            elif trouble == "garbage":
                self._send(200, b"<html>this is no JSON</html>")
            elif trouble == "no_choices":
                self._send(200, b'{"object": "chat.completion"}')
            elif trouble == "huge":
                self._send(200, json.dumps({"padding": "x" * 12_000_000}).encode())
            elif trouble:
                wait = {"retry-after": "0.05"} if trouble == "429" else {}
                self._send(int(trouble), b'{"error": {"message": "no"}}', wait)
            elif refused := [option for option in script.refuses if option in body]:
                message = f"Unsupported parameter: '{refused[0]}' is not supported."
                self._send(400, json.dumps({"error": {"message": message}}).encode())
            else:
                with script.lock:
                    script.requests.append(body)
                self._send(200, json.dumps(self._answered(body)).encode())

        def _answered(self, body: dict[str, Any]) -> dict[str, Any]:
            if self.path.endswith("/embeddings") and script.embed is not None:
                return embeddings(body["input"], script.embed)
            if self.path.endswith("/chat/completions"):
                return completion(script.answer(body), body)
            if script.echo is None:
                return echoed(body, None)
            return echoed(body, script.echo(body["prompt"]))

        def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def completion(text: str, body: dict[str, Any]) -> dict[str, Any]:
    """A reply in the form of the chat completions API."""
    size = sum(len(message["content"]) for message in body["messages"])
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        ],
        "usage": {
            "prompt_tokens": size // 4,
            "completion_tokens": len(text) // 4,
            "total_tokens": size // 4 + len(text) // 4,
        },
    }


def echoed(body: dict[str, Any], logprobs: dict[str, Any] | None) -> dict[str, Any]:
    """A reply in the form of the completions API, with what was expected in the prompt."""
    choice = {"index": 0, "finish_reason": "length", "text": body["prompt"], "logprobs": logprobs}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "x",
        "object": "text_completion",
        "created": 0,
        "model": body["model"],
        "choices": [choice],
        "usage": usage,
    }


def embeddings(texts: list[str], embed: Embed) -> dict[str, Any]:
    """A reply in the form of the embeddings API."""
    data = [
        {"object": "embedding", "index": number, "embedding": embed(text)}
        for number, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "model": "x", "data": data, "usage": usage}
