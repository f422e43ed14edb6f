"""Rules made without a language model: what they say, and that they find what there is to find."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations import ablation, rule_explainer
from neuron_explainer.explanations.ablation import study
from neuron_explainer.explanations.evidence import Split, evidence, side_values, sides_of
from neuron_explainer.explanations.explanation import SimulatedExcerpt
from neuron_explainer.explanations.lookup import Vocabulary, best_threshold, lookup_rule
from neuron_explainer.explanations.observations import (
    Observations,
    Subjects,
    observe,
    padded,
    probe,
    write_magnitudes,
)
from neuron_explainer.explanations.rule_explainer import (
    GroupToExplain,
    explain_group,
    training_windows,
)
from neuron_explainer.explanations.score import simulation_scores
from neuron_explainer.explanations.token_rule import STEPS, Pattern, TokenRule
from neuron_explainer.explanations.trigger_graph import RuleFitter
from neuron_explainer.models.hooks import Recorder
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.tiny_models import N_VOCAB, TinyModel, TinyModels, some_tokens

RULE = TokenRule(
    {5: 3.0, 6: 1.0},
    0.25,
    (
        Pattern(frozenset({5}), ((1, frozenset({7})), (3, frozenset({8, 9}))), 9.0, 0.5),
        Pattern(None, ((2, frozenset({7})),), 4.0),
    ),
    2.0,
)


def test_a_rule_is_its_first_matching_pattern_then_its_tokens() -> None:
    #       8  0     7     5     5     6    1
    text = (8, 0, 7, 5, 5, 6, 1)
    assert RULE.simulate(text).tolist() == [0.25, 0.25, 0.25, 9.0, 4.0, 1.0, 0.25]
    assert RULE.simulate(()).tolist() == []


def test_what_is_kept_of_a_rule_is_rounded_and_fires_alike() -> None:
    kept = RULE.as_kept()
    assert kept.patterns == RULE.patterns
    assert list(kept.values) == [5, 6]  # the strongest first, as wording wants them
    assert kept.values == pytest.approx(RULE.values, abs=3.0 / STEPS / 2)
    assert kept.as_kept() == kept
    values = {1: 0.1, 2: 0.06, 3: 0.04}
    fires = torch.tensor([True, True, False])
    threshold = best_threshold(torch.tensor(list(values.values())), fires, TokenRule(values, 0.0))
    said = TokenRule(values, 0.0, threshold=threshold).as_kept()
    assert said.values[2] > said.threshold > said.values[3]


def test_the_fitter_matches_patterns_as_the_rule_does() -> None:
    windows = [some_tokens(n, seed)[:n] for seed, n in enumerate((9, 1, 4, 12))]
    windows = [tuple(token % 10 for token in window) for window in windows]
    tokens, valid = padded(windows)
    fitter = RuleFitter(Observations(tokens, valid, torch.zeros(1, int(valid.sum()))), N_VOCAB)
    for pattern in RULE.patterns:
        expected = np.concatenate([pattern.matches(np.asarray(window)) for window in windows])
        assert fitter._matches(pattern).tolist() == expected.tolist()


def test_a_lookup_holds_the_shrunken_means_of_the_tokens_that_stand_out() -> None:
    tokens = torch.tensor([1, 1, 2, 3, 3, 3])
    values = torch.tensor([4.0, 2.0, 5.0, 0.0, 0.0, 0.1])
    vocabulary = Vocabulary.of(tokens)
    rule = lookup_rule(vocabulary.tokens, vocabulary.counts, vocabulary.sums(values))
    mean = 11.1 / 6
    assert list(rule.values) == [2, 1]
    assert rule.values[1] == pytest.approx((6 + mean) / 3)
    assert rule.values[2] == pytest.approx((5 + mean) / 2)
    assert rule.other == pytest.approx(0.1 / 3)
    predicted = torch.tensor([rule.values.get(t, rule.other) for t in tokens.tolist()])
    threshold = best_threshold(predicted, values >= 2.0, rule)
    assert (predicted >= threshold).tolist() == [True, True, True, False, False, False]


def test_a_rule_that_names_tokens_never_says_that_it_fires_on_all_others() -> None:
    """Where nearly everything fires, saying so has the best F1, but is not what the sentence says."""
    rule = TokenRule({1: 2.0}, 1.0)
    predicted = torch.tensor([1.0, 1.0, 1.0, 2.0])
    threshold = best_threshold(predicted, torch.ones(4, dtype=torch.bool), rule)
    assert rule.other < threshold < rule.values[1]


# --- a component whose behaviour is known ---------------------------------------------------------

FIRES, AFTER = {20, 21}, {30, 31, 32}


def truth(window: tuple[int, ...]) -> list[float]:
    """1 on a token of FIRES whose last but one neighbour is in AFTER."""
    return [
        1.0 if t >= 2 and window[t] in FIRES and window[t - 2] in AFTER else 0.0
        for t in range(len(window))
    ]


def texts(count: int, seed: int) -> list[tuple[int, ...]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        tuple((torch.randint(0, 24, (16,), generator=generator) + 12).tolist())
        for _ in range(count)
    ]


def test_a_trigger_graph_finds_the_tokens_and_what_must_come_before(
    subject: Transformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake_probe(
        subjects: Subjects,
        prefixes: torch.Tensor,
        endings: torch.Tensor,
        text: torch.Tensor,
        components: torch.Tensor,
    ) -> torch.Tensor:
        whole = torch.cat([prefixes[text], endings], dim=1)
        return torch.tensor([truth(tuple(row))[-1] for row in whole.tolist()])

    monkeypatch.setattr(ablation, "probe", fake_probe)
    windows = texts(300, seed=1)
    tokens, valid = padded(windows)
    values = torch.tensor([value for window in windows for value in truth(window)])
    observed = Observations(tokens, valid, values[None].half())
    seeds = study(
        Subjects(subject, "mlp", 0), observed, "positive", [0], torch.Generator().manual_seed(0)
    )[0]
    assert seeds
    assert all(seed.needs == (0, 2) for seed in seeds)
    fitter = RuleFitter(observed, N_VOCAB)
    lookup = fitter.lookup(values)
    rule = fitter.trigger_graph(values, lookup, seeds)
    (pattern,) = rule.patterns
    assert pattern.tokens == FIRES
    assert pattern.context == ((2, frozenset(AFTER)),)
    assert pattern.share == 1.0
    assert pattern.value == 1.0
    assert max([rule.other, *rule.values.values()]) < rule.threshold < 1.0

    def correlation(rule: TokenRule) -> float:
        excerpts = [
            SimulatedExcerpt(("t",) * 16, truth(window), rule.simulate(window).tolist(), "top")
            for window in texts(40, seed=2)
        ]
        return simulation_scores(excerpts)[0]["correlation"].value or 0.0

    assert correlation(rule) > 0.99
    assert 0.1 < correlation(lookup) < 0.6


# --- on the model ---------------------------------------------------------------------------------


def test_a_probe_is_the_models_own_value(varied: TinyModel) -> None:
    model = varied.ours
    subjects = Subjects(model, "mlp", 1)
    endings = torch.tensor([some_tokens(4, seed) for seed in range(6)])
    text, components = torch.tensor([0, 0, 1, 1, 1, 0]), torch.tensor([3, 5, 0, 1, 2, 7])
    for n_before in (0, 1, 9):
        prefixes = torch.tensor([some_tokens(n_before, seed) for seed in (7, 8)])
        prefixes = prefixes.reshape(2, n_before).long()
        found = probe(subjects, prefixes, endings, text, components)
        for row in range(len(endings)):
            recorder = Recorder(["mlp_post_act"])
            whole = torch.cat([prefixes[text[row]], endings[row]])[None]
            with torch.no_grad():
                model.layers(model.embed(whole), recorder.hooks())
            expected = recorder.values["mlp_post_act"][1][0, -1, components[row]]
            assert float(found[row]) == pytest.approx(float(expected), abs=2e-5)


def test_observed_values_are_those_of_each_window_alone(subject: Transformer) -> None:
    windows = [some_tokens(n, n) for n in (3, 12, 1)]
    observed = observe(Subjects(subject, "mlp", 2), windows)
    assert observed.text.tolist() == [token for window in windows for token in window]
    first = 0
    for window in windows:
        alone = observe(Subjects(subject, "mlp", 2), [window]).values
        assert torch.allclose(
            observed.values[:, first : first + len(window)].float(), alone.float(), atol=2e-3
        )
        first += len(window)


def test_write_magnitudes_are_the_norms_of_what_heads_write(tiny_models: TinyModels) -> None:
    for kind in ("gpt2", "llama-grouped"):
        model = tiny_models(kind).ours
        tokens = torch.tensor([some_tokens(7)])
        found = write_magnitudes(model, 1, tokens)
        recorder = Recorder(["attn_pattern", "attn_v"])
        with torch.no_grad():
            model.layers(model.embed(tokens), recorder.hooks())
        pattern, v = (recorder.values[site][1][0] for site in ("attn_pattern", "attn_v"))
        per_value = model.config.n_heads // model.config.n_kv_heads
        for head in range(model.config.n_heads):
            for query in range(7):
                for key in range(query + 1):
                    write = pattern[head, query, key] * (
                        v[head // per_value, key] @ model.block(1).attn.head_w_o()[head]
                    )
                    assert float(found[0, head, query, key]) == pytest.approx(
                        float(write.norm()), abs=1e-5
                    )


def test_nothing_that_is_judged_on_was_learnt_from(dataset: Dataset) -> None:
    records = [dataset.record(c) for c in dataset.components("mlp", 1)[:10]]
    learnt = set(training_windows(records, 1000))
    for record in records:
        for side in sides_of(record):
            known = evidence(record, side)
            assert known.held_out
            assert not learnt & {it.token_ids for it in known.held_out}
            assert all(it.token_ids in learnt for it in known.of("top"))
            assert [it.sample for it in known.held_out] == sorted(
                (it.sample for it in known.held_out), reverse=True
            )
    split = Split(records[0].random)
    random = [split.is_held_out(it.token_ids) for it in records[0].random]
    assert random == [bool(number % 2) for number in range(len(random))]


def test_the_sides_of_values_are_their_signs() -> None:
    values = np.array([1.0, -2.0, 0.0])
    assert side_values(values, "positive").tolist() == [1.0, 0.0, 0.0]
    assert side_values(values, "negative").tolist() == [0.0, 2.0, 0.0]


def test_every_side_of_neurons_and_heads_is_explained_twice(
    subject: Transformer, dataset: Dataset
) -> None:
    some = dataset.components("mlp", 1)[:5]
    neurons = list(explain_group(GroupToExplain(subject, dataset, "mlp", 1), components=some))
    explained = {(it.component, it.side, it.explainer) for it in neurons}
    assert len(explained) == len(neurons)
    for component in some:
        for side in sides_of(dataset.record(component)):
            for method in ("lookup", "trigger_graph"):
                assert (component, side, method) in explained
    heads = list(explain_group(GroupToExplain(subject, dataset, "attn", 1)))
    assert {it.explainer for it in heads} == {"lookup", "attention_patterns"}
    assert {it.component for it in heads} == set(dataset.components("attn", 1))
    for it in neurons + heads:
        assert it.text
        assert it.rule is not None
        measure = it.measures["correlation"]
        assert measure.value is not None or measure.reason
        assert measure.n > 0
    assert {"precision", "recall"} <= neurons[0].measures.keys()
    assert "auroc_pairs" in heads[0].measures


def test_what_is_silent_in_the_text_to_learn_from_is_not_explained(
    subject: Transformer, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(of: Subjects, windows: Sequence[tuple[int, ...]]) -> Observations:
        seen = observe(of, windows)
        return replace(seen, values=torch.zeros_like(seen.values))

    monkeypatch.setattr(rule_explainer, "observe", silent)
    some = dataset.components("mlp", 1)[:2]
    assert not list(explain_group(GroupToExplain(subject, dataset, "mlp", 1), components=some))


def test_the_same_seed_explains_alike(subject: Transformer, dataset: Dataset) -> None:
    some = dataset.components("mlp", 0)[:2]
    group = GroupToExplain(subject, dataset, "mlp", 0)
    first, second = (list(explain_group(group, components=some, seed=3)) for _ in range(2))
    assert [(it.text, it.rule) for it in first] == [(it.text, it.rule) for it in second]
    assert all(it.component in some for it in first)
    assert first[0].component == Component("mlp", 0, 0)
