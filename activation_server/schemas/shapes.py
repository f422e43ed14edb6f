"""What every request and response is made of: names, positions, tokens, the one error.

A request is frozen and refuses unknown fields; it is the key under which its answer is kept.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt

MAX_TEXT = 200_000
"""Characters of one prompt; far above any model's context, so that no tokenizer sees 10 MB."""
MAX_INTERVENTIONS = 64
MAX_TOP_K = 1000
MAX_MEASURED = 2000
"""Nodes of one measure request."""


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Response(BaseModel):
    model_config = ConfigDict(frozen=True)


ComponentName = Annotated[str, Field(max_length=64, examples=["attn_L9_9", "mlp_L3_117"])]
NodeName = Annotated[str, Field(max_length=80, examples=["attn_L9_9@13:1", "mlp_L3_117@5"])]
Prompt = Annotated[str, Field(max_length=MAX_TEXT)]
TokenText = Annotated[str, Field(max_length=1000)]
Position = Annotated[
    StrictInt, Field(ge=-1, description="Token index from 0; -1 is the last token.")
]
Positions = Annotated[
    tuple[Position, ...],
    Field(min_length=1, max_length=100_000, description="Token indices from 0; -1 is the last."),
]
Basis = Annotated[
    str, Field(max_length=100, description="`neuron`, `head`, or the name of a loaded coder.")
]


AnyBasis = Annotated[
    Basis | None,
    Field(description="What latents in the request belong to; null: the first coder loaded."),
]


class ErrorResponse(Response):
    """Every error has this shape."""

    error: str = Field(description="A short machine-readable name of the error.")
    message: str = Field(description="What was wrong, naming what was given.")
    hint: str = Field(description="What is allowed and what to do.")


class Token(Response):
    id: int
    text: str


class TokenScore(Token):
    logit: float
