"""A command that behaves as its --corpus says, in the protocol of `progress_lines.py`.

It counts steps, saves after each into the folder --out, and goes on from there when run again. It
imports nothing of ours, so that it starts at once.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)  # noqa: T201 - that is what it is for


def main() -> None:
    flags = dict(argument[2:].split("=", 1) for argument in sys.argv[2:])
    orders = flags["corpus"].split(",")
    n_steps = next(int(order[6:]) for order in orders if order.startswith("steps:"))
    saved = Path(flags["out"]) / "saved.json"
    saved.parent.mkdir(parents=True, exist_ok=True)
    steps = json.loads(saved.read_text()) if saved.exists() else []
    if "noise" in orders:
        noise = (
            b'\xff\xfe not JSON\n{"event": "progress"}\n{"event": "dance"}\n[1]\n\n'
            + b"x" * 3_000_000
        )
        os.write(1, noise + b'\n{"event": "progress", "done": "many", "unit": 3}\n')
    if "child" in orders:  # keeps the pipe open, and is left behind
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (saved.parent / "child").write_text(str(child.pid))
    if "deaf" in orders:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while len(steps) < n_steps:
        steps.append(os.getpid())
        saved.write_text(json.dumps(steps))
        metrics = {"loss": 1 / len(steps)}
        say(event="progress", done=len(steps), total=n_steps, unit="steps", metrics=metrics)
        time.sleep(0.05)
        if f"die:{len(steps)}" in orders:
            os.kill(os.getpid(), signal.SIGKILL)
        if f"crash:{len(steps)}" in orders:
            raise RuntimeError("a bug at this step")
        if f"mistake:{len(steps)}" in orders:
            say(event="error", message="the corpus has no text", hint="Name another.")
            sys.exit(2)
        if "mute" in orders:
            sys.exit(0)
    say(event="done", result={"steps": len(steps)})


if __name__ == "__main__":
    main()
