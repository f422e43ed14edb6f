"""The Monitor page's questions: reached as `session.monitor`."""

import asyncio
from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Protocol, TypeVar

from fastapi import Request, Response

from activation_server import concepts, generation, steering, wire
from activation_server.concepts import Concepts
from activation_server.conversations import read_conversation
from activation_server.datasets import Datasets
from activation_server.errors import BadRequest
from activation_server.extremes import Extremes
from activation_server.influence import Ranking, read_question
from activation_server.meanings import Meanings
from activation_server.schemas import (
    ClustersRequest,
    CompareRequest,
    GenerateRequest,
    InfluenceRequest,
    MonitorTokensRequest,
    SteerPreviewRequest,
    SweepRequest,
)
from activation_server.streaming import Event
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.explanations.search import SearchIndex
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.comparison import text_statistics
from neuron_explainer.models.sampling import reply_text

Piece = TypeVar("Piece")


class Answering(Protocol):
    """What the session does for a question: queue it, compute it on its thread, keep the answer."""

    async def answer(
        self, key: Hashable, read: Callable[[], Callable[[], bytes]], request: Request | None
    ) -> Response: ...

    async def answer_in_pieces(
        self,
        key: Hashable,
        read: Callable[[], Generator[Piece, None, None]],
        finish: Callable[[list[Piece]], bytes],
        request: Request | None,
    ) -> Response: ...

    async def stream(
        self, read: Callable[[], Generator[Event, None, None]], request: Request
    ) -> Response: ...


class Monitor:
    """Generation, token statistics, influence, concepts and steering."""

    def __init__(
        self,
        session: Answering,
        investigation: Investigation,
        datasets: Datasets,
        indices: Callable[[], Sequence[SearchIndex]],
        bases: Bases,
    ) -> None:
        self._session = session
        self._model = investigation.model
        self.extremes = Extremes(datasets)
        self.meanings = Meanings(indices)
        self._bases = bases
        self._investigation = investigation
        self._ranking = Ranking(investigation, self.extremes, self.meanings)
        self._concepts = Concepts(investigation, self._ranking, self.meanings)

    def close(self) -> None:
        """Ask for nothing more."""
        self._concepts.close()

    async def generate(self, body: GenerateRequest, request: Request) -> Response:
        """Continue a text or a chat."""

        def read() -> Generator[Event, None, None]:
            reply = generation.read_reply(self._model, body, self.extremes, self._bases)
            return generation.generate_events(self._model, reply)

        if body.stream:
            return await self._session.stream(read, request)
        return await self._session.answer_in_pieces(body, read, generation.whole_reply, request)

    async def compare(self, body: CompareRequest, request: Request) -> Response:
        """The default and the steered reply."""

        def read() -> Generator[Event, None, None]:
            if not generation.has_edits(body):
                raise BadRequest(
                    "Nothing is edited, so both replies would be the same.",
                    "Give `interventions` or an enabled concept.",
                    where="concepts",
                )
            reply = generation.read_reply(self._model, body, self.extremes, self._bases)
            return generation.compare_events(self._model, reply)

        if body.stream:
            return await self._session.stream(read, request)
        return await self._session.answer_in_pieces(
            body, read, generation.whole_comparison, request
        )

    async def tokens(self, body: MonitorTokensRequest, request: Request) -> Response:
        """Every token of a conversation, as the model saw it coming."""

        def read() -> Callable[[], bytes]:
            read = read_conversation(self._model, body, self.extremes, self._bases)

            def compute() -> bytes:
                found = text_statistics(
                    self._model, read.text, body.n_top, read.interventions, self._bases
                )
                named = generation.conversation_tokens(self._model, read.text)
                tokens = [
                    {**token, **generation.statistics_of(seen)}
                    for token, seen in zip(named, found.tokens, strict=True)
                ]
                reply = reply_text(self._model, read.text)
                return wire.to_bytes({"tokens": tokens, "next": found.next, "reply": reply})

            return compute

        return await self._session.answer(body, read, request)

    async def influence(self, body: InfluenceRequest, request: Request) -> Response:
        """Which components led to a token."""

        def read() -> Callable[[], bytes]:
            question = read_question(self._investigation, body, self.extremes)
            return lambda: self._ranking.answer(question, body)

        return await self._session.answer(body, read, request)

    async def clusters(
        self, body: ClustersRequest, request: Request, *, in_events: bool
    ) -> Response:
        """The influential components grouped by meaning, each group measured."""

        def read() -> Generator[Event, None, None]:
            self.meanings.needed()
            return self._concepts.events(
                read_question(self._investigation, body, self.extremes), body
            )

        if in_events:
            return await self._session.stream(read, request)
        return await self._session.answer_in_pieces(body, read, concepts.whole_answer, request)

    async def steer_preview(self, body: SteerPreviewRequest) -> Response:
        """Which components a concept means. Never queues: it is asked for while someone types."""
        found = await asyncio.to_thread(
            steering.preview, self._model, self.meanings, self.extremes, body
        )
        return wire.json_response(found)

    async def sweep(self, body: SweepRequest, request: Request, *, in_events: bool) -> Response:
        """Strength times number of components."""

        def read() -> Generator[Event, None, None]:
            return steering.read_sweep(self._model, body, self.extremes, self._bases)

        if in_events:
            return await self._session.stream(read, request)
        return await self._session.answer_in_pieces(body, read, concepts.whole_answer, request)
