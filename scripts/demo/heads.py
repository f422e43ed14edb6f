"""Which heads of the demo model do what: the figures of its card.

    python -m scripts.demo.heads datasets/demo/model --json datasets/demo/heads.json

1. On random tokens said twice, a head's attention from each token of the second copy: to the token
   before (previous-token score), to the one after its first occurrence (prefix matching), to its
   first occurrence itself (duplicate-token score). A score is the mean weight.
2. On indirect-object prompts, attention from the last token to IO, to S and to S's second mention,
   and each head's direct effect: its write along the unembedding of IO minus S, the final norm's
   scale held fixed.
3. Ablation by the mean over prompts and positions. The induction heads are those whose prefix
   matching is above one half. As many other heads are the control: those that match least, and
   that do not attend to the token before.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from scripts.demo.evaluate import Asker
from scripts.demo.frames import CANONICAL
from scripts.demo.probes import framed, probes

Head = tuple[int, int]
"""Layer and index."""

PERIOD = 25


@dataclass(frozen=True)
class HeadScores:
    """What one head attends to, and what it writes."""

    name: str
    previous_token: float
    prefix_matching: float
    duplicate_token: float
    end_to_io: float
    end_to_s1: float
    end_to_s2: float
    direct_effect: float
    """Mean over both orders, in logits of IO minus S."""
    ablation_effect: float
    """By how much the logit difference falls when the head is ablated alone."""


def repeated_tokens(n_rows: int, n_tokens: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    once = torch.randint(0, n_tokens - 1, (n_rows, PERIOD), generator=generator)
    return torch.cat([once, once], dim=1)


def attention(asker: Asker, tokens: Tensor) -> Tensor:
    """Mean over rows of every head's pattern, `[layer head query key]`."""
    return torch.stack([p.mean(0) for p in asker.model(tokens, output_attentions=True).attentions])


def copying_scores(asker: Asker) -> tuple[Tensor, Tensor, Tensor]:
    """Previous-token, prefix-matching and duplicate-token score of each head, `[layer head]`."""
    pattern = attention(asker, repeated_tokens(32, len(asker.tokenizer)))
    query = torch.arange(PERIOD, 2 * PERIOD - 1)
    first = query - PERIOD
    return tuple(pattern[:, :, query, key].mean(-1) for key in (query - 1, first + 1, first))  # type: ignore[return-value]


def output_projections(asker: Asker) -> list[nn.Module]:
    """What each layer's heads write through: its input is the heads' results, side by side."""
    return [block.attn.c_proj for block in asker.model.transformer.h]


