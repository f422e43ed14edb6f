"""Which heads of the demo model do what: the figures of its card.

    python -m scripts.demo.heads datasets/demo/model --json datasets/demo/heads.json

1. On random tokens said twice, a head's attention from each token of the second copy: to the token
   before (previous-token score), to the one after its first occurrence (prefix matching), to its
   first occurrence itself (duplicate-token score). A score is the mean weight.
2. On indirect-object prompts, attention from the last token to IO, to S and to S's second mention, and
   from there to S and the token after it; each head's direct effect: its write along the unembedding of
   IO minus S, the final norm's scale held fixed; the same for each layer's MLP.
3. Ablation by the mean over prompts and positions. The induction heads are those whose prefix
   matching is above one half. As many other heads are the control: those that match least, and
   that do not attend to the token before. On indirect objects, the heads from the last token to S's
   second mention are ablated together: does the preference go, and do the heads of later layers that
   look at IO rather than S still do so?
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
    s2_to_s1: float
    s2_to_after_s1: float
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


def direct_effects(asker: Asker, p: Prompts) -> tuple[Tensor, Tensor]:
    """Writes at the last token along IO minus S in logits: heads' `[layer head]` and MLPs' `[layer]`."""
    transformer = asker.model.transformer
    final: list[Tensor] = []
    from_mlps: list[Tensor] = []
    handles = [transformer.ln_f.register_forward_pre_hook(lambda _, args: final.append(args[0]))]
    for block in transformer.h:
        handles.append(block.mlp.register_forward_hook(lambda _, __, out: from_mlps.append(out)))
    asker.model(p.tokens, use_cache=False)
    for handle in handles:
        handle.remove()
    scale = final[0][:, -1].var(-1, unbiased=False).add(transformer.ln_f.eps).rsqrt()
    unembedding = asker.model.lm_head.weight
    direction = (unembedding[p.io] - unembedding[p.s]) * transformer.ln_f.weight
    direction = (direction - direction.mean(-1, keepdim=True)) * scale[:, None]
    mlps = torch.stack([torch.einsum("bm,bm->b", w[:, -1], direction).mean() for w in from_mlps])
    n_head = asker.model.config.n_head
    results = head_results(asker, p.tokens)[:, :, -1].unflatten(-1, (n_head, -1))
    effects = []
    for layer, projection in enumerate(output_projections(asker)):
        weight = projection.weight.unflatten(0, (n_head, -1))
        effects.append(torch.einsum("bhd,hdm,bm->bh", results[layer], weight, direction).mean(0))
    return torch.stack(effects), mlps


def measure(asker: Asker, n_prompts: int = 64) -> tuple[list[HeadScores], dict[str, float]]:
    """Every head's scores, and the ablations."""
    previous, prefix, duplicate = copying_scores(asker)
    both = [prompts(asker, order, n_prompts) for order in ("abba", "baba")]
    looks = torch.stack([name_attention(asker, p) for p in both]).mean(0)
    effects = [direct_effects(asker, p) for p in both]
    direct, mlps = (torch.stack(part).mean(0) for part in zip(*effects, strict=True))
    means = mean_results(asker, torch.cat([p.tokens for p in both]))
    base = mean_logit_diff(asker, both)
    scores = []
    for at in heads_of(prefix):
        with ablated(asker, [at], means):
            left = mean_logit_diff(asker, both)
        copying = (table[at].item() for table in (previous, prefix, duplicate))
        scores.append(
            HeadScores(name(at), *copying, *looks[:, *at].tolist(), direct[at].item(), base - left)
        )
    figures = {"IOI logit difference": base}
    figures |= {f"direct effect of MLP {layer}": mlp for layer, mlp in enumerate(mlps.tolist())}
    figures |= suppression(asker, both, looks, means)
    return scores, figures | ablations(asker, previous, prefix)


def name(at: Head) -> str:
    return f"L{at[0]}H{at[1]}"


def heads_of(table: Tensor) -> list[Head]:
    """Layer and head of every entry of a table `[layer head]`."""
    return [(layer, head) for layer in range(table.shape[0]) for head in range(table.shape[1])]


def name_attention(asker: Asker, p: Prompts) -> Tensor:
    """END to IO, to S and to S's second mention, from there to S and to the token after it; `[5 layer head]`."""
    pattern = attention(asker, p.tokens)
    pairs = [
        (-1, p.io_at),
        (-1, p.s1_at),
        (-1, p.s2_at),
        (p.s2_at, p.s1_at),
        (p.s2_at, p.s1_at + 1),
    ]
    return torch.stack([pattern[:, :, query, key] for query, key in pairs])


def mean_logit_diff(asker: Asker, both: Sequence[Prompts]) -> float:
    return sum(logit_diff(asker, p) for p in both) / len(both)


def suppression(
    asker: Asker, both: Sequence[Prompts], looks: Tensor, means: Tensor
) -> dict[str, float]:
    """What the heads that look at S's second mention do to the preference, and to later heads' looks."""
    every = heads_of(looks[0])
    to_s2 = [at for at in every if looks[2][at] > 0.5]
    movers = [at for at in every if looks[0][at] - looks[1][at] > 0.3]
    others = sorted((at for at in every if at not in to_s2 + movers), key=lambda at: looks[2][at])
    figures = {}
    for label, heads in (
        ("heads that look at S2", to_s2),
        ("as many others", others[: len(to_s2)]),
    ):
        with ablated(asker, heads, means):
            names = " ".join(map(name, heads))
            figures[f"IOI logit difference, without {label} ({names})"] = mean_logit_diff(
                asker, both
            )
            left = torch.stack([name_attention(asker, p) for p in both]).mean(0)
            for at in movers:
                figures[f"END to IO minus S1 of {name(at)}, without {label}"] = (
                    left[0][at] - left[1][at]
                ).item()
    return figures | {
        f"END to IO minus S1 of {name(at)}": (looks[0][at] - looks[1][at]).item() for at in movers
    }


def ablations(asker: Asker, previous: Tensor, prefix: Tensor) -> dict[str, float]:
    """Copying accuracy with the induction heads ablated, with as many others, without either."""
    every = heads_of(prefix)
    by_score = sorted(every, key=lambda at: prefix[at].item(), reverse=True)
    induction = [at for at in by_score if prefix[at] > 0.5]
    earlier = {at for at in every if previous[at] > 0.1}
    control = [at for at in reversed(by_score) if at not in earlier][: len(induction)]
    means = mean_results(asker, repeated_tokens(32, len(asker.tokenizer)))
    figures = {"copying, nothing ablated": copying_accuracy(asker)}
    for label, heads in (("induction heads", induction), ("as many other heads", control)):
        with ablated(asker, heads, means):
            names = " ".join(map(name, heads))
            figures[f"copying, without {label} ({names})"] = copying_accuracy(asker)
    best = max(every, key=lambda at: previous[at].item())
    with ablated(asker, [best], means):
        figures[f"copying, without the previous-token head {name(best)}"] = copying_accuracy(asker)
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
    for label, figure in figures.items():
        print(f"{label}: {figure:.3f}")
    if args.json:
        heads = [asdict(score) for score in scores]
        args.json.write_text(json.dumps({"heads": heads, "figures": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
