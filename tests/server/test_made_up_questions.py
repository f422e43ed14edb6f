"""Questions made up of real names, few of them out of range: an answer, or a mistake that is named.

What is wrong in one way is listed in test_errors.py; here it is the combinations that matter.
"""

from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activation_server import schemas

texts = st.sampled_from(
    [
        "When Mary and John went",
        "John gave a drink to Mary",
        "Mary and John and a store",
        "Mary " * 9,
    ]
)
positions = st.sampled_from([-1, 0, 1, 2, 3, 4])
position_lists = st.none() | st.lists(positions, min_size=1, max_size=3)
numbers = st.floats(-1e3, 1e3) | st.sampled_from([1e30, 1e300])
layers = st.sampled_from([0, 1, 1, 2, 2])
neurons = st.builds("mlp_L{}_{}".format, layers, st.integers(0, 63))
heads = st.builds("attn_L{}_{}".format, layers, st.integers(0, 1))
pairs = st.builds("{}@{}:{}".format, heads, st.integers(2, 4), st.integers(0, 2))
places = st.builds("{}@{}".format, neurons, st.integers(0, 4))
measurable = st.one_of(pairs, places, neurons, heads, st.sampled_from(["embed@1", "embed", "bias"]))


def edits_of(components: st.SearchStrategy[str], **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Every kind of edit of some components."""
    where = {"component": components, "positions": position_lists, **more}
    kinds: list[dict[str, Any]] = [
        {"kind": st.just("ablate"), "value": st.sampled_from(["zero", "mean"])},
        {"kind": st.sampled_from(["set", "scale"]), "value": numbers},
        {"kind": st.just("patch"), "from_case": st.just(1)},
    ]
    return st.one_of([st.fixed_dictionaries(where | kind) for kind in kinds])


edits = st.one_of(
    edits_of(neurons),
    edits_of(heads),
    edits_of(heads, key_positions=position_lists),
    edits_of(st.sampled_from(["embed", "bias"])),
)
traces = st.recursive(
    st.fixed_dictionaries({"node": places})
    | st.fixed_dictionaries(
        {"node": pairs, "through": st.sampled_from(["query", "key", "query_and_key", "value"])}
    ),
    lambda inner: st.fixed_dictionaries(
        {"node": pairs, "through": st.just("value"), "downstream": inner}
    ),
    max_leaves=2,
)
cases = st.fixed_dictionaries(
    {
        "prompt": texts,
        "target_tokens": st.just([" Mary"]),
        "distractor_tokens": st.lists(st.sampled_from([" John", "a"]), max_size=2),
        "objective": st.sampled_from(["logit_diff", "logit_minus_mean", "logprob", "prob"]),
        "position": positions,
    },
    optional={"interventions": st.lists(edits, max_size=2), "trace": traces},
)
debug_bodies = st.fixed_dictionaries(
    {
        "cases": st.tuples(cases, cases) | st.tuples(cases),
        "top_k": st.sampled_from([1, 3, 1000]),
        "read_out_norm": st.sampled_from(["fixed", "live"]),
    }
)
measure_bodies = st.fixed_dictionaries(
    {
        "case": cases,
        "other_case": st.none() | cases,
        "nodes": st.lists(measurable, min_size=1, max_size=4),
        "to": st.sampled_from(["zero", "mean"]),
    }
)
many = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@many
@given(body=debug_bodies)
def test_tables(client: TestClient, body: dict[str, Any]) -> None:
    check(client, "/api/debug", body, schemas.DebugResponse)


@many
@given(body=measure_bodies)
def test_measurements(client: TestClient, body: dict[str, Any]) -> None:
    check(client, "/api/measure", body, schemas.MeasureResponse)


@many
@given(body=measure_bodies)
def test_token_lists_and_lens(client: TestClient, body: dict[str, Any]) -> None:
    question = {"case": body["case"], "n": 2}
    check(client, "/api/lens", question, schemas.LensResponse)
    question["nodes"] = body["nodes"]
    check(client, "/api/node_tokens", question, schemas.NodeTokensResponse)


def check(
    client: TestClient, path: str, body: dict[str, Any], shape: type[schemas.Response]
) -> None:
    """An answer in its shape, or an error in the shape of errors that is the caller's."""
    response = client.post(path, json=body)
    if response.status_code == 200:
        shape.model_validate_json(response.content)
    else:
        assert response.status_code in (413, 422), response.text
        schemas.ErrorResponse.model_validate_json(response.content)
