"""Other people's coders, read into ours without running a line of theirs.

    ours        config.json + coder.safetensors
    SAELens     cfg.json + sae_weights.safetensors; standard, gated, topk, jumprelu (also batchtopk), transcoder
    sparsify    cfg.json + sae.safetensors, a folder per hook point (EleutherAI)
    Gemma Scope params.npz (jumprelu)
    OpenAI      {layer}.pt state dicts of the public GPT-2 coders: ReLU (v1, v4) and TopK with layer-normed inputs (v5)

`.pt` files are read with torch's weights-only unpickler, `.npz` with allow_pickle=False: a file that would run code is
refused. SAELens's gated encoder, z = [h + b_gate > 0] relu(e^r h + b_mag), is the jumprelu with rows e^r W_enc, bias
b_mag and threshold max(b_mag - e^r b_gate, 0).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from neuron_explainer.autoencoders.sparse_coder import (
    SparseCoder,
    SparseCoderConfig,
    coder_from_tensors,
)
from neuron_explainer.models.hooks import Site, parse_site

_MODULE_SITES: Mapping[str, Site] = {
    "mlp": "resid_delta_mlp",
    "attn": "resid_delta_attn",
    "self_attn": "resid_delta_attn",
    "attention": "resid_delta_attn",
}


def load_coder(path: Path, *, site: Site | None = None, layer: int | None = None) -> SparseCoder:
    """Read one coder, whatever wrote it.

    Args:
        path: a folder, an `.npz` or a `.pt` file.
        site, layer: where it belongs, for files that do not say.

    Raises:
        LookupError: nothing readable is there.
        ValueError: an unsupported variant, another site or layer than asked for, or tensors that do not fit, are
            truncated or not finite.
    """
    for is_ours, read in _READERS:
        if is_ours(path):
            with naming(path):
                return read(path, site, layer)
    raise LookupError(
        f"{path} holds no coder. Known: our folders (config.json + coder.safetensors), SAELens (cfg.json + "
        "sae_weights.safetensors), sparsify (cfg.json + sae.safetensors), Gemma Scope (.npz), OpenAI (.pt)."
    )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Whatever is wrong with a file, of which nothing may be taken for granted, is a ValueError that names it."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        # a field or tensor that its format has, of the kind and shape that it has there
        raise ValueError(f"{path} is not what its format says: {error!r}.") from error
    except (ValueError, OSError) as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path} cannot be read: {error}") from error


def load_coders(path: Path, *, site: Site | None = None) -> dict[int, SparseCoder]:
    """Read the coders of several layers, by layer: a folder of coders or of `{layer}.pt`, or a single coder.

    Raises LookupError and ValueError as `load_coder`, and ValueError for two coders of one layer.
    """
    if any(is_ours(path) for is_ours, _ in _READERS):
        found = [load_coder(path, site=site)]
    elif path.is_dir():
        inside = sorted(p for p in path.iterdir() if any(is_ours(p) for is_ours, _ in _READERS))
        found = [load_coder(p, site=site) for p in inside]
    else:
        found = []
    if not found:
        return {(coder := load_coder(path, site=site)).config.layer: coder}
    by_layer: dict[int, SparseCoder] = {}
    for coder in found:
        number = coder.config.layer
        if number in by_layer:
            raise ValueError(
                f"{path} holds two coders for layer {number}: {by_layer[number].config.source} and "
                f"{coder.config.source}. Give their folders one by one."
            )
        by_layer[number] = coder
    return by_layer


def _layer_in(name: str, layer: int | None) -> int:
    """The layer that a path or hook names: after the word, as in `layer_20`, else its last part's first number."""
    if layer is not None:
        return layer
    found = re.findall(r"(?:layers?|blocks|\bh)[_.]?(\d+)", name)
    found = found or re.findall(r"\d+", name.rpartition("/")[2])[:1]
    if not found:
        raise ValueError(f"{name!r} does not say which layer it belongs to; name the layer.")
    return int(found[-1])


