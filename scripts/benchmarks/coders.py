"""What coders cost in the debugger: GPT-2 small's shape with random weights, and TopK coders of every MLP's output.

    plain       a table of a new prompt, neurons and heads
    new         the same with the coders' latents in the place of neurons: every layer's prompt is encoded
    again       another question about that prompt: its latents are kept
    ablated     the same prompt with a latent of the last third ablated
    encoding    only the encoders' matrix products of that prompt: no way of listing latents is faster

and the peak of memory of one table above what was loaded, beside what the server reckons a question to need and the
latents held dense. Medians; each prompt is new.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from rich.console import Console
from rich.table import Table

from neuron_explainer import load_model
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.memory import estimated_bytes
from neuron_explainer.autoencoders import CoderSet, SparseCoder, SparseCoderConfig
from neuron_explainer.models.interventions import Ablate
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.precision import use_fast_float32
from neuron_explainer.models.run import Case
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from scripts.benchmarks.debug import random_gpt2_small

OBJECTIVE = TokenObjective("logit_diff", (1,), (2,))


def random_coders(model: Transformer, n_latents: int, k: int) -> CoderSet:
    coders = {}
    for layer in range(model.config.n_layers):
        config = SparseCoderConfig("resid_delta_mlp", layer, 768, n_latents, "topk", k)
        coders[layer] = coder = SparseCoder(config).requires_grad_(False)
        torch.nn.init.normal_(coder.w_enc, std=768**-0.5)
        assert coder.w_dec is not None
        torch.nn.init.normal_(coder.w_dec, std=768**-0.5)
    return CoderSet("random", "resid_delta_mlp", coders)


def milliseconds(question: Callable[[], object]) -> float:
    start = time.perf_counter()
    question()
    return 1000 * (time.perf_counter() - start)


def start_peak() -> float:
    """Start the peak of memory anew (Linux only); returns what is held now, in GB."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory_gb("VmRSS:")


def memory_gb(what: str) -> float:
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index(what) + 1]) * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--latents", type=int, default=32768)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    use_fast_float32()
    demo = load_model("demo")
    with tempfile.TemporaryDirectory() as folder:
        model = load_model(random_gpt2_small(demo, Path(folder)))
    n_known = demo.config.n_vocab  # what its tokenizer can spell
    coders = random_coders(model, args.latents, args.k)
    inv = Investigation(model, [coders], max_passes=1)
    inv.norms, coders.spliced  # noqa: B018 - so that neither counts as part of the first question
    bases = inv.bases("random")
    generator = torch.Generator().manual_seed(0)
    times: dict[str, list[float]] = {}
    last = Component("latent", 8, 7, "mlp")
    for _ in range(args.repeats):
        tokens = tuple(torch.randint(0, n_known, (args.tokens,), generator=generator).tolist())
        case = Case(tokens, OBJECTIVE, (), bases)
        other = Case(tokens, TokenObjective("logit_diff", (3,), (4,)), (), bases)
        edited = Case(tokens, OBJECTIVE, (Ablate(last),), bases)
        x = inv.read([case]).value("resid_delta_mlp", 0)

        def encoding(x: torch.Tensor = x) -> None:
            for coder in coders.coders.values():
                coder.pre_activation(x)

        asked: dict[str, Callable[[], object]] = {
            "new": lambda c=case: inv.debug([c]),
            "again": lambda c=other: inv.debug([c]),
            "ablated": lambda c=edited: inv.debug([c]),
            "encoding": encoding,
            "plain": lambda t=tokens: inv.debug([Case(t, OBJECTIVE)]),
        }
        for name, question in asked.items():
            if name in ("new", "plain"):
                inv._passes.clear()
                inv._answers.clear()
            held = start_peak()
            times.setdefault(name, []).append(milliseconds(question))
            times.setdefault(f"memory {name}", []).append(memory_gb("VmHWM:") - held)
    reckoned = [estimated_bytes(model.config, args.tokens, sites) for sites in ((), bases.sites)]
    report(args, times, reckoned)


def report(args: argparse.Namespace, times: dict[str, list[float]], reckoned: list[int]) -> None:
    n_dense = args.latents * 12 * args.tokens
    table = Table(
        title=f"{args.latents} latents x 12 layers, {args.tokens} tokens, {args.threads} thread(s)"
    )
    for header in ("question", "ms", "of plain", "peak GB"):
        table.add_column(header, justify="left" if header == "question" else "right")
    plain = median(times["plain"])
    for name in ("plain", "new", "again", "ablated", "encoding"):
        found, peak = median(times[name]), max(times[f"memory {name}"])
        table.add_row(name, f"{found:.0f}", f"{found / plain:.2f}", f"{peak:.2f}")
    console = Console()
    console.print(table)
    without, with_coders = (needed / 1e9 for needed in reckoned)
    console.print(
        f"Reckoned: {without:.2f} GB for a plain question, {with_coders:.2f} GB with coders."
    )
    console.print(
        f"All latents held dense would be {4e-9 * n_dense:.2f} GB, as much for each metric."
    )


if __name__ == "__main__":
    main()
