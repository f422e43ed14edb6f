"""An investigation of one model: cases in, tables and effects out, with recent runs kept so that
edits are cheap.

A pass over an unedited prompt is kept with its graph. A further question about that prompt (other
targets, a trace) costs one backward; an edit re-runs only from its first layer on. Nothing else is
remembered, so the same question always gets the same numbers.
"""

import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from neuron_explainer.attribution.deltas import ReplaceBy, Target
from neuron_explainer.attribution.effects import Effects
from neuron_explainer.attribution.latent_pairs import LatentPairs, latent_pairs
from neuron_explainer.attribution.lens import LensLayer, NodeTokens, logit_lens, node_tokens
from neuron_explainer.attribution.measured import measured_effects
from neuron_explainer.attribution.memory import estimated_bytes
from neuron_explainer.attribution.table import NodeTable, node_table
from neuron_explainer.attribution.write_norms import WriteNorms
from neuron_explainer.autoencoders import CoderSet
from neuron_explainer.autoencoders.coder_set import bases_of, fitted
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.forward_pass import Pass
from neuron_explainer.models.hooks import NO_HOOKS, Hooks
from neuron_explainer.models.interventions import (
    Ablate,
    Intervention,
    Patch,
    intervention_hooks,
)
from neuron_explainer.models.objectives import (
    NodeObjective,
    Objective,
    Through,
    TokenKind,
    TokenObjective,
)
from neuron_explainer.models.patching import Source
from neuron_explainer.models.run import (
    Case,
    ReadOutNorm,
    Run,
    differentiate,
    edited_pass,
    other_case,
    source_of,
    unpatched,
)
from neuron_explainer.models.tokens import PromptTooLong, encode, encode_one
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node, Stream

MAX_ANSWERS = 2
"""Questions about one unedited prompt whose metrics are kept; each holds the gradients of every
recorded site."""

_Question = tuple[Objective, ReadOutNorm, Bases]

_EditedPrompt = tuple[tuple[int, ...], tuple[Intervention, ...], Bases, Case | None]
"""A prompt, its edits, what its latents belong to, and the case they patch from."""


