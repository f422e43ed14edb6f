"""The component pages: what datasets recorded of a component, beside what the model does now."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Response

from activation_server import wire
from activation_server.datasets import Datasets
from activation_server.questions import read_component_of_path
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component

Explanations = Callable[[Component], Sequence[dict[str, Any]]]
"""The explanations of a component, as `ExplanationRecord` has them."""


def no_explanations(_: Component) -> Sequence[dict[str, Any]]:
    """Where no explanations are loaded."""
    return ()


class ComponentPages:
    """Answers about single components; reached as `session.components`."""

    def __init__(self, model: Transformer, datasets: Datasets) -> None:
        self._model = model
        self.datasets = datasets
        self.explanations: Explanations = no_explanations

    async def record(self, name: str, dataset: str | None) -> Response:
        """A component's record. Needs no turn at the model, so it never waits for one."""

        def read() -> bytes:
            component = read_component_of_path(self._model, name)
            record = self.datasets.find(component, dataset).record(component)
            explained = {"explanations": list(self.explanations(component))}
            return wire.to_bytes(record.to_json() | explained)

        return wire.json_response(await asyncio.to_thread(read))
