"""A GGUF file, de-quantised once into an ordinary Hugging Face folder: later loads take a second.

Steps:
  1. transformers reads the file and de-quantises it to float32;
  2. each distinct tensor goes to `model.safetensors` (a tied `lm_head` is not written twice);
  3. config, generation config and tokenizer (with its chat template) go beside it;
  4. the finished folder is moved into place in one step, so a half-written one is never seen.

The weights stay in float32: a de-quantised Q4_1 value is scale * q + minimum, two halves combined,
which neither float16 nor bfloat16 can hold exactly (SmolLM2: 211 of 272 tensors would change).
"""

import json
import os
import shutil
import tempfile
from pathlib import Path


def convert_gguf(gguf: Path, target: Path, *, origin: str) -> None:
    """Write the model in `gguf` to the folder `target`, unless another process has just done so."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        made = Path(scratch) / target.name
        made.mkdir()
        _write_folder(gguf, made)
        (made / "source.json").write_text(json.dumps({"origin": origin}, indent=2) + "\n")
        try:
            os.replace(made, target)
        except OSError:
            # A folder that is already there, and not empty, cannot be replaced: someone was faster.
            if not (target / "config.json").is_file():
                shutil.rmtree(target)
                os.replace(made, target)


def _write_folder(gguf: Path, folder: Path) -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where, name = str(gguf.resolve().parent), gguf.name
    model = AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.float32)
    # Reversed, so that of two names for one tensor the first is kept: the embedding, not `lm_head`.
    distinct = {t.data_ptr(): (key, t) for key, t in reversed(model.state_dict().items())}
    save_file(
        {key: tensor.contiguous() for key, tensor in distinct.values()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    # It describes the file that was read; left in, loading what was written fails.
    del model.config.quantization_config
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    AutoTokenizer.from_pretrained(where, gguf_file=name).save_pretrained(folder)
