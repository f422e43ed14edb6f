"""A sparse coder: an overcomplete dictionary of directions, few of them active at a token.

    x'    = (x - mean(x)) / (std(x) + eps)         only with input_norm = "layer"; else x' = input_scale x
    pre   = W_enc (x' - b_in) + b_enc
    z     = nonlinearity(pre)
    recon = W_dec z + b_dec                        taken back through the input norm, if there is one

An autoencoder ties b_in to b_dec (the fixed offset subtracted from every activation) and reconstructs its own site; a
transcoder has b_in = 0 and predicts another site. Column j of W_dec is the direction that latent j writes. Cunningham
et al. 2023; Bricken et al. 2023, "Towards Monosemanticity"; Gao et al. 2024. Training is in `training.py`, other
people's files in `formats.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from neuron_explainer.autoencoders.nonlinearities import (
    Nonlinearity,
    NonlinearityKind,
    active_latents,
)
from neuron_explainer.models.bases import Active, Hold, live
from neuron_explainer.models.hooks import Site

CODER_SITES: tuple[Site, ...] = (
    "mlp_post_act",
    "resid_delta_mlp",
    "resid_delta_attn",
    "resid_pre",
    "resid_mid",
    "resid_post",
)


@dataclass(frozen=True)
class SparseCoderConfig:
    """What a coder is trained on and how its latents come about."""

    site: Site
    layer: int
    d_in: int
    n_latents: int
    nonlinearity: NonlinearityKind = "relu"
    k: int | None = None
    """Active latents per token, for topk and batchtopk."""
    out_site: Site | None = None
    """Site that is predicted; None means `site` (an autoencoder)."""
    d_out: int | None = None
    """Width of the predicted site; None means `d_in`."""
    input_norm: Literal["none", "layer"] = "none"
    """layer: each activation vector is centred and divided by its standard deviation."""
    input_norm_eps: float = 1e-5
    input_scale: float = 1.0
    """Factor on activations before encoding; the reconstruction is divided by it."""
    subtract_b_dec: bool = True
    """Whether the decoder's bias is subtracted from the input."""
    tied_decoder: bool = False
    """W_dec = W_enc transposed."""
    source: str = ""
    """Where the coder comes from; shown, never interpreted."""

    def __post_init__(self) -> None:
        if self.site not in CODER_SITES:
            raise ValueError(f"site {self.site!r} cannot carry a coder; allowed: {CODER_SITES}")
        if self.subtract_b_dec and self.width_out != self.d_in:
            raise ValueError(
                f"subtract_b_dec needs d_out={self.d_out} to equal d_in={self.d_in}: "
                "a transcoder has no offset to subtract"
            )
        if self.tied_decoder and self.width_out != self.d_in:
            raise ValueError(f"tied_decoder needs d_out={self.d_out} to equal d_in={self.d_in}")
        Nonlinearity(self.nonlinearity, self.k)

    @property
    def width_out(self) -> int:
        return self.d_in if self.d_out is None else self.d_out

    @property
    def is_transcoder(self) -> bool:
        return self.out_site is not None and self.out_site != self.site


