"""Detection and fuzzing: can a reader of the explanation tell excerpts that fire from those that do not?

    detection   held-out excerpts that fire strongly, against random ones and *hard negatives*: excerpts of the
                component's own lower quantile bands, which look alike and do not fire
    fuzzing     excerpts that fire, with the right tokens marked, against the same with as many wrong ones marked

Paulo et al. 2024, "Automatically Interpreting Millions of Features in Large Language Models". The reader gives a rating
from 0 to 10 to each excerpt: accuracy counts ratings of 5 or more as yes; AUROC needs no cut.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuron_explainer.explanations.evidence import Evidence
from neuron_explainer.explanations.explanation import Score
from neuron_explainer.explanations.lookup import FIRING
from neuron_explainer.explanations.prompts import (
    head_pair_messages,
    highlighted,
    marked_pair,
    rate_messages,
)
from neuron_explainer.explanations.providers import Provider, Question
from neuron_explainer.explanations.replies import numbers_from
from neuron_explainer.explanations.score import auroc_score, share_score

YES = 5.0
QUIET = 0.3
"""An excerpt that stays below this share of the component's largest value does not fire."""
N_HARD = 5


@dataclass(frozen=True)
class Trial:
    """One thing to rate, and whether it is a true case."""

    text: str
    is_true: bool
    excerpt: int
    """Trials of the same excerpt are resampled together."""


async def detect(provider: Provider, explanation: str, known: Evidence) -> dict[str, Score]:
    """Detection scores. Raises UnusableReply or ProviderError."""
    return await _rated(provider, explanation, detection_trials(known), "detection", marked=False)


async def fuzz(provider: Provider, explanation: str, known: Evidence) -> dict[str, Score]:
    """Fuzzing scores. Raises UnusableReply or ProviderError."""
    return await _rated(provider, explanation, fuzzing_trials(known), "fuzzing", marked=True)


async def judge_pairs(provider: Provider, explanation: str, known: Evidence) -> dict[str, Score]:
    """For heads: strong pairs against weak ones. Raises UnusableReply or ProviderError."""
    trials = pair_trials(known)
    if not trials:
        return {"auroc_pairs": Score(None, reason="there are no held-out pairs")}
    question = Question(
        head_pair_messages(explanation, [trial.text for trial in trials]),
        max_tokens=64 + 6 * len(trials),
        wants_json=True,
    )
    reply = await provider.complete(question)
    ratings = np.array(numbers_from(reply.text, "ratings", len(trials)))
    is_true = np.array([trial.is_true for trial in trials])
    excerpts = [trial.excerpt for trial in trials]
    return {"auroc_pairs": auroc_score(ratings, is_true, excerpts)}


def detection_trials(known: Evidence) -> list[Trial]:
    """Excerpts that fire, random ones that do not, and hard negatives; in an order that tells nothing."""
    fires, quiet = FIRING * known.largest, QUIET * known.largest
    strong = [it for it in known.held_out if it.sample == "top" and it.largest >= fires]
    silent = [it for it in known.held_out if it.sample == "random" and it.largest < quiet]
    alike = [it for it in known.of("quantile") if 0 < it.largest < quiet]
    hard = sorted(alike, key=lambda it: -it.largest)[:N_HARD]
    trials = [
        Trial("".join(it.tokens), number < len(strong), number)
        for number, it in enumerate([*strong, *silent, *hard])
    ]
    random.Random(known.component).shuffle(trials)
    return trials


def fuzzing_trials(known: Evidence) -> list[Trial]:
    """Each excerpt that fires twice: marked rightly, and with as many marks on tokens where it does not fire."""
    draw = random.Random(known.component)
    trials = []
    strong = [it for it in known.held_out if it.sample == "top" and it.largest > 0]
    for number, it in enumerate(strong):
        right = it.values >= FIRING * it.largest
        quiet = np.flatnonzero(it.values < QUIET * it.largest).tolist()
        n_marks = int(right.sum())
        trials.append(Trial(highlighted(it.tokens, right.tolist()), True, number))
        if len(quiet) >= n_marks:
            wrong = np.zeros(len(it.tokens), dtype=bool)
            wrong[draw.sample(quiet, n_marks)] = True
            trials.append(Trial(highlighted(it.tokens, wrong.tolist()), False, number))
    draw.shuffle(trials)
    return trials


def pair_trials(known: Evidence) -> list[Trial]:
    """The strongest pair of each held-out excerpt, and one to which the head hardly attends."""
    draw = random.Random(known.component)
    trials = []
    for number, it in enumerate(known.held_out):
        if it.largest < FIRING * known.largest:
            continue
        query, key = np.unravel_index(int(it.values.argmax()), it.values.shape)
        trials.append(Trial(marked_pair(it.tokens, int(query), int(key)), True, number))
        weak = [
            (int(q), int(k))
            for q, k in np.argwhere(it.values < 0.1 * known.largest).tolist()
            if k <= q
        ]
        if weak:
            trials.append(Trial(marked_pair(it.tokens, *draw.choice(weak)), False, number))
    draw.shuffle(trials)
    return trials


async def _rated(
    provider: Provider, explanation: str, trials: Sequence[Trial], name: str, *, marked: bool
) -> dict[str, Score]:
    if not trials:
        undefined = Score(None, reason="there are no excerpts to tell apart")
        return {f"{name}_accuracy": undefined, f"{name}_auroc": undefined}
    question = Question(
        rate_messages(explanation, [trial.text for trial in trials], marked=marked),
        max_tokens=64 + 6 * len(trials),
        wants_json=True,
    )
    reply = await provider.complete(question)
    ratings = np.array(numbers_from(reply.text, "ratings", len(trials)))
    is_true = np.array([trial.is_true for trial in trials])
    excerpts = [trial.excerpt for trial in trials]
    return {
        f"{name}_accuracy": share_score((ratings >= YES) == is_true, excerpts),
        f"{name}_auroc": auroc_score(ratings, is_true, excerpts),
    }
