"""The one parser of names, against the vectors that the viewer's parser reads too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuron_explainer.nodes import Component, Node

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("node_names.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["components"], ids=lambda v: v["name"])
def test_a_component_is_read_and_written_back(vector: dict[str, Any]) -> None:
    component = Component.parse(vector["name"])
    assert component == Component(
        vector["kind"], vector["layer"], vector["index"], vector["stream"]
    )
    assert str(component) == vector["name"]


@pytest.mark.parametrize("vector", VECTORS["nodes"], ids=lambda v: v["name"])
def test_a_node_is_read_and_written_back(vector: dict[str, Any]) -> None:
    node = Node.parse(vector["name"])
    component = Component.parse(vector["component"])
    assert node == Node(component, vector["position"], vector["key_position"])
    assert str(node) == vector["name"]


@pytest.mark.parametrize("name", VECTORS["bad_components"], ids=repr)
def test_what_is_no_component_is_refused_with_the_allowed_forms(name: str) -> None:
    with pytest.raises(ValueError, match="attn_L9_9"):
        Component.parse(name)


@pytest.mark.parametrize("name", VECTORS["bad_nodes"], ids=repr)
def test_what_is_no_node_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        Node.parse(name)


@given(st.integers(0, 9999), st.integers(0, 10**9 - 1), st.integers(0, 10**7 - 1), st.data())
def test_every_head_pair_survives_its_name(
    layer: int, index: int, query: int, data: st.DataObject
) -> None:
    key = data.draw(st.integers(0, query))
    node = Node(Component("attn", layer, index), query, key)
    assert Node.parse(str(node)) == node


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    try:
        node = Node.parse(text)
    except ValueError as error:
        assert str(error)
    else:
        assert str(node) == text
