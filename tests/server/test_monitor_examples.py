"""The Monitor's ready experiments end in the change they promise, and no random set does as much."""

import pytest
import torch

from activation_server.examples import monitor_examples_for
from activation_server.schemas import MonitorExample
from neuron_explainer import load_model
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.joint import Controls, compare, joint_effects
from neuron_explainer.models.sampling import generate
from neuron_explainer.models.steering import Steer
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component


@pytest.fixture(scope="module")
def demo() -> Transformer:
    return load_model("demo")


@pytest.fixture(scope="module")
def examples(demo: Transformer) -> tuple[MonitorExample, ...]:
    return monitor_examples_for(demo) or ()


def test_there_are_some(examples: tuple[MonitorExample, ...]) -> None:
    assert len(examples) >= 5


def test_each_ends_in_the_change_it_promises(
    demo: Transformer, examples: tuple[MonitorExample, ...]
) -> None:
    for example in examples:
        members = [Component.parse(name) for name in example.members]
        plain = generate(demo, example.prompt, max_new_tokens=1).run()
        steered = generate(
            demo,
            example.prompt,
            max_new_tokens=1,
            interventions=[Steer(member) for member in members],
        ).run()
        assert plain.tokens[0].text == example.default == example.target, example.name
        assert steered.tokens[0].text == example.steered != example.default, example.name


def test_no_random_set_does_as_much(
    demo: Transformer, examples: tuple[MonitorExample, ...]
) -> None:
    investigation = Investigation(demo)
    for example in examples:
        case = investigation.case(
            example.prompt, target=example.target, distractor=example.distractor
        )
        run, at = investigation.read([case]), range(len(case.tokens))
        members = [(Component.parse(name), "positive") for name in example.members]
        controls = Controls(run, at, torch.Generator().manual_seed(0)).draw(members, 32)
        effects = [
            effect
            for batch in joint_effects(run, [members, *controls], at, investigation.hooks(case))
            for effect in batch
        ]
        found = compare(effects[0], effects[1:])
        assert found.stronger_than == 32, example.name
