"""Ready questions of the Debugger page, so that nothing needs typing to get a first result.

The bundled demo brings its own in `examples.json`, each checked when the model was trained. The
list here is for general English models; an example whose target is not one token of the model at
hand is left out.
"""

import json
from pathlib import Path

from activation_server.assets import demo_dir
from activation_server.schemas import Example
from neuron_explainer.models.tokens import encode_one
from neuron_explainer.models.transformer import Transformer

_ENGLISH = (
    Example(
        name="Indirect object",
        prompt="When Mary and John went to the store, John gave a drink to",
        target=" Mary",
        distractor=" John",
        note="Heads move the name that was not repeated to the end.",
    ),
    Example(
        name="Indirect object, other order",
        prompt="When John and Mary went to the store, John gave a drink to",
        target=" Mary",
        distractor=" John",
        note="The same with the names swapped: position alone does not explain it.",
    ),
    Example(
        name="Repeated text",
        prompt="The blue lamp stood by the old window. Later that night, the blue",
        target=" lamp",
        distractor=" sky",
        note="Induction: find what followed the last time, and copy it.",
    ),
    Example(
        name="Capital city",
        prompt="The Eiffel Tower is in Paris. The Colosseum is in",
        target=" Rome",
        distractor=" Paris",
        note="A fact is looked up and beats the name that the prompt suggests.",
    ),
    Example(
        name="Next in line",
        prompt="One, two, three, four,",
        target=" five",
        distractor=" four",
        note="The successor of the last item.",
    ),
    Example(
        name="Agreement",
        prompt="The keys to the old wooden cabinet",
        target=" are",
        distractor=" is",
        note="The verb agrees with the keys, not with the cabinet beside it.",
    ),
)


def examples_for(model: Transformer) -> tuple[Example, ...]:
    """Examples whose tokens this model has."""
    bundled = _bundled(model)
    listed = _ENGLISH if bundled is None else bundled
    return tuple(example for example in listed if _fits(model, example))


def is_demo(model: Transformer, folder: Path) -> bool:
    """Whether this is the bundled model."""
    return model.config.name in ("demo", str(folder / "model"))


def _bundled(model: Transformer) -> tuple[Example, ...] | None:
    folder = demo_dir()
    if folder is None or not is_demo(model, folder):
        return None
    file = folder / "examples.json"
    return _read(file) if file.is_file() else None


def _read(file: Path) -> tuple[Example, ...]:
    return tuple(Example.model_validate(entry) for entry in json.loads(file.read_text()))


def _fits(model: Transformer, example: Example) -> bool:
    try:
        for text in filter(None, (example.target, example.distractor)):
            encode_one(model, text)
    except ValueError:
        return False
    return bool(example.target)