# Parsed JSON has no static type.
def json_object(path: Path) -> dict[str, Any]:
    """What a file of settings says. Raises ValueError that names it."""
    with naming(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object")
        return content


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises its own undocumented exception types
        raise ValueError(f"{path} cannot be read: {error}") from error


def _read_ours(path: Path, site: Site | None, layer: int | None) -> SparseCoder:
    coder = SparseCoder.load(path)
    own = coder.config
    if site not in (None, own.site) or layer not in (None, own.layer):
        raise ValueError(
            f"{path} is for {own.site}, layer {own.layer}, but {site}, layer {layer} was asked for."
        )
    return coder


# --- SAELens --------------------------------------------------------------------------------------


def _hook_place(hook: str) -> tuple[Site, int | None]:
    """Site and layer of a hook: TransformerLens's name, or the module's in Hugging Face's model."""
    module = re.fullmatch(r"(?:\w+\.)?(?:h|layers)\.(\d+)(?:\.(\w+))?", hook)
    if module is None or module[2] not in (None, *_MODULE_SITES):
        return parse_site(hook)
    return _MODULE_SITES[module[2]] if module[2] else "resid_post", int(module[1])


def _read_saelens(path: Path, site: Site | None, layer: int | None) -> SparseCoder:
    cfg = _modern(json_object(path / "cfg.json"))
    tensors = _tensors(path / "sae_weights.safetensors")
    meta = cfg.get("metadata") or {}
    hook = meta.get("hook_name") or cfg.get("hook_name")
    named_site, named_layer = _hook_place(hook) if hook else (site, layer)
    if named_site is None:
        raise ValueError(f"{path}: cfg.json names no hook_name; say which site it belongs to.")
    if site not in (None, named_site):
        raise ValueError(f"{path} is for {named_site} ({hook}), but {site} was asked for.")
    _refuse(path, cfg, "reshape_activations", ("none",))
    _refuse(path, cfg, "normalize_activations", ("none", "layer_norm", "expected_average_only_in"))
    scaled = cfg.get("normalize_activations") == "expected_average_only_in"
    factor = cfg.get("norm_scaling_factor") or cfg.get("scaling_factor")
    if scaled and factor is None:
        raise ValueError(
            f"{path}: normalize_activations is expected_average_only_in, but the factor was not saved with it; "
            "fold it into the weights before saving."
        )
    kind = cfg.get("architecture", "standard")
    if kind not in _SAELENS_KINDS:
        raise ValueError(
            f"{path}: architecture {kind!r} is not supported; these are: {sorted(_SAELENS_KINDS)}."
        )
    is_transcoder = kind.endswith("transcoder")
    out = meta.get("hook_name_out") or cfg.get("hook_name_out")
    if is_transcoder and not out:
        raise ValueError(f"{path}: a transcoder must say what it predicts (hook_name_out).")
    _scale_decoder(path, cfg, tensors)
    nonlinearity, weights = _SAELENS_KINDS[kind](cfg, tensors, path)
    number = named_layer if named_layer is not None else layer
    config = SparseCoderConfig(
        site=named_site,
        layer=_layer_in(str(hook), None) if number is None else number,
        d_in=tensors["W_enc"].shape[0],
        n_latents=tensors["W_enc"].shape[1],
        nonlinearity=nonlinearity,
        k=cfg.get("k") if nonlinearity == "topk" else None,
        out_site=parse_site(out)[0] if is_transcoder and out else None,
        d_out=tensors["W_dec"].shape[1],
        input_norm="layer" if cfg.get("normalize_activations") == "layer_norm" else "none",
        input_scale=float(factor) if scaled and factor else 1.0,
        subtract_b_dec=bool(cfg.get("apply_b_dec_to_input", not is_transcoder)),
        source=str(path),
    )
    return coder_from_tensors(config, weights, str(path))


def _scale_decoder(path: Path, cfg: Mapping[str, Any], tensors: dict[str, Tensor]) -> None:
    """Fold in the factor of each latent that finetuning gave older files: they decode factor * z."""
    names = ("finetuning_scaling_factor", "scaling_factor")
    factor = next((tensors[name] for name in names if name in tensors), None)
    if not cfg.get("finetuning_scaling_factor"):
        return
    if factor is None:
        raise ValueError(f"{path}: finetuning_scaling_factor is set, but the factors are missing.")
    tensors["W_dec"] = tensors["W_dec"] * factor[:, None]


def _modern(cfg: dict[str, Any]) -> dict[str, Any]:
    """A cfg.json from before SAELens 6, in the fields that came after."""
    old = {"hook_point": "hook_name", "activation_fn_str": "activation_fn"}
    cfg = {old.get(name, name): value for name, value in cfg.items()}
    if cfg.get("activation_fn") == "topk" and "architecture" not in cfg:
        cfg |= {"architecture": "topk", "k": cfg["activation_fn_kwargs"]["k"]}
    if isinstance(cfg.get("normalize_activations"), bool):
        scaled = cfg["normalize_activations"]
        cfg["normalize_activations"] = "expected_average_only_in" if scaled else "none"
    return cfg


def _refuse(path: Path, cfg: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> None:
    value = cfg.get(field) or "none"
    if value not in allowed:
        raise ValueError(f"{path}: {field}={value!r} is not supported; these are: {allowed}.")


Weights = dict[str, Tensor]


def _saelens_plain(t: Mapping[str, Tensor]) -> Weights:
    return {
        "w_enc": t["W_enc"].mT,
        "b_enc": t["b_enc"],
        "w_dec": t["W_dec"].mT,
        "b_dec": t["b_dec"],
    }


def _saelens_standard(cfg: Mapping[str, Any], t: Mapping[str, Tensor], path: Path) -> Any:
    _refuse(path, cfg, "activation_fn", ("none", "relu"))
    return "relu", _saelens_plain(t)


def _saelens_topk(cfg: Mapping[str, Any], t: Mapping[str, Tensor], _path: Path) -> Any:
    """With rescale_acts_by_decoder_norm the decoder counts as normalised: fold its norms into the encoder."""
    weights = _saelens_plain(t)
    if cfg.get("rescale_acts_by_decoder_norm"):
        norms = t["W_dec"].norm(dim=1)
        weights |= {
            "w_enc": weights["w_enc"] * norms[:, None],
            "b_enc": weights["b_enc"] * norms,
            "w_dec": weights["w_dec"] / norms,
        }
    return "topk", weights


def _saelens_jumprelu(_cfg: Mapping[str, Any], t: Mapping[str, Tensor], _path: Path) -> Any:
    return "jumprelu", _saelens_plain(t) | {"threshold": t["threshold"]}


def _saelens_gated(_cfg: Mapping[str, Any], t: Mapping[str, Tensor], _path: Path) -> Any:
    stretch = t["r_mag"].exp()
    return "jumprelu", {
        "w_enc": t["W_enc"].mT * stretch[:, None],
        "b_enc": t["b_mag"],
        "w_dec": t["W_dec"].mT,
        "b_dec": t["b_dec"],
        "threshold": (t["b_mag"] - stretch * t["b_gate"]).clamp(min=0),
    }


_SAELENS_KINDS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Tensor], Path], Any]] = {
    "standard": _saelens_standard,
    "topk": _saelens_topk,
    "jumprelu": _saelens_jumprelu,
    "gated": _saelens_gated,
    "transcoder": _saelens_standard,
    "jumprelu_transcoder": _saelens_jumprelu,
}


