"""Loads the model that a command works on, on the device and at the precision asked for."""

from pathlib import Path

import torch
from transformers.utils.logging import disable_progress_bar

from neuron_explainer import load_model
from neuron_explainer.models.precision import use_fast_float32
from neuron_explainer.models.sources import SHORT_NAMES, is_local
from neuron_explainer.models.transformer import Transformer

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def default_model() -> str:
    """The bundled demo where there is one, else the real model that needs no hub."""
    return "demo" if is_local("demo") else "smollm2"


def needs_fetching(name: str) -> bool:
    """Whether a short name is not on this machine yet."""
    return name in SHORT_NAMES and not Path(name).is_dir() and not is_local(name)


def load(name: str, *, dtype: str, device: str | None, threads: int | None) -> Transformer:
    """Load a model. Sets the process's threads and float32 products, so it is for commands only."""
    if threads is not None:
        torch.set_num_threads(threads)
    use_fast_float32()
    disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers ships no types
    return load_model(name, device=_device(device), dtype=_DTYPES[dtype])


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device(_fastest())
    try:
        device = torch.device(name)
    except RuntimeError as problem:
        raise ValueError(f"There is no device {name!r}: name cpu, cuda or mps.") from problem
    is_there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not is_there.get(device.type, False):
        raise ValueError(f"Device {name} is not available here. Leave --device out, or use cpu.")
    return device


def _fastest() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
