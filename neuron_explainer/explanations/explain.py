"""Explains one side of a component with a language model, and scores what it says.

1. candidates   n phrases from the strongest training excerpts
2. simulation   each phrase simulates the held-out excerpts; the best correlation wins
3. revision     the model proposes sentences that would break the best phrase; they are run on the subject model, the
                phrase is revised in the light of what happened, and the better of the two by score stays
4. judging      detection and fuzzing; for heads, rating of token pairs

An explanation comes back with every score that could be had; what went wrong on the way is told beside it,
and a side without any usable phrase raises ExplanationFailed.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from neuron_explainer.explanations.evidence import Evidence, Excerpt
from neuron_explainer.explanations.explanation import (
    PREFERRED_SCORE,
    Explanation,
    Score,
    SimulatedExcerpt,
    now,
)
from neuron_explainer.explanations.judge import detect, fuzz, judge_pairs
from neuron_explainer.explanations.prompts import (
    Style,
    counter_example_messages,
    explain_head_messages,
    explain_messages,
    revise_messages,
)
from neuron_explainer.explanations.providers import Provider, ProviderError, Question
from neuron_explainer.explanations.replies import UnusableReply, phrase_from, texts_from
from neuron_explainer.explanations.reply_cache import content_hash
from neuron_explainer.explanations.score import simulation_scores
from neuron_explainer.explanations.simulate import SimulationFailed, SimulatorKind, simulate
from neuron_explainer.nodes import Component

N_SHOWN = 5
N_COUNTER_EXAMPLES = 3
MAX_PHRASE_TOKENS = 60

RunTexts = Callable[[Sequence[str]], Sequence[Excerpt]]
"""Runs sentences on the subject model and gives this side's values on them."""


@dataclass(frozen=True)
class Plan:
    """How explanations are made."""

    style: Style = "activations"
    candidates: int = 1
    temperature: float = 1.0
    """Of candidates after the first, which is the model's likeliest phrase."""
    simulator: SimulatorKind = "json"
    revise: bool = False
    judge: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.candidates <= 100:
            raise ValueError(f"candidates is {self.candidates}: it is 1 to 100.")


@dataclass(frozen=True)
class Explained:
    """An explanation, the simulation behind its score, and what went wrong on the way."""

    explanation: Explanation
    simulations: tuple[SimulatedExcerpt, ...] = ()
    problems: tuple[str, ...] = ()


class ExplanationFailed(Exception):
    """No usable phrase could be had; `stage` and the text say where and why."""

    def __init__(self, stage: Literal["explain", "simulate"], reason: str) -> None:
        super().__init__(reason)
        self.stage = stage


async def explain(
    explainer: Provider,
    judge: Provider,
    known: Evidence,
    plan: Plan,
    run_texts: RunTexts | None = None,
) -> list[Explained]:
    """Every candidate with its scores, the best first.

    Args:
        explainer: who is asked for phrases.
        judge: who simulates and rates; may be the same.
        run_texts: for revision; without it none is tried.
    """
    component = Component.parse(known.component)
    is_head = component.kind == "attn"
    if not _shown(known) or known.largest <= 0:
        raise ExplanationFailed("explain", "there are no excerpts on which it fires")
    phrases, problems = await _phrases(explainer, candidate_questions(known, plan))
    if not phrases:
        raise ExplanationFailed("explain", "; ".join(dict.fromkeys(problems)))
    label = side_label(explainer, component, plan)
    made = [
        Explanation(
            component,
            phrase,
            known.side,
            label,
            now(),
            density=known.density,
            prompt_hash=content_hash(explainer.name, question.to_json()),
        )
        for phrase, question in phrases.items()
    ]
    scored = list(await asyncio.gather(*(score_explanation(judge, it, known, plan) for it in made)))
    scored.sort(key=_rank)
    if plan.revise and run_texts is not None and not is_head:
        try:
            revised = await _revised(explainer, judge, scored[0], known, plan, run_texts)
            scored = sorted([*scored, *revised], key=_rank)
        except (ProviderError, UnusableReply) as problem:
            problems.append(f"revision failed: {problem}")
    if plan.judge and not is_head:
        scored[0] = await _judged(judge, scored[0], known)
    scored[0] = replace(scored[0], problems=(*problems, *scored[0].problems))
    return scored


def candidate_questions(known: Evidence, plan: Plan) -> list[Question]:
    """What is asked for a side's phrases: as many questions as the plan wants candidates."""
    is_head = Component.parse(known.component).kind == "attn"
    shown = _shown(known)
    messages = explain_head_messages(shown) if is_head else explain_messages(shown, plan.style)
    return [
        Question(messages, MAX_PHRASE_TOKENS, plan.temperature if number else 0.0, sample=number)
        for number in range(plan.candidates)
    ]


