"""Ready experiments of the Monitor page: ask, explain a token, steer a concept, and see another reply.

Each was found and checked on the very model it is for; `tests/server/test_monitor_examples.py` measures them anew.
Those of a model with bundled data lie beside it; those of SmolLM2-135M-Instruct lie here.
"""

import json
from pathlib import Path

from activation_server.assets import demo_dir
from activation_server.examples import is_demo
from activation_server.schemas import MonitorExample
from neuron_explainer.models.transformer import Transformer

_SMOLLM2 = Path(__file__).with_name("smollm2_experiments.json")
_SMOLLM2_NAMES = ("smollm2", "smollm2-135m-instruct")


def monitor_examples_for(model: Transformer) -> tuple[MonitorExample, ...] | None:
    """Experiments that were checked on this model; None for any other."""
    file = _file_for(model)
    if file is None or not file.is_file():
        return None
    entries = json.loads(file.read_text(encoding="utf-8"))
    return tuple(MonitorExample.model_validate(entry) for entry in entries)


def _file_for(model: Transformer) -> Path | None:
    folder = demo_dir()
    if folder is not None and is_demo(model, folder):
        return folder / "monitor_examples.json"
    is_smollm2 = model.config.name.split("/")[-1].lower() in _SMOLLM2_NAMES
    return _SMOLLM2 if is_smollm2 else None
