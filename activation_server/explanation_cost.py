"""What a language model's explanations would cost, and whether there is one to ask: told before a job starts."""

from activation_server.data_shelf import DataShelf
from activation_server.naming import configured
from activation_server.schemas import EstimateRequest, EstimateResponse
from neuron_explainer.exemplars.store import open_dataset
from neuron_explainer.explanations.estimate import estimate
from neuron_explainer.explanations.explain import Plan
from neuron_explainer.explanations.openai_provider import Endpoint
from neuron_explainer.explanations.selection import select_components

OPENAI = "https://api.openai.com/v1"
SET_HINT = (
    "Start the server with OPENAI_BASE_URL (a server of your own) or OPENAI_API_KEY, and "
    "TDB_LLM_MODEL for the model."
)


def explanation_cost(request: EstimateRequest, shelf: DataShelf) -> EstimateResponse:
    """Calls and tokens of an explain job. Raises DatasetUnavailable, or LookupError for unknown components."""
    dataset = open_dataset(shelf.path_of("datasets", request.dataset))
    components = select_components(dataset, request.components or ["all"])
    found = estimate(
        dataset, components, Plan(candidates=request.candidates, simulator=request.simulator)
    )
    endpoint = Endpoint.from_environment()
    is_configured = configured() is not None
    return EstimateResponse(
        is_configured=is_configured,
        model=endpoint.model if is_configured else None,
        address=(endpoint.base_url or OPENAI) if is_configured else None,
        hint="" if is_configured else SET_HINT,
        n_components=len(components),
        n_sides=found.n_sides,
        n_calls=found.n_calls,
        n_tokens=found.n_tokens,
    )