@contextmanager
def ablated(asker: Asker, heads: Sequence[Head], means: Tensor) -> Iterator[None]:
    """Within this block the heads write what they write on average; `means` is `[layer head d_head]`."""
    handles = []
    d_head = means.shape[-1]
    for layer, projection in enumerate(output_projections(asker)):
        mine = [head for at, head in heads if at == layer]

        def replace(
            _: nn.Module, args: tuple[Tensor], mine: list[int] = mine, layer: int = layer
        ) -> tuple[Tensor]:
            results = args[0].clone()
            for head in mine:
                results[..., head * d_head : (head + 1) * d_head] = means[layer, head]
            return (results,)

        if mine:
            handles.append(projection.register_forward_pre_hook(replace))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def head_results(asker: Asker, tokens: Tensor) -> Tensor:
    """What every head hands to its output projection, `[layer row position head*d_head]`."""
    kept: list[Tensor] = []
    handles = [
        projection.register_forward_pre_hook(lambda _, args: kept.append(args[0]))
        for projection in output_projections(asker)
    ]
    try:
        asker.model(tokens, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack(kept)


def mean_results(asker: Asker, tokens: Tensor) -> Tensor:
    """Mean result of each head over rows and positions, `[layer head d_head]`."""
    n_head = asker.model.config.n_head
    return head_results(asker, tokens).mean((1, 2)).unflatten(-1, (n_head, -1))


def copying_accuracy(asker: Asker) -> float:
    """Top-1 on the second copy, from its second token on."""
    tokens = repeated_tokens(32, len(asker.tokenizer), seed=1)
    guesses = asker.model(tokens, use_cache=False).logits.argmax(-1)
    return (guesses[:, PERIOD:-1] == tokens[:, PERIOD + 1 :]).float().mean().item()


@dataclass(frozen=True)
class Prompts:
    """Indirect-object prompts of one order, all of one length, with where the names stand."""

    tokens: Tensor
    io: Tensor
    s: Tensor
    io_at: int
    s1_at: int
    s2_at: int


def prompts(asker: Asker, order: str, n: int) -> Prompts:
    """Prompts of the canonical frame, whose every word is one token."""
    frame = CANONICAL.replace("{O}", "a drink").replace("{P}", "store")
    asked = probes(framed(frame, order), n, seed=3)
    tokens = torch.tensor([asker.tokenizer.encode(probe.prompt) for probe in asked])
    io = torch.tensor([asker.token(probe.target) for probe in asked])
    s = torch.tensor([asker.token(probe.distractor or "") for probe in asked])
    row = tokens[0].tolist()
    s1, s2 = (i for i, token in enumerate(row) if token == int(s[0]))
    return Prompts(tokens, io, s, row.index(int(io[0])), s1, s2)


def logit_diff(asker: Asker, p: Prompts) -> float:
    logits = asker.model(p.tokens, use_cache=False).logits[:, -1]
    rows = torch.arange(len(p.tokens))
    return (logits[rows, p.io] - logits[rows, p.s]).mean().item()


def direct_effects(asker: Asker, p: Prompts) -> Tensor:
    """Each head's write at the last token along IO minus S, `[layer head]`, in logits."""
    transformer = asker.model.transformer
    kept: list[Tensor] = []
    handle = transformer.ln_f.register_forward_pre_hook(lambda _, args: kept.append(args[0]))
    asker.model(p.tokens, use_cache=False)
    handle.remove()
    scale = kept[0][:, -1].var(-1, unbiased=False).add(transformer.ln_f.eps).rsqrt()
    unembedding = asker.model.lm_head.weight
    direction = (unembedding[p.io] - unembedding[p.s]) * transformer.ln_f.weight
    direction = (direction - direction.mean(-1, keepdim=True)) * scale[:, None]
    n_head = asker.model.config.n_head
    results = head_results(asker, p.tokens)[:, :, -1].unflatten(-1, (n_head, -1))
    effects = []
    for layer, projection in enumerate(output_projections(asker)):
        weight = projection.weight.unflatten(0, (n_head, -1))
        effects.append(torch.einsum("bhd,hdm,bm->bh", results[layer], weight, direction).mean(0))
    return torch.stack(effects)


def measure(asker: Asker, n_prompts: int = 64) -> tuple[list[HeadScores], dict[str, float]]:
    """Every head's scores, and the ablations."""
    previous, prefix, duplicate = copying_scores(asker)
    both = [prompts(asker, order, n_prompts) for order in ("abba", "baba")]
    patterns = [attention(asker, p.tokens)[:, :, -1] for p in both]
    direct = torch.stack([direct_effects(asker, p) for p in both]).mean(0)
    means = mean_results(asker, torch.cat([p.tokens for p in both]))
    base = sum(logit_diff(asker, p) for p in both) / 2
    scores = []
    for layer, head in torch.cartesian_prod(*map(torch.arange, previous.shape)).tolist():
        with ablated(asker, [(layer, head)], means):
            left = sum(logit_diff(asker, p) for p in both) / 2
        io, s1, s2 = (
            sum(x[layer, head, getattr(p, at)].item() for x, p in zip(patterns, both, strict=True))
            / 2
            for at in ("io_at", "s1_at", "s2_at")
        )
        at = (layer, head)
        scores.append(
            HeadScores(f"L{layer}H{head}", previous[at].item(), prefix[at].item(),
                       duplicate[at].item(), io, s1, s2, direct[at].item(), base - left)
        )  # fmt: skip
    return scores, {"IOI logit difference": base} | ablations(asker, previous, prefix)


def ablations(asker: Asker, previous: Tensor, prefix: Tensor) -> dict[str, float]:
    """Copying accuracy with the induction heads ablated, with as many others, without either."""
    every = [tuple(at) for at in torch.cartesian_prod(*map(torch.arange, prefix.shape)).tolist()]
    by_score = sorted(every, key=lambda at: prefix[at].item(), reverse=True)
    induction = [at for at in by_score if prefix[at] > 0.5]
    earlier = {at for at in every if previous[at] > 0.1}
    control = [at for at in reversed(by_score) if at not in earlier][: len(induction)]
    means = mean_results(asker, repeated_tokens(32, len(asker.tokenizer)))
    figures = {"copying, nothing ablated": copying_accuracy(asker)}
    for name, heads in (("induction heads", induction), ("as many other heads", control)):
        with ablated(asker, heads, means):
            label = " ".join(f"L{layer}H{head}" for layer, head in heads)
            figures[f"copying, without {name} ({label})"] = copying_accuracy(asker)
    best = max(every, key=lambda at: previous[at].item())
    with ablated(asker, [best], means):
        figures[f"copying, without the previous-token head L{best[0]}H{best[1]}"] = (
            copying_accuracy(asker)
        )
    return figures


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--tokenizer", type=Path, help="folder of the tokenizer, if not the model's"
    )
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    asker = Asker(args.model, args.tokenizer, attention="eager")
    scores, figures = measure(asker)
    columns = list(asdict(scores[0]))
    print("| " + " | ".join(column.replace("_", " ") for column in columns) + " |")
    print("|" + "---|" * len(columns))
    for score in scores:
        values = asdict(score).values()
        print("| " + " | ".join(v if isinstance(v, str) else f"{v:.2f}" for v in values) + " |")
    for name, figure in figures.items():
        print(f"{name}: {figure:.3f}")
    if args.json:
        heads = [asdict(score) for score in scores]
        args.json.write_text(json.dumps({"heads": heads, "figures": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
