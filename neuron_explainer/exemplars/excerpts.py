"""Excerpts as a dataset keeps them - windows of tokens, and codes of activations - read one at a time."""

from collections.abc import Mapping, Sequence
from functools import cache
from math import isqrt
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.exemplars.records import Activations, Exemplar


class WindowText:
    """Tokens and sources of the windows that a dataset shows."""

    def __init__(self, file: Any) -> None:  # a safetensors handle
        # Mapped: read where it is looked at.
        self._tokens: Int[np.ndarray, "window place"] = file.get_tensor("tokens").numpy()
        self._lengths: list[int] = file.get_tensor("lengths").tolist()
        self._sources = _Strings(file, "source")
        self._vocabulary = _Strings(file, "vocabulary")

    def ids(self, window: int) -> list[int]:
        """Token ids of a window, without padding."""
        ids: list[int] = self._tokens[window, : self._lengths[window]].tolist()
        return ids

    def texts(self, ids: Sequence[int]) -> tuple[str, ...]:
        return tuple(map(self._vocabulary.__getitem__, ids))

    def source(self, window: int) -> str:
        return self._sources[window]


class _Strings(dict[int, str]):
    """Many strings as one tensor of UTF-8 bytes and one of where each starts; those read are kept."""

    def __init__(self, file: Any, name: str) -> None:
        self._bytes: Tensor = file.get_tensor(f"{name}_bytes")  # mapped, too
        self._starts: list[int] = file.get_tensor(f"{name}_starts").tolist()

    def __missing__(self, index: int) -> str:
        raw = self._bytes[self._starts[index] : self._starts[index + 1]]
        return self.setdefault(index, raw.numpy().tobytes().decode())


class Excerpts:
    """Turns slots of one component into exemplars."""

    def __init__(self, text: WindowText, rows: Mapping[str, Tensor], *, is_pairs: bool) -> None:
        self.text = text
        self.is_pairs = is_pairs
        self._windows, self._peaks, self._values = (
            rows[name].tolist() for name in ("window", "peak", "value")
        )
        self._activations = _decoded(rows["activations"], rows["scale"])

    def of(self, slots: range) -> tuple[Exemplar, ...]:
        return tuple(
            self._exemplar(self._windows[slot], slot) for slot in slots if self._windows[slot] >= 0
        )

    def _exemplar(self, window: int, slot: int) -> Exemplar:
        ids = self.text.ids(window)
        n = len(ids) * (len(ids) + 1) // 2 if self.is_pairs else len(ids)
        flat = tuple(self._activations[slot, :n].tolist())
        peak = self._peaks[slot]
        query = query_of(peak) if self.is_pairs else peak
        return Exemplar(
            tokens=self.text.texts(ids),
            token_ids=tuple(ids),
            activations=_triangle(flat, len(ids)) if self.is_pairs else flat,
            peak=query,
            peak_key=peak - query * (query + 1) // 2 if self.is_pairs else None,
            value=self._values[slot],
            source=self.text.source(window),
        )


def _decoded(
    codes: Float[Tensor, "slot place"] | Int[Tensor, "slot place"], scale: Float[Tensor, " slot"]
) -> Float[np.ndarray, "slot place"]:
    """Activations rounded to what their codes can tell, so that they are short as text."""
    factors = scale.double().numpy()[:, None]
    values: Float[np.ndarray, "slot place"] = np.multiply(codes.numpy(), factors, dtype=np.float64)
    largest = np.maximum(values.max(1, keepdims=True), -values.min(1, keepdims=True))
    if not np.isfinite(largest).all():
        raise ValueError("an activation is not finite")
    units = 10 ** (3 - np.floor(np.log10(largest.clip(min=1e-30)))).clip(min=0)
    values *= units
    np.rint(values, out=values)
    values /= units
    return values


def _triangle(flat: tuple[float, ...], n_tokens: int) -> Activations:
    return tuple(map(flat.__getitem__, _rows(n_tokens)))


@cache
def _rows(n_tokens: int) -> tuple[slice, ...]:
    """Where each row of a lower triangle lies when its rows are one after another."""
    starts = (query * (query + 1) // 2 for query in range(n_tokens))
    return tuple(slice(start, start + query + 1) for query, start in enumerate(starts))


def query_of(pair: int) -> int:
    """The row of the lower triangle in which a pair lies."""
    return (isqrt(8 * pair + 1) - 1) // 2
