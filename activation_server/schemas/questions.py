"""A prompt and what is asked of it: interventions, a trace, a case."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, StrictBool

from activation_server.schemas.shapes import (
    MAX_INTERVENTIONS,
    ComponentName,
    NodeName,
    Position,
    Positions,
    Prompt,
    Request,
    TokenText,
)

ActivationValue = Annotated[
    FiniteFloat, Field(ge=-1e30, le=1e30, description="Any number that float32 holds easily.")
]


Side = Literal["positive", "negative"]
Where = Annotated[
    Literal["everything", "prompt", "generated"],
    Field(
        description="Without positions, and where text is generated: the prompt's tokens, the "
        "generated ones, or both."
    ),
]


class _Edit(Request):
    component: ComponentName
    positions: Positions | None = Field(
        default=None, description="Where the component writes; null: everywhere."
    )
    key_positions: Positions | None = Field(
        default=None, description="Heads only: the tokens attended to; null: all of them."
    )
    where: Where | None = Field(default=None, description="null: everything.")


class AblateSpec(_Edit):
    """Replace the component's activation by zero, or by its mean over the prompt's positions."""

    kind: Literal["ablate"]
    value: Literal["zero", "mean"] = "zero"


class SetSpec(_Edit):
    """Set the component's activation to a value."""

    kind: Literal["set"]
    value: ActivationValue


class ScaleSpec(_Edit):
    """Multiply the component's activation; 1 changes nothing."""

    kind: Literal["scale"]
    value: ActivationValue


class PatchSpec(_Edit):
    """Take the component's activation from the other case, at the same or at other positions."""

    kind: Literal["patch"]
    from_case: Literal[0, 1]
    from_positions: Positions | None = Field(
        default=None,
        description="Positions in the other case, one for each of `positions`; null: the same.",
    )


class SteerSpec(_Edit):
    """Drive a component to a multiple of its extreme quantile; needs a dataset that knows it."""

    kind: Literal["steer"]
    strength: ActivationValue
    method: Literal["set", "add", "scale"] = "set"
    side: Side = "positive"
    only_matching_side: StrictBool | None = Field(
        default=None,
        description="Act only where the activation has that sign, or is exactly 0; null: yes.",
    )


InterventionSpec = Annotated[
    AblateSpec | SetSpec | ScaleSpec | PatchSpec | SteerSpec, Field(discriminator="kind")
]


class TraceSpec(Request):
    """Explain a node's own pre-activation or attention score, or what its write does, instead of the logits."""

    node: NodeName
    through: Literal["query", "key", "query_and_key", "value"] | None = Field(
        default=None,
        description="Heads: which input to follow. A coder's error: value. Null for neurons and latents.",
    )
    downstream: "TraceSpec | None" = Field(
        default=None,
        description="With `value`: what the write is judged by; null: the objective.",
    )


class CaseSpec(Request):
    """One prompt and what is asked of it."""

    prompt: Prompt
    target_tokens: tuple[TokenText, ...] = Field(default=(), max_length=100)
    distractor_tokens: tuple[TokenText, ...] = Field(default=(), max_length=100)
    objective: Literal["logit_diff", "logit_minus_mean", "logprob", "prob"] = "logit_diff"
    position: Position = -1
    interventions: tuple[InterventionSpec, ...] = Field(default=(), max_length=MAX_INTERVENTIONS)
    trace: TraceSpec | None = None