class SparseCoder(nn.Module):
    """Encoder, decoder and their biases; frozen unless trained."""

    def __init__(self, config: SparseCoderConfig) -> None:
        super().__init__()
        self.config = config
        n, d_in, d_out = config.n_latents, config.d_in, config.width_out
        self.w_enc = nn.Parameter(torch.zeros(n, d_in))
        self.b_enc = nn.Parameter(torch.zeros(n))
        self.w_dec = None if config.tied_decoder else nn.Parameter(torch.zeros(d_out, n))
        self.b_dec = nn.Parameter(torch.zeros(d_out))
        has_threshold = config.nonlinearity in ("jumprelu", "batchtopk")
        n_thresholds = n if config.nonlinearity == "jumprelu" else 1
        self.threshold = nn.Parameter(torch.zeros(n_thresholds)) if has_threshold else None

    @property
    def decoder(self) -> Float[Tensor, "d_out latent"]:
        return self.w_enc.T if self.w_dec is None else self.w_dec

    def normalize(
        self, x: Float[Tensor, "*batch d_in"], hold: Hold = live
    ) -> tuple[Tensor, Float[Tensor, "*batch 1"], Float[Tensor, "*batch 1"]]:
        """The input as the encoder sees it, and the offset and factor that take a reconstruction back.

        `hold` meets the standard deviation on its way, where there is an input norm.
        """
        if self.config.input_norm == "none":
            scale = self.config.input_scale
            ones = torch.ones_like(x[..., :1])
            return x * scale, torch.zeros_like(ones), ones / scale
        mean = x.mean(dim=-1, keepdim=True)
        std = hold(x.std(dim=-1, keepdim=True) + self.config.input_norm_eps)
        return (x - mean) / std, mean, std

    def pre_activation(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch latent"]:
        """Pre-activations of all latents."""
        x = self.normalize(x)[0]
        if self.config.subtract_b_dec:
            x = x - self.b_dec
        return F.linear(x, self.w_enc, self.b_enc)

    def encode(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch latent"]:
        """Latents, inactive ones exactly 0."""
        rule = Nonlinearity(self.config.nonlinearity, self.config.k)
        return active_latents(rule, self.pre_activation(x.to(self.w_enc.dtype)), self.threshold)

    def encode_active(self, x: Float[Tensor, "token d_in"], chunk: int = 64) -> Active:
        """The active latents only; no more than `chunk` tokens are ever held dense."""
        found = []
        for first in range(0, x.shape[0], chunk):
            token, latent, value = self._active(x[first : first + chunk])
            found.append((token + first, latent, value))
        return Active(*(torch.cat(parts) for parts in zip(*found, strict=True)))

    def _active(self, x: Float[Tensor, "token d_in"]) -> Active:
        if self.config.nonlinearity != "topk":
            z = self.encode(x)
            token, latent = z.nonzero(as_tuple=True)
            return Active(token, latent, z[token, latent])
        # The k largest, without writing zeros for all the others and reading them again.
        pre = self.pre_activation(x.to(self.w_enc.dtype))
        largest = pre.topk(min(self.config.k or 1, pre.shape[-1]), dim=-1, sorted=False)
        latent, order = largest.indices.sort(dim=-1)
        value = largest.values.gather(-1, order)
        token, column = (value > 0).nonzero(as_tuple=True)
        return Active(token, latent[token, column], value[token, column])

    def decode(
        self, z: Float[Tensor, "*batch latent"], x: Float[Tensor, "*batch d_in"] | None = None
    ) -> Float[Tensor, "*batch d_out"]:
        """Reconstruction from latents. A coder with an input norm needs x, whose scale it takes back."""
        recon = F.linear(z, self.decoder) + self.b_dec
        if self.config.input_norm == "none":
            return recon / self.config.input_scale
        if x is None:
            raise ValueError("a coder with input_norm='layer' decodes only beside its input x")
        _, mean, std = self.normalize(x)
        return recon * std + mean

    def forward(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch d_out"]:
        return self.decode(self.encode(x), x)

    def save(self, folder: Path, dtype: torch.dtype = torch.float32) -> None:
        """Write `config.json` and `coder.safetensors`, whose numbers may be narrower; `load` widens them."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {n: p.detach().to(dtype).contiguous() for n, p in self.named_parameters()}
        save_file(tensors, folder / "coder.safetensors")
        (folder / "config.json").write_text(json.dumps(asdict(self.config), indent=2) + "\n")

    @staticmethod
    def load(folder: Path) -> "SparseCoder":
        """Read a folder that `save` wrote.

        Raises:
            LookupError: a file is missing.
            ValueError: the config or a tensor does not fit, is truncated, or is not finite; names both numbers.
        """
        for name in ("config.json", "coder.safetensors"):
            if not (folder / name).is_file():
                raise LookupError(f"{folder} holds no coder: {name} is missing.")
        config = SparseCoderConfig(**json.loads((folder / "config.json").read_text()))
        try:
            tensors = load_file(folder / "coder.safetensors")
        except Exception as error:  # safetensors raises its own undocumented exception types
            raise ValueError(f"{folder / 'coder.safetensors'} cannot be read: {error}") from error
        return coder_from_tensors(config, tensors, str(folder))


def coder_from_tensors(
    config: SparseCoderConfig, tensors: Mapping[str, Tensor], where: str
) -> SparseCoder:
    """A frozen coder from named tensors in our layout. Raises ValueError naming what does not fit."""
    with torch.device("meta"):
        coder = SparseCoder(config)
    expected: dict[str, Any] = {name: tuple(p.shape) for name, p in coder.named_parameters()}
    missing, extra = expected.keys() - tensors.keys(), tensors.keys() - expected.keys()
    if missing or extra:
        raise ValueError(
            f"{where}: tensors missing {sorted(missing)}, not expected {sorted(extra)}."
        )
    for name, shape in expected.items():
        value = tensors[name]
        if tuple(value.shape) != shape:
            raise ValueError(
                f"{where}: {name} has shape {tuple(value.shape)}, but its config asks for {shape}."
            )
        n_bad = int((~value.isfinite()).sum())
        if n_bad:
            raise ValueError(
                f"{where}: {name} holds {n_bad:,} NaN or infinite values among {value.numel():,}."
            )
        setattr(coder, name, nn.Parameter(value.float().contiguous(), requires_grad=False))
    return coder.eval()
