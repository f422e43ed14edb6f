"""Explains every component of one group without a language model, and scores what it said on held-out excerpts.

1. records of the group; each side's excerpts divided into those to learn from and those held out (`evidence.py`)
2. text to learn from: training windows, the strongest of each component first, up to `MAX_WINDOWS`
3. rules: lookup and trigger graph for neurons and latents, attention patterns and lookup for heads
4. scores: the rule simulates the held-out excerpts, as a sentence's simulator does

Explanations come out one at a time, so that they can be stored as they are made.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.exemplars.records import ComponentRecord
from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.ablation import study
from neuron_explainer.explanations.evidence import Evidence, Split, evidence, sides_of
from neuron_explainer.explanations.explanation import (
    PREFERRED_SCORE,
    RIVAL_SCORE,
    Explanation,
    Score,
    Side,
    SimulatedExcerpt,
    now,
)
from neuron_explainer.explanations.head_rule import HeadRule, describe_head, fit_head
from neuron_explainer.explanations.lookup import FIRING
from neuron_explainer.explanations.observations import (
    Subjects,
    observe,
    padded,
    write_magnitudes,
)
from neuron_explainer.explanations.score import (
    auroc_score,
    precision_and_recall,
    simulation_scores,
)
from neuron_explainer.explanations.token_rule import TokenRule
from neuron_explainer.explanations.trigger_graph import RuleFitter
from neuron_explainer.explanations.wording import TokenText, describe
from neuron_explainer.models.tokens import token_text
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Kind, Stream
from neuron_explainer.progress import OnProgress, Progress, ignore_progress

RuleMethod = Literal["lookup", "trigger_graph"]
METHODS: tuple[RuleMethod, ...] = ("lookup", "trigger_graph")
RULE_LABELS: Mapping[RuleMethod, tuple[str, ...]] = {
    "lookup": ("lookup",),
    "trigger_graph": ("trigger_graph", "attention_patterns"),
}
"""What explanations by a method are called: of heads, the second of the two."""

MAX_WINDOWS = 2400
"""Windows of text that rules are learnt from."""
MAX_HEAD_WINDOWS = 240
SILENT = 0.1
"""A pair below this share of a head's largest value counts as one it does not attend to."""


@dataclass(frozen=True)
class GroupToExplain:
    """Components of one kind in one layer, with what is known of them."""

    model: Transformer
    dataset: Dataset
    kind: Kind
    layer: int
    stream: Stream | None = None
    coders: CoderSet | None = None

    @property
    def name(self) -> str:
        """As in mlp_L3."""
        return str(Component(self.kind, self.layer, 0, self.stream)).removesuffix("_0")


