"""The question that the server's tests ask of their tiny model."""

from typing import Any

BASE_URL = "http://127.0.0.1:8000"
MARKUP = "musical instruments <img src=x onerror=alert(1)> & more"
"""What a sentence of the explained model says."""
PROMPT = "When Mary and John went to the store, John gave a drink to"


def a_case(**changes: Any) -> dict[str, Any]:
    """Why " Mary" rather than " John" after the prompt."""
    case = {"prompt": PROMPT, "target_tokens": [" Mary"], "distractor_tokens": [" John"]}
    return case | changes


def debug_body(*cases: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A debug request of the given cases, or of the plain one."""
    return {"cases": list(cases) or [a_case()], "top_k": 5} | changes


def measure_body(*nodes: str, **changes: Any) -> dict[str, Any]:
    """A measure request for the given nodes of the plain case."""
    return {"case": a_case(), "nodes": list(nodes)} | changes
