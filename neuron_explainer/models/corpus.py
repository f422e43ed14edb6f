"""Text to run a model over: read again and again, in order, never held in memory as a whole.

    spec                       documents                                             source
    FILE.txt, any other file   pieces of some 16,000 characters, cut at blank lines  "FILE.txt:120"
    FILE.jsonl                 the "text" of each line                               "FILE.jsonl:7"
    FILE.parquet               the "text" of each row (pyarrow)                      "FILE.parquet:7"
    FOLDER                     all such files in it, by path                         the file's path within it
    OWNER/NAME[:CONFIG]        the "train" split of a Hugging Face dataset, streamed "OWNER/NAME:7"

Text and JSON lines may be compressed (`.gz`). Line and row numbers count from 1. `windows.py` cuts documents
into token windows.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TextIO

PIECE_CHARACTERS = 16_000
"""A text file is read in pieces of at least this length, unless it ends sooner."""
SHUFFLE_DOCUMENTS = 4096
"""With a seed, the next document is drawn from this many."""
HUB_TIMEOUT_SECONDS = 5.0

_LINES = (".jsonl", ".ndjson")
_TEXT = (".txt", ".md", ".text", ".rst")
_IN_FOLDERS = (*_LINES, *_TEXT, ".parquet")


@dataclass(frozen=True)
class Document:
    """One piece of text and where it is from."""

    text: str
    source: str


class CorpusUnavailable(LookupError):
    """A corpus that was named cannot be had. The text says why; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Corpus:
    """Documents in a fixed order: iterate as often as you like. Made by `open_corpus`.

    Iterating raises ValueError where a file cannot be understood, or where there is no text at all.
    """

    spec: str
    files: tuple[Path, ...]
    """Empty for a Hugging Face dataset."""
    seed: int | None
    fingerprint: str
    """Changes when the documents or their order do."""

    def __iter__(self) -> Iterator[Document]:
        order = list(self.files)
        random = None if self.seed is None else Random(self.seed)
        if random is not None:
            random.shuffle(order)
        if self.files:
            every = (d for path in order for d in _read(path, self._named(path)) if d.text.strip())
        else:
            every = (d for d in _read_hub(self.spec) if d.text.strip())
        n_documents = 0
        for document in every if random is None else _shuffled(every, random):
            n_documents += 1
            yield document
        if n_documents == 0:
            raise ValueError(f"The corpus {self.spec} holds no text.")

    def _named(self, path: Path) -> str:
        root = Path(self.spec).expanduser()
        return path.name if path == root else path.relative_to(root).as_posix()


def open_corpus(spec: str, *, seed: int | None = None) -> Corpus:
    """Find a corpus; nothing is read but what the fingerprint needs.

    Args:
        spec: a file, a folder or the name of a Hugging Face dataset; see the top of this file.
        seed: draw files and documents in a random order of this seed; None keeps them as they are.

    Raises:
        CorpusUnavailable: nothing is there, or it needs a package or a network that is not.
    """
    path = Path(spec).expanduser()
    if path.is_dir():
        found = (p for p in sorted(path.rglob("*")) if p.is_file() and _kind(p) in _IN_FOLDERS)
        files = tuple(p for p in found if not p.name.startswith("."))
        if not files:
            raise CorpusUnavailable(
                f"The folder {spec} holds no corpus.",
                f"Files that are read: {', '.join(_IN_FOLDERS)}, and .gz of all but Parquet.",
            )
    elif path.is_file():
        files = (path,)
    elif _is_hub_name(spec):
        return Corpus(spec, (), seed, _digest([_hub_revision(spec), str(seed)]))
    else:
        raise CorpusUnavailable(
            f"There is no corpus {spec}.",
            'Name a text file, a file of JSON lines {"text": ...}, a Parquet file, a folder of them, '
            "or a Hugging Face dataset as OWNER/NAME.",
        )
    if any(_kind(file) == ".parquet" for file in files):
        _import_optional("pyarrow.parquet", spec)
    return Corpus(spec, files, seed, _digest([*map(_file_digest, files), str(seed)]))


def _kind(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _read(path: Path, name: str) -> Iterator[Document]:
    if _kind(path) == ".parquet":
        return _read_parquet(path, name)
    return (_read_lines if _kind(path) in _LINES else _read_text)(path, name)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    opener: Any = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            yield file
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path} cannot be read as UTF-8 text: {error}.") from error


