"""A coder set: the coders of one site, one for each of some layers, under one name.

    NAME:SITE=WHERE    files that do not say which site they belong to (OpenAI's .pt, Gemma Scope's .npz)
    NAME=WHERE         files that say it
    WHERE              the same, named after themselves

WHERE is our folder (`coders.json` and `L<layer>/`), a folder or file of any format in `formats.py`, one of the
published names, an address or a hub folder (`published.py`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch

from neuron_explainer.autoencoders.formats import json_object, load_coder, load_coders, naming
from neuron_explainer.autoencoders.published import (
    PUBLISHED,
    CoderUnavailable,
    fetch_address,
    fetch_hub,
    fetch_published,
    is_address,
)
from neuron_explainer.autoencoders.sparse_coder import CODER_SITES, SparseCoder
from neuron_explainer.autoencoders.splice import SplicedCoder
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.hooks import SITES, Site
from neuron_explainer.nodes import Stream

_SPEC = re.compile(r"(?:(?P<name>[\w.-]+)(?::(?P<site>[\w.]+))?=)?(?P<where>.+)", re.DOTALL)
_STREAMS: Mapping[str, Stream] = {
    "mlp_post_act": "mlp",
    "resid_delta_mlp": "mlp",
    "resid_delta_attn": "attn",
}


@dataclass(frozen=True, eq=False)
class CoderSet:
    """Coders of one site by layer. Two sets are equal only if they are the same object."""

    name: str
    site: Site
    coders: Mapping[int, SparseCoder]

    @property
    def stream(self) -> Stream:
        """What its latents re-describe: the MLPs, attention, or the residual stream."""
        return _STREAMS.get(self.site, "resid")

    @property
    def layers(self) -> tuple[int, ...]:
        return tuple(sorted(self.coders))

    @property
    def n_latents(self) -> int:
        """Latents of the largest of its coders."""
        return max(coder.config.n_latents for coder in self.coders.values())

    @cached_property
    def spliced(self) -> tuple[SplicedCoder, ...]:
        """Each coder at its site, by layer."""
        return tuple(SplicedCoder(self.name, self.stream, self.coders[at]) for at in self.layers)

    def to(self, device: torch.device) -> "CoderSet":
        """The set itself, its weights on a device."""
        for coder in self.coders.values():
            coder.to(device)
        return self

    def save(
        self,
        folder: Path,
        *,
        model: str,
        recipe: Mapping[str, Any] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Write `coders.json` and a folder for each layer.

        Args:
            model: name of the model they read.
            recipe: how they were trained, if they were; kept as it is.
            dtype: of the numbers on disk.
        """
        for layer, coder in self.coders.items():
            coder.save(folder / f"L{layer}", dtype)
        about = {
            "name": self.name,
            "site": self.site,
            "layers": self.layers,
            "model": model,
            "recipe": dict(recipe or {}),
        }
        (folder / "coders.json").write_text(json.dumps(about, indent=2) + "\n")


def bases_of(coder_sets: Sequence[CoderSet]) -> Bases:
    """The bases that these sets make. Raises ValueError for two of one stream."""
    by_stream: dict[Stream, CoderSet] = {}
    for each in coder_sets:
        other = by_stream.setdefault(each.stream, each)
        if other is not each:
            raise ValueError(
                f"{other.name} (at {other.site}) and {each.name} (at {each.site}) both describe the {each.stream} "
                "stream: choose one of them."
            )
    return Bases(tuple(site for each in by_stream.values() for site in each.spliced))


def load_coder_set(spec: str, config: ModelConfig) -> CoderSet:
    """Load the coders that a spec names, for a model.

    Raises:
        LookupError: nothing readable is there, or it cannot be fetched.
        ValueError: they do not fit the model or one another; the message names both numbers.
    """
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        raise ValueError("A coder is named as NAME, PATH, NAME=PATH or NAME:SITE=PATH.")
    site = None if found["site"] is None else _site(found["site"], spec)
    where = found["where"].strip()
    own_name, own_site, coders = _read(where, site)
    name = found["name"] or own_name
    return fitted(CoderSet(name, own_site, coders), config, where)


