"""Scores the rules in a store of the demo's explanations anew, without explaining anything again.

    python -m scripts.demo.rescore [--store FILE] [--first N]

For use after a change of scores, intervals or densities; rules, sentences and rivals' scores stay as they are. The
vectors and datasets/demo/explanations.json are what scripts/demo/explanations.py makes of the store afterwards.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from neuron_explainer.exemplars.store import open_dataset
from neuron_explainer.explanations.evidence import Evidence, evidence
from neuron_explainer.explanations.explanation import PREFERRED_SCORE, Explanation, Score
from neuron_explainer.explanations.head_rule import HeadRule
from neuron_explainer.explanations.rule_explainer import score_head_rule, score_rule
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.token_rule import TokenRule

DEMO = Path("datasets/demo")
TOLERANCE = 0.01
"""Rules are stored with three digits."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=DEMO / "explanations.sqlite")
    parser.add_argument("--first", type=int, help="Only so many, to try it.")
    arguments = parser.parse_args()
    dataset = open_dataset(DEMO / "exemplars")
    with ExplanationStore.open(arguments.store, writable=True) as store:
        rules = [it for it in store.all() if it.rule is not None][: arguments.first]
        with store.transaction():
            for it in rules:
                known = evidence(dataset.record(it.component), it.side)
                measures = {**it.measures, **_measures(it, known)}
                if abs((measures[PREFERRED_SCORE].value or 0.0) - (it.score or 0.0)) > TOLERANCE:
                    raise SystemExit(
                        f"{it.component}: its score changes. The store was made from other excerpts, "
                        "and what is held out now may be what the rule was learnt from: build it anew."
                    )
                store.add(replace(it, measures=measures, density=known.density, id=None))
    print(f"{len(rules)} rules were scored anew.")


def _measures(explanation: Explanation, known: Evidence) -> dict[str, Score]:
    assert explanation.rule is not None
    if explanation.component.kind == "attn":
        return score_head_rule(HeadRule.from_json(explanation.rule), known)
    return score_rule(TokenRule.from_json(explanation.rule), known)


if __name__ == "__main__":
    main()
