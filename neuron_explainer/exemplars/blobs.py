"""Files on a blob store or the web, copied to the cache when they are first needed.

Everything goes through `blobfile`, which reads `gs://`, `az://` and `https://` paths of the stores it
knows, without an account where the files are public.
"""

import hashlib
from pathlib import Path
from uuid import uuid4

from neuron_explainer.models.model_folder import cache_dir

TIMEOUT_SECONDS = 10


def is_remote(path: str) -> bool:
    """Whether a path names something on a blob store or the web."""
    return "://" in path


def fetched(url: str, *, version: str | None) -> Path:
    """A local copy of a remote file.

    Args:
        version: the copy that is kept under this name is used again; None fetches anew.

    Raises:
        OSError: it is not there (FileNotFoundError), or cannot be reached.
    """
    import blobfile

    digest = hashlib.sha256(f"{url} {version}".encode()).hexdigest()[:24]
    target = cache_dir() / "blobs" / digest / url.rsplit("/", 1)[-1]
    if version is not None and target.is_file():
        return target
    # Of its own: another thread or process may be fetching the same.
    partial = cache_dir() / "blobs" / f"{digest}-{uuid4().hex}.partial"
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        context = blobfile.create_context(
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
            retry_limit=1,
            log_callback=lambda _: None,
        )
        context.copy(url, str(partial), overwrite=True)
        target.parent.mkdir(exist_ok=True)
        partial.replace(target)
    except FileNotFoundError:
        raise
    except Exception as problem:  # blobfile raises its own kinds, and those of what is below it
        why = getattr(problem, "message", None) or str(problem)
        raise OSError(f"{url} cannot be reached ({str(why)[:200]})") from problem
    finally:
        partial.unlink(missing_ok=True)
    return target
