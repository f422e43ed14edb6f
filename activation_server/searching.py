"""`tdb search` and `tdb score`: find components by what was said of them, and score a sentence.

tdb search "days of the week" --explanations FILE.sqlite
tdb search --explanations FILE.sqlite --import PUBLIC.jsonl --reindex minilm
tdb score mlp_L3_117 "fires on ' Monday', ' Tuesday'" --dataset DIR --simulator literal
tdb score mlp_L3_117 "fires on days of the week" --dataset DIR --local smollm2
"""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from activation_server.language_models import (
    BaseUrl,
    Concurrency,
    LlmName,
    Local,
    MaxTokens,
    Patience,
    Replies,
    Timeout,
    open_provider,
)
from activation_server.options import clear_errors

Store = Annotated[
    Path | None,
    typer.Option("--explanations", help="A store that `tdb explain` made; by default the demo's."),
]


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")] = "",
    explanations: Store = None,
    mode: Annotated[Literal["meaning", "keyword"], typer.Option()] = "meaning",
    kind: Annotated[Literal["attn", "mlp", "latent"] | None, typer.Option()] = None,
    layer: Annotated[int | None, typer.Option(min=0)] = None,
    side: Annotated[Literal["positive", "negative"] | None, typer.Option()] = None,
    min_score: Annotated[
        float | None, typer.Option(help="Only explanations that score so.")
    ] = None,
    min_density: Annotated[
        float | None, typer.Option(help="Only what is active on this share of tokens or more.")
    ] = None,
    max_density: Annotated[
        float | None, typer.Option(help="Only what is active on this share of tokens or less.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    reindex: Annotated[
        str | None,
        typer.Option(help="Encode anew first: words (built in), minilm, a folder or a hub name."),
    ] = None,
    imported: Annotated[
        list[Path] | None,
        typer.Option(
            "--import", help="JSON lines of OpenAI's, Neuronpedia's or ours, to add first."
        ),
    ] = None,
    exported: Annotated[
        Path | None, typer.Option("--export", help="Write all explanations as JSON lines.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One result a line, as JSON.")] = False,
) -> None:
    """Find components by meaning or keyword; import, export and index explanations."""
    from neuron_explainer.explanations.encoders import load_encoder
    from neuron_explainer.explanations.formats import read_explanations, write_explanations
    from neuron_explainer.explanations.search import Filters, SearchIndex, search_keywords
    from neuron_explainer.explanations.store import ExplanationStore
    from neuron_explainer.explanations.vectors import load_vectors, update_vectors

    with clear_errors():
        path = explanations or _demo_store()
        changes = bool(imported) or reindex is not None
        with ExplanationStore.open(path, writable=changes) as store:
            for file in imported or []:
                with store.transaction():
                    for it in read_explanations(file):
                        store.add(it.explanation, it.simulations)
            known = load_vectors(path)
            encoder = load_encoder(reindex or (known.encoder if known else "words"))
            if changes:
                update_vectors(store, encoder)
            if exported is not None:
                typer.echo(f"{write_explanations(store.all(), exported)} explanations.", err=True)
            if not query:
                return
            filters = Filters(
                kind=kind,
                layer=layer,
                side=side,
                min_score=min_score,
                min_density=min_density,
                max_density=max_density,
            )
            hits = (
                SearchIndex.open(store, encoder).meaning(query, limit, filters)
                if mode == "meaning"
                else search_keywords(store, query, limit, filters)
            )
        for hit in hits:
            typer.echo(_line(hit.explanation, hit.similarity, as_json))


def score(
    component: Annotated[str, typer.Argument(help="As in mlp_L3_117.")],
    text: Annotated[str, typer.Argument(help="The explanation to score.")],
    dataset: Annotated[str, typer.Option(help="A folder that `tdb collate` made.")],
    side: Annotated[Literal["positive", "negative"], typer.Option()] = "positive",
    llm: LlmName = None,
    base_url: BaseUrl = None,
    local: Local = None,
    simulator: Annotated[
        Literal["literal", "json", "all_at_once", "token_by_token"],
        typer.Option(help="Who reads the sentence: `literal` takes it at its word, with no model."),
    ] = "json",
    concurrency: Concurrency = 4,
    max_tokens: MaxTokens = None,
    replies: Replies = None,
    timeout: Timeout = 60.0,
    patience: Patience = 180.0,
) -> None:
    """Score one sentence about one component: how well it predicts held-out activations."""
    import json
    from dataclasses import asdict

    from activation_server.scoring import score_literally
    from neuron_explainer.exemplars.store import open_dataset
    from neuron_explainer.explanations.evidence import evidence
    from neuron_explainer.explanations.explain import Explained, Plan, score_explanation
    from neuron_explainer.explanations.explanation import Explanation, now
    from neuron_explainer.explanations.simulate import SimulatorKind
    from neuron_explainer.nodes import Component

    def by_language_model(simulator: SimulatorKind) -> Explained:
        careful = open_provider(
            llm=llm,
            base_url=base_url,
            local=local,
            subject=None,
            concurrency=concurrency,
            max_tokens=max_tokens,
            max_cost=None,
            prompt_price=0.0,
            completion_price=0.0,
            replies=replies,
            timeout=timeout,
            patience=patience,
            echo=simulator == "all_at_once",
        )

        async def run() -> Explained:
            try:
                known, plan = evidence(record, side), Plan(simulator=simulator)
                return await score_explanation(careful, said, known, plan)
            finally:
                await careful.close()

        return asyncio.run(run())

    with clear_errors():
        said = Explanation(Component.parse(component), text, side, "human", now())
        record = open_dataset(dataset).record(said.component)
        explained = (
            score_literally(said, record)
            if simulator == "literal"
            else by_language_model(simulator)
        )
        measures = {name: asdict(it) for name, it in explained.explanation.measures.items()}
        typer.echo(json.dumps({"scores": measures, "problems": explained.problems}, indent=1))


def _demo_store() -> Path:
    from neuron_explainer.models.model_folder import demo_dir

    demo = demo_dir()
    if demo is None:
        raise LookupError("Name a store of explanations: --explanations FILE.sqlite.")
    return demo / "explanations.sqlite"


def _line(explanation: object, similarity: float, as_json: bool) -> str:
    import json

    from neuron_explainer.explanations.explanation import Explanation
    from neuron_explainer.explanations.formats import to_line

    assert isinstance(explanation, Explanation)
    if as_json:
        return json.dumps({"similarity": round(similarity, 4), **json.loads(to_line(explanation))})
    known = "    " if explanation.score is None else f"{explanation.score:4.2f}"
    return f"{similarity:6.3f}  {known}  {str(explanation.component):18} {explanation.text}"
