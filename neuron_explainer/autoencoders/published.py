"""Coders that others published, by name or address, and how their files come onto this machine.

    gpt2-mlp-v4, ...        OpenAI's coders of GPT-2 small, on Azure; read through blobfile
    gpt2-small-res-jb, ...  SAELens releases, on the Hugging Face hub
    az://... gs://...       any blob: one file, or a folder of `{layer}.pt`
    https://...             one file
    org/repo/folder         a folder of a Hugging Face repository

Each file is fetched once, into the cache, and moved into place when it is whole. What cannot be had is a
`CoderUnavailable`: why, and what to do.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from neuron_explainer.models.hooks import Site
from neuron_explainer.models.model_folder import cache_dir
from neuron_explainer.progress import OnProgress, Progress, ignore_progress

_OPENAI = "az://openaipublic/sparse-autoencoder/gpt2-small"
if TYPE_CHECKING:
    from blobfile import Context

Found = TypeVar("Found")

TIMEOUT_SECONDS = 10.0
"""How long a host may take to answer."""


class CoderUnavailable(LookupError):
    """A coder that was named cannot be had. The text says why; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class PublishedCoders:
    """The coders behind a known name."""

    name: str
    model: str
    """Short name of the model they read."""
    site: Site
    n_latents: int
    files: tuple[str, ...]
    """Where each layer's lie, by layer."""
    description: str


def _openai(
    name: str, site: Site, folder: str, n_latents: int, description: str
) -> PublishedCoders:
    files = tuple(f"{_OPENAI}/{folder}/autoencoders/{layer}.pt" for layer in range(12))
    return PublishedCoders(name, "gpt2", site, n_latents, files, description)


def _saelens(
    name: str, model: str, site: Site, n_latents: int, files: tuple[str, ...]
) -> PublishedCoders:
    return PublishedCoders(name, model, site, n_latents, files, "SAELens release, ReLU")


_V5 = "OpenAI, June 2024: TopK 32, layer-normed input"
_KNOWN = (
    _openai("gpt2-mlp-act-v1", "mlp_post_act", "mlp_post_act", 32768, "OpenAI, 2023: ReLU"),
    _openai("gpt2-mlp-v1", "resid_delta_mlp", "resid_delta_mlp", 32768, "OpenAI, 2023: ReLU"),
    _openai("gpt2-mlp-act-v4", "mlp_post_act", "mlp_post_act_v4", 32768, "OpenAI, 2024: ReLU"),
    _openai("gpt2-mlp-v4", "resid_delta_mlp", "resid_delta_mlp_v4", 32768, "OpenAI, 2024: ReLU"),
    _openai("gpt2-attn-v4", "resid_delta_attn", "resid_delta_attn_v4", 32768, "OpenAI, 2024: ReLU"),
    _openai("gpt2-mlp-v5-32k", "resid_delta_mlp", "resid_delta_mlp_v5_32k", 32768, _V5),
    _openai("gpt2-attn-v5-32k", "resid_delta_attn", "resid_delta_attn_v5_32k", 32768, _V5),
    _openai("gpt2-resid-mid-v5-32k", "resid_mid", "resid_post_attn_v5_32k", 32768, _V5),
    _openai("gpt2-resid-post-v5-32k", "resid_post", "resid_post_mlp_v5_32k", 32768, _V5),
    _openai("gpt2-mlp-v5-128k", "resid_delta_mlp", "resid_delta_mlp_v5_128k", 131072, _V5),
    _openai("gpt2-attn-v5-128k", "resid_delta_attn", "resid_delta_attn_v5_128k", 131072, _V5),
    _openai("gpt2-resid-mid-v5-128k", "resid_mid", "resid_post_attn_v5_128k", 131072, _V5),
    _openai("gpt2-resid-post-v5-128k", "resid_post", "resid_post_mlp_v5_128k", 131072, _V5),
    _saelens(
        "gpt2-small-res-jb",
        "gpt2",
        "resid_pre",
        24576,
        tuple(
            f"jbloom/GPT2-Small-SAEs-Reformatted/blocks.{layer}.hook_resid_pre"
            for layer in range(12)
        ),
    ),
)
PUBLISHED: Mapping[str, PublishedCoders] = MappingProxyType({each.name: each for each in _KNOWN})


def is_address(where: str) -> bool:
    """Whether this is a URL or a blob path."""
    return "://" in where


