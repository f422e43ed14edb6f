"""What the debugger costs, against Hugging Face on the same model, prompts and threads, in one run.

    debug      POST /api/debug, default table, over HTTP     / one Hugging Face eager forward + backward to its inputs
    ablated    the same prompt again, a head of the last third ablated beside its baseline     / the first request
    measured   50 nodes of the table, over HTTP              / 50 of our own plain forwards of that prompt, with logits
    memory     peak resident memory of one request above the loaded model, in a process of its own

Every prompt is new, so nothing is answered from memory. Both sides are interleaved; medians. "wall" is what a user
waits; "cpu" is the processor time of the two processes, which a busy machine disturbs less. Hugging Face runs twice:
as it is, and with the faster float32 products that our server turns on where they are exact.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch
from rich.console import Console
from rich.table import Table

from neuron_explainer import load_model
from neuron_explainer.models.precision import use_fast_float32
from neuron_explainer.models.transformer import Transformer

WORDS = (
    " the and of to in was he that it his her with as had for she not at on by which have or from "
    "this but all were when one they been would so their there them more if no out up into who what "
    "time about only some like other than then now man over such great could these made after before"
)
Timed = tuple[float, float]
"""Seconds of wall clock and of processor."""


class Server:
    """Our server in a process of its own."""

    def __init__(self, model: str, threads: int) -> None:
        self.port = random.randint(20000, 40000)
        command = [str(Path(sys.executable).with_name("tdb")), "serve", "--model", model]
        command += ["--port", str(self.port), "--threads", str(threads)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.ps = psutil.Process(self.process.pid)
        for _ in range(600):
            try:
                self.ask("health")
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit("the server did not start; try it by hand: " + " ".join(command))
                time.sleep(0.2)

    def ask(self, call: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{call}", data, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.loads(answer.read())

    def cpu(self) -> float:
        times = self.ps.cpu_times()
        return float(times.user + times.system)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


class Prompts:
    """Prompts of an exact number of tokens, no two alike, made of words that are one token each."""

    def __init__(self, model: Transformer) -> None:
        encode = model.tokenizer.encode
        words = [f" {word}" for word in WORDS.split()]
        self.words = [w for w in words if len(encode(w, add_special_tokens=False)) == 1]
        self.random = random.Random(0)

    def new(self, n_tokens: int) -> str:
        return "".join(self.random.choices(self.words, k=n_tokens))

    def case(self, prompt: str, **more: Any) -> dict[str, Any]:
        target, distractor = self.words[:2]
        return {
            "prompt": prompt,
            "target_tokens": [target],
            "distractor_tokens": [distractor],
            **more,
        }


def timed(work: Callable[[], Any], cpu: Callable[[], float]) -> Timed:
    wall, processor = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - wall, cpu() - processor


def middle(times: Sequence[Timed]) -> Timed:
    return median(t[0] for t in times), median(t[1] for t in times)


class HuggingFace:
    """Eager forward and backward to the inputs, parameters frozen."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM

        self.model = AutoModelForCausalLM.from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float32
        ).requires_grad_(False)

    def forward_backward(self, tokens: Sequence[int]) -> None:
        x = self.model.get_input_embeddings()(torch.tensor([tokens])).detach().requires_grad_()
        logits = self.model(inputs_embeds=x, use_cache=False).logits
        torch.autograd.grad(logits[0, -1, tokens[0]] - logits[0, -1, tokens[1]], x)


