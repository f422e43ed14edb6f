"""Generation against Hugging Face's, and cached against uncached, edits in force or not."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.models import sampling
from neuron_explainer.models.chat import Text, followed, plain_text
from neuron_explainer.models.comparison import compared, text_logprobs, text_statistics
from neuron_explainer.models.extent import Extent
from neuron_explainer.models.interventions import (
    Ablate,
    Intervention,
    Scale,
    Set,
    intervention_hooks,
)
from neuron_explainer.models.sampling import (
    Continuation,
    Generation,
    Overflow,
    Sampling,
    choose,
    generate,
    kept_tokens,
)
from neuron_explainer.models.steering import Steer
from neuron_explainer.models.tokens import PromptTooLong
from neuron_explainer.nodes import Component
from tests.tiny_models import N_CTX, TinyModel, some_tokens

TOKENS = some_tokens(7)
NEURON, HEAD = Component("mlp", 1, 3), Component("attn", 1, 2)
EDITS: dict[str, tuple[Intervention, ...]] = {
    "a neuron everywhere": (Set(NEURON, value=3.0),),
    "a neuron in the prompt": (Set(NEURON, value=3.0, where="prompt"),),
    "a neuron in the reply": (Set(NEURON, value=3.0, where="generated"),),
    "a neuron at tokens of both": (Scale(NEURON, (2, 8), value=-4.0),),
    "a head everywhere": (Scale(HEAD, value=-2.0),),
    "a head in the reply, at two keys": (Ablate(HEAD, None, (1, 8), where="generated"),),
    "a head at a pair of the reply": (Scale(HEAD, (9,), (8,), value=5.0),),
    "a neuron's mean": (Ablate(NEURON, value="mean"),),
    "a head's mean": (Ablate(HEAD, value="mean"),),
    "the embedding of the last prompt token": (Scale(Component("embed"), (-1,), value=2.0),),
    "steered neurons": (
        Steer(NEURON, strength=1.0, extreme=2.0),
        Steer(Component("mlp", 0, 5), strength=1.0, side="negative", extreme=-2.0),
        Steer(Component("mlp", 1, 7), method="scale", strength=3.0, where="generated"),
    ),
}


def text_of(tokens: Sequence[int], n_prompt: int | None = None) -> Text:
    n = len(tokens)
    return Text(tuple(tokens), ("prompt",) * n, (None,) * n, n if n_prompt is None else n_prompt)


def uncached(tiny: TinyModel, tokens: Sequence[int], n_prompt: int, edits: tuple = ()) -> Tensor:
    """Logits of one plain forward over everything."""
    extent = Extent(n_prompt, 0, len(tokens), N_CTX)
    hooks = intervention_hooks(edits, tiny.ours.config, extent)
    return tiny.ours(torch.tensor([list(tokens)]), hooks)[0]


def test_greedy_text_is_hugging_faces(tiny: TinyModel) -> None:
    for seed in range(3):
        tokens = some_tokens(5 + seed, seed)
        theirs = tiny.hf.generate(
            torch.tensor([tokens]), max_new_tokens=12, do_sample=False, pad_token_id=1
        )[0, len(tokens) :].tolist()
        ours = Generation(tiny.ours, text_of(tokens), Sampling(12)).run()
        assert [token.id for token in ours.tokens] == theirs


@pytest.mark.parametrize("name", EDITS)
def test_cached_is_uncached_with_edits(varied: TinyModel, name: str) -> None:
    edits = EDITS[name]
    tokens = [*TOKENS, *some_tokens(6, seed=4)]
    continuation = Continuation(varied.ours, len(TOKENS), N_CTX, edits)
    found = [continuation.logits(TOKENS)]
    found += [continuation.logits([token]) for token in tokens[len(TOKENS) :]]
    expected = uncached(varied, tokens, len(TOKENS), edits)
    assert_close(torch.stack(found), expected[len(TOKENS) - 1 :], atol=1e-4, rtol=0)
    plain = uncached(varied, tokens, len(TOKENS))
    assert (expected - plain).abs().max() > 1e-3


def test_cached_is_uncached_in_every_family(tiny: TinyModel) -> None:
    tokens = some_tokens(N_CTX)
    continuation = Continuation(tiny.ours, 4, N_CTX)
    found = [continuation.logits(tokens[:4])]
    found += [continuation.logits([token]) for token in tokens[4:]]
    assert_close(torch.stack(found), tiny.ours(torch.tensor([tokens]))[0, 3:], atol=1e-4, rtol=0)


def test_a_long_prompt_is_read_in_pieces(
    varied: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, edits = some_tokens(20), EDITS["a head everywhere"]
    whole = Continuation(varied.ours, 20, N_CTX, edits).logits(tokens)
    monkeypatch.setattr(sampling, "PIECE", 6)
    in_pieces = Continuation(varied.ours, 20, N_CTX, edits)
    assert_close(in_pieces.logits(tokens), whole, atol=1e-4, rtol=0)


def test_a_generation_is_that_of_repeated_uncached_forwards(varied: TinyModel) -> None:
    edits = EDITS["steered neurons"]
    written = Generation(varied.ours, text_of(TOKENS), Sampling(8), edits).run()
    tokens = list(TOKENS)
    for token in written.tokens:
        logits = uncached(varied, tokens, len(TOKENS), edits)[-1]
        assert token.id == int(logits.argmax())
        assert token.logprob == pytest.approx(float(logits.log_softmax(-1)[token.id]), abs=1e-4)
        assert token.rank == 0
        assert token.top[0].id == token.id
        assert token.position == len(tokens)
        tokens.append(token.id)


def test_edits_that_change_nothing_leave_the_text_alone(varied: TinyModel) -> None:
    plain = Generation(varied.ours, text_of(TOKENS), Sampling(10)).run()
    edits = (Scale(NEURON, value=1.0), Steer(HEAD, strength=1.0, method="scale"))
    edited = Generation(varied.ours, text_of(TOKENS), Sampling(10), edits).run()
    for a, b in zip(plain.tokens, edited.tokens, strict=True):
        assert a.id == b.id
        assert a.logprob == pytest.approx(b.logprob, abs=1e-5)


def test_equal_seeds_give_equal_text(varied: TinyModel) -> None:
    def text(seed: int) -> list[int]:
        written = Generation(varied.ours, text_of(TOKENS), Sampling(12, 1.5, 0.95, 100, seed))
        return [token.id for token in written.run().tokens]

    assert text(3) == text(3)
    assert len({tuple(text(seed)) for seed in range(5)}) > 1


def test_going_on_after_a_reply_is_the_same_text(varied: TinyModel) -> None:
    """The ids of a reply so far, then the rest: edits of the reply act on both."""
    edits = (*EDITS["a neuron in the reply"], *EDITS["a neuron in the prompt"])
    whole = Generation(varied.ours, text_of(TOKENS), Sampling(9), edits).run()
    ids = [token.id for token in whole.tokens]
    again = Generation(varied.ours, followed(text_of(TOKENS), ids[:4]), Sampling(5), edits).run()
    assert [token.id for token in again.tokens] == ids[4:]


def test_draws_follow_the_probabilities() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    generator = torch.Generator().manual_seed(0)
    settings = Sampling(temperature=1.0)
    drawn = torch.tensor([choose(logits, settings, generator) for _ in range(4000)])
    shares = drawn.bincount(minlength=4) / 4000
    assert_close(shares, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.025, rtol=0)


@pytest.mark.parametrize("temperature", [1e-30, 1e-46, 5e-324])
def test_the_coldest_text_is_the_greedy_one(temperature: float) -> None:
    logits = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()
    generator = torch.Generator().manual_seed(0)
    assert choose(logits, Sampling(temperature=temperature), generator) == 1


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        (Sampling(temperature=1.0, top_p=0.5), [1]),
        (Sampling(temperature=1.0, top_p=0.51), [1, 3]),
        (Sampling(temperature=1.0, top_p=0.8), [1, 3]),
        (Sampling(temperature=1.0, top_p=1.0), [1, 3, 0, 2]),
        (Sampling(temperature=1.0, top_k=3), [1, 3, 0]),
        # Of the two that top-k leaves, the first holds 0.5 / 0.8 of what remains.
        (Sampling(temperature=1.0, top_k=2, top_p=0.6), [1]),
        (Sampling(temperature=1.0, top_k=9), [1, 3, 0, 2]),
    ],
)
def test_cut_offs_keep_what_they_should(settings: Sampling, kept: list[int]) -> None:
    logits = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()
    probs, ids = kept_tokens(logits, settings)
    assert ids.tolist() == kept
    assert float(probs[0]) > 0


def test_cut_offs_are_hugging_faces(tiny_models: object) -> None:
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        logits = 3 * torch.randn(300, generator=generator)
        theirs = logits[None]
        warpers = (TemperatureLogitsWarper(0.7), TopKLogitsWarper(40), TopPLogitsWarper(0.9))
        for warper in warpers:
            theirs = warper(None, theirs)
        expected = set((theirs[0] > -torch.inf).nonzero()[:, 0].tolist())
        _, ids = kept_tokens(logits, Sampling(temperature=0.7, top_k=40, top_p=0.9))
        assert set(ids.tolist()) == expected


def test_a_stop_string_ends_the_text_before_it(varied: TinyModel) -> None:
    # Of a random model's greedy texts some are short: the first seed that writes enough will do.
    samplings = (Sampling(12, temperature=2.0, seed=seed) for seed in range(50))
    plain = next(
        text
        for text in (Generation(varied.ours, text_of(TOKENS), each).run() for each in samplings)
        if len(text.text) >= 4
    )
    stop = plain.text[2:4]
    stopping = replace(plain.sampling, stop=("\0none", stop))
    written = Generation(varied.ours, text_of(TOKENS), stopping).run()
    assert (written.finish, written.stop) == ("stop_string", stop)
    assert written.text == plain.text[: plain.text.index(stop)]


def test_it_ends_where_the_context_does(varied: TinyModel) -> None:
    tokens = some_tokens(N_CTX - 2)
    written = Generation(varied.ours, text_of(tokens), Sampling(50)).run()
    assert written.finish in ("context", "end_token")
    assert len(written.tokens) <= 2
    with pytest.raises(PromptTooLong, match=f"at most {N_CTX}"):
        Generation(varied.ours, text_of(some_tokens(N_CTX)), Sampling(1))


def test_the_end_token_ends_it(varied: TinyModel) -> None:
    """Token 0 ends a text; an edit of the logits' last input makes it the likeliest."""
    ended = []
    for seed in range(12):
        sample = Sampling(25, temperature=3.0, seed=seed)
        ended.append(Generation(varied.ours, text_of(TOKENS), sample).run())
    for written in ended:
        ids = [token.id for token in written.tokens]
        assert (written.finish == "end_token") == (0 in ids)
        assert 0 not in ids[:-1]