def fetch_published(name: str, on_progress: OnProgress = ignore_progress) -> dict[int, Path]:
    """Fetch the coders of a known name, by layer. Raises CoderUnavailable."""
    files = PUBLISHED[name].files
    found = {}
    for layer, file in enumerate(files):
        on_progress(Progress(layer, len(files), "layers", f"Fetching {name}"))
        found[layer] = fetch_address(file) if is_address(file) else fetch_hub(file)
    on_progress(Progress(len(files), len(files), "layers"))
    return found


def fetch_address(address: str) -> Path:
    """Fetch one file, or a blob folder of `{layer}.pt`. Raises CoderUnavailable."""
    if Path(urlsplit(address).path).suffix in (".pt", ".npz"):
        return _fetch_file(address, _place(address))
    if _is_blob(address):
        return _fetch_folder(address)
    raise CoderUnavailable(
        f"{address} is neither a .pt or .npz file nor a blob folder.",
        "Name a file, a folder under az:// or gs://, or download it and name its folder.",
    )


def fetch_hub(name: str) -> Path:
    """Fetch `org/repo` or a folder of it from the Hugging Face hub. Raises CoderUnavailable."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    org, repo, *inside = name.split("/")
    folder = "/".join(inside)
    patterns = ("*.json", "*.safetensors", "*.npz", "*.pt")
    wanted = [f"{folder}/{pattern}" if folder else pattern for pattern in patterns]
    try:
        root = Path(snapshot_download(f"{org}/{repo}", allow_patterns=wanted))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise CoderUnavailable(
            f"There is no coder {name}: no folder here, no known name, not on the hub.",
            "`tdb models` lists the known names.",
        ) from error
    except Exception as error:  # the hub's client passes on whatever its HTTP library raises
        raise CoderUnavailable(
            f"{name} is not on this machine, and the hub cannot be reached ({_first_line(error)}).",
            "Check the network, or download it elsewhere and name its folder.",
        ) from error
    found = root / folder
    if not found.is_dir() or not any(found.iterdir()):
        raise CoderUnavailable(f"{org}/{repo} has no folder {folder!r} with a coder.")
    return found


def _place(address: str) -> Path:
    """Where the cache keeps a file: under a digest of its address, by its own name."""
    digest = hashlib.sha256(address.rpartition("/")[0].encode()).hexdigest()[:16]
    return cache_dir() / "coders" / digest / Path(urlsplit(address).path).name


def _is_blob(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("az", "gs") or parts.netloc.endswith(".blob.core.windows.net")


def _fetch_folder(address: str) -> Path:
    folder = address.rstrip("/")
    names = _reach(folder, lambda: sorted(_blobs().listdir(folder)))
    files = [f"{folder}/{name}" for name in names if name.endswith(".pt")]
    if not files:
        raise CoderUnavailable(
            f"{address} holds no .pt file.", "Name a folder of {layer}.pt, or one file."
        )
    return [_fetch_file(file, _place(file)) for file in files][0].parent


def _fetch_file(address: str, target: Path) -> Path:
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")

    def copy() -> None:
        with _open(address) as source, part.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        expected = _length(source)
        if expected not in (None, part.stat().st_size):
            raise OSError(f"only {part.stat().st_size:,} of {expected:,} bytes came")

    _reach(address, copy)
    part.replace(target)
    return target


def _open(address: str) -> AbstractContextManager[IO[bytes]]:
    from urllib.request import urlopen

    opened: AbstractContextManager[IO[bytes]] = (
        _blobs().BlobFile(address, "rb", streaming=True)
        if _is_blob(address)
        else urlopen(address, timeout=TIMEOUT_SECONDS)
    )
    return opened


def _length(source: object) -> int | None:
    """The bytes that an HTTP answer said it has; blobfile sees to that itself."""
    headers = getattr(source, "headers", None)
    stated = None if headers is None else headers.get("Content-Length")
    return int(stated) if stated and stated.isdigit() else None


def _blobs() -> "Context":
    import blobfile

    context: Context = blobfile.create_context(
        retry_limit=2, connect_timeout=int(TIMEOUT_SECONDS), log_callback=lambda _: None
    )
    return context


def _reach(address: str, fetch: Callable[[], Found]) -> Found:
    """Do it, and say in one sentence why it did not work."""
    import blobfile

    try:
        return fetch()
    except (OSError, ValueError, blobfile.Error) as error:
        raise CoderUnavailable(
            f"{address} could not be fetched: {_first_line(error)}.",
            "Check the address and the network; or download the files elsewhere and name their folder.",
        ) from error


def _first_line(error: Exception) -> str:
    """The reason, without the whole of the request that blobfile repeats."""
    text = (str(error) or type(error).__name__).splitlines()[0]
    return text.partition(", request=")[0].removeprefix("message=").rstrip(".")[:200]
