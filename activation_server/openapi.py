"""Writes `openapi.json`, which the viewer's client is generated from.

Run as `python -m activation_server.openapi`; `scripts/client` does so and generates the client.
"""

import json
from pathlib import Path

from activation_server.app import describe_api

PATH = Path(__file__).with_name("openapi.json")


def openapi_text() -> str:
    """The interface's description as committed: sorted, so that changes read well."""
    return json.dumps(describe_api().openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(openapi_text(), encoding="utf-8")
