"""Coders that sae-lens and sparsify write, loaded here, give the same latents as they do there.

Both are installed by `scripts/comparison` into .venv-comparison; without it these tests are skipped.
"""

import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from neuron_explainer.autoencoders.formats import load_coder

WRITER = """
import sys, torch
from pathlib import Path
from safetensors.torch import save_file
torch.manual_seed(0)
out, tool, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
x = torch.randn(50, 24) * 2 + 0.5


def randomise(coder):
    with torch.no_grad():
        for name, p in coder.named_parameters():
            scale = 0.3 if "threshold" not in name else 0.1
            p.copy_(torch.randn_like(p).abs() * scale if "threshold" in name else torch.randn_like(p) * scale)


if tool == "sae_lens":
    import sae_lens as s

    meta = {"metadata": s.saes.sae.SAEMetadata(hook_name="blocks.1.hook_mlp_out")}
    sizes = {"d_in": 24, "d_sae": 96, "dtype": "float32", "device": "cpu"} | meta
    norm = {"normalize_activations": "layer_norm"} if kind.endswith("layer_norm") else {}
    made = {
        "standard": lambda: s.StandardSAE(s.StandardSAEConfig(**sizes)),
        "standard_layer_norm": lambda: s.StandardSAE(s.StandardSAEConfig(**sizes, **norm)),
        "gated": lambda: s.GatedSAE(s.GatedSAEConfig(**sizes)),
        "jumprelu": lambda: s.JumpReLUSAE(s.JumpReLUSAEConfig(**sizes)),
        "topk": lambda: s.TopKSAE(s.TopKSAEConfig(**sizes, k=7)),
        "topk_rescaled": lambda: s.TopKSAE(s.TopKSAEConfig(**sizes, k=7, rescale_acts_by_decoder_norm=True)),
    }[kind]()
    randomise(made)
    z = made.encode(x)
    recon = made.decode(z)  # after encode, which remembers how x was normalised
    made.save_model(out / "coder")
else:
    from sparsify import SaeConfig, SparseCoder

    made = SparseCoder(24, SaeConfig(num_latents=96, k=7), "cpu", dtype=torch.float32)
    randomise(made)
    found = made.encode(x)
    z = torch.zeros(50, 96).scatter(1, found.top_indices, found.top_acts)
    recon = made(x).sae_out
    made.save_to_disk(out / "h.1.mlp")
save_file({"x": x, "z": z.detach().contiguous(), "recon": recon.detach().contiguous()}, out / "values.safetensors")
"""

CASES = [
    ("sae_lens", "standard"),
    ("sae_lens", "standard_layer_norm"),
    ("sae_lens", "gated"),
    ("sae_lens", "jumprelu"),
    ("sae_lens", "topk"),
    ("sae_lens", "topk_rescaled"),
    ("sparsify", "topk"),
]


@pytest.fixture(scope="module")
def their_python(root: Path) -> Path:
    python = root / ".venv-comparison/bin/python"
    if not python.is_file():
        pytest.skip("sae-lens and sparsify are not installed: run scripts/comparison")
    return python


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "kind"), CASES)
def test_a_coder_written_by_them_gives_the_same_latents_here(
    their_python: Path, tmp_path: Path, tool: str, kind: str
) -> None:
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    command = [their_python, "-W", "ignore", script, tmp_path, tool, kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = load_file(tmp_path / "values.safetensors")
    coder = load_coder(tmp_path / ("coder" if tool == "sae_lens" else "h.1.mlp"))
    assert (coder.config.site, coder.config.layer) == ("resid_delta_mlp", 1)
    z = coder.encode(theirs["x"])
    recon = coder.decode(z, theirs["x"])
    assert (theirs["z"] > 0).sum() >= 50
    assert torch.allclose(z, theirs["z"], rtol=0, atol=1e-5), (z - theirs["z"]).abs().max()
    assert torch.allclose(recon, theirs["recon"], rtol=1e-5, atol=1e-5)