def _read_text(path: Path, name: str) -> Iterator[Document]:
    """Pieces that end at a blank line or, where there is none for long, at the end of a line."""
    piece: list[str] = []
    size, first = 0, 1
    with _opened(path) as file:
        for number, line in enumerate(file, start=1):
            piece.append(line)
            size += len(line)
            is_full = size >= PIECE_CHARACTERS and (not line.strip() or size > 2 * PIECE_CHARACTERS)
            if is_full:
                yield Document("".join(piece), f"{name}:{first}")
                piece, size, first = [], 0, number + 1
    yield Document("".join(piece), f"{name}:{first}")


def _read_lines(path: Path, name: str) -> Iterator[Document]:
    with _opened(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{name}:{number}"
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{where} is not JSON: {error}.") from error
            yield _document(record, where)


def _read_parquet(path: Path, name: str) -> Iterator[Document]:
    parquet = _import_optional("pyarrow.parquet", str(path))
    with parquet.ParquetFile(path) as file:
        columns = file.schema_arrow.names
        if "text" not in columns:
            raise ValueError(f'{path} has no column "text"; it has {", ".join(columns)}.')
        number = 0
        for batch in file.iter_batches(batch_size=1024, columns=["text"]):
            for text in batch.column(0).to_pylist():
                number += 1
                yield Document(text or "", f"{name}:{number}")


# What a JSON line or a row of a dataset holds has no static type.
def _document(record: Any, where: str) -> Document:
    text = record.get("text") if isinstance(record, dict) else None
    if not isinstance(text, str):
        held = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise ValueError(f'{where} has no "text" that is a string; it holds {held or "nothing"}.')
    return Document(text, where)


def _shuffled(documents: Iterator[Document], random: Random) -> Iterator[Document]:
    """A random order, from a window of documents that slides along."""
    waiting: list[Document] = []
    for document in documents:
        if len(waiting) < SHUFFLE_DOCUMENTS:
            waiting.append(document)
            continue
        slot = random.randrange(SHUFFLE_DOCUMENTS)
        waiting[slot], document = document, waiting[slot]
        yield document
    random.shuffle(waiting)
    yield from waiting


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _file_digest(path: Path, end_bytes: int = 1 << 20) -> str:
    """Of the name, the size, and the first and last MiB: whole corpora are too large to hash."""
    size = path.stat().st_size
    digest = hashlib.sha256(f"{path.name} {size}".encode())
    with path.open("rb") as file:
        digest.update(file.read(end_bytes))
        file.seek(max(end_bytes, size - end_bytes))
        digest.update(file.read(end_bytes))
    return digest.hexdigest()


# --- Hugging Face datasets -----------------------------------------------------------------------


def _is_hub_name(spec: str) -> bool:
    repo = spec.partition(":")[0]
    return repo.count("/") == 1 and not spec.startswith((".", "/", "~")) and " " not in spec


def _hub_revision(spec: str) -> str:
    """The dataset's name and commit; asks the hub once, with a short timeout."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    _import_optional("datasets", spec)
    repo = spec.partition(":")[0]
    try:
        info = HfApi().dataset_info(repo, timeout=HUB_TIMEOUT_SECONDS)
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise CorpusUnavailable(
            f"There is no corpus {spec}: no file or folder here, no dataset of that name on the hub.",
            "Check the spelling; a gated dataset needs `hf auth login`.",
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise CorpusUnavailable(
            f"{spec} is no file or folder here, and the Hugging Face hub cannot be reached ({error}).",
            "Without the hub, name a text file, JSON lines, a Parquet file or a folder of them.",
        ) from error
    return f"{spec}@{info.sha}"


def _read_hub(spec: str) -> Iterator[Document]:
    repo, _, config = spec.partition(":")
    load = _import_optional("datasets", spec).load_dataset
    rows = load(repo, config or None, split="train", streaming=True)
    for number, record in enumerate(rows, start=1):
        yield _document(record, f"{repo}:{number}")


def _import_optional(module: str, spec: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CorpusUnavailable(
            f"Reading {spec} needs the package {module.partition('.')[0]}.",
            "Install it with `pip install 'transformer-debugger[corpora]'`.",
        ) from error
