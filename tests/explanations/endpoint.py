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
            else:
                with script.lock:
                    script.requests.append(body)
                text = script.answer(body)
                self._send(200, json.dumps(completion(text, body)).encode())

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
