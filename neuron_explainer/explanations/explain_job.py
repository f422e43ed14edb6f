"""Explains many components with a language model: several at a time, kept as they are done, gone on with when killed.

A side is done when the store has a scored explanation of it by the same plan: model, style, number of candidates, and
the very questions (by their hash). It is not asked about again; a call that was answered before comes from the cache of
replies. So a killed job, started again, goes on where it was, and a side whose scoring failed is tried again. A spent
budget stops it in the same state.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.careful import BudgetSpent, Careful
from neuron_explainer.explanations.evidence import (
    Evidence,
    Excerpt,
    evidence,
    side_values,
    sides_of,
)
from neuron_explainer.explanations.explain import (
    Explained,
    ExplanationFailed,
    Plan,
    RunTexts,
    candidate_questions,
    explain,
    side_label,
)
from neuron_explainer.explanations.explanation import PREFERRED_SCORE, Side, now
from neuron_explainer.explanations.observations import Subjects, observe
from neuron_explainer.explanations.reply_cache import content_hash
from neuron_explainer.explanations.store import ExplanationStore, Failure
from neuron_explainer.models.tokens import encode, token_text
from neuron_explainer.nodes import Component
from neuron_explainer.progress import OnProgress, Progress, ignore_progress

SIDES_AT_ONCE = 8
"""Sides that are worked on at a time; how many calls go out at once is the provider's affair."""


@dataclass(frozen=True)
class JobResult:
    """What a job did."""

    explained: int
    failed: int
    skipped: int
    stopped: str = ""
    """Why it stopped early; empty if it did not."""


async def explain_all(
    dataset: Dataset,
    components: Sequence[Component],
    store: ExplanationStore,
    explainer: Careful,
    judge: Careful,
    plan: Plan,
    *,
    run_texts: Callable[[Evidence], RunTexts] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> JobResult:
    """Explain every side of the components that has no scored explanation by this plan yet."""
    label = label_of(explainer)
    prompts = _scored_prompts(store, label)
    sides = [
        (component, side)
        for component in components
        for side in sides_of(dataset.record(component))
    ]
    todo = [
        (component, side)
        for component, side in sides
        if not _is_done(dataset, component, side, explainer, plan, prompts)
    ]
    counts = {"explained": 0, "failed": 0}
    slots = asyncio.Semaphore(SIDES_AT_ONCE)
    stopped: list[str] = []

    async def one(component: Component, side: Side) -> None:
        async with slots:
            if stopped:
                return
            known = evidence(dataset.record(component), side)
            try:
                run = None if run_texts is None else run_texts(known)
                found = await explain(explainer, judge, known, plan, run)
            except BudgetSpent as problem:
                stopped.append(str(problem))
                return
            except ExplanationFailed as problem:
                store.fail(Failure(component, side, label, problem.stage, str(problem), now()))
                counts["failed"] += 1
            else:
                keep(store, found, label)
                counts["explained"] += 1
            _report(on_progress, counts, len(sides) - len(todo), len(sides), explainer, judge)

    await asyncio.gather(*(one(component, side) for component, side in todo))
    return JobResult(
        counts["explained"],
        counts["failed"],
        len(sides) - len(todo),
        stopped[0] if stopped else "",
    )


def keep(store: ExplanationStore, found: Sequence[Explained], label: str) -> None:
    """Store every candidate; the best one's failed steps are kept as a failure of its stage."""
    with store.transaction():
        for explained in found:
            store.add(explained.explanation, explained.simulations)
        best = found[0].explanation
        store.forget_failure(best.component, best.side, label)
        measure = best.measures.get(PREFERRED_SCORE)
        if found[0].problems or (measure is not None and measure.value is None):
            reason = "; ".join(found[0].problems) or (measure.reason if measure else "")
            failure = Failure(best.component, best.side, label, "score", reason, now())
            store.fail(failure)


def label_of(explainer: Careful) -> str:
    """The part of the explainer's name that the store shows."""
    return explainer.name.rpartition("|")[2]


def texts_runner(subjects: Subjects, component: Component, side: Side) -> RunTexts:
    """Runs sentences on the subject model and reads one side of one component."""

    def run(texts: Sequence[str]) -> list[Excerpt]:
        model = subjects.model
        limit = model.config.n_ctx
        windows = [encode(model, text[: 4 * limit])[:limit] for text in texts if text.strip()]
        with torch.inference_mode():
            values = observe(subjects, windows).values[component.index or 0].float().numpy()
        cut = np.cumsum([len(window) for window in windows])[:-1]
        return [
            Excerpt(
                tuple(token_text(model, token) for token in window),
                window,
                side_values(value, side),
                "tried",
            )
            for window, value in zip(windows, np.split(values, cut), strict=True)
        ]

    return run


Prompts = Mapping[tuple[str, str, str], set[str]]
"""Hashes of the questions that led to scored explanations, by component, side and explainer."""


def _scored_prompts(store: ExplanationStore, label: str) -> Prompts:
    found: dict[tuple[str, str, str], set[str]] = {}
    for name, side, explainer, prompt in store.select(
        "SELECT component, side, explainer, prompt_hash FROM explanations WHERE score IS NOT NULL",
        (),
    ):
        if explainer.startswith(f"{label}:"):
            found.setdefault((name, side, explainer), set()).add(prompt)
    return found


def _is_done(
    dataset: Dataset,
    component: Component,
    side: Side,
    explainer: Careful,
    plan: Plan,
    prompts: Prompts,
) -> bool:
    """Whether one of the plan's own questions led to a scored explanation of the side."""
    known = prompts.get((str(component), side, side_label(explainer, component, plan)))
    if not known:
        return False
    questions = candidate_questions(evidence(dataset.record(component), side), plan)
    return any(content_hash(explainer.name, it.to_json()) in known for it in questions)


def _report(
    on_progress: OnProgress,
    counts: dict[str, int],
    before: int,
    total: int,
    explainer: Careful,
    judge: Careful,
) -> None:
    budgets = {id(it.budget): it.budget for it in (explainer, judge)}.values()
    metrics = {
        "failed": float(counts["failed"]),
        "calls": float(sum(it.calls for it in budgets)),
        "cached": float(sum(it.cached for it in budgets)),
        "tokens": float(sum(it.tokens for it in budgets)),
        "cost": sum(it.cost for it in budgets),
    }
    done = before + counts["explained"] + counts["failed"]
    on_progress(Progress(done, total, "sides", "Explaining", metrics))
