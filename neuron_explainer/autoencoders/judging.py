"""How good a coder is, on text it was not trained on.

With activations x (mean m), reconstructions r and latents z over all tokens of the text:

    explained_variance   1 - sum |x - r|^2 / sum |x - m|^2          its complement is called FVU
    normalized_mse       sum |x - r|^2 / sum |x|^2
    l0                   active latents per token
    dead_fraction        share of latents that are active at no token
    density              at what share of tokens each latent is active; a histogram of its log10
    loss                 next-token loss in nats: of the bare model, with the site set to zero, and with r put there
    loss_recovered       (zero - spliced) / (zero - bare)           1 where r is as good as x

Documents are read apart, each from its start, as prompts are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.autoencoders.recipe import Point
from neuron_explainer.autoencoders.sparse_coder import SparseCoder
from neuron_explainer.models.corpus import Corpus
from neuron_explainer.models.hooks import Hooks, Recorder
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.models.windows import token_windows
from neuron_explainer.progress import OnProgress, Progress, ignore_progress

DENSITY_EDGES = tuple(-6 + 0.25 * step for step in range(25))
"""log10 of the share of tokens; the first bin also takes rarer latents, but not dead ones."""
BATCH_TOKENS = 2048
POOLED_BATCHES = 4


@dataclass(frozen=True)
class Histogram:
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Judgement:
    """The figures at the top of this file."""

    site: str
    layer: int
    n_latents: int
    n_tokens: int
    explained_variance: float
    normalized_mse: float
    l0: float
    l0_share: float
    """l0 as a share of all latents."""
    dead_fraction: float
    density: Histogram
    loss_bare: float
    loss_zero: float
    loss_spliced: float
    loss_recovered: float


def judge(
    model: Transformer,
    coders: Mapping[Point, SparseCoder],
    corpus: Corpus,
    *,
    tokens: int = 65_536,
    window: int = 128,
    on_progress: OnProgress = ignore_progress,
) -> dict[Point, Judgement]:
    """Judge coders, each spliced in alone, on the first `tokens` tokens of a corpus.

    Raises ValueError for a coder that does not fit the model, or a corpus without two tokens in a row.
    """
    for point, coder in coders.items():
        coder.to(model.device)
        _check_fit(model, point, coder)
    sums = {point: _Sums(coder) for point, coder in coders.items()}
    done = 0
    for batch in _batches(model, corpus, tokens, min(window, model.config.n_ctx)):
        _judge_batch(model, coders, batch, sums)
        done += int(batch.is_text.sum())
        on_progress(Progress(min(done, tokens), tokens, "tokens", "Judging"))
    return {point: sums[point].judgement(point) for point in coders}


@dataclass(frozen=True)
class _Batch:
    tokens: Int[Tensor, "batch seq"]
    is_text: Bool[Tensor, "batch seq"]
    """False for padding."""

    def loss(self, model: Transformer, final: Float[Tensor, "batch seq d_model"]) -> float:
        """Sum of the next-token losses, in nats, from the last layer's output. Padding is not unembedded."""
        predicted = self.is_text[:, 1:]
        logits = model.unembed(final[:, :-1][predicted][None])[0].float()
        return float(F.cross_entropy(logits, self.tokens[:, 1:][predicted], reduction="sum"))

    @property
    def n_predicted(self) -> int:
        return int(self.is_text[:, 1:].sum())


