"""Explains every component of the bundled demo without a language model, and says how well.

    python -m scripts.demo.explanations [--groups mlp_L0,attn_ae_L3] [--out FILE]

Writes datasets/demo/explanations.sqlite with its vectors, and datasets/demo/explanations.json: mean
scores by kind, layer and method. Groups that are in the file already are not done again. Of latents, of which there are
four times as many as of neurons, the trigger graphs alone are kept, with the lookup's score beside theirs.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from neuron_explainer import load_model
from neuron_explainer.autoencoders.coder_set import load_coder_set
from neuron_explainer.exemplars.layout import Group
from neuron_explainer.exemplars.store import open_dataset
from neuron_explainer.explanations.encoders import word_vectors
from neuron_explainer.explanations.explanation import RIVAL_SCORE
from neuron_explainer.explanations.rule_explainer import METHODS, GroupToExplain, explain_group
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import update_vectors

DEMO = Path("datasets/demo")
REPORTED = (
    "correlation",
    "correlation_top",
    "correlation_random",
    "r_squared",
    "precision",
    "recall",
    "auroc_pairs",
    RIVAL_SCORE,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEMO / "explanations.sqlite")
    parser.add_argument("--groups", help="As in mlp_L0,attn_ae_L3; by default all.")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = load_model(str(DEMO / "model"))
    dataset = open_dataset(DEMO / "exemplars")
    coders = {
        coder_set.stream: coder_set
        for card in sorted(DEMO.glob("coders/*/coders.json"))
        for coder_set in [load_coder_set(str(card.parent), model.config)]
    }
    store = ExplanationStore.open(arguments.out, writable=True)
    wanted = arguments.groups.split(",") if arguments.groups else [it.name for it in dataset.groups]
    for group in dataset.groups:
        if group.name not in wanted or store.about.get(group.name):
            continue
        started = time.process_time()
        named = coders.get(group.stream) if group.stream else None
        subject = GroupToExplain(model, dataset, group.kind, group.layer, group.stream, named)
        methods = METHODS if group.kind != "latent" else ("trigger_graph",)
        explanations = list(explain_group(subject, methods=methods))
        with store.transaction():
            for explanation in explanations:
                store.add(explanation)
            store.note(**{group.name: f"{time.process_time() - started:.0f} s"})
        print(group.name, len(explanations), store.about[group.name], flush=True)
        if named is not None and group.stream is not None:
            store.note_coder(group.stream, named.name)
    update_vectors(store, word_vectors())
    store.note(model="demo", dataset=dataset.name, encoder=word_vectors().name)
    write_report(store, dataset.groups, arguments.out.with_suffix(".json"))
    store.compact()


def write_report(store: ExplanationStore, groups: Sequence[Group], path: Path) -> None:
    """Mean scores of each kind, by layer and over all layers, for each method."""
    found = [(it, it.component) for it in store.all()]
    report = []
    for kind, stream in dict.fromkeys((group.kind, group.stream) for group in groups):
        layers: list[int | None] = [g.layer for g in groups if (g.kind, g.stream) == (kind, stream)]
        for layer in [*layers, None]:
            for method in dict.fromkeys(it.explainer for it, c in found if c.kind == kind):
                some = [
                    it
                    for it, c in found
                    if (c.kind, c.stream) == (kind, stream)
                    and it.explainer == method
                    and layer in (None, c.layer)
                ]
                report.append(
                    {"kind": kind, "stream": stream, "layer": layer, "explainer": method}
                    | {"sides": len(some), "components": len({it.component for it in some})}
                    | {name: _mean([it.scores.get(name) for it in some]) for name in REPORTED}
                )
    path.write_text(json.dumps(report, indent=1) + "\n")
    for row in report:
        if row["layer"] is None:
            print(row)


def _mean(values: Sequence[float | None]) -> dict[str, float | int] | None:
    """Mean over those that are defined, and how many are."""
    known = [value for value in values if value is not None]
    return {"mean": round(statistics.fmean(known), 4), "defined": len(known)} if known else None


if __name__ == "__main__":
    main()
