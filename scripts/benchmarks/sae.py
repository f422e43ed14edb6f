"""Training a sparse coder: ours against sae-lens and sparsify, in one run.

Each tool trains TopK coders of the same size on the MLP output of the same layer, of the same model, on the same
windows of tokens, with the same batch and number of threads, in a process of its own, after the other. One judge, ours,
reads all coders and scores them on the same held-out text. "cpu" is processor time of the training alone: it contains
the model's forward and, for ours, tokenization too (the others are given tokens). `scripts/comparison` installs them.

    FVU    share of the variance that is not explained            L0    active latents per token
    dead   share of latents never active on the held-out text

Their settings: the tool's defaults, and a set made for a run of this length ("tuned").
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo  # torch.optim imports it at its first step, and imports are not what is timed here
from rich.console import Console
from rich.table import Table

from neuron_explainer import load_model
from neuron_explainer.autoencoders.activations import endless_windows
from neuron_explainer.autoencoders.formats import load_coder
from neuron_explainer.autoencoders.judging import Judgement, judge
from neuron_explainer.autoencoders.recipe import Point, Recipe
from neuron_explainer.autoencoders.training import train_coders
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.precision import use_fast_float32

ROOT = Path(__file__).parents[2]
PEERS_PYTHON = ROOT / ".venv-comparison/bin/python"
SITE = "resid_delta_mlp"
WINDOW = 128

TUNED: Mapping[str, Mapping[str, Any]] = {
    "ours": {"auxiliary_weight": 1 / 4},
    "sae-lens": {
        "lr": 1.5e-3,
        "lr_warm_up_steps": 50,
        "lr_decay_steps": 150,
        "dead_feature_window": 100,
    },
    "sparsify": {
        "optimizer": "adam",
        "lr": 1.5e-3,
        "lr_warmup_steps": 50,
        "auxk_alpha": 1 / 32,
        "dead_feature_threshold": 200_000,
    },
}


@dataclass(frozen=True)
class Trained:
    name: str
    n_tokens: int
    cpu_seconds: float
    wall_seconds: float
    judgement: Judgement | None

    @property
    def rate(self) -> float:
        """Tokens per processor second."""
        return self.n_tokens / self.cpu_seconds


def train_ours(
    settings: Mapping[str, Any], model: Any, args: argparse.Namespace, layers: list[int], out: Path
) -> Trained:
    """Our training of one coder, or of one at each of several layers."""
    recipe = Recipe(args.latents, k=args.k, tokens=args.tokens, batch_tokens=args.batch, **settings)
    points = [Point(SITE, layer) for layer in layers]
    corpus = open_corpus(str(args.corpus))
    wall, cpu = time.perf_counter(), time.process_time()
    sets = train_coders(model, corpus, points, recipe, out)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    coders = {points[0]: sets[SITE].coders[layers[0]]}
    judged = judge(model, coders, open_corpus(str(args.held_out)), tokens=args.judged)
    name = f"ours, {'tuned' if settings else 'defaults'}"
    name += "" if len(layers) == 1 else f", {len(layers)} layers at once"
    return Trained(name, args.tokens * len(layers), cpu, wall, judged[points[0]])


def train_theirs(
    tool: str, settings: Mapping[str, Any], model: Any, args: argparse.Namespace, scratch: Path
) -> Trained:
    is_tuned = bool(settings)
    out = scratch / f"{tool}{'-tuned' if is_tuned else ''}"
    task = {
        "tool": tool, "settings": dict(settings), "model": str(model.folder), "layer": args.layer,
        "windows": str(scratch / "windows.npy"), "out": str(out), "d": model.config.d_model,
        "n_latents": args.latents, "k": args.k, "tokens": args.tokens, "batch_tokens": args.batch,
        "threads": args.threads,
    }  # fmt: skip
    file = scratch / "task.json"
    file.write_text(json.dumps(task))
    command = [
        str(PEERS_PYTHON),
        "-W",
        "ignore",
        str(Path(__file__).with_name("sae_peers.py")),
        str(file),
    ]
    # Their own start-up, threads and warnings: only the last line is a result.
    env = os.environ | {"OMP_NUM_THREADS": str(args.threads), "MKL_NUM_THREADS": str(args.threads)}
    env.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=env, cwd=scratch
    )
    if done.returncode:
        sys.exit(f"{tool} failed:\n{done.stderr[-2000:]}")
    times = json.loads(done.stdout.splitlines()[-1])
    folder = next(p.parent for p in out.rglob("*.safetensors") if "optim" not in p.name)
    point = Point(SITE, args.layer)
    coder = load_coder(folder, site=SITE, layer=args.layer)
    held_out = open_corpus(str(args.held_out))
    judged = judge(model, {point: coder}, held_out, tokens=args.judged)
    name = f"{tool}, {'tuned' if is_tuned else 'defaults'}"
    return Trained(name, args.tokens, times["cpu_seconds"], times["wall_seconds"], judged[point])


def write_training_text(path: Path, n_tokens: int) -> None:
    """Documents of the demo's generator, from a seed that neither the model nor the bundled text used."""
    from scripts.demo.mixture import corpus

    n_characters = 0
    with path.open("w", encoding="utf-8") as file:
        for text in corpus(seed=4242):
            file.write(json.dumps({"text": text}) + "\n")
            n_characters += len(text)
            if n_characters > 5 * n_tokens:
                return


