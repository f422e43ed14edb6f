"""Explanations that are served, as the Monitor needs them: by component and side, and by meaning."""

from collections.abc import Callable, Collection, Sequence

from activation_server.errors import BadRequest
from neuron_explainer.explanations.explanation import Explanation
from neuron_explainer.explanations.search import SearchIndex
from neuron_explainer.nodes import Component, Side

EXPLAIN_HINT = "Make explanations with `tdb explain`, then serve with --explanations FILE."

SidedComponent = tuple[Component, Side]


class Meanings:
    """One index for each store, the first one first; maybe none."""

    def __init__(self, indices: Callable[[], Sequence[SearchIndex]]) -> None:
        self.indices = indices

    def needed(self) -> Sequence[SearchIndex]:
        """The indices, where nothing can be done without. Raises BadRequest."""
        found = self.indices()
        if not found:
            raise BadRequest(
                "No explanations are loaded, so components have no meaning to go by.", EXPLAIN_HINT
            )
        return found

    def best(
        self, wanted: Sequence[SidedComponent], coders: Collection[str] = ()
    ) -> dict[SidedComponent, Explanation]:
        """The best explanation of each component's side; those without one are left out.

        Of latents, what is said of the named coders' ones, each for its stream, else of the first coder's.
        """
        components = list(dict.fromkeys(component for component, _ in wanted))
        asked, found = set(wanted), dict[SidedComponent, Explanation]()
        for index in self.indices():
            for component, explanations in index.of(components, coders).items():
                for explanation in explanations:
                    key = (component, explanation.side)
                    if key in asked:
                        found.setdefault(key, explanation)
        return found