def test_nothing_runs_ahead_of_the_reader(varied: TinyModel) -> None:
    written = Generation(varied.ours, text_of(TOKENS), Sampling(10))
    next(iter(written))
    assert len(written.tokens) == 1
    assert written.finish is None


def test_values_that_overflow_are_an_error(varied: TinyModel) -> None:
    edits = (Set(NEURON, value=1e38), Set(Component("mlp", 1, 4), value=1e38))
    with pytest.raises(Overflow, match="overflow"):
        Generation(
            varied.ours, text_of(TOKENS), Sampling(3), (*edits, Scale(NEURON, value=1e10))
        ).run()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_new_tokens": 0},
        {"temperature": -1.0},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"top_k": 0},
        {"stop": ("",)},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Sampling(**wrong)  # type: ignore[arg-type]


def test_an_edit_beyond_the_text_is_refused_at_once(varied: TinyModel) -> None:
    with pytest.raises(ValueError, match="position 30 is out of range"):
        Generation(varied.ours, text_of(TOKENS), Sampling(5), (Set(NEURON, (30,), value=1.0),))


def test_text_statistics_are_those_of_the_logits(varied: TinyModel) -> None:
    text = text_of(TOKENS)
    found = text_statistics(varied.ours, text, 4)
    logprobs = uncached(varied, TOKENS, 7).log_softmax(-1)
    assert found.tokens[0] is None
    for position, token in enumerate(found.tokens[1:], start=1):
        row = logprobs[position - 1]
        assert token is not None and token.id == TOKENS[position]
        assert token.logprob == pytest.approx(float(row[token.id]), abs=1e-4)
        assert token.rank == int((row > row[token.id]).sum())
        assert [a.id for a in token.top] == row.topk(4).indices.tolist()
    assert [a.id for a in found.next] == logprobs[-1].topk(4).indices.tolist()
    assert_close(
        text_logprobs(varied.ours, text),
        logprobs[:-1].gather(1, torch.tensor(TOKENS[1:])[:, None])[:, 0],
        atol=1e-4,
        rtol=0,
    )


def test_replies_are_scored_under_each_other(varied: TinyModel) -> None:
    edits = EDITS["a neuron everywhere"]
    default = Generation(varied.ours, text_of(TOKENS), Sampling(6)).run()
    steered = Generation(varied.ours, text_of(TOKENS), Sampling(6), edits).run()
    found = compared(default, steered)
    for written, others, by in (
        (default, found.default_under_steered, edits),
        (steered, found.steered_under_default, ()),
    ):
        tokens = [*TOKENS, *(token.id for token in written.tokens)]
        logprobs = uncached(varied, tokens, len(TOKENS), by).log_softmax(-1)
        expected = [float(logprobs[i - 1, tokens[i]]) for i in range(len(TOKENS), len(tokens))]
        assert others == pytest.approx(expected, abs=1e-4)


def test_generate_reads_plain_text(varied: TinyModel) -> None:
    written = generate(varied.ours, "When Mary and John", max_new_tokens=5)
    assert "".join(token.text for token in written if token.id != 0) == written.text
    prompt = plain_text(varied.ours, "When Mary and John")
    assert written.prompt == prompt
    assert set(prompt.owners) == {"prompt"}