def _batches(model: Transformer, corpus: Corpus, tokens: int, window: int) -> Iterator[_Batch]:
    windows = iter(token_windows(corpus, model.tokenizer, window, min_tokens=2))
    at_once = max(1, BATCH_TOKENS // window)
    left = tokens
    while left > 0:
        # Windows of like length share a batch: less padding.
        pool = sorted(islice(windows, POOLED_BATCHES * at_once), key=lambda w: w.n_valid)
        if not pool:
            if left == tokens:
                raise ValueError(
                    f"{corpus.spec} is too short to judge coders on: two tokens are needed."
                )
            return
        for first in range(0, len(pool), at_once):
            found = pool[first : first + at_once]
            lengths = torch.tensor([w.n_valid for w in found], device=model.device)
            longest = int(lengths.max())
            rows = torch.stack([w.tokens[:longest] for w in found]).to(model.device)
            left -= int(lengths.sum())
            yield _Batch(rows, torch.arange(longest, device=model.device) < lengths[:, None])


@torch.no_grad()
def _judge_batch(
    model: Transformer,
    coders: Mapping[Point, SparseCoder],
    batch: _Batch,
    sums: Mapping[Point, "_Sums"],
) -> None:
    """One forward for all coders, then two from each coder's layer on."""
    recorder = Recorder({"resid_pre", *(point.site for point in coders)})
    bare = batch.loss(model, model.layers(model.embed(batch.tokens), recorder.hooks()))
    for point in coders:
        x = recorder.values[point.site][point.layer]
        recon = sums[point].add(x[batch.is_text])
        spliced = torch.zeros_like(x)
        spliced[batch.is_text] = recon.to(x.dtype)
        start = recorder.values["resid_pre"][point.layer]
        losses = []
        for value in (torch.zeros_like(x), spliced):
            hooks = Hooks([(point.site, _Replace(point.layer, value))])
            final = model.layers(start, hooks, first=point.layer)
            losses.append(batch.loss(model, final))
        sums[point].add_losses(batch.n_predicted, bare, *losses)


@dataclass(frozen=True, eq=False)
class _Replace:
    """A hook that puts a value in a layer's place."""

    layer: int
    value: Tensor

    def __call__(self, value: Tensor, layer: int) -> Tensor:
        return self.value if layer == self.layer else value


class _Sums:
    """Running sums of one coder's figures. Float64: they add up over many tokens."""

    def __init__(self, coder: SparseCoder) -> None:
        self.coder = coder
        d, device = coder.config.d_in, coder.b_dec.device
        self.n_tokens = 0
        self.error = 0.0
        self.power = 0.0
        self.total = torch.zeros(d, dtype=torch.float64, device=device)
        self.active = torch.zeros(coder.config.n_latents, dtype=torch.int64, device=device)
        self.n_predicted = 0
        self.losses = [0.0, 0.0, 0.0]

    def add(self, x: Float[Tensor, "token d"]) -> Float[Tensor, "token d"]:
        """Count a batch; returns its reconstruction."""
        x = x.float()
        z = self.coder.encode(x)
        recon = self.coder.decode(z, x)
        self.n_tokens += len(x)
        self.error += float((x - recon).double().square().sum())
        self.power += float(x.double().square().sum())
        self.total += x.double().sum(dim=0)
        self.active += (z > 0).sum(dim=0)
        return recon

    def add_losses(self, n_predicted: int, *losses: float) -> None:
        self.n_predicted += n_predicted
        self.losses = [held + new for held, new in zip(self.losses, losses, strict=True)]

    def judgement(self, point: Point) -> Judgement:
        variance = self.power - float(self.total.square().sum()) / self.n_tokens
        bare, zero, spliced = (loss / self.n_predicted for loss in self.losses)
        share = self.active.double() / self.n_tokens
        l0 = float(share.sum())
        return Judgement(
            site=point.site,
            layer=point.layer,
            n_latents=len(share),
            n_tokens=self.n_tokens,
            explained_variance=1 - self.error / max(variance, 1e-30),
            normalized_mse=self.error / max(self.power, 1e-30),
            l0=l0,
            l0_share=l0 / len(share),
            dead_fraction=float((share == 0).double().mean()),
            density=_density(share),
            loss_bare=bare,
            loss_zero=zero,
            loss_spliced=spliced,
            loss_recovered=(zero - spliced) / (zero - bare) if zero != bare else float("nan"),
        )


def _density(share: Float[Tensor, " latent"]) -> Histogram:
    edges = torch.tensor(DENSITY_EDGES, dtype=torch.float64)
    logs = share[share > 0].log10().clamp(min=edges[0], max=edges[-1]).cpu()
    counts = torch.histogram(logs, edges).hist
    return Histogram(DENSITY_EDGES, tuple(int(count) for count in counts))


def _check_fit(model: Transformer, point: Point, coder: SparseCoder) -> None:
    config = model.config
    width = config.d_mlp if point.site == "mlp_post_act" else config.d_model
    if coder.config.d_in != width or point.layer >= config.n_layers:
        raise ValueError(
            f"The coder for {point} does not fit {config.name}: it is {coder.config.d_in} wide; the site "
            f"is {width} wide, and the model has layers 0-{config.n_layers - 1}."
        )
    if coder.config.is_transcoder:
        raise ValueError(
            f"The coder for {point} predicts {coder.config.out_site}; only coders of their own site are judged."
        )
