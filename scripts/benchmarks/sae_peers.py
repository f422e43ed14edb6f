"""Trains a TopK coder with sae-lens or sparsify: run by `sae.py` in .venv-comparison, which has them.

    .venv-comparison/bin/python scripts/benchmarks/sae_peers.py TASK.json

The task says which tool, its settings, the model's folder, the windows of tokens (.npy) and where to write. Prints one
JSON line: processor and wall seconds of the training alone, without imports and loading.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled", "TOKENIZERS_PARALLELISM": "false"}

import numpy as np
import torch
import torch._dynamo  # see sae.py
from transformers import AutoModelForCausalLM

import datasets


def with_sae_lens(task: dict[str, Any]) -> tuple[float, float]:
    from sae_lens import (
        LanguageModelSAERunnerConfig,
        LanguageModelSAETrainingRunner,
        LoggingConfig,
        TopKTrainingSAEConfig,
    )

    windows = np.load(task["windows"])
    rows = datasets.Dataset.from_dict({"input_ids": windows}).with_format("torch")
    coder = TopKTrainingSAEConfig(d_in=task["d"], d_sae=task["n_latents"], k=task["k"])
    config = LanguageModelSAERunnerConfig(
        sae=coder,
        model_name=task["model"],
        model_class_name="AutoModelForCausalLM",
        hook_name=f"transformer.h.{task['layer']}.mlp",
        dataset_path="unused",
        streaming=False,
        context_size=windows.shape[1],
        prepend_bos=False,
        training_tokens=task["tokens"],
        train_batch_size_tokens=task["batch_tokens"],
        store_batch_size_prompts=task["batch_tokens"] // windows.shape[1],
        logger=LoggingConfig(log_to_wandb=False),
        checkpoint_path=None,
        output_path=task["out"],
        verbose=False,
        **task["settings"],
    )
    runner = LanguageModelSAETrainingRunner(config, override_dataset=rows)
    return timed(runner.run)


def with_sparsify(task: dict[str, Any]) -> tuple[float, float]:
    from sparsify import SaeConfig, TrainConfig, Trainer

    windows = np.load(task["windows"])
    rows = datasets.Dataset.from_dict({"input_ids": windows}).with_format("torch")
    model = AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.float32)
    config = TrainConfig(
        SaeConfig(num_latents=task["n_latents"], k=task["k"]),
        batch_size=task["batch_tokens"] // windows.shape[1],
        hookpoints=[f"h.{task['layer']}.mlp"],
        save_every=10**9,
        log_to_wandb=False,
        save_dir=str(Path(task["out"]).parent),
        run_name=Path(task["out"]).name,
        **task["settings"],
    )
    trainer = Trainer(config, rows, model)
    return timed(trainer.fit)


def timed(work: Any) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - processor, time.perf_counter() - wall


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(task["threads"])
    train = {"sae-lens": with_sae_lens, "sparsify": with_sparsify}[task["tool"]]
    cpu, wall = train(task)
    print(json.dumps({"cpu_seconds": cpu, "wall_seconds": wall}))


if __name__ == "__main__":
    main()