def side_label(explainer: Provider, component: Component, plan: Plan) -> str:
    """Who explains, as the store shows it: the model, how excerpts are shown, and out of how many candidates."""
    style = "pairs" if component.kind == "attn" else plan.style
    best_of = f":best-of-{plan.candidates}" if plan.candidates > 1 else ""
    return f"{explainer.name.rpartition('|')[2]}:{style}{best_of}"


def _shown(known: Evidence) -> Sequence[Excerpt]:
    return (known.of("top") or known.train)[:N_SHOWN]


async def score_explanation(
    judge: Provider, explanation: Explanation, known: Evidence, plan: Plan
) -> Explained:
    """The scores of a sentence, whoever wrote it. Failures are told, and leave a score undefined."""
    if explanation.component.kind == "attn":
        try:
            measures = await judge_pairs(judge, explanation.text, known)
        except (ProviderError, UnusableReply) as problem:
            failed = {"auroc_pairs": Score(None, reason=f"judging failed: {problem}")}
            return Explained(replace(explanation, measures=failed), (), (str(problem),))
        measures = measures | {PREFERRED_SCORE: measures["auroc_pairs"]}
        return Explained(replace(explanation, measures=measures))
    results = await asyncio.gather(
        *(simulate(judge, plan.simulator, explanation.text, it.tokens) for it in known.held_out),
        return_exceptions=True,
    )
    simulated, problems = [], []
    for it, found in zip(known.held_out, results, strict=True):
        if isinstance(found, SimulationFailed):
            problems.append(f"simulation of a {it.sample} excerpt failed: {found}")
        elif isinstance(found, BaseException):
            raise found
        else:
            simulated.append(SimulatedExcerpt(it.tokens, it.values.tolist(), found, it.sample))
    if not simulated:
        reason = problems[0] if problems else "there are no held-out excerpts"
        failed = {PREFERRED_SCORE: Score(None, reason=reason)}
        return Explained(replace(explanation, measures=failed), (), tuple(problems))
    measures, calibrated = simulation_scores(simulated)
    return Explained(replace(explanation, measures=measures), calibrated, tuple(problems))


async def _phrases(
    explainer: Provider, questions: Sequence[Question]
) -> tuple[dict[str, Question], list[str]]:
    """Different phrases with the questions that gave them, and what went wrong."""
    replies = await asyncio.gather(
        *(explainer.complete(question) for question in questions), return_exceptions=True
    )
    phrases: dict[str, Question] = {}
    problems = []
    for question, reply in zip(questions, replies, strict=True):
        if isinstance(reply, ProviderError):
            problems.append(str(reply))
        elif isinstance(reply, BaseException):
            raise reply
        else:
            try:
                phrases.setdefault(phrase_from(reply.text), question)
            except UnusableReply as problem:
                problems.append(str(problem))
    return phrases, problems


async def _revised(
    explainer: Provider,
    judge: Provider,
    best: Explained,
    known: Evidence,
    plan: Plan,
    run_texts: RunTexts,
) -> list[Explained]:
    """The best phrase revised on counter-examples, if that changed it."""
    text = best.explanation.text
    asked = Question(
        counter_example_messages(text, N_COUNTER_EXAMPLES), max_tokens=300, wants_json=True
    )
    proposed = (await explainer.complete(asked)).text
    texts = [*texts_from(proposed, "should"), *texts_from(proposed, "should_not")]
    tried = await asyncio.to_thread(run_texts, texts[: 2 * N_COUNTER_EXAMPLES])
    shown = known.of("top")[:N_SHOWN]
    question = Question(revise_messages(shown, plan.style, text, tried), MAX_PHRASE_TOKENS)
    phrase = phrase_from((await explainer.complete(question)).text)
    if phrase == text:
        return []
    revised = replace(
        best.explanation,
        text=phrase,
        measures={},
        explainer=f"{best.explanation.explainer}:revised",
        created=now(),
        prompt_hash=content_hash(explainer.name, question.to_json()),
    )
    return [await score_explanation(judge, revised, known, plan)]


async def _judged(judge: Provider, best: Explained, known: Evidence) -> Explained:
    """The best explanation with detection and fuzzing scores."""
    measures, problems = dict(best.explanation.measures), list(best.problems)
    for name, ask in (("detection", detect), ("fuzzing", fuzz)):
        try:
            measures |= await ask(judge, best.explanation.text, known)
        except (ProviderError, UnusableReply) as problem:
            problems.append(f"{name} failed: {problem}")
            undefined = Score(None, reason=f"{name} failed: {problem}")
            measures |= {f"{name}_accuracy": undefined, f"{name}_auroc": undefined}
    explanation = replace(best.explanation, measures=measures)
    return replace(best, explanation=explanation, problems=tuple(problems))


def _rank(explained: Explained) -> tuple[bool, float]:
    score = explained.explanation.score
    return score is None, -(score or 0.0)