def compare_debug(
    server: Server, model: Transformer, hf: HuggingFace, prompts: Prompts, n_tokens: int, n: int
) -> list[tuple[str, ...]]:
    times: dict[str, list[Timed]] = {"hf": [], "hf fast": [], "debug": [], "ablated": []}
    last_third = model.config.n_layers - max(1, model.config.n_layers // 3)
    edit = {"kind": "ablate", "component": f"attn_L{last_third}_0"}
    for _ in range(n + 1):
        prompt = prompts.new(n_tokens)
        tokens = model.tokenizer.encode(prompt)
        assert len(tokens) == n_tokens, (len(tokens), n_tokens)
        torch.set_float32_matmul_precision("highest")
        times["hf"].append(timed(lambda t=tokens: hf.forward_backward(t), time.process_time))
        use_fast_float32()
        times["hf fast"].append(timed(lambda t=tokens: hf.forward_backward(t), time.process_time))
        case = prompts.case(prompt)
        body = {"cases": [case]}
        times["debug"].append(timed(lambda b=body: server.ask("debug", b), server.cpu))
        body = {"cases": [prompts.case(prompt, interventions=[edit]), case]}
        times["ablated"].append(timed(lambda b=body: server.ask("debug", b), server.cpu))
    medians = {name: middle(found[1:]) for name, found in times.items()}
    return [
        row(f"debug, {n_tokens} tokens", medians["debug"], "Hugging Face", medians["hf"]),
        row(f"debug, {n_tokens} tokens", medians["debug"], "same, fast", medians["hf fast"]),
        row(f"ablated, {n_tokens} tokens", medians["ablated"], "first request", medians["debug"]),
    ]


def compare_measured(
    server: Server, model: Transformer, prompts: Prompts, n_tokens: int, n: int
) -> tuple[str, ...]:
    ours: list[Timed] = []
    plain: list[Timed] = []
    for _ in range(n + 1):
        prompt = prompts.new(n_tokens)
        case = prompts.case(prompt)
        table = server.ask("debug", {"cases": [case], "top_k": 20})
        nodes = [row["node"] for row in table["nodes"] if row["kind"] in ("attn", "mlp")]
        body = {"case": case, "nodes": prompts.random.sample(nodes, 50)}
        ours.append(timed(lambda b=body: server.ask("measure", b), server.cpu))
        tokens = torch.tensor([model.tokenizer.encode(prompt)])
        with torch.no_grad():
            plain.append(timed(lambda t=tokens: model(t), time.process_time))
    wall, cpu = middle(plain[1:])
    return row(
        f"measured, 50 nodes, {n_tokens} tokens",
        middle(ours[1:]),
        "50 forwards",
        (50 * wall, 50 * cpu),
    )


def row(what: str, ours: Timed, against: str, theirs: Timed) -> tuple[str, ...]:
    ratios = (f"{a / b:.2f}" for a, b in zip(ours, theirs, strict=True))
    return (what, f"{1000 * ours[0]:.0f}", against, f"{1000 * theirs[0]:.0f}", *ratios)


MEMORY = """
import sys, torch
torch.set_num_threads(1)
from neuron_explainer import load_model
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
import psutil
model = load_model(sys.argv[1])
inv = Investigation(model)
inv.norms
open("/proc/self/clear_refs", "w").write("5")  # Linux: start the peak anew
before = psutil.Process().memory_info().rss
tokens = tuple(int(i) % model.config.n_vocab for i in range(int(sys.argv[2])))
inv.debug([Case(tokens, TokenObjective("logit_diff", (1,), (2,)))])
status = open("/proc/self/status").read().split()
print((int(status[status.index("VmHWM:") + 1]) * 1024 - before) / 1e9)
"""


def memory_above_weights(model: str, n_tokens: int) -> float:
    """Peak gigabytes above the loaded model during one request (Linux only)."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, model, str(n_tokens)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def random_gpt2_small(tokenizer_of: Transformer, folder: Path) -> str:
    """A checkpoint of GPT-2 small's shape with random weights and another model's tokenizer."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(vocab_size=max(50257, tokenizer_of.config.n_vocab))
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer_of.tokenizer.save_pretrained(folder)
    return str(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--model", default="smollm2", help="or gpt2-shape: GPT-2 small, random weights"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, nargs="+", default=[14, 64, 256])
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as scratch:
        name = args.model
        if name == "gpt2-shape":
            name = random_gpt2_small(load_model("smollm2"), Path(scratch))
        report(name, args)


def report(name: str, args: argparse.Namespace) -> None:
    model = load_model(name)
    assert model.folder is not None
    prompts, hf, server = Prompts(model), HuggingFace(model.folder), Server(name, args.threads)
    table = Table(title=f"{args.model}, {args.threads} thread(s), medians of {args.repeats}")
    for heading in ("ours", "ms", "against", "ms", "ratio, wall", "ratio, cpu"):
        table.add_column(heading, justify="left" if heading in ("ours", "against") else "right")
    try:
        for n_tokens in args.tokens:
            for line in compare_debug(server, model, hf, prompts, n_tokens, args.repeats):
                table.add_row(*line)
        for n_tokens in args.tokens[:2]:
            table.add_row(*compare_measured(server, model, prompts, n_tokens, args.repeats))
    finally:
        server.close()
    console = Console()
    console.print(table)
    for n_tokens in (128, 256, 512):
        if n_tokens <= model.config.n_ctx:
            console.print(
                f"memory, {n_tokens} tokens: {memory_above_weights(name, n_tokens):.2f} GB"
            )


if __name__ == "__main__":
    main()
