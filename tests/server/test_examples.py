"""The ready examples show what they say."""

from pathlib import Path

import pytest
import torch

from activation_server.examples import examples_for
from neuron_explainer import load_model
from neuron_explainer.models.tokens import encode, encode_one
from neuron_explainer.models.transformer import Transformer
from tests.server.sample import PROMPT


def test_examples_whose_tokens_the_model_lacks_are_left_out(model: Transformer) -> None:
    assert {example.prompt for example in examples_for(model)} <= {
        PROMPT,
        PROMPT.replace("Mary and John", "John and Mary"),
    }


@pytest.mark.real_model
def test_every_example_is_predicted_by_a_real_model(smollm2_folder: Path) -> None:
    real = load_model(smollm2_folder)
    examples = examples_for(real)
    assert len(examples) == 6
    for example in examples:
        logits = real(torch.tensor([encode(real, example.prompt)]))[0, -1]
        target, distractor = (encode_one(real, t) for t in (example.target, example.distractor))
        assert logits.argmax() == target, example.name
        assert logits[target] - logits[distractor] > 1, example.name
