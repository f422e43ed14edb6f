"""`tdb explain`: say what the components of a dataset respond to, with or without a language model.

    tdb explain --dataset DIR --out FILE.sqlite                                   lookup and trigger graphs
    tdb explain --dataset DIR --out FILE.sqlite --method llm --llm gpt-4o-mini    any OpenAI-compatible endpoint
    tdb explain ... --method llm --local smollm2 --simulator all_at_once          a model in this process
    tdb explain ... --method llm --local smollm2 --ray auto --workers 8           many of them, on a Ray cluster

A killed command goes on where it was when it is given again: nothing that was answered is asked twice.
"""

import asyncio
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from activation_server.language_models import (
    BaseUrl,
    CompletionPrice,
    Concurrency,
    LlmName,
    Local,
    MaxCost,
    MaxTokens,
    Patience,
    PromptPrice,
    RayAddress,
    Replies,
    Simulator,
    Timeout,
    Workers,
    open_provider,
)
from activation_server.options import Device, Dtype, ModelName, Threads, load_named
from activation_server.progress_lines import ProgressOption, Report, reporting

if TYPE_CHECKING:
    from neuron_explainer.autoencoders.coder_set import CoderSet
    from neuron_explainer.exemplars.layout import Group
    from neuron_explainer.exemplars.store import Dataset
    from neuron_explainer.explanations.careful import Careful
    from neuron_explainer.explanations.explain import Plan
    from neuron_explainer.explanations.store import ExplanationStore
    from neuron_explainer.models.transformer import Transformer
    from neuron_explainer.nodes import Component


N_TOLD = 5
"""Failures that are told at the end; all of them are in the store."""


class Method(StrEnum):
    """How a component is explained; a class, since Typer knows no list of literals."""

    LOOKUP = "lookup"
    TRIGGER_GRAPH = "trigger_graph"
    LLM = "llm"


def explain(
    dataset: Annotated[str, typer.Option(help="A folder that `tdb collate` made.")],
    out: Annotated[Path, typer.Option(help="Store of explanations; made if it is not there.")],
    component: Annotated[
        list[str] | None,
        typer.Option(
            "--component",
            "--components",
            help="mlp_L3_117, mlp_L3, mlp_L3_0-99, all; may be repeated. By default all.",
        ),
    ] = None,
    method: Annotated[
        list[Method] | None,
        typer.Option(help="May be repeated; by default lookup and trigger_graph."),
    ] = None,
    model: ModelName = None,
    coder: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME:SITE=PATH of a coder set whose latents the dataset holds; the demo's are known."
        ),
    ] = None,
    llm: LlmName = None,
    base_url: BaseUrl = None,
    local: Local = None,
    style: Annotated[
        Literal["activations", "excerpts"], typer.Option(help="How excerpts are shown.")
    ] = "activations",
    candidates: Annotated[int, typer.Option(min=1, max=100, help="Phrases to choose from.")] = 1,
    simulator: Simulator = "json",
    revise: Annotated[
        bool, typer.Option("--revise", help="Revise the best phrase on counter-examples.")
    ] = False,
    judge: Annotated[bool, typer.Option(help="Also detection and fuzzing scores.")] = True,
    concurrency: Concurrency = 4,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    prompt_price: PromptPrice = 0.0,
    completion_price: CompletionPrice = 0.0,
    replies: Replies = None,
    timeout: Timeout = 60.0,
    patience: Patience = 180.0,
    ray: RayAddress = None,
    workers: Workers = None,
    dtype: Dtype = "float32",
    device: Device = None,
    threads: Threads = None,
    progress: ProgressOption = "bar",
) -> None:
    """Say in words what components respond to, and score what was said."""
    with reporting(progress, "Explaining") as report:
        from activation_server.coders import open_coder_sets
        from neuron_explainer.exemplars.store import open_dataset
        from neuron_explainer.explanations.explain import Plan
        from neuron_explainer.explanations.selection import select_components
        from neuron_explainer.explanations.store import ExplanationStore
        from neuron_explainer.explanations.vectors import encoder_for, update_vectors

        opened = open_dataset(dataset)
        chosen = select_components(opened, component or ["all"])
        plan = Plan(style, candidates, simulator=simulator, revise=revise, judge=judge)
        started = time.monotonic()
        loaded = load_named(model, dtype, device, threads)
        coder_sets = open_coder_sets(coder or [], loaded)
        with ExplanationStore.open(out, writable=True) as store:
            store.note(model=loaded.config.name, dataset=opened.name)
            note_coders(opened, chosen, store)
            methods = list(dict.fromkeys(method or [Method.LOOKUP, Method.TRIGGER_GRAPH]))
            result: dict[str, object] = {}
            if "lookup" in methods or "trigger_graph" in methods:
                by_rule(opened, chosen, store, loaded, coder_sets, methods, report)
            if "llm" in methods:
                careful = open_provider(
                    llm=llm,
                    base_url=base_url,
                    local=local,
                    subject=loaded,
                    concurrency=concurrency,
                    max_tokens=max_tokens,
                    max_cost=max_cost,
                    prompt_price=prompt_price,
                    completion_price=completion_price,
                    replies=replies,
                    timeout=timeout,
                    patience=patience,
                    echo=simulator == "all_at_once",
                    ray=ray,
                    workers=workers,
                )
                result = by_llm(opened, chosen, store, loaded, coder_sets, careful, plan, report)
            update_vectors(store, encoder_for(store.path))
            failures = store.failures()
            told = [f"{it.component} ({it.stage}): {it.reason}" for it in failures]
            result |= {
                "out": str(out),
                "n_explanations": len(store),
                "n_failures": len(failures),
                "first_failures": "; ".join(told[:N_TOLD]),
                "seconds": round(time.monotonic() - started, 1),
            }
        stopped = f" Stopped early: {result['stopped']}" if result.get("stopped") else ""
        report.finish(
            result,
            f"{result['n_explanations']} explanations, {result['n_failures']} failures, in {out}."
            f"{stopped}",
        )