def explain_group(
    group: GroupToExplain,
    *,
    components: Sequence[Component] | None = None,
    methods: Sequence[RuleMethod] = METHODS,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> Iterator[Explanation]:
    """Explain the components of a group, all by default, by each method.

    Sides that are never active in the text to learn from get none.
    """
    if components is None:
        components = group.dataset.components(group.kind, group.layer, group.stream)
    records = {component: group.dataset.record(component) for component in components}
    if not records:
        return
    text = cached_text(group.model)
    if group.kind == "attn":
        yield from _explain_heads(group, records, methods, text)
        return
    yield from _explain_units(group, records, methods, text, seed, on_progress)


def cached_text(model: Transformer) -> TokenText:
    """The text of a token, decoded once."""
    known: dict[int, str] = {}

    def text(token: int) -> str:
        if token not in known:
            known[token] = token_text(model, token)
        return known[token]

    return text


# --- neurons and latents --------------------------------------------------------------------------


def _explain_units(
    group: GroupToExplain,
    records: dict[Component, ComponentRecord],
    methods: Sequence[RuleMethod],
    text: TokenText,
    seed: int,
    on_progress: OnProgress,
) -> Iterator[Explanation]:
    subjects = Subjects(group.model, group.kind, group.layer, group.coders)
    on_progress(Progress(0, len(records), "components", f"{group.name}: reading text"))
    observed = observe(subjects, training_windows(list(records.values()), MAX_WINDOWS))
    fitter = RuleFitter(observed, group.model.config.n_vocab)
    generator = torch.Generator().manual_seed(seed)
    done = 0
    for part in _chunks(list(records), 256):
        sides: list[Side] = ["positive", "negative"]
        asked = {side: [c for c in part if side in sides_of(records[c])] for side in sides}
        seeds = {
            side: study(subjects, observed, side, [c.index or 0 for c in asked[side]], generator)
            if "trigger_graph" in methods and asked[side]
            else {}
            for side in sides
        }
        for component in part:
            for side in sides_of(records[component]):
                index = component.index or 0
                values = observed.values[index].float() * (1.0 if side == "positive" else -1.0)
                values = values.clamp(min=0)
                if not values.any():
                    continue
                lookup = fitter.lookup(values)
                known = evidence(records[component], side)
                rival = scored_rule(component, known, "lookup", lookup.as_kept(), text)
                if "lookup" in methods:
                    yield rival
                if "trigger_graph" in methods:
                    rule = fitter.trigger_graph(values, lookup, seeds[side].get(index, []))
                    graph = scored_rule(component, known, "trigger_graph", rule.as_kept(), text)
                    yield beside(graph, rival)
            done += 1
        on_progress(Progress(done, len(records), "components", group.name))


def scored_rule(
    component: Component, known: Evidence, method: str, rule: TokenRule, text: TokenText
) -> Explanation:
    """What a rule says of one side of a component, in words, and how well it predicts held-out excerpts."""
    return Explanation(
        component=component,
        text=describe(rule, text),
        side=known.side,
        explainer=method,
        created=now(),
        measures=score_rule(rule, known),
        density=known.density,
        rule=rule.to_json(),
    )


def beside(explanation: Explanation, rival: Explanation) -> Explanation:
    """The explanation with the score of the token lookup, which it must beat."""
    measures = {**explanation.measures, RIVAL_SCORE: rival.measures[PREFERRED_SCORE]}
    return replace(explanation, measures=measures)


def score_rule(rule: TokenRule, known: Evidence) -> dict[str, Score]:
    """The scores of a rule on held-out excerpts: its simulation, and when it says that it fires."""
    simulated = [rule.simulate(it.token_ids) for it in known.held_out]
    excerpts = [
        SimulatedExcerpt(it.tokens, it.values.tolist(), values.tolist(), it.sample)
        for it, values in zip(known.held_out, simulated, strict=True)
    ]
    scores, _ = simulation_scores(excerpts)
    fires = [it.values >= FIRING * known.largest for it in known.held_out]
    scores |= precision_and_recall(fires, [values >= rule.threshold for values in simulated])
    return scores


def training_windows(records: Sequence[ComponentRecord], limit: int) -> list[tuple[int, ...]]:
    """Windows to learn from: the random ones, then each component's strongest, second strongest and so on."""
    split = Split(records[0].random)
    ranked = [
        [
            *(it for pair in _zip_longest(record.top_positive, record.top_negative) for it in pair),
            *(it for band in reversed(record.quantiles) for it in band.exemplars),
        ]
        for record in records
    ]
    chosen = dict.fromkeys(
        it.token_ids for it in records[0].random if not split.is_held_out(it.token_ids)
    )
    for rank in range(max(map(len, ranked), default=0)):
        for exemplars in ranked:
            if len(chosen) >= limit:
                return list(chosen)
            if rank < len(exemplars) and not split.is_held_out(exemplars[rank].token_ids):
                chosen[exemplars[rank].token_ids] = None
    return list(chosen)


# --- heads ----------------------------------------------------------------------------------------


def _explain_heads(
    group: GroupToExplain,
    records: dict[Component, ComponentRecord],
    methods: Sequence[RuleMethod],
    text: TokenText,
) -> Iterator[Explanation]:
    windows = training_windows(list(records.values()), MAX_HEAD_WINDOWS)
    tokens, _ = padded(windows)
    values: list[list[np.ndarray]] = [[] for _ in range(group.model.config.n_heads)]
    with torch.inference_mode():
        for first in range(0, len(windows), 16):
            found = write_magnitudes(
                group.model, group.layer, tokens[first : first + 16].to(group.model.device)
            ).cpu()
            for row, window in enumerate(windows[first : first + 16]):
                n = len(window)
                for head, of in enumerate(values):
                    of.append(found[row, head, :n, :n].numpy())
    for component, record in records.items():
        if not sides_of(record):
            continue
        known = evidence(record, "positive")
        rival = _scored_head(
            component,
            known,
            "lookup",
            fit_head(windows, values[component.index or 0], keys_only=True),
            text,
        )
        if "lookup" in methods:
            yield rival
        if "trigger_graph" in methods:
            rule = fit_head(windows, values[component.index or 0], keys_only=False)
            yield beside(_scored_head(component, known, "attention_patterns", rule, text), rival)


def _scored_head(
    component: Component, known: Evidence, method: str, rule: HeadRule, text: TokenText
) -> Explanation:
    return Explanation(
        component=component,
        text=describe_head(rule, text),
        side="positive",
        explainer=method,
        created=now(),
        measures=score_head_rule(rule, known),
        density=known.density,
        rule=rule.to_json(),
    )


def score_head_rule(rule: HeadRule, known: Evidence) -> dict[str, Score]:
    """The scores of a head's rule over held-out token pairs."""
    excerpts, true, said = [], [], []
    for it in known.held_out:
        pairs = np.tril_indices(len(it.token_ids))
        predicted = rule.simulate(it.token_ids)[pairs]
        excerpts.append(
            SimulatedExcerpt(it.tokens, it.values[pairs].tolist(), predicted.tolist(), it.sample)
        )
        true.append(it.values[pairs])
        said.append(predicted)
    scores, _ = simulation_scores(excerpts)
    if excerpts:
        values, predicted = np.concatenate(true), np.concatenate(said)
        excerpt = np.repeat(np.arange(len(true)), [len(it) for it in true])
        strong, silent = values >= FIRING * known.largest, values < SILENT * known.largest
        judged = strong | silent
        scores["auroc_pairs"] = auroc_score(
            predicted[judged], strong[judged], excerpt[judged].tolist()
        )
    return scores


def _chunks(components: list[Component], size: int) -> Iterator[list[Component]]:
    for first in range(0, len(components), size):
        yield components[first : first + size]


def _zip_longest(first: Sequence, second: Sequence) -> Iterator[list]:  # type: ignore[type-arg]  # of exemplars
    for rank in range(max(len(first), len(second))):
        yield [*first[rank : rank + 1], *second[rank : rank + 1]]
