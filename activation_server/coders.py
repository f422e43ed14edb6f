"""The coder sets that are served, each checked against the model when the server starts."""

from collections.abc import Iterable, Sequence

from activation_server.assets import demo_dir
from activation_server.schemas import CoderInfo
from neuron_explainer.autoencoders import CoderSet, load_coder_set
from neuron_explainer.models.transformer import Transformer


def open_coder_sets(specs: Sequence[str], model: Transformer) -> list[CoderSet]:
    """Load what was asked for, and the demo's own where the model is the demo.

    Raises LookupError or ValueError for coders that cannot be had, or that do not fit the model or one another.
    """
    demo = demo_dir()
    own = [demo / "coders" / name for name in ("mlp", "attn")] if demo is not None else []
    bundled = [str(p) for p in own if (p / "coders.json").is_file()]
    if demo is None or model.folder != demo / "model":
        bundled = []
    found: dict[str, CoderSet] = {}
    for spec in (*bundled, *specs):
        loaded = load_coder_set(spec, model.config)
        if loaded.name in found:
            raise ValueError(
                f"Two coder sets are called {loaded.name!r}: name one of them otherwise, as in --coder NAME={spec}."
            )
        found[loaded.name] = loaded
    return list(found.values())


def coder_cards(coder_sets: Iterable[CoderSet]) -> list[CoderInfo]:
    """What `GET /api/model` says of them."""
    return [
        CoderInfo(
            name=s.name,
            site=s.site,
            layers=list(s.layers),
            n_latents=s.n_latents,
            n_latents_by_layer=[s.coders[layer].config.n_latents for layer in s.layers],
        )
        for s in coder_sets
    ]