def by_rule(
    dataset: "Dataset",
    components: "list[Component]",
    store: "ExplanationStore",
    model: "Transformer",
    coder_sets: "list[CoderSet]",
    methods: "Sequence[str]",
    report: Report,
) -> None:
    """Explanations without a language model; what a method has explained already is not done again."""
    from neuron_explainer.explanations.rule_explainer import (
        METHODS,
        RULE_LABELS,
        GroupToExplain,
        RuleMethod,
        explain_group,
    )
    from neuron_explainer.explanations.store import chunks

    chosen = set(components)
    done = {
        method: {name for label in RULE_LABELS[method] for name, _ in store.done(label)}
        for method in METHODS
        if method in methods
    }
    for group in dataset.groups:
        members = dataset.components(group.kind, group.layer, group.stream)
        todo: dict[tuple[RuleMethod, ...], list[Component]] = {}
        for it in members:
            missing = tuple(method for method, of in done.items() if str(it) not in of)
            if it in chosen and missing:
                todo.setdefault(missing, []).append(it)
        coders = coders_of(group, coder_sets)
        if group.kind == "latent" and coders is None and todo:
            raise LookupError(
                f"{group.name} holds latents of the coder {group.coder!r}, which is not loaded: "
                f"give it with --coder {group.coder}=PATH, or explain others (--component)."
            )
        subject = GroupToExplain(model, dataset, group.kind, group.layer, group.stream, coders)
        for missing, components_of in todo.items():
            for some in chunks(components_of, 256):
                found = list(
                    explain_group(subject, components=some, methods=missing, on_progress=report)
                )
                with store.transaction():
                    for explanation in found:
                        store.add(explanation)


def note_coders(
    dataset: "Dataset", chosen: "Sequence[Component]", store: "ExplanationStore"
) -> None:
    """Note whose latents are about to be explained. Raises ValueError where the store has another's."""
    places = {(it.kind, it.layer, it.stream) for it in chosen}
    for group in dataset.groups:
        if (group.kind, group.layer, group.stream) in places and group.stream and group.coder:
            store.note_coder(group.stream, group.coder)


def coders_of(group: "Group", coder_sets: "Sequence[CoderSet]") -> "CoderSet | None":
    """The coder set whose latents a dataset's group holds: the one it names, else the first of the stream."""
    of_stream = [it for it in coder_sets if it.stream == group.stream]
    return next((it for it in of_stream if group.coder in (None, it.name)), None)


def by_llm(
    dataset: "Dataset",
    components: "list[Component]",
    store: "ExplanationStore",
    model: "Transformer",
    coder_sets: "list[CoderSet]",
    careful: "Careful",
    plan: "Plan",
    report: Report,
) -> dict[str, object]:
    """Explanations by a language model."""
    from neuron_explainer.explanations.evidence import Evidence
    from neuron_explainer.explanations.explain import RunTexts
    from neuron_explainer.explanations.explain_job import explain_all, texts_runner
    from neuron_explainer.explanations.observations import Subjects
    from neuron_explainer.nodes import Component

    def runner(known: Evidence) -> RunTexts:
        component = Component.parse(known.component)
        place = (component.kind, component.layer, component.stream)
        groups = (it for it in dataset.groups if (it.kind, it.layer, it.stream) == place)
        coders = next((coders_of(it, coder_sets) for it in groups), None)
        subjects = Subjects(model, component.kind, component.layer or 0, coders)
        return texts_runner(subjects, component, known.side)

    async def run() -> dict[str, object]:
        try:
            found = await explain_all(
                dataset,
                components,
                store,
                careful,
                careful,
                plan,
                run_texts=runner if plan.revise else None,
                on_progress=report,
            )
        finally:
            await careful.close()
        budget = careful.budget
        spent = {"calls": budget.calls, "cached": budget.cached, "tokens": budget.tokens}
        return {**vars(found), **spent, "cost": budget.cost}

    return asyncio.run(run())
