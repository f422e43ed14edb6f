"""Whether two datasets hold the same, bit for bit."""

from safetensors.torch import load_file

from neuron_explainer.exemplars import Dataset


def assert_same(one: Dataset, other: Dataset) -> None:
    """Statistics, excerpts and texts are equal; only the time it took may differ."""
    assert one.card.n_tokens == other.card.n_tokens
    assert [entry.sha256 for entry in one.card.groups] == [e.sha256 for e in other.card.groups]
    assert one.card.text_sha256 == other.card.text_sha256
    for entry in one.card.groups:
        mine, theirs = (load_file(f"{d.folder}/{entry.file}") for d in (one, other))
        assert all(mine[name].equal(theirs[name]) for name in mine)
