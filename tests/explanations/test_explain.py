"""Explaining with a language model that behaves as told: candidates, simulation, revision, failures, resumption."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.careful import Budget, Careful
from neuron_explainer.explanations.evidence import Evidence, Excerpt, sides_of
from neuron_explainer.explanations.explain import (
    ExplanationFailed,
    Plan,
    explain,
    score_explanation,
)
from neuron_explainer.explanations.explain_job import explain_all
from neuron_explainer.explanations.explanation import Explanation
from neuron_explainer.explanations.judge import detection_trials, fuzzing_trials
from neuron_explainer.explanations.providers import (
    Fake,
    PromptToken,
    ProviderError,
    Question,
    Reply,
    Usage,
)
from neuron_explainer.explanations.replies import UnusableReply, numbers_from, phrase_from
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.simulate import (
    SimulationFailed,
    SimulatorKind,
    expected_value,
    simulate,
    unknown_slots,
)
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.nodes import Component

RIGHT, WRONG = "fires on x", "fires on y"
RNG = np.random.default_rng(1)


def neuron() -> Evidence:
    """Fires 1.0 on ' x' and nowhere else."""
    excerpts = []
    for number in range(40):
        tokens = tuple(f" {RNG.choice(list('abcxyz'))}" for _ in range(20))
        if number % 2 == 0:
            tokens = tuple(" a" if token == " x" else token for token in tokens)
            tokens = (*tokens[:10], " x", *tokens[11:]) if number % 4 == 0 else tokens
        values = np.array([float(token == " x") for token in tokens])
        sample = "top" if values.any() else "random"
        excerpts.append(Excerpt(tokens, (), values, sample))
    top = [it for it in excerpts if it.sample == "top"]
    random = [it for it in excerpts if it.sample == "random"]
    return Evidence(
        "mlp_L0_0", "positive", 1.0, 0.05, tuple(top[5:] + random[5:]), tuple(top[:5] + random[:5])
    )


def model_of_the_world(question: Question) -> str:
    """Answers every kind of question about the neuron, by what the explanation in it says."""
    system, last = question.messages[0].content, question.messages[-1].content
    if "proposed" in last or '"should"' in last:
        return json.dumps({"should": ["a x b"], "should_not": ["a b"]})
    if "new sentences were run" in last:
        return RIGHT
    said = re.search(r"[Rr]esponds to: (.*)", last)
    wanted = said[1].split()[-1] if said else ""
    if '{"activations"' in system:
        tokens = re.findall(r"^\d+: ' (.)'$", last, re.MULTILINE)
        return f'```json\n{{"activations": {[10 * (t == wanted) for t in tokens]}}}\n```'
    if '{"ratings"' in last:
        listed = re.findall(r"^\d+\. '(.*)'$", last, re.MULTILINE)
        marks = "{{" in last
        fits = [f"{{{{ {wanted}" in it if marks else f" {wanted}" in it for it in listed]
        return json.dumps({"ratings": [9 * fit for fit in fits]})
    return WRONG if question.sample == 0 else f' "{RIGHT}" \n because'


def run_explain(fake: Fake, plan: Plan, known: Evidence | None = None) -> list:  # type: ignore[type-arg]
    careful = Careful(fake, ReplyCache(None))
    ran: list[Sequence[str]] = []

    def run_texts(texts: Sequence[str]) -> list[Excerpt]:
        ran.append(texts)
        return [
            Excerpt(
                tuple(text.split()), (), np.array([float(t == "x") for t in text.split()]), "tried"
            )
            for text in texts
        ]

    return asyncio.run(explain(careful, careful, known or neuron(), plan, run_texts))


def test_the_best_candidate_on_held_out_excerpts_wins_with_a_perfect_score() -> None:
    found = run_explain(Fake(model_of_the_world), Plan(candidates=3))
    best, other = found
    assert (best.explanation.text, other.explanation.text) == (RIGHT, WRONG)
    for name in (
        "correlation",
        "correlation_top",
        "correlation_percentile",
        "r_squared",
        "absolute_deviation",
        "detection_accuracy",
        "detection_auroc",
        "fuzzing_accuracy",
        "fuzzing_auroc",
    ):
        value = best.explanation.measures[name].value
        assert value is not None, name
        assert value > 0.99, name
    assert best.explanation.measures["correlation"].n == 200
    # On random excerpts it never fires, so there is nothing to correlate with.
    assert best.explanation.measures["correlation_random"].value is None
    assert abs(other.explanation.score or 0.0) < 0.15
    assert best.problems == ()
    assert len(best.explanation.prompt_hash) == 64
    assert best.explanation.prompt_hash != other.explanation.prompt_hash
    assert list(best.simulations[0].true) == pytest.approx(best.simulations[0].simulated)


def test_a_revision_on_counter_examples_can_win() -> None:
    found = run_explain(Fake(model_of_the_world), Plan(revise=True, judge=False))
    assert [it.explanation.text for it in found] == [RIGHT, WRONG]
    assert found[0].explanation.explainer == "fake:activations:revised"


def test_a_reply_that_cannot_be_used_is_a_failure_and_never_zeros() -> None:
    def garbage(question: Question) -> str:
        return "0 0 0" if "activations" in question.messages[0].content else WRONG

    (found,) = run_explain(Fake(garbage), Plan(judge=True))
    measure = found.explanation.measures["correlation"]
    assert measure.value is None
    assert "no JSON" in measure.reason
    assert found.simulations == ()
    assert any("simulation of a top excerpt failed" in problem for problem in found.problems)
    assert found.explanation.measures["detection_auroc"].value is None
    assert "detection failed" in found.explanation.measures["detection_auroc"].reason


def test_one_bad_simulation_leaves_the_others() -> None:
    calls: list[int] = []

    def sometimes(question: Question) -> str:
        if '{"activations"' in question.messages[0].content:
            calls.append(1)
            if len(calls) == 1:
                return '{"activations": [1, 2]}'
        return model_of_the_world(question)

    careful = Careful(Fake(sometimes), ReplyCache(None))
    said = Explanation(Component("mlp", 0, 0), RIGHT, "positive", "human", "now")
    found = asyncio.run(score_explanation(careful, said, neuron(), Plan()))
    assert found.explanation.score == pytest.approx(1.0)
    assert found.explanation.measures["correlation"].n == 180
    assert found.problems == (
        "simulation of a top excerpt failed: 2 numbers for 20 tokens or excerpts",
    )


def test_no_phrase_at_all_is_an_explanation_that_failed() -> None:
    with pytest.raises(ExplanationFailed, match="empty") as caught:
        run_explain(Fake(lambda _: " \n "), Plan())
    assert caught.value.stage == "explain"


# --- reading replies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"activations": [0, 3, 10]}',
        'Sure!\n```json\n{"activations": [0, 3, 10,]}\n```',
        "[0, 3, 10]",
        '{"activations": [{"token": "a", "activation": 0}, {"token": "b", "activation": 3}, {"x": 10}]}',
        '{"activations": {"1": 0, "2": 3, "3": "10"}}',
        '{"3": 10, "1": 0, "2": 3}',
    ],
)
def test_what_is_plainly_meant_is_read(text: str) -> None:
    assert numbers_from(text, "activations", 3) == [0, 3, 10]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("I cannot do that.", "no JSON"),
        ('{"activations": [0, 3]}', "2 numbers for 3"),
        ('{"activations": [0, 3, 11]}', "11 is not from 0 to 10"),
        ('{"activations": [0, null, 1]}', "not a number"),
        ('{"activations": [0, true, 1]}', "not a number"),
        ('{"activations": [0, NaN, 1]}', "not a number"),
        ('{"activations": "none"}', "no list"),
        pytest.param("[" * 100_000, "no JSON", id="endless"),
        pytest.param('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", "no JSON", id="deep"),
        pytest.param('{"activations": [0, 1' + "0" * 400 + ", 1]}", "beyond", id="400 digits"),
        pytest.param('{"activations": [0, 1' + "0" * 5000 + ", 1]}", "no JSON", id="5000 digits"),
    ],
)
def test_what_is_not_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(UnusableReply, match=reason) as caught:
        numbers_from(text, "activations", 3)
    assert len(str(caught.value)) < 300


def test_a_phrase_is_the_first_line_that_says_something() -> None:
    assert phrase_from('\n "cats <b>" \nbecause') == "cats <b>"


# --- log-probabilities ----------------------------------------------------------------------------


def test_the_expected_value_is_the_mean_over_the_numbers_alone() -> None:
    top = {"0": np.log(0.5), " 10": np.log(0.25), "cat": np.log(0.2), "7": np.log(0.05)}
    assert expected_value(top) == pytest.approx((0 * 0.5 + 10 * 0.25 + 7 * 0.05) / 0.8)
    with pytest.raises(UnusableReply):
        expected_value({"cat": 0.0})


class Certain(Fake):
    """Sure of the strongest response there is; cuts numbers into digits, or does not."""

    has_prompt_logprobs = True

    def __init__(self, *, splits_numbers: bool) -> None:
        super().__init__(lambda _: "")
        self._cut = r"unknown|\d|\D" if splits_numbers else r"unknown|\d+|\D"

    def _likely(self, prompt: str) -> dict[str, float]:
        strongest = re.search(r"to (\d+) \(strongest", prompt)
        first = re.findall(self._cut, strongest[1])[0] if strongest else "?"
        return {first: -0.001, "cat": -7.0}

    async def complete(self, question: Question) -> Reply:
        likely = self._likely(question.messages[0].content)
        return Reply(next(iter(likely)), logprobs=(likely,))

    async def prompt_tokens(
        self, prompt: str, candidates: Sequence[str]
    ) -> tuple[list[PromptToken], Usage]:
        likely = self._likely(prompt) | dict.fromkeys(candidates[:1], -9.0)
        cut = re.findall(self._cut, prompt, re.DOTALL)
        return [PromptToken(text, likely) for text in cut], Usage(len(cut), 0)


@pytest.mark.parametrize("splits_numbers", [True, False])
@pytest.mark.parametrize("kind", ["all_at_once", "token_by_token"])
def test_who_is_certain_of_the_strongest_response_predicts_ten(
    kind: SimulatorKind, splits_numbers: bool
) -> None:
    """A tokenizer that writes 10 as a 1 and a 0 must not make it a 1."""
    provider = Certain(splits_numbers=splits_numbers)
    found = asyncio.run(simulate(provider, kind, "fires on x", [" a", " x"]))
    assert found == pytest.approx([10, 10], abs=0.01)


def test_slots_are_found_however_the_prompt_is_cut() -> None:
    def cut(*parts: str) -> list[PromptToken]:
        return [PromptToken(part, {}) for part in parts]

    assert unknown_slots(cut("'a'", "\t", "unk", "nown", "\n'b'\t", "unknown"), 2) == [2, 5]
    assert unknown_slots(cut("x\t", "unknown", "'a'", "\tunknown", "\n'b'", "\tunknown"), 2) == [
        3,
        5,
    ]
    with pytest.raises(UnusableReply):
        unknown_slots(cut("'a'\tunkn", "own"), 1)


def test_a_provider_without_log_probabilities_says_so() -> None:
    with pytest.raises(SimulationFailed, match="json simulator"):
        asyncio.run(simulate(Fake(lambda _: ""), "all_at_once", "x", [" a"]))
    with pytest.raises(SimulationFailed, match="log-probabilities"):
        asyncio.run(simulate(Fake(lambda _: ""), "token_by_token", "x", [" a"]))


# --- judging --------------------------------------------------------------------------------------


def test_trials_hold_true_and_false_cases_and_hard_negatives() -> None:
    plain = neuron()
    weak = Excerpt((" a", " x", " b"), (), np.array([0.0, 0.2, 0.0]), "quantile")
    firm = Excerpt((" x", " x"), (), np.array([0.0, 0.6]), "quantile")
    known = replace(plain, train=(*plain.train, weak, firm))
    trials = detection_trials(known)
    assert [trial.is_true for trial in trials].count(True) == 5
    false = {trial.text for trial in trials if not trial.is_true}
    assert " a x b" in false
    assert " x x" not in false
    assert len(false) == 6
    assert detection_trials(known) == trials
    marked = fuzzing_trials(neuron())
    assert sum(trial.is_true for trial in marked) == 5
    assert sorted(trial.excerpt for trial in marked) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    for trial in marked:
        inside = re.findall(r"\{\{(.*?)\}\}", trial.text)
        assert all((" x" in it) == trial.is_true for it in inside)


# --- many -----------------------------------------------------------------------------------------


def test_a_job_keeps_what_is_done_and_goes_on_where_it_stopped(
    dataset: Dataset, tmp_path: Path
) -> None:
    def answer(question: Question) -> str:
        if '{"activations"' in question.messages[0].content:
            n = len(re.findall(r"^\d+: ", question.messages[-1].content, re.MULTILINE))
            return json.dumps({"activations": [number % 3 for number in range(n)]})
        return "a phrase <script>"

    components = dataset.components("mlp", 0)[:3]
    plan = Plan(judge=False)
    path = tmp_path / "replies.sqlite"

    def run(budget: Budget | None) -> tuple[Fake, object]:
        fake = Fake(answer)
        careful = Careful(fake, ReplyCache(path), budget)
        with ExplanationStore.open(tmp_path / "e.sqlite", writable=True) as store:
            return fake, asyncio.run(
                explain_all(dataset, components, store, careful, careful, plan)
            )

    first, stopped = run(Budget(max_tokens=9000))
    assert "9,000 tokens" in stopped.stopped  # type: ignore[attr-defined]
    second, done = run(None)
    assert done.stopped == ""  # type: ignore[attr-defined]
    asked = [question for fake in (first, second) for question in fake.questions]
    assert len(asked) == len(set(asked))
    third, again = run(None)
    assert third.questions == []
    sides = sum(len(sides_of(dataset.record(c))) for c in components)
    assert again.skipped == sides  # type: ignore[attr-defined]
    with ExplanationStore.open(tmp_path / "e.sqlite") as store:
        assert len(store) == sides
        assert {it.text for it in store.all()} == {"a phrase <script>"}


def test_a_side_is_done_when_it_has_a_score_by_the_same_plan(
    dataset: Dataset, tmp_path: Path
) -> None:
    """What failed to be scored is tried again, and so is what is asked in another way."""
    is_down = True

    def answer(question: Question) -> str:
        if '{"activations"' in question.messages[0].content:
            if is_down:
                raise ProviderError("the server is down")
            n = len(re.findall(r"^\d+: ", question.messages[-1].content, re.MULTILINE))
            return json.dumps({"activations": [number % 3 for number in range(n)]})
        return f"phrase {question.sample}"

    components = dataset.components("mlp", 0)[:2]
    n_sides = sum(len(sides_of(dataset.record(c))) for c in components)

    def skipped(**plan: Any) -> int:
        careful = Careful(Fake(answer), ReplyCache(tmp_path / "replies.sqlite"))
        with ExplanationStore.open(tmp_path / "e.sqlite", writable=True) as store:
            asked = Plan(judge=False, **plan)
            result = asyncio.run(explain_all(dataset, components, store, careful, careful, asked))
        assert result.skipped + result.explained == n_sides
        return result.skipped

    assert skipped() == 0
    is_down = False
    assert [skipped(), skipped()] == [0, n_sides]
    for plan in ({"style": "excerpts"}, {"candidates": 2}):
        assert [skipped(**plan), skipped(**plan)] == [0, n_sides], plan
    assert skipped() == n_sides
