"""The language models that commands ask: their options, and how one is opened.

An endpoint (`--llm`, `--base-url`), a model in this process (`--local`), or many copies of it on a Ray cluster
(`--local --ray`); each with a cache of replies, a budget, retries and a limit on concurrency around it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from neuron_explainer.explanations.careful import Careful
    from neuron_explainer.explanations.workers import RayProvider
    from neuron_explainer.models.transformer import Transformer

Simulator = Annotated[
    Literal["json", "all_at_once", "token_by_token"],
    typer.Option(help="How a sentence predicts activations; the last two need log-probabilities."),
]
LlmName = Annotated[
    str | None, typer.Option("--llm", help="Model of the endpoint; else $TDB_LLM_MODEL.")
]
BaseUrl = Annotated[
    str | None, typer.Option(help="The endpoint's address; else $OPENAI_BASE_URL, else OpenAI's.")
]
Local = Annotated[
    str | None, typer.Option(help="A model loaded here instead of an endpoint: name or folder.")
]
Concurrency = Annotated[int, typer.Option(min=1, max=256, help="Calls at a time.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Stop after so many tokens in all.")]
MaxCost = Annotated[float | None, typer.Option(min=0, help="Stop at this cost, by the prices.")]
PromptPrice = Annotated[float, typer.Option(min=0, help="Of a million prompt tokens.")]
CompletionPrice = Annotated[float, typer.Option(min=0, help="Of a million reply tokens.")]
Replies = Annotated[
    Path | None, typer.Option(help="File of kept replies; by default in the cache.")
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds to wait for a reply.")]
Patience = Annotated[float, typer.Option(min=0, help="Seconds of tries before a call is given up.")]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="With --local: its copies on a Ray cluster, at this address; auto: the one at hand, or "
        "this machine."
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="With --ray: copies at work; by default one a core.")
]


def open_provider(
    *,
    llm: str | None,
    base_url: str | None,
    local: str | None,
    subject: "Transformer | None",
    concurrency: int,
    max_tokens: int | None,
    max_cost: float | None,
    prompt_price: float,
    completion_price: float,
    replies: Path | None,
    timeout: float,
    patience: float,
    echo: bool = False,
    ray: str | None = None,
    workers: int | None = None,
) -> "Careful":
    """The language model that was asked for, with cache, budget and retries around it.

    Args:
        subject: the model that is explained, loaded already; it may be asked itself.
        echo: whether the endpoint shall be asked for the log-probabilities of prompts.
    """
    from activation_server.loading import load
    from neuron_explainer.explanations.careful import Budget, Careful, Manners
    from neuron_explainer.explanations.local_provider import LocalProvider
    from neuron_explainer.explanations.openai_provider import Endpoint, OpenAIProvider
    from neuron_explainer.explanations.providers import Provider
    from neuron_explainer.explanations.reply_cache import ReplyCache
    from neuron_explainer.models.model_folder import cache_dir

    provider: Provider
    if ray is not None and local is None:
        raise ValueError("--ray runs copies of a local model: name it, as in --local smollm2.")
    if local is not None and ray is not None:
        provider, concurrency = _on_a_cluster(local, ray, workers)
    elif local is not None:
        is_subject = subject is not None and subject.config.name == local
        same = subject if is_subject else load(local, dtype="float32", device=None, threads=None)
        assert same is not None
        provider = LocalProvider(same)
    else:
        endpoint = Endpoint.from_environment(
            llm, base_url, timeout_seconds=timeout, has_prompt_logprobs=echo
        )
        provider = OpenAIProvider(endpoint)
    return Careful(
        provider,
        ReplyCache(replies or cache_dir() / "replies.sqlite"),
        Budget(max_tokens, max_cost, prompt_price, completion_price),
        Manners(concurrency, patience=patience),
    )


def _on_a_cluster(local: str, address: str, n_workers: int | None) -> "tuple[RayProvider, int]":
    """Copies of a model on a Ray cluster, and how many calls keep all of them busy."""
    import torch

    from neuron_explainer.explanations.workers import RayProvider, WorkerModel
    from neuron_explainer.models.precision import use_fast_float32
    from neuron_explainer.models.sources import resolve

    folder = resolve(local)  # here at least: a mistake is told before a cluster is started
    use_fast_float32()
    where = str(folder.resolve()) if Path(local).is_dir() else local
    precision = torch.get_float32_matmul_precision()
    equipment = WorkerModel(where, local, float32_precision=precision)
    provider = RayProvider(equipment, address=address, n_workers=n_workers)
    # One that waits for each that works, so that none is idle while a reply travels.
    return provider, 2 * len(provider.workers)
