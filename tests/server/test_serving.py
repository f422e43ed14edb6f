"""`tdb serve` as a person starts it: a process, a URL, an answer, Ctrl+C."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.server.sample import debug_body


def test_a_served_model_answers_until_it_is_interrupted(checkpoint: Path) -> None:
    code = "from activation_server.cli import app; app()"
    command = [sys.executable, "-c", code, "serve", "--model", str(checkpoint), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127.0.0.1:\d+", process.stdout.readline())
            assert found is not None
            request = urllib.request.Request(
                f"{found[0]}/api/debug",
                data=json.dumps(debug_body()).encode(),
                headers={"content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as response:
                assert json.load(response)["nodes"]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()  # or a failure above would wait for it for ever