def report(rows: list[Trained], args: argparse.Namespace) -> None:
    table = Table(
        title=f"{args.latents} latents, k = {args.k}, {args.tokens:,} tokens, batch {args.batch}, "
        f"layer {args.layer}, {args.threads} thread(s)"
    )
    for heading in (
        "",
        "tokens / cpu s",
        "wall s",
        "FVU",
        "L0",
        "dead",
        "loss recovered",
        "ours / it",
    ):
        table.add_column(heading, justify="left" if not heading else "right")
    ours = min(row.rate for row in rows if row.name.startswith("ours") and "layers" not in row.name)
    for row in rows:
        j = row.judgement
        assert j is not None
        table.add_row(
            row.name, f"{row.rate:,.0f}", f"{row.wall_seconds:.0f}", f"{1 - j.explained_variance:.4f}",
            f"{j.l0:.1f}", f"{j.dead_fraction:.1%}", f"{j.loss_recovered:.3f}", f"{ours / row.rate:.2f}",
        )  # fmt: skip
    Console(width=130).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="demo")
    parser.add_argument("--layer", type=int, default=2)
    parser.add_argument("--latents", type=int, default=1536)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=499_712)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--judged", type=int, default=65_536, help="held-out tokens")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="text; by default the demo's generator")
    parser.add_argument("--held-out", type=Path, default=ROOT / "datasets/demo/corpus.jsonl")
    parser.add_argument("--many", action="store_true", help="also ours, a coder at every layer")
    parser.add_argument(
        "--without", nargs="*", default=[], help="defaults, tuned, sae-lens, sparsify"
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    use_fast_float32()
    if not PEERS_PYTHON.is_file():
        sys.exit("Run scripts/comparison first: it installs sae-lens and sparsify.")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if args.corpus is None:
            args.corpus = scratch / "text.jsonl"
            write_training_text(args.corpus, args.tokens)
        model = load_model(args.model)
        windows = endless_windows(model, open_corpus(str(args.corpus)), WINDOW)
        rows = torch.stack([w.tokens for w in islice(windows, args.tokens // WINDOW)]).numpy()
        np.save(scratch / "windows.npy", rows)
        found = []
        for tool in ("ours", "sae-lens", "sparsify"):
            for kind, settings in (("defaults", {}), ("tuned", TUNED[tool])):
                if tool in args.without or kind in args.without:
                    continue
                if tool == "ours":
                    out = scratch / f"ours-{kind}"
                    found.append(train_ours(settings, model, args, [args.layer], out))
                else:
                    found.append(train_theirs(tool, settings, model, args, scratch))
        if args.many:
            others = [n for n in range(model.config.n_layers) if n != args.layer]
            layers = [args.layer, *others]
            found.append(train_ours(TUNED["ours"], model, args, layers, scratch / "many"))
        report(found, args)


if __name__ == "__main__":
    main()
