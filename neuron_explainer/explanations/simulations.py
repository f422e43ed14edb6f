"""Simulations that are computed when asked for: those of rules, which are too many to be kept."""

import numpy as np

from neuron_explainer.exemplars.records import ComponentRecord
from neuron_explainer.explanations.evidence import evidence
from neuron_explainer.explanations.explanation import Explanation, SimulatedExcerpt
from neuron_explainer.explanations.head_rule import HeadRule
from neuron_explainer.explanations.score import simulation_scores
from neuron_explainer.explanations.token_rule import TokenRule


def simulated_by_rule(
    explanation: Explanation, record: ComponentRecord
) -> tuple[SimulatedExcerpt, ...]:
    """What a rule predicts on the held-out excerpts, calibrated, beside the truth.

    A head's values are added up over the keys of each query, so that there is one for each token.
    """
    if explanation.rule is None:
        return ()
    known = evidence(record, explanation.side)
    excerpts = []
    for it in known.held_out:
        if explanation.component.kind == "attn":
            simulated = HeadRule.from_json(explanation.rule).simulate(it.token_ids).sum(1)
            true = it.values.sum(1)
        else:
            simulated = TokenRule.from_json(explanation.rule).simulate(it.token_ids)
            true = it.values
        excerpts.append(
            SimulatedExcerpt(it.tokens, np.asarray(true).tolist(), simulated.tolist(), it.sample)
        )
    return simulation_scores(excerpts)[1]
