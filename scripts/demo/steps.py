"""One step of training: forward, backward, clipping and AdamW, compiled on a CPU, a single graph of kernels on a GPU.

So small a model spends its time on launching kernels, not on arithmetic. On a GPU the whole step is
therefore recorded once, in tensors that stay where they are, and replayed for every batch.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import GPT2LMHeadModel

from scripts.demo.batches import ANSWER, COPY, TEXT, Batch
from scripts.demo.network import hidden

KINDS = {"text": TEXT, "answers": ANSWER, "copies": COPY}


class Averages:
    """Running means of the loss over text, answers and copied random tokens."""

    def __init__(self) -> None:
        self.means: dict[str, float] = {}

    def update(self, losses: Mapping[str, float]) -> None:
        for name, mean in losses.items():
            self.means[name] = 0.5 * self.means.get(name, mean) + 0.5 * mean

    def __str__(self) -> str:
        return "  ".join(f"{name} {mean:.3f}" for name, mean in self.means.items())


class Stepper:
    """A model, its optimizer, and the losses since they were last read."""

    def __init__(self, model: GPT2LMHeadModel, learning_rate: float, weight_decay: float):
        self.model = model
        self.device = model.device
        on_gpu = self.device.type == "cuda"
        self.rate = torch.tensor(learning_rate, device=self.device)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=self.rate, betas=(0.9, 0.95), weight_decay=weight_decay,
            fused=True, capturable=on_gpu,
        )  # fmt: skip
        self.sums = torch.zeros(len(KINDS), device=self.device)
        self.counts = torch.zeros(len(KINDS), device=self.device)
        self.graph: torch.cuda.CUDAGraph | None = None
        self.inputs: dict[str, Tensor] = {}
        self._losses = self._losses_at if on_gpu else torch.compile(self._losses_at, dynamic=False)

    def _losses_at(self, tokens: Tensor, chosen: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.model.lm_head(hidden(self.model, tokens).flatten(0, 1)[chosen])
        return F.cross_entropy(logits.float(), targets, reduction="none")

    def _step(self) -> None:
        batch = self.inputs
        self.optimizer.zero_grad(set_to_none=True)
        losses = self._losses(batch["inputs"], batch["chosen"], batch["targets"])
        (losses * batch["weights"]).sum().div(batch["weights"].sum()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        known = (batch["weights"] > 0).float()
        self.sums.index_add_(0, batch["kinds"], losses.detach() * known)
        self.counts.index_add_(0, batch["kinds"], known)

    def step(self, batch: Batch, learning_rate: float) -> None:
        self.rate.fill_(learning_rate)
        for name, array in vars(batch).items():
            tensor = torch.from_numpy(array)
            if name in self.inputs:
                self.inputs[name].copy_(tensor)
            else:
                self.inputs[name] = tensor.clone().to(self.device)
        if self.device.type == "cuda" and self.graph is None:
            self._record()
        if self.graph:
            self.graph.replay()
        else:
            self._step()

    def _record(self) -> None:
        """Three steps to warm up, then the graph; recording by itself computes nothing."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step()
        self.graph = graph

    def read_losses(self) -> dict[str, float]:
        """Mean loss of each kind of token since the last reading, where there was one."""
        sums, counts = self.sums.tolist(), self.counts.tolist()
        self.sums.zero_()
        self.counts.zero_()
        return {name: sums[i] / counts[i] for name, i in KINDS.items() if counts[i]}

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