# --- sparsify, Gemma Scope, OpenAI ---------------------------------------------------------------


_SPARSIFY_REFUSED = {
    "skip_connection": "they pass the input on beside their latents",
    "transcode": "they predict a module's output from its input, so they cannot be spliced in",
    "signed": "they keep the latents that are largest in absolute value, also negative ones",
}


def _read_sparsify(path: Path, site: Site | None, layer: int | None) -> SparseCoder:
    cfg = json_object(path / "cfg.json")
    _refuse(path, cfg, "activation", ("none", "topk"))
    for field, said in _SPARSIFY_REFUSED.items():
        if cfg.get(field):
            raise ValueError(f"{path}: coders with {field}=true are not supported: {said}.")
    t = _tensors(path / "sae.safetensors")
    if site is None:
        parts = [part for part in path.name.split(".") if part in _MODULE_SITES]
        site = _MODULE_SITES[parts[-1]] if parts else "resid_post"
    config = SparseCoderConfig(
        site=site,
        layer=_layer_in(path.name, layer),
        d_in=t["encoder.weight"].shape[1],
        n_latents=t["encoder.weight"].shape[0],
        nonlinearity="topk",
        k=int(cfg["k"]),
        d_out=t["W_dec"].shape[1],
        source=str(path),
    )
    weights = {
        "w_enc": t["encoder.weight"],
        "b_enc": t["encoder.bias"],
        "w_dec": t["W_dec"].mT,
        "b_dec": t["b_dec"],
    }
    return coder_from_tensors(config, weights, str(path))