def folder_of(spec: str) -> tuple[Path, str | None] | None:
    """Our own folder that a spec names, and the name it gives; None for other formats and for what is fetched."""
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        return None
    folder = Path(found["where"].strip()).expanduser()
    return (folder, found["name"]) if (folder / "coders.json").is_file() else None


def fitted(coder_set: CoderSet, config: ModelConfig, where: str) -> CoderSet:
    """The set itself, if the model has its site, layers and width. Raises ValueError otherwise."""
    wide: Literal["d_mlp", "d_model"] = "d_mlp" if coder_set.site == "mlp_post_act" else "d_model"
    width = getattr(config, wide)
    for layer, coder in coder_set.coders.items():
        own = coder.config
        if layer >= config.n_layers:
            raise ValueError(
                f"{where}: a coder is for layer {layer}, but {config.name} has layers 0-{config.n_layers - 1}."
            )
        if own.is_transcoder or own.width_out != own.d_in:
            raise ValueError(
                f"{where}: layer {layer} is a transcoder (it reads {own.site} and predicts {own.out_site}): only a "
                "coder that reconstructs what it reads can be spliced in."
            )
        if own.d_in != width:
            raise ValueError(
                f"{where}: the coder of layer {layer} is {own.d_in} wide, but {coder_set.site} of {config.name} "
                f"is {width} wide ({wide})."
            )
    return coder_set


def _site(name: str, spec: str) -> Site:
    if name not in SITES or name not in CODER_SITES:
        raise ValueError(f"{spec}: {name!r} is no site of a coder. These are: {CODER_SITES}.")
    return name


_Read = tuple[str, Site, dict[int, SparseCoder]]
"""The files' own name, their site, their coders by layer."""


def _read(where: str, site: Site | None) -> _Read:
    path = Path(where).expanduser()
    if path.exists():
        return _read_path(path, site)
    if where in PUBLISHED:
        own = _agreed(PUBLISHED[where].site, site, where)
        fetched = fetch_published(where)
        return where, own, {at: load_coder(p, site=own, layer=at) for at, p in fetched.items()}
    if is_address(where):
        _, own, coders = _read_path(fetch_address(where), site)
        return _short(where), own, coders
    if re.fullmatch(r"[\w.-]+(/[\w.:-]+)+", where):
        _, own, coders = _read_path(fetch_hub(where), site)
        return _short(where), own, coders
    raise CoderUnavailable(
        f"There is no coder {where}: no file or folder here, and no known name.",
        f"Known names: {', '.join(PUBLISHED)}.",
    )


def _short(where: str) -> str:
    """The last part of an address that is a name."""
    return re.sub(r"[^\w.-]+", "-", where.rstrip("/").rpartition("/")[2]) or "coder"


def _read_path(path: Path, site: Site | None) -> _Read:
    if (path / "coders.json").is_file():
        return _read_ours(path, site)
    coders = load_coders(path, site=site)
    sites = {coder.config.site for coder in coders.values()}
    if len(sites) > 1:
        raise ValueError(
            f"{path} holds coders of several sites: {', '.join(sorted(sites))}. Give their folders one by one."
        )
    name = path.name if path.is_dir() else path.stem  # layers.1 is a folder's whole name
    return name or "coder", sites.pop(), coders


def _read_ours(path: Path, site: Site | None) -> _Read:
    about = json_object(path / "coders.json")
    with naming(path / "coders.json"):
        name, named_site, layers = str(about["name"]), about["site"], list(about["layers"])
    own = _agreed(named_site, site, str(path))
    coders = {}
    for layer in layers:
        folder = path / f"L{layer}"
        if not folder.is_dir():
            raise LookupError(
                f"{path}: coders.json lists layers {layers}, but the folder L{layer} is missing."
            )
        coder = load_coder(folder)
        if (coder.config.site, coder.config.layer) != (own, layer):
            raise ValueError(
                f"{folder} holds a coder of {coder.config.site}, layer {coder.config.layer}; coders.json says "
                f"{own}, layer {layer}."
            )
        coders[layer] = coder
    if not coders:
        raise LookupError(f"{path}: coders.json lists no layers.")
    return name, own, coders


def _agreed(own: Site, asked: Site | None, where: str) -> Site:
    """The files' own site, which what was asked for must not contradict."""
    if asked is not None and asked != own:
        raise ValueError(f"{where} is for {own}, but {asked} was asked for.")
    return own
