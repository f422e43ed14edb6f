"""Everything the server can be told, in one frozen object built by `cli.py` and passed down."""

from dataclasses import dataclass
from pathlib import Path

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Settings:
    """How to listen, whom to let in, and how much to keep."""

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    """What a client must show when the server can be reached from other machines."""
    viewer_dir: Path | None = None
    """The built viewer; None: a plain page says how to build it."""
    datasets: tuple[str, ...] = ()
    """Folders or blob paths of collated datasets."""
    coders: tuple[str, ...] = ()
    """Coder sets, as NAME:SITE=PATH, a known name or a path."""
    explanations: tuple[str, ...] = ()
    """Files that `tdb explain` made."""
    warm_up: bool = False
    """Answer the first example at start, so that the first page comes at once."""
    max_queue: int = 32
    """Requests that may wait for the model; the next one is refused at once."""
    max_body_bytes: int = 8_000_000
    """Longest request body that is read at all."""
    max_passes: int = 4
    """Unedited passes that are kept, so that an edit re-computes only what it changes."""
    max_question_bytes: int = 4 * 2**30
    """Memory that one question may take beside the weights; a longer prompt is refused."""
    max_answers: int = 128
    """Answers kept for repeated requests."""
    max_answer_bytes: int = 64_000_000
    """Memory that those answers may take."""
    model: str = "demo"
    """What the served model was loaded by; jobs load it by the same."""
    data_dir: Path | None = None
    """Where datasets, coders and explanations made by jobs go; None: no jobs are run."""
    jobs_dir: Path | None = None
    """Where the jobs themselves are kept; None: in `data_dir`."""
    max_jobs: int = 1
    """Jobs that run at a time; the others wait."""

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK_HOSTS and not self.token:
            raise ValueError(
                f"{self.host} can be reached from other machines: choose a secret and add --token."
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in LOOPBACK_HOSTS