def _read_gemma_scope(path: Path, site: Site | None, layer: int | None) -> SparseCoder:
    if site is None:
        raise ValueError(f"{path}: an .npz does not say which site it belongs to; name the site.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            t = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    weights = _saelens_plain(t) | {"threshold": t["threshold"]}
    config = SparseCoderConfig(
        site=site,
        layer=_layer_in(str(path), layer),
        d_in=t["W_enc"].shape[0],
        n_latents=t["W_enc"].shape[1],
        nonlinearity="jumprelu",
        subtract_b_dec=False,
        source=str(path),
    )
    return coder_from_tensors(config, weights, str(path))


def _read_openai(path: Path, site: Site | None, layer: int | None) -> SparseCoder:
    """A public state dict. Dead latents stay, so that indices are those of the published data."""
    if site is None:
        raise ValueError(
            f"{path}: a .pt file does not say which site it belongs to; name the site."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler meets a damaged file with whatever it leads to
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{path} was refused: it is not a plain file of tensors ({reason}). "
            "Only tensors are read; nothing in such a file is ever run."
        ) from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}, not tensors by name.")
    wanted = ("pre_bias", "encoder.weight", "latent_bias")
    missing = [name for name in wanted if name not in state]
    if missing:
        raise ValueError(f"{path}: {', '.join(missing)} missing; it holds {sorted(state)[:8]}.")
    is_topk = str(state.get("activation", "ReLU")) == "TopK"
    n_latents, d_in = state["encoder.weight"].shape
    config = SparseCoderConfig(
        site=site,
        layer=_layer_in(path.stem, layer),
        d_in=d_in,
        n_latents=n_latents,
        nonlinearity="topk" if is_topk else "relu",
        k=int(state["activation_state_dict"]["k"]) if is_topk else None,
        input_norm="layer" if is_topk else "none",
        tied_decoder="decoder.weight" not in state,
        source=str(path),
    )
    weights = {
        "w_enc": state["encoder.weight"],
        "b_enc": state["latent_bias"],
        "b_dec": state["pre_bias"],
    }
    if "decoder.weight" in state:
        weights["w_dec"] = state["decoder.weight"]
    return coder_from_tensors(config, weights, str(path))


Read = Callable[[Path, Site | None, int | None], SparseCoder]

_READERS: tuple[tuple[Callable[[Path], bool], Read], ...] = (
    (lambda p: (p / "coder.safetensors").is_file(), _read_ours),
    (lambda p: (p / "sae_weights.safetensors").is_file(), _read_saelens),
    (lambda p: (p / "sae.safetensors").is_file(), _read_sparsify),
    (lambda p: p.suffix == ".npz" and p.is_file(), _read_gemma_scope),
    (lambda p: p.suffix == ".pt" and p.is_file(), _read_openai),
)
"""How each kind is told apart, and read."""
