"""What the Monitor costs, against Hugging Face on the same model, text, precision and threads, in one run.

    first token   POST /api/generate for a chat of about 60 tokens, over HTTP, until its first event
    generate      64 greedy tokens after it: tokens per second            / Hugging Face's generate with its cache
    influence     every neuron and head, attribution of a log-probability / one Hugging Face forward + backward
    preview       POST /api/monitor/steer_preview over HTTP, where the server has explanations

Both sides are interleaved; medians. "cpu" is processor time, which a busy machine disturbs less than the wall clock.
Hugging Face runs as it is, and once more with the faster float32 products that our server turns on.
"""

import argparse
import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from neuron_explainer import Message, load_model
from neuron_explainer.attribution.influence import influence
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.models.chat import Text, chat_text, has_chat_template, plain_text
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.precision import use_fast_float32
from neuron_explainer.models.run import Case
from neuron_explainer.models.sampling import Finish, Generation, SampledToken, Sampling
from neuron_explainer.models.transformer import Transformer
from scripts.benchmarks.debug import Server, Timed, middle, row, timed

QUESTION = "Which is bigger, 9.9 or 9.11? Answer in one short sentence, please."
N_NEW = 64
Times = dict[str, list[Timed]]


def as_it_is() -> None:
    torch.set_float32_matmul_precision("highest")


class HuggingFace:
    """The same checkpoint in Hugging Face's own code."""

    def __init__(self, model: Transformer, dtype: torch.dtype) -> None:
        from transformers import AutoModelForCausalLM

        self.model = AutoModelForCausalLM.from_pretrained(model.folder, dtype=dtype)
        self.model.requires_grad_(False).eval()

    def generate(self, tokens: Sequence[int], n: int) -> None:
        ids = torch.tensor([list(tokens)])
        self.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=n,
            min_new_tokens=n,
            do_sample=False,
            pad_token_id=0,
        )

    def forward_backward(self, tokens: Sequence[int]) -> None:
        x = self.model.get_input_embeddings()(torch.tensor([list(tokens)])).detach()
        x.requires_grad_()
        logits = self.model(inputs_embeds=x, use_cache=False).logits
        torch.autograd.grad(logits[0, -2].float().log_softmax(-1)[tokens[-1]], x)


def compare_generate(
    model: Transformer, hf: HuggingFace, tokens: Sequence[int], n: int
) -> list[tuple[str, ...]]:
    text = model.tokenizer.decode(tokens)
    prompt = plain_text(model, text)
    times: Times = {"ours": [], "hf": [], "hf fast": []}
    for _ in range(n + 1):
        as_it_is()
        times["hf"].append(timed(lambda: hf.generate(prompt.tokens, N_NEW), time.process_time))
        use_fast_float32()
        times["hf fast"].append(timed(lambda: hf.generate(prompt.tokens, N_NEW), time.process_time))
        times["ours"].append(timed(lambda: write(model, prompt), time.process_time))
    found = {name: middle(some[1:]) for name, some in times.items()}
    return [
        row(f"generate {N_NEW} tokens", found["ours"], "Hugging Face", found["hf"]),
        row(f"generate {N_NEW} tokens", found["ours"], "same, fast", found["hf fast"]),
    ]


class Endless(Generation):
    """Goes on after an end token, so that exactly as many tokens are written as asked."""

    def _finish(self, token: SampledToken, position: int) -> Finish | None:
        found = super()._finish(token, position)
        return None if found == "end_token" and len(self.tokens) < N_NEW else found


def write(model: Transformer, prompt: Text) -> None:
    reply = Endless(model, prompt, Sampling(N_NEW)).run()
    assert len(reply.tokens) == N_NEW


def compare_influence(
    model: Transformer, hf: HuggingFace, tokens: Sequence[int], n: int
) -> list[tuple[str, ...]]:
    times: Times = {"ours": [], "hf": [], "hf fast": []}
    for number in range(n + 1):
        new = [*tokens[:-1], 100 + number]  # so that no pass is remembered
        as_it_is()
        times["hf"].append(timed(lambda t=new: hf.forward_backward(t), time.process_time))
        use_fast_float32()
        times["hf fast"].append(timed(lambda t=new: hf.forward_backward(t), time.process_time))
        times["ours"].append(timed(lambda t=new: explain(model, t), time.process_time))
    found = {name: middle(some[1:]) for name, some in times.items()}
    return [
        row(f"influence, {len(tokens)} tokens", found["ours"], "Hugging Face", found["hf"]),
        row(f"influence, {len(tokens)} tokens", found["ours"], "same, fast", found["hf fast"]),
    ]


def explain(model: Transformer, tokens: Sequence[int]) -> None:
    objective = TokenObjective("logprob", (tokens[-1],), (), len(tokens) - 2)
    effects = Investigation(model).effects(Case(tuple(tokens), objective), "live")
    influence(effects, top_k=400)


def first_token(server: Server, body: dict[str, Any]) -> float:
    """Seconds from asking to the first event."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/api/generate", data, {"content-type": "application/json"}
    )
    start = time.perf_counter()
    with urllib.request.urlopen(request, timeout=600) as answer:
        answer.readline()
        return time.perf_counter() - start


def over_http(name: str, args: argparse.Namespace, is_chat: bool) -> None:
    """What a user waits for the first token and for a preview."""
    server, console = Server(name, args.threads), Console()
    try:
        firsts, previews = [], []
        for number in range(args.repeats + 1):
            asked = f"{QUESTION} {number}"
            text = (
                {"messages": [{"role": "user", "content": asked}]} if is_chat else {"prompt": asked}
            )
            firsts.append(first_token(server, text | {"max_new_tokens": 1}))
            try:
                start = time.perf_counter()
                server.ask("monitor/steer_preview", {"text": f"names of people {number}", "k": 500})
                previews.append(time.perf_counter() - start)
            except urllib.error.HTTPError:
                continue
        console.print(f"first token: {1000 * sorted(firsts[1:])[len(firsts[1:]) // 2]:.0f} ms")
        if previews:
            console.print(f"preview: {1000 * sorted(previews)[len(previews) // 2]:.0f} ms")
        else:
            console.print("preview: the server has no explanations")
    finally:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    dtype = getattr(torch, args.dtype)
    model = load_model(args.model, dtype=dtype)
    is_chat = has_chat_template(model)
    text = chat_text(model, [Message("user", QUESTION)]) if is_chat else plain_text(model, QUESTION)
    hf = HuggingFace(model, dtype)
    table = Table(title=f"{args.model}, {args.dtype}, {args.threads} thread(s)")
    for heading in ("ours", "ms", "against", "ms", "ratio, wall", "ratio, cpu"):
        table.add_column(heading, justify="left" if heading in ("ours", "against") else "right")
    for line in compare_generate(model, hf, text.tokens, args.repeats):
        table.add_row(*line)
    for line in compare_influence(model, hf, text.tokens, args.repeats):
        table.add_row(*line)
    Console().print(table)
    del hf
    over_http(args.model, args, is_chat)


if __name__ == "__main__":
    main()
