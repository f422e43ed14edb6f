"""Models from the Hugging Face hub: asked once, with a short timeout, before a download starts.

Where the hub cannot be reached, an earlier complete download is used; where there is none, the
error says at once what works without the hub. Only top-level files are taken, safetensors where
they exist, and never code.
"""

import logging
from pathlib import Path

from neuron_explainer.models.model_folder import (
    PICKLED,
    SAFETENSORS,
    ModelUnavailable,
    checked_folder,
    what_works_offline,
)

logger = logging.getLogger(__name__)

HUB_TIMEOUT_SECONDS = 5.0
"""How long the hub may take to say that it knows a repository."""

CONFIG_AND_TOKENIZER = ("*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt")


def fetch_snapshot(repo: str, *, asked: str, suggestion: str) -> Path:
    """The local folder of a hub repository. `asked` is what the person typed, for the errors."""
    import httpx2
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        info = HfApi().model_info(repo, timeout=HUB_TIMEOUT_SECONDS)
        names = {sibling.rfilename for sibling in info.siblings or ()}
        wanted = wanted_files(repo, names)
        folder = snapshot_download(repo, allow_patterns=wanted, ignore_patterns=["*/*"])
    except GatedRepoError as error:
        raise ModelUnavailable(
            f"{asked} is gated on the Hugging Face hub.",
            "Accept its licence there, run `hf auth login`, and try again.",
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelUnavailable(
            f"There is no model {asked}: no folder here, no short name of ours, not on the hub.",
            f"{suggestion}`tdb models` lists the short names. {what_works_offline()}",
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        kept = kept_snapshot(repo)
        if kept is not None:
            logger.info("The hub cannot be reached; using the copy of %s in %s", repo, kept)
            return kept
        raise ModelUnavailable(
            f"{asked} is not on this machine, and the hub cannot be reached ({error}).",
            suggestion + what_works_offline(),
        ) from error
    return checked_folder(Path(folder))


def wanted_files(repo: str, names: set[str]) -> list[str]:
    """Patterns for the weights in their safest form, the configuration and the tokenizer."""
    if names.intersection(SAFETENSORS):
        weights = ["model.safetensors", "model-*.safetensors"]
    elif names.intersection(PICKLED):
        weights = ["pytorch_model.bin", "pytorch_model-*.bin"]
    else:
        listing = ", ".join(sorted(names)) or "no files"
        raise ModelUnavailable(
            f"{repo} has no weights that can be read here: {listing}.",
            "Look for a repository of the same model with model.safetensors.",
        )
    return [*weights, *CONFIG_AND_TOKENIZER]


def kept_snapshot(repo: str) -> Path | None:
    """A complete earlier download of the repository, if there is one."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repo, "config.json")
    if not isinstance(config, str):
        return None
    try:
        return checked_folder(Path(config).parent)
    except ModelUnavailable:
        return None