class Investigation:
    """Ask a model why. Not thread-safe: one worker owns it."""

    def __init__(
        self,
        model: Transformer,
        coder_sets: Sequence[CoderSet] = (),
        *,
        max_passes: int = 4,
        max_bytes: int = 4 * 2**30,
    ) -> None:
        """Start one.

        Args:
            coder_sets: coders that cases may choose by name; they are moved to the model's device.
            max_passes: unedited passes kept with their graph; each holds every activation of its prompt.
            max_bytes: memory one question may take beside the weights; longer prompts are refused. Kept
                passes are dropped, oldest first, once they would hold half of it.
        """
        self.model = model
        self.coder_sets = {
            each.name: fitted(each, model.config, each.name).to(model.device) for each in coder_sets
        }
        self.max_passes = max_passes
        self.max_bytes = max_bytes
        self.norms = WriteNorms(model)
        self._passes: OrderedDict[tuple[int, ...], Pass] = OrderedDict()
        self._edited: tuple[_EditedPrompt, Pass] | None = None
        self._answers: dict[tuple[int, ...], OrderedDict[_Question, Effects]] = {}

    def case(
        self,
        prompt: str,
        *,
        target: str | Sequence[str] = (),
        distractor: str | Sequence[str] = (),
        objective: TokenKind = "logit_diff",
        position: int = -1,
        interventions: Sequence[Intervention | str] = (),
        trace: str | Node | NodeObjective | None = None,
        through: Through | None = None,
        mlp_basis: str = "neuron",
        attention_basis: str = "head",
        resid_basis: str | None = None,
    ) -> Case:
        """A case from text.

        Args:
            target, distractor: one token each, as in " Mary"; several are averaged.
            position: the token after which the prediction is read; -1 is the last.
            interventions: edits; a bare name, as in "attn_L9_9" or "attn_L9_9@13:1", is ablated to
                zero.
            trace: a node to explain instead of the tokens. With `through="value"` the tokens judge
                what it writes.
            through: for a head named in `trace`: query, key, query_and_key or value; for a coder's error: value.
            mlp_basis, attention_basis, resid_basis: the names of coder sets whose latents are the nodes, in the
                place of neurons and heads, or beside them for the residual stream.

        Raises:
            LookupError, ValueError: text that is no such thing, or that this model does not have.
        """
        tokens = encode(self.model, prompt)
        bases = self.bases(mlp_basis, attention_basis, resid_basis)
        edits = tuple(_edit(edit) if isinstance(edit, str) else edit for edit in interventions)
        intervention_hooks(  # checks them; a patch's source is known only beside its other case
            [edit for edit in edits if not isinstance(edit, Patch)],
            self.model.config,
            len(tokens),
            bases=bases,
        )
        asked: Objective | None = None
        if target or trace is None:
            ids = [self._ids(target), self._ids(distractor)]
            asked = TokenObjective(objective, ids[0], ids[1], position)
        elif distractor:
            raise ValueError("There is a distractor but no target: name the target token.")
        if trace is None:
            assert asked is not None
            return Case(tokens, asked, edits, bases)
        return Case(tokens, _traced(trace, through, asked), edits, bases)

    def bases(
        self, mlp: str = "neuron", attention: str = "head", resid: str | None = None
    ) -> Bases:
        """The bases of these names. Raises LookupError naming what each may be."""
        asked: tuple[tuple[Stream, str | None], ...] = (
            ("mlp", mlp),
            ("attn", attention),
            ("resid", resid),
        )
        return bases_of([each for ask in asked for each in self.coder_sets_of(*ask)])

    def coder_sets_of(self, stream: Stream, name: str | None) -> list[CoderSet]:
        """The coder set that a basis names, or none where it is neurons, heads or nothing.

        Raises LookupError naming what a stream may be described by.
        """
        plain = {"mlp": "neuron", "attn": "head", "resid": ""}[stream]
        if name is None or name == plain:
            return []
        found = self.coder_sets.get(name)
        if found is not None and found.stream == stream:
            return [found]
        named = [each.name for each in self.coder_sets.values() if each.stream == stream]
        allowed = " or ".join(repr(each) for each in (plain, *named) if each) or "nothing"
        what = f"{name!r} codes {found.site}" if found else f"There is no basis {name!r}"
        raise LookupError(f"{what}: the {stream} stream may be described by {allowed} here.")

    def _ids(self, texts: str | Sequence[str]) -> tuple[int, ...]:
        each = (texts,) if isinstance(texts, str) else texts
        return tuple(encode_one(self.model, text) for text in each)

    def debug(
        self, cases: Sequence[Case], *, top_k: int = 10, read_out_norm: ReadOutNorm = "fixed"
    ) -> NodeTable:
        """The node table of one case, or of two to compare.

        Raises:
            LookupError, ValueError: something a case names that the model or its prompt does not
            have, or another number of cases.
        """
        if not 1 <= len(cases) <= 2:
            raise ValueError(f"{len(cases)} cases were given: a table is of one, or compares two.")
        if len({case.bases for case in cases}) > 1:
            raise ValueError("The two cases have other bases: a table compares like with like.")
        start = time.perf_counter()
        passes = [self._pass(cases, i) for i in range(len(cases))]
        forward = time.perf_counter()
        effects = [
            self._effects(case, batch, read_out_norm)
            for case, batch in zip(cases, passes, strict=True)
        ]
        backward = time.perf_counter()
        table = node_table(effects, top_k=top_k)
        done = time.perf_counter()
        timing = {
            "forward": forward - start,
            "backward": backward - forward,
            "table": done - backward,
        }
        return table.timed({name: 1000 * seconds for name, seconds in timing.items()})

    def measure(
        self,
        cases: Sequence[Case],
        targets: Sequence[Target],
        *,
        case_index: int = 0,
        to: ReplaceBy = "zero",
    ) -> tuple[float, Iterator[list[tuple[Target, float]]]]:
        """The objective of one case, and the measured effects of its nodes in batches, in the order
        asked."""
        run = self.read(cases, case_index)
        hooks = intervention_hooks(
            run.case.interventions,
            self.model.config,
            len(run.tokens),
            self._source(cases, case_index),
            bases=run.case.bases,
        )
        return run.read_out.value, measured_effects(run, targets, hooks, to=to)

    def node_tokens(
        self, cases: Sequence[Case], nodes: Sequence[Node], n: int, *, case_index: int = 0
    ) -> list[NodeTokens]:
        """Tokens each node's write promotes and suppresses."""
        return node_tokens(self.read(cases, case_index), nodes, n)

    def latent_pairs(
        self, cases: Sequence[Case], node: Node, n: int, *, case_index: int = 0
    ) -> LatentPairs:
        """An attention latent's pre-activation shared out over token pairs."""
        return latent_pairs(self.read(cases, case_index), node, n)

    def lens(
        self, cases: Sequence[Case], n: int, *, case_index: int = 0
    ) -> tuple[Run, Sequence[LensLayer]]:
        """The objective and the likeliest tokens read out after every layer."""
        run = self.read(cases, case_index)
        return run, logit_lens(run, n)

    def hooks(self, case: Case) -> Hooks:
        """A case's own edits, for runs that go on from its pass."""
        return intervention_hooks(
            case.interventions, self.model.config, len(case.tokens), bases=case.bases
        )

    def effects(self, case: Case, read_out_norm: ReadOutNorm = "fixed") -> Effects:
        """Every metric of one case, put together when asked for."""
        return self._effects(case, self._pass([case], 0), read_out_norm)

    def read(self, cases: Sequence[Case], case_index: int = 0) -> Run:
        """A case's forward and its objective, without gradients below the read-out."""
        batch = self._pass(cases, case_index)
        return differentiate(batch, [cases[case_index]], to_sites=False)[0]

    def _effects(self, case: Case, batch: Pass, read_out_norm: ReadOutNorm) -> Effects:
        """A case's metrics; those of an unedited prompt's last few questions are kept beside its
        pass."""
        kept = self._answers.get(case.tokens, OrderedDict()) if not case.interventions else None
        key = (case.objective, read_out_norm, case.bases)
        if kept is not None and key in kept:
            return kept[key]
        run = differentiate(batch, [case], read_out_norm=read_out_norm)[0]
        effects = Effects(run, self.norms)
        if kept is not None and self._passes.get(case.tokens) is batch:
            while len(kept) >= MAX_ANSWERS:
                kept.popitem(last=False)
            kept[key] = effects
            self._answers[case.tokens] = kept
        return effects

    def _pass(self, cases: Sequence[Case], index: int) -> Pass:
        case = cases[index]
        if not case.interventions:
            return self._base(case)
        key = (case.tokens, case.interventions, case.bases, self._patched_from(cases, index))
        if self._edited is None or self._edited[0] != key:
            source = self._source(cases, index)
            self._edited = (key, edited_pass(self.model, case, self._base(case), source))
        return self._edited[1]

    def _patched_from(self, cases: Sequence[Case], index: int) -> Case | None:
        """The other case, without its patches, if this one patches from it."""
        if not any(isinstance(edit, Patch) for edit in cases[index].interventions):
            return None
        other = other_case(cases, index)
        return None if other is None else unpatched(other)

    def _source(self, cases: Sequence[Case], index: int) -> Source | None:
        plain = self._patched_from(cases, index)
        if plain is None:
            return None
        return source_of(edited_pass(self.model, plain, self._base(plain), None))

    def _base(self, case: Case) -> Pass:
        """The pass of a case's prompt without its edits."""
        tokens = case.tokens
        self._refuse_too_long(len(tokens), case.bases)
        if tokens in self._passes:
            self._passes.move_to_end(tokens)
            return self._passes[tokens]
        while self._passes and self._is_full(len(tokens)):
            forgotten, _ = self._passes.popitem(last=False)
            self._answers.pop(forgotten, None)
        self._passes[tokens] = Pass(self.model, [tokens], NO_HOOKS)
        return self._passes[tokens]

    def _is_full(self, n_new: int) -> bool:
        # A kept pass remembers what each coder made of it.
        coded = [site for each in self.coder_sets.values() for site in each.spliced]
        lengths = [*(len(tokens) for tokens in self._passes), n_new]
        needed = sum(estimated_bytes(self.model.config, n, coded) for n in lengths)
        return len(self._passes) >= self.max_passes or needed > self.max_bytes // 2

    def _refuse_too_long(self, n_tokens: int, bases: Bases) -> None:
        config = self.model.config

        def needed(n: int) -> int:
            return estimated_bytes(config, n, bases.sites)

        if needed(n_tokens) <= self.max_bytes:
            return
        most = bisect_right(range(config.n_ctx + 1), self.max_bytes, key=needed)
        coders = f" with coders at {len(bases.sites)} places" if bases.sites else ""
        raise PromptTooLong(
            f"The prompt has {n_tokens} tokens. Explaining it{coders} would take about "
            f"{needed(n_tokens) / 2**30:.1f} GB beside the weights; "
            f"{self.max_bytes / 2**30:.1f} GB are allowed here, which is {most - 1} tokens of {config.name}."
        )


def _edit(name: str) -> Intervention:
    """A component, or a node, ablated to zero."""
    if "@" not in name:
        return Ablate(Component.parse(name))
    node = Node.parse(name)
    at = None if node.position is None else (node.position,)
    keys = None if node.key_position is None else (node.key_position,)
    return Ablate(node.component, at, keys)


def _traced(
    trace: str | Node | NodeObjective, through: Through | None, downstream: Objective | None
) -> NodeObjective:
    if isinstance(trace, NodeObjective):
        if through is not None:
            raise ValueError("A NodeObjective says itself what it goes through; leave it out.")
        return trace
    node = Node.parse(trace) if isinstance(trace, str) else trace
    return NodeObjective(node, through, downstream if through == "value" else None)
