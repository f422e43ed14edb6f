"""Corpora: each kind of file, in order, again and again, with clear errors."""

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from neuron_explainer.models import corpus as corpus_module
from neuron_explainer.models.corpus import CorpusUnavailable, Document, open_corpus

TEXTS = ("The cat sat.", "On the mat.", "And so did the dog.")


def write_lines(path: Path, texts: Sequence[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def test_json_lines_give_their_texts_with_line_numbers(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", TEXTS)
    assert list(open_corpus(str(path))) == [
        Document(text, f"a.jsonl:{number}") for number, text in enumerate(TEXTS, start=1)
    ]


def test_a_corpus_can_be_read_again(tmp_path: Path) -> None:
    corpus = open_corpus(str(write_lines(tmp_path / "a.jsonl", TEXTS)))
    assert list(corpus) == list(corpus)


def test_compressed_lines_read_as_plain_ones(tmp_path: Path) -> None:
    plain = write_lines(tmp_path / "a.jsonl", TEXTS)
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [d.text for d in open_corpus(str(packed))] == list(TEXTS)


def test_a_text_file_is_cut_at_blank_lines_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "PIECE_CHARACTERS", 20)
    path = tmp_path / "a.txt"
    path.write_text("one two three four\nfive\n\nsix seven\n\neight nine ten eleven\n")
    pieces = list(open_corpus(str(path)))
    assert "".join(d.text for d in pieces) == path.read_text()
    assert [d.source for d in pieces] == ["a.txt:1", "a.txt:4"]


def test_a_text_without_blank_lines_is_cut_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "PIECE_CHARACTERS", 20)
    path = tmp_path / "a.txt"
    path.write_text("fifteen letters\n" * 10)
    assert [d.source for d in open_corpus(str(path))] == [
        "a.txt:1",
        "a.txt:4",
        "a.txt:7",
        "a.txt:10",
    ]


def test_a_folder_gives_its_files_by_path(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write_lines(tmp_path / "sub" / "b.jsonl", TEXTS[1:])
    (tmp_path / "a.txt").write_text(TEXTS[0])
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden.txt").write_text("no")
    sources = [d.source for d in open_corpus(str(tmp_path))]
    assert sources == ["a.txt:1", "sub/b.jsonl:1", "sub/b.jsonl:2"]


def test_parquet_gives_its_text_column(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"id": [1, 2, 3], "text": list(TEXTS)}), path)
    assert [(d.text, d.source) for d in open_corpus(str(path))] == [
        (text, f"a.parquet:{number}") for number, text in enumerate(TEXTS, start=1)
    ]
    parquet.write_table(pyarrow.table({"id": [1]}), path)
    with pytest.raises(ValueError, match='no column "text"; it has id'):
        list(open_corpus(str(path)))


def test_a_seed_changes_the_order_but_not_the_documents(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(200)]
    spec = str(write_lines(tmp_path / "a.jsonl", texts))
    first, again, other = (list(open_corpus(spec, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(d.text for d in first) == sorted(texts)
    assert first != list(open_corpus(spec))


def test_the_fingerprint_follows_content_and_order(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", TEXTS)
    before = open_corpus(str(path)).fingerprint
    assert open_corpus(str(path)).fingerprint == before
    assert open_corpus(str(path), seed=3).fingerprint != before
    write_lines(path, ("The bat sat.", *TEXTS[1:]))
    assert open_corpus(str(path)).fingerprint != before


def test_a_large_file_is_never_held_whole(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", ["word " * 200] * 20_000)
    assert path.stat().st_size > 20_000_000
    tracemalloc.start()
    try:
        assert sum(1 for _ in open_corpus(str(path))) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{oh", "a.jsonl:2 is not JSON"),
        ('{"body": "x"}', 'a.jsonl:2 has no "text" that is a string; it holds body'),
        ("[1]", 'a.jsonl:2 has no "text" that is a string; it holds list'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    with pytest.raises(ValueError, match=message):
        list(open_corpus(str(path)))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"fine\n\xff\xfe\n")
    with pytest.raises(ValueError, match="UTF-8"):
        list(open_corpus(str(path)))


def test_a_corpus_without_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n")
    with pytest.raises(ValueError, match="holds no text"):
        list(open_corpus(str(tmp_path)))


def test_what_is_not_there_says_what_could_be_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusUnavailable, match="There is no corpus .*Name a text file"):
        open_corpus(str(tmp_path / "none.txt"))
    with pytest.raises(CorpusUnavailable, match="holds no corpus"):
        open_corpus(str(tmp_path))


def test_a_hub_dataset_without_the_hub_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets.load", reason="the extra `corpora` is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CorpusUnavailable, match="hub cannot be reached"):
        open_corpus("somebody/some-text")
