"""What collation costs, against a plain forward without logits of the same model, batches and threads, in one run.

    collated / plain     tokens per second of collating all heads and neurons of a GPT-2-small-shaped model, over those
                         of running its layers on the same batches; the goal is 0.8
    last quarter         the same over the last quarter of the batches, when new leaders have become rare
    memory               peak resident memory of collating a corpus ten times as long, over that of the shorter one
    two workers          tokens per second of collating with the demo model on two Ray workers of one thread, over those
                         of one worker; the goal is 1.6 on two cores

Both sides are interleaved batch by batch, 64 windows of 64 random tokens each. "wall" is what a user waits; "cpu" is
processor time, which a busy machine disturbs less. The first batches, in which every excerpt is a new leader, count in.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import torch
from rich.console import Console
from rich.table import Table

from neuron_explainer.exemplars import Recipe
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.observing import Observer
from neuron_explainer.exemplars.shards import BATCH_WINDOWS, Shard
from neuron_explainer.exemplars.state import State
from neuron_explainer.models.config import Biases, ModelConfig
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.precision import use_fast_float32
from neuron_explainer.models.transformer import Transformer

WORDS = "the a cat dog mat and saw gave to Mary John drink store"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def gpt2_small_shaped(dtype: torch.dtype, device: str) -> Transformer:
    """124 million random weights."""
    config = ModelConfig(
        name="random",
        family="gpt2",
        n_layers=12,
        n_heads=12,
        n_kv_heads=12,
        d_model=768,
        d_head=64,
        d_mlp=3072,
        n_vocab=50257,
        n_ctx=1024,
        norm="layer",
        norm_eps=1e-5,
        nonlinearity="gelu_tanh",
        positions="learned",
    )
    model = Transformer(config, Biases(attn_in=True, attn_out=True, mlp=True), None, None)
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(False)
        if name.endswith("norm.weight") or "norm_" in name and name.endswith("weight"):
            parameter.fill_(1.0)
        else:
            parameter.normal_(0, 0.02, generator=generator)
    return model.to(device=device, dtype=dtype).eval()


def shard(model: Transformer, number: int, n_batches: int, window: int) -> Shard:
    """Random text of full windows."""
    n = n_batches * BATCH_WINDOWS
    generator = torch.Generator().manual_seed(number)
    tokens = torch.randint(model.config.n_vocab, (n, window), generator=generator)
    return Shard(number, number * n, tokens, torch.full((n,), window), ("random",) * n)


def clocks(device: str) -> tuple[float, float]:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


@torch.no_grad()
def speed(dtype: str, device: str, n_batches: int, window: int) -> dict[str, float]:
    """Tokens per second of both sides, by the wall and by the processor."""
    model = gpt2_small_shaped(DTYPES[dtype], device)
    observer = Observer(model, [])
    state = State.empty(observer.groups, Recipe(window=window), model.device)
    plain, collated = [], []
    for number, batch in enumerate(shard(model, 0, n_batches + 1, window).batches(model.device)):
        start = clocks(device)
        model.layers(model.embed(batch.tokens))
        middle = clocks(device)
        observer.run(batch, state.receive)
        end = clocks(device)
        if number == 0:
            continue  # the first call of everything allocates
        plain.append([b - a for a, b in zip(start, middle, strict=True)])
        collated.append([b - a for a, b in zip(middle, end, strict=True)])
    one, other = torch.tensor(plain), torch.tensor(collated)
    n_tokens = n_batches * BATCH_WINDOWS * window
    last = slice(-max(1, n_batches // 4), None)
    return {
        "plain": n_tokens / float(one[:, 0].sum()),
        "collated": n_tokens / float(other[:, 0].sum()),
        "wall": float(one[:, 0].sum() / other[:, 0].sum()),
        "cpu": float(one[:, 1].sum() / other[:, 1].sum()),
        "last": float(one[last, 1].sum() / other[last, 1].sum()),
    }


def peak_memory(n_documents: int) -> int:
    """Peak resident bytes of a process that collates so many documents with the demo model."""
    module = "scripts.benchmarks.collate"
    command = [sys.executable, "-m", module, "--collate-only", str(n_documents)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(json.loads(answer.stdout.splitlines()[-1])["peak"])


def random_documents(path: Path, n: int) -> str:
    """Documents of a window's length, for the demo model."""
    random, words = Random(0), WORDS.split()
    with path.open("w") as file:
        for _ in range(n):
            text = "".join(f" {random.choice(words)}" for _ in range(63))
            file.write(json.dumps({"text": text}) + "\n")
    return str(path)


def workers_rate(n_workers: int, n_documents: int) -> float:
    """Tokens per second of whole collations with the demo model on so many Ray workers."""
    from neuron_explainer import load_model
    from neuron_explainer.exemplars.cluster import Equipment, RayPool

    model = load_model("demo")
    precision = torch.get_float32_matmul_precision()
    equipment = Equipment("demo", Recipe(), threads=1, float32_precision=precision)
    with tempfile.TemporaryDirectory() as folder:
        corpus = open_corpus(random_documents(Path(folder, "corpus.jsonl"), n_documents))
        pool = RayPool(equipment, address="local", n_workers=n_workers)
        try:
            pool.process_ids()  # each has loaded its model
            started = time.perf_counter()
            dataset = collate(model, corpus, Path(folder, "out"), pool=pool)
            return dataset.card.n_tokens / (time.perf_counter() - started)
        finally:
            pool.close()


def collate_only(n_documents: int) -> None:
    """Collate random documents and say how much memory that took at most."""
    from neuron_explainer import load_model

    with tempfile.TemporaryDirectory() as folder:
        corpus = open_corpus(random_documents(Path(folder, "corpus.jsonl"), n_documents))
        collate(load_model("demo"), corpus, Path(folder, "out"))
    print(json.dumps({"peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batches", type=int, default=16)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=DTYPES, action="append")
    parser.add_argument("--memory", type=int, default=0, help="Documents of the shorter corpus.")
    parser.add_argument("--ray", type=int, default=0, help="Documents for one and two workers.")
    parser.add_argument("--collate-only", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    use_fast_float32()
    if given.collate_only:
        collate_only(given.collate_only)
        return
    console = Console()
    if given.batches:
        console.print(
            speeds(given.dtype or list(DTYPES), given.device, given.batches, given.window)
        )
    if given.memory:
        short, long = (peak_memory(n) for n in (given.memory, 10 * given.memory))
        console.print(
            f"peak memory: {short / 2**20:,.0f} MB over {given.memory:,} documents, "
            f"{long / 2**20:,.0f} MB over ten times as many: ratio {long / short:.2f}"
        )
    if given.ray:
        one, two = (workers_rate(n, given.ray) for n in (1, 2))
        console.print(f"Ray: {one:,.0f} tok/s on one worker, {two:,.0f} on two: {two / one:.2f}")


def speeds(dtypes: list[str], device: str, n_batches: int, window: int) -> Table:
    columns = ("ratio (wall)", "ratio (cpu)", "last quarter (cpu)")
    table = Table("dtype", "plain tok/s", "collated tok/s", *columns)
    for dtype in dtypes:
        found = speed(dtype, device, n_batches, window)
        rates = (f"{found[side]:,.0f}" for side in ("plain", "collated"))
        table.add_row(dtype, *rates, *(f"{found[name]:.2f}" for name in ("wall", "cpu", "last")))
    return table


if __name__ == "__main__":
    main()
