"""The Monitor's ready experiments end in the change they promise, and no random set does as much."""

from collections.abc import Sequence

import pytest
import torch

from activation_server.experiments import monitor_examples_for
from activation_server.schemas import MonitorExample
from neuron_explainer import load_model
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.joint import Comparison, Controls, compare, joint_effects
from neuron_explainer.models.chat import Message, Text, chat_text, continued, plain_text
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.sampling import SampledToken, generate
from neuron_explainer.models.steering import Steer
from neuron_explainer.models.tokens import encode_one
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Side

N_SETS = 20
"""The fewest random sets among which the strongest is at the level of 0.05."""


def members_of(example: MonitorExample) -> list[tuple[Component, Side]]:
    return [(Component.parse(member.component), member.side) for member in example.members]


def text_of(model: Transformer, example: MonitorExample) -> Text:
    if example.is_chat:
        return chat_text(model, [Message("user", example.prompt)])
    return plain_text(model, example.prompt)


def check_replies(model: Transformer, example: MonitorExample) -> list[SampledToken]:
    """The replies are those it promises. Returns the default one's tokens."""
    text, n = text_of(model, example), example.max_new_tokens
    assert example.strength == 0
    edits = [Steer(component, side=side) for component, side in members_of(example)]
    plain = generate(model, text, max_new_tokens=n).run()
    steered = generate(model, text, max_new_tokens=n, interventions=edits).run()
    assert plain.text == example.default, example.name
    assert steered.text == example.steered != example.default, example.name
    assert plain.tokens[example.explained].text == example.target, example.name
    return plain.tokens


def against_random_sets(
    model: Transformer, example: MonitorExample, reply: Sequence[SampledToken]
) -> Comparison:
    """The joint effect on the explained token, among those of random sets."""
    before = [token.id for token in reply[: example.explained]]
    tokens = continued(model, text_of(model, example), before).tokens
    target, distractor = (
        encode_one(model, token) for token in (example.target, example.distractor)
    )
    objective = TokenObjective("logit_diff", (target,), (distractor,), len(tokens) - 1)
    investigation = Investigation(model)
    case = Case(tokens, objective)
    run, at, members = investigation.read([case]), range(len(tokens)), members_of(example)
    controls = Controls(run, at, torch.Generator().manual_seed(0)).draw(members, N_SETS)
    batches = joint_effects(run, [members, *controls], at, investigation.hooks(case))
    effect, *others = [effect for batch in batches for effect in batch]
    return compare(effect, others)


def check(model: Transformer) -> None:
    for example in monitor_examples_for(model) or ():
        found = against_random_sets(model, example, check_replies(model, example))
        assert found.effect > 0, example.name
        assert found.better_than_chance, example.name


def test_the_demo_s_end_in_the_change_they_promise() -> None:
    demo = load_model("demo")
    assert len(monitor_examples_for(demo) or ()) >= 5
    check(demo)


@pytest.mark.real_model
@pytest.mark.usefixtures("smollm2_folder")
def test_smollm2_s_end_in_the_change_they_promise() -> None:
    model = load_model("smollm2")
    assert len(monitor_examples_for(model) or ()) >= 5
    check(model)


@pytest.mark.real_model
@pytest.mark.usefixtures("smollm2_folder")
def test_smollm2_s_do_not_carry_over_as_their_notes_say() -> None:
    model = load_model("smollm2")
    one_head, neurons, whale, *_ = monitor_examples_for(model) or ()
    for example, question, reply in (
        (
            one_head,
            "Which is bigger, 3.7 or 3.12? Answer in one short sentence.",
            "The answer is 3.",
        ),
        (
            neurons,
            "Which is bigger, 8.8 or 8.11? Answer in one short sentence.",
            "The answer is 8.11",
        ),
        (whale, "Is a dog a fish? Answer yes or no.", "A dog is indeed a fish."),
    ):
        edits = [Steer(component, side=side) for component, side in members_of(example)]
        messages = [Message("user", question)]
        found = generate(model, messages, max_new_tokens=8, interventions=edits).run().text
        assert found.startswith(reply), example.name
