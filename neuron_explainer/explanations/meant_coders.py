"""Whose latents a name means: two coders of one stream have latents of the same names, and nothing else in common.

Meant is the coder that is chosen by name, else the first of its stream. A store of explanations notes whose latents it
explains (`ExplanationStore.note_coder`); one that does not is taken to explain those of the first.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.nodes import Stream


@dataclass(frozen=True)
class MeantCoders:
    """The coders in use."""

    names: Mapping[Stream, tuple[str, ...]] = field(default_factory=dict)
    """Of each stream; the first one is meant unless another is chosen."""

    @staticmethod
    def of(coder_sets: Iterable[CoderSet]) -> "MeantCoders":
        """Coder sets, of each stream in this order."""
        names: dict[Stream, tuple[str, ...]] = {}
        for each in coder_sets:
            names[each.stream] = (*names.get(each.stream, ()), each.name)
        return MeantCoders(names)

    def first(self, stream: Stream | None) -> str | None:
        """The coder whose latents are meant where none is chosen; None where none of the stream is in use."""
        return None if stream is None else next(iter(self.names.get(stream, ())), None)

    def meant(self, stream: Stream | None, chosen: Collection[str] = ()) -> str | None:
        """The coder of a stream that is chosen, else the first; None where none of the stream is in use."""
        of_stream = () if stream is None else self.names.get(stream, ())
        return next((name for name in of_stream if name in chosen), self.first(stream))

    def foreign(self, store: ExplanationStore, chosen: Collection[str] = ()) -> frozenset[Stream]:
        """The streams for which a store explains latents of another coder than the one that is meant."""
        known = store.coders
        return frozenset(
            stream
            for stream, (first, *_) in self.names.items()
            if known.get(stream, first) != self.meant(stream, chosen)
        )


NO_CODERS = MeantCoders()
"""None is in use: what a store says of latents is taken as it stands."""
