"""Excerpts as a dataset keeps them - windows of tokens, and codes of activations - read one at a time."""

from collections.abc import Mapping, Sequence
from math import floor, isqrt, log10
from typing import Any

from torch import Tensor

from neuron_explainer.exemplars.records import Activations, Exemplar


class WindowText:
    """Tokens and sources of the windows that a dataset shows."""

    def __init__(self, file: Any) -> None:  # a safetensors handle
        self._tokens = file.get_slice("tokens")
        self._lengths = file.get_tensor("lengths")
        self._sources = _Strings(file, "source")
        self._vocabulary = _Strings(file, "vocabulary")

    def ids(self, window: int) -> list[int]:
        """Token ids of a window, without padding."""
        ids: list[int] = self._tokens[window][: int(self._lengths[window])].tolist()
        return ids

    def texts(self, ids: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._vocabulary[token] for token in ids)

    def source(self, window: int) -> str:
        return self._sources[window]


class _Strings:
    """Many strings as one tensor of UTF-8 bytes and one of where each starts."""

    def __init__(self, file: Any, name: str) -> None:
        self._bytes = file.get_slice(f"{name}_bytes")
        self._starts: list[int] = file.get_tensor(f"{name}_starts").tolist()
        self._known: dict[int, str] = {}

    def __getitem__(self, index: int) -> str:
        if index not in self._known:
            raw = self._bytes[self._starts[index] : self._starts[index + 1]]
            self._known[index] = raw.numpy().tobytes().decode()
        return self._known[index]


class Excerpts:
    """Turns slots of one component into exemplars."""

    def __init__(self, text: WindowText, rows: Mapping[str, Tensor], *, is_pairs: bool) -> None:
        self.text = text
        self.rows = rows
        self.is_pairs = is_pairs

    def of(self, slots: range) -> tuple[Exemplar, ...]:
        windows: list[int] = self.rows["window"][slots.start : slots.stop].tolist()
        return tuple(
            self._exemplar(window, slot)
            for window, slot in zip(windows, slots, strict=True)
            if window >= 0
        )

    def _exemplar(self, window: int, slot: int) -> Exemplar:
        ids = self.text.ids(window)
        scale = float(self.rows["scale"][slot])
        n = len(ids) * (len(ids) + 1) // 2 if self.is_pairs else len(ids)
        flat = _decoded(self.rows["activations"][slot, :n], scale)
        peak = int(self.rows["peak"][slot])
        query = query_of(peak) if self.is_pairs else peak
        return Exemplar(
            tokens=self.text.texts(ids),
            token_ids=tuple(ids),
            activations=_triangle(flat, len(ids)) if self.is_pairs else tuple(flat),
            peak=query,
            peak_key=peak - query * (query + 1) // 2 if self.is_pairs else None,
            value=float(self.rows["value"][slot]),
            source=self.text.source(window),
        )


def _decoded(codes: Tensor, scale: float) -> list[float]:
    """Activations rounded to what their codes can tell, so that they are short as text."""
    if scale == 0:
        return [0.0] * len(codes)
    decimals = max(0, 3 - floor(log10(scale * float(codes.abs().max() or 1))))
    values: list[float] = (codes.double() * scale).round(decimals=decimals).tolist()
    return values


def _triangle(flat: list[float], n_tokens: int) -> Activations:
    starts = (query * (query + 1) // 2 for query in range(n_tokens))
    return tuple(tuple(flat[start : start + q + 1]) for q, start in enumerate(starts))


def query_of(pair: int) -> int:
    """The row of the lower triangle in which a pair lies."""
    return (isqrt(8 * pair + 1) - 1) // 2
