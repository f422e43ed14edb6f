"""ModelSession: one model, one thread that runs it, and the answers it gave lately.

Each question takes four steps:
  1. an answer that is still kept goes out as it is;
  2. the request is read, and refused if it is wrong, beside the worker: no queueing for a typo;
  3. it joins the same question already in flight, or takes a place in the queue;
  4. the worker computes and serialises it; the bytes are kept.
Only the worker's thread touches the model.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Generator, Hashable
from typing import TypeVar

from fastapi import Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from activation_server import wire
from activation_server.coders import coder_cards, open_coder_sets
from activation_server.components import ComponentPages
from activation_server.datasets import Datasets
from activation_server.errors import as_api_error, error_body
from activation_server.examples import examples_for
from activation_server.experiments import monitor_examples_for
from activation_server.explanations import Explanations
from activation_server.kept import KeptAnswers
from activation_server.monitor import Monitor
from activation_server.new_datasets import NewDatasets
from activation_server.questions import (
    NAME_HINT,
    batches_of,
    field,
    read_attention_latent,
    read_bases,
    read_cases,
    read_component_of_path,
    read_measured,
    read_node,
    read_prompt,
)
from activation_server.schemas import (
    ActivationsRequest,
    CaseSpec,
    DebugRequest,
    Example,
    HealthResponse,
    LatentPairsRequest,
    LensRequest,
    MeasureRequest,
    NodeTokensRequest,
    TokenizeRequest,
)
from activation_server.settings import Settings
from activation_server.standing import with_standing
from activation_server.streaming import Event, event, stream
from activation_server.waiting import SharedAnswer, unless_gone
from activation_server.worker import Ticket, Worker, once
from neuron_explainer.attribution.components import component_activations, component_tokens
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.self_check import self_check
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.run import Case
from neuron_explainer.models.transformer import Transformer

Piece = TypeVar("Piece")
Effects = list[tuple[str, float]]


class ModelSession:
    """Answers the questions of every route, one at a time."""

    def __init__(self, model: Transformer, settings: Settings) -> None:
        self._model = model
        self._investigation = Investigation(
            model,
            open_coder_sets(settings.coders, model),
            max_passes=settings.max_passes,
            max_bytes=settings.max_question_bytes,
        )
        self._bases = read_bases(self._investigation)
        self._worker = Worker(settings.max_queue)
        self._kept = KeptAnswers(settings.max_answers, settings.max_answer_bytes)
        self._in_flight: dict[Hashable, SharedAnswer] = {}
        self._examples = examples_for(model)
        coder_sets = tuple(self._investigation.coder_sets.values())
        self._datasets = datasets = Datasets.open(settings.datasets, model, coder_sets)
        self.new_datasets = NewDatasets(datasets, model)
        self.components = ComponentPages(self, model, datasets, coder_sets, self._bases)
        self.explanations = Explanations(self, model, self.components, coder_sets, settings)
        self.monitor = Monitor(
            self, self._investigation, datasets, self.explanations.indexes, self._bases
        )
        self._monitor_examples = monitor_examples_for(model)
        self._coders = coder_cards(coder_sets)

    def close(self) -> None:
        """Stop the worker."""
        self._worker.close()
        self.monitor.close()
        self.explanations.close()

    async def warm_up(self) -> None:
        """Answer the first example before anybody asks; the next question is faster for it too."""
        if self._examples:
            body = first_question(self._examples[0])
            await self.answer(body, lambda: self._read_debug(body), None)

    # --- what is being served -------------------------------------------------------------------

    def health(self) -> HealthResponse:
        """That it works, and how much waits."""
        is_busy, n_queued = self._worker.load()
        return HealthResponse(
            model=self._model.config.name,
            busy=is_busy,
            queued=n_queued,
            data_version=self._datasets.version,
        )

    def model_card(self) -> Response:
        """What the model is, and what is served with it now."""
        version = self._datasets.version  # before what it is the version of
        return wire.json_response(
            wire.model_card(
                self._model,
                self._examples,
                self._monitor_examples,
                self._datasets.cards(),
                self._coders,
                version,
            )
        )

    async def tokenize(self, body: TokenizeRequest) -> Response:
        """Never queues: it is asked for while someone types."""

        def tokens() -> bytes:
            found = read_prompt(self._model, body.text, "text") if body.text else ()
            return wire.to_bytes({"tokens": wire.tokens(self._model, found)})

        return wire.json_response(await asyncio.to_thread(tokens))

    # --- the debugger ---------------------------------------------------------------------------

    async def debug(self, body: DebugRequest, request: Request) -> Response:
        """The node table."""
        return await self.answer(body, lambda: self._read_debug(body), request)

    def _read_debug(self, body: DebugRequest) -> Callable[[], bytes]:
        bases = read_bases(
            self._investigation, body.mlp_basis, body.attention_basis, body.resid_basis or ""
        )
        names = [f"cases[{index}]" for index in range(len(body.cases))]
        cases = read_cases(self._model, body.cases, names, bases, self.monitor.extremes.steer)

        def debug() -> bytes:
            table = self._investigation.debug(
                cases, top_k=body.top_k, read_out_norm=body.read_out_norm
            )
            return wire.to_bytes(with_standing(table, self.components.extremes, bases))

        return debug

    async def node_tokens(self, body: NodeTokensRequest, request: Request) -> Response:
        """What each node's write promotes and suppresses."""

        def read() -> Callable[[], bytes]:
            bases = read_bases(
                self._investigation, body.mlp_basis, body.attention_basis, body.resid_basis
            )
            cases = self._read_case_and_other(body.case, body.other_case, bases)
            nodes = []
            for number, name in enumerate(body.nodes):
                with field(f"nodes[{number}]", NAME_HINT):
                    nodes.append(read_node(self._model, name, len(cases[0].tokens), bases))
            return lambda: wire.to_bytes(
                {"nodes": self._investigation.node_tokens(cases, nodes, body.n)}
            )

        return await self.answer(body, read, request)

    async def lens(self, body: LensRequest, request: Request) -> Response:
        """The logit lens at the objective's token."""

        def read() -> Callable[[], bytes]:
            bases = read_bases(
                self._investigation, body.mlp_basis, body.attention_basis, body.resid_basis
            )
            cases = self._read_case_and_other(body.case, body.other_case, bases)
            return lambda: wire.lens(*self._investigation.lens(cases, body.n))

        return await self.answer(body, read, request)

    async def latent_pairs(self, body: LatentPairsRequest, request: Request) -> Response:
        """An attention latent shared out over token pairs."""

        def read() -> Callable[[], bytes]:
            bases = read_bases(self._investigation, attention=body.attention_basis)
            cases = self._read_case_and_other(body.case, body.other_case, bases)
            with field("node", NAME_HINT):
                node = read_attention_latent(self._model, body.node, len(cases[0].tokens), bases)
            return lambda: wire.to_bytes(self._investigation.latent_pairs(cases, node, body.n))

        return await self.answer(body, read, request)

    def _read_case_and_other(
        self, case: CaseSpec, other: CaseSpec | None, bases: Bases
    ) -> list[Case]:
        specs = [case] if other is None else [case, other]
        names = ["case", "other_case"][: len(specs)]
        return read_cases(self._model, specs, names, bases, self.monitor.extremes.steer)

    # --- measuring ------------------------------------------------------------------------------

    async def measure(self, body: MeasureRequest, request: Request) -> Response:
        """Measured effects, all at once."""

        def read() -> Generator[float | Effects, None, None]:
            return self._read_measure(body)

        return await self.answer_in_pieces(body, read, wire.measured, request)

    async def measure_stream(self, body: MeasureRequest, request: Request) -> Response:
        """Measured effects as they come; what goes wrong before the first is a plain error."""
        key = self._dated(body)
        kept = self._kept.get(key)
        if kept is not None:
            return EventSourceResponse(_replay(kept), headers=wire.queue_header(0))
        ticket = self._worker.submit(await asyncio.to_thread(self._read_measure, body))
        pieces = ticket.pieces()
        try:
            objective = await unless_gone(request, anext(pieces))
        except BaseException:
            ticket.cancel()
            raise
        events = self._events(key, ticket, objective, pieces)
        return EventSourceResponse(events, headers=wire.queue_header(ticket.ahead))

    def _read_measure(self, body: MeasureRequest) -> Generator[float | Effects, None, None]:
        """Reads the request now; its pieces are the objective, then batches of effects."""
        bases = read_bases(
            self._investigation, body.mlp_basis, body.attention_basis, body.resid_basis or ""
        )
        cases = self._read_case_and_other(body.case, body.other_case, bases)
        nodes = []
        for number, name in enumerate(body.nodes):
            with field(f"nodes[{number}]", NAME_HINT):
                nodes.append(read_measured(self._model, name, len(cases[0].tokens), bases))

        def pieces() -> Generator[float | Effects, None, None]:
            n_tokens = len(cases[0].tokens)
            for number, batch in enumerate(batches_of(nodes, n_tokens)):
                objective, effects = self._investigation.measure(cases, batch, to=body.to)
                if number == 0:
                    yield wire.finite(objective)
                for found in effects:
                    yield [(str(node), wire.finite(effect)) for node, effect in found]

        return pieces()

    async def _events(
        self,
        key: Hashable,
        ticket: Ticket[float | Effects],
        objective: float | Effects,
        pieces: AsyncIterator[float | Effects],
    ) -> AsyncIterator[ServerSentEvent]:
        seen = [objective]
        try:
            yield event("objective", {"objective": objective})
            async for batch in pieces:
                seen.append(batch)
                assert isinstance(batch, list)
                for node, effect in batch:
                    yield event("effect", {"node": node, "measured_effect": effect})
            self._kept.put(key, wire.measured(seen))
            yield event("done", {})
        except Exception as problem:  # the answer has begun, so its status can no longer say it
            yield event("error", error_body(as_api_error(problem)))
        finally:
            ticket.cancel()

    # --- components and checks ------------------------------------------------------------------

    async def component_activations(
        self, name: str, body: ActivationsRequest, coder: str | None, request: Request
    ) -> Response:
        """A component's activation on each prompt."""

        def read() -> Callable[[], bytes]:
            bases = self.components.bases(coder)
            component = read_component_of_path(self._model, name, bases)
            prompts = [
                read_prompt(self._model, prompt, f"prompts[{index}]")
                for index, prompt in enumerate(body.prompts)
            ]
            return lambda: wire.activations(
                self._model,
                component,
                prompts,
                component_activations(self._model, component, prompts, bases),
            )

        return await self.answer((name, body, coder), read, request)

    async def component_tokens(
        self, name: str, n: int, coder: str | None, request: Request
    ) -> Response:
        """What a component's weights alone say."""

        def read() -> Callable[[], bytes]:
            bases = self.components.bases(coder)
            component = read_component_of_path(self._model, name, bases)
            return lambda: wire.to_bytes(component_tokens(self._model, component, n, bases))

        return await self.answer(("tokens", name, n, coder), read, request)

    async def self_check(self, request: Request) -> Response:
        """Each claim about the numbers, tried on this model."""

        def read() -> Callable[[], bytes]:
            sets = tuple(self._investigation.coder_sets.values())
            return lambda: wire.self_check(self._model, self_check(self._model, sets))

        return await self.answer("self_check", read, request)

    # --- queueing -------------------------------------------------------------------------------

    async def answer(
        self, key: Hashable, read: Callable[[], Callable[[], bytes]], request: Request | None
    ) -> Response:
        """The answer to a question that is computed in one piece; no request: nobody can leave."""

        def work() -> Generator[bytes, None, None]:
            return once(read())

        return await self.answer_in_pieces(key, work, lambda pieces: pieces[0], request)

    async def stream(
        self, read: Callable[[], Generator[Event, None, None]], request: Request
    ) -> Response:
        """The answer to a question that is computed in pieces, as events; not kept."""
        return await stream(self._worker, read, request)

    async def answer_in_pieces(
        self,
        key: Hashable,
        read: Callable[[], Generator[Piece, None, None]],
        finish: Callable[[list[Piece]], bytes],
        request: Request | None,
    ) -> Response:
        key = self._dated(key)
        kept = self._kept.get(key)
        if kept is not None:
            return wire.json_response(kept, ahead=0)
        shared = self._in_flight.get(key)
        if shared is None or not shared.is_open:
            work = await asyncio.to_thread(read)
            shared = self._in_flight.get(key)  # somebody may have asked meanwhile
        if shared is None or not shared.is_open:
            shared = SharedAnswer(self._worker.submit(work), finish)
            self._in_flight[key] = shared
        try:
            answer = await shared.wait(request)
        finally:
            if not shared.is_open and self._in_flight.get(key) is shared:
                del self._in_flight[key]
        self._kept.put(key, answer)
        return wire.json_response(answer, ahead=shared.ahead)

    def _dated(self, key: Hashable) -> Hashable:
        """Since a question may be answered otherwise once another dataset is served."""
        return self._datasets.version, key


def first_question(example: Example) -> DebugRequest:
    """What the viewer asks when it is opened."""
    case = CaseSpec(
        prompt=example.prompt,
        target_tokens=(example.target,),
        distractor_tokens=(example.distractor,) if example.distractor else (),
    )
    return DebugRequest(cases=(case,))


async def _replay(kept: bytes) -> AsyncIterator[ServerSentEvent]:
    answer = json.loads(kept)
    yield event("objective", {"objective": answer["objective"]})
    for effect in answer["effects"]:
        yield event("effect", effect)
    yield event("done", {})
