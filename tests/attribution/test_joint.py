"""Joint effects against edits one by one, and controls that tell planted sets from random ones."""

import pytest
import torch

from neuron_explainer.attribution.influence import SidedComponent, influence
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.joint import Controls, compare, joint_effects
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.interventions import Ablate, Intervention, Scale
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.steering import Steer
from neuron_explainer.nodes import Component
from tests.attribution.hand_splice import coders_at
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS = some_tokens(9, 5)
OBJECTIVE = TokenObjective("logprob", (11,), (), 7)
SETS: list[list[SidedComponent]] = [
    [(Component("mlp", 1, 3), "positive"), (Component("mlp", 1, 4), "negative")],
    [(Component("mlp", 0, 9), "negative"), (Component("attn", 2, 1), "positive")],
    [(Component("attn", 0, 0), "positive"), (Component("attn", 0, 3), "positive")],
    [(Component("mlp", 2, 9), "positive")],
    [],
]


def expected(
    inv: Investigation, members: list[SidedComponent], at: tuple[int, ...], *edits: Intervention
) -> float:
    """By ordinary edits: each head ablated, each neuron steered to nothing on its side."""
    more = tuple(
        Ablate(component, at) if component.kind == "attn" else Steer(component, at, side=side)
        for component, side in members
    )
    plain = inv.read([Case(TOKENS, OBJECTIVE, edits)]).read_out.value
    return plain - inv.read([Case(TOKENS, OBJECTIVE, (*edits, *more))]).read_out.value


@pytest.mark.parametrize("edits", [(), (Scale(Component("mlp", 1, 5), (2,), value=4.0),)])
def test_a_joint_effect_is_that_of_the_edits_together(
    varied: TinyModel, edits: tuple[Intervention, ...]
) -> None:
    inv = Investigation(varied.ours)
    case = Case(TOKENS, OBJECTIVE, edits)
    at = (1, 4, 6, 7)
    run = inv.read([case])
    found = [e for batch in joint_effects(run, SETS, at, inv.hooks(case)) for e in batch]
    for members, effect in zip(SETS, found, strict=True):
        assert effect == pytest.approx(expected(inv, members, at, *edits), abs=1e-4)
    assert found[-1] == pytest.approx(0.0, abs=1e-6)
    assert max(map(abs, found)) > 0.01


def test_controls_match_size_layers_and_sides(varied: TinyModel) -> None:
    inv = Investigation(varied.ours)
    run = inv.read([Case(TOKENS, OBJECTIVE)])
    members = [*SETS[0], *SETS[1], (Component("mlp", 1, 8), "positive")]
    drawn = Controls(run, range(8), torch.Generator().manual_seed(0)).draw(members, 20)
    again = Controls(run, range(8), torch.Generator().manual_seed(0)).draw(members, 20)
    assert drawn == again
    for one in drawn:
        assert len(set(one)) == len(members)
        assert [(c.kind, c.layer, side) for c, side in one] == [
            (c.kind, c.layer, side) for c, side in members
        ]
        assert not set(one) & set(members)
    assert len({tuple(one) for one in drawn}) > 10


def test_controls_have_the_nearest_mean_activation(varied: TinyModel) -> None:
    inv = Investigation(varied.ours)
    run = inv.read([Case(TOKENS, OBJECTIVE)])
    controls = Controls(run, range(8), torch.Generator().manual_seed(0))
    member = Component("mlp", 1, 3)
    means = controls.means(member, "positive")
    gaps = (means - means[3]).abs()
    picked = {c.index for one in controls.draw([(member, "positive")], 200) for c, _ in one}
    rest = set(range(len(means))) - picked - {3}
    assert max(float(gaps[i]) for i in picked) <= min(float(gaps[i]) for i in rest)


def test_p_values_by_hand() -> None:
    assert compare(3.0, [1.0, -2.0, 0.5]).p_value == 0.25
    assert compare(-3.0, [1.0, -2.0, 0.5]).stronger_than == 3
    assert compare(1.0, [1.0, -2.0, 0.5]).p_value == 0.75
    assert compare(2.0, [0.1] * 32).better_than_chance
    assert not compare(2.0, [0.1] * 31 + [-2.0]).better_than_chance
    # The largest of all, but not by much.
    assert not compare(2.0, [1.0] * 32).better_than_chance
    assert not compare(0.0, [0.0] * 32).better_than_chance


def members_at_random(
    model_layers: int, n: int, generator: torch.Generator, width: int
) -> list[SidedComponent]:
    picks = torch.randint(model_layers * width * 2, (n,), generator=generator).tolist()
    return [
        (Component("mlp", p // (2 * width), p // 2 % width), "negative" if p % 2 else "positive")
        for p in dict.fromkeys(picks)
    ]


@pytest.mark.slow
def test_random_sets_are_no_better_than_chance_and_planted_ones_are(
    tiny_models: TinyModels,
) -> None:
    """100 random sets: at least 95 are called no better than chance. Sets of the most influential
    neurons, on 10 prompts: all are called real."""
    inv = Investigation(tiny_models("gpt2").ours)
    width, generator = inv.model.config.d_mlp, torch.Generator().manual_seed(1)
    n_chance = 0
    for trial in range(100):
        case = Case(some_tokens(9, trial), OBJECTIVE)
        run = inv.read([case])
        members = members_at_random(3, 8, generator, width)
        controls = Controls(run, range(8), generator).draw(members, 32)
        effects = [
            e
            for batch in joint_effects(run, [members, *controls], range(8), inv.hooks(case))
            for e in batch
        ]
        n_chance += not compare(effects[0], effects[1:]).better_than_chance
    assert n_chance >= 95
    for trial in range(10):
        case = Case(some_tokens(9, 100 + trial), OBJECTIVE)
        leading = influence(inv.effects(case, "live"), per="component", top_k=1000).items
        planted = [
            (item.component, item.side)
            for item in leading
            if item.component.kind == "mlp" and item.value > 0
        ][:8]
        run = inv.read([case])
        controls = Controls(run, range(8), generator).draw(planted, 32)
        effects = [
            e
            for batch in joint_effects(run, [planted, *controls], range(8), inv.hooks(case))
            for e in batch
        ]
        assert compare(effects[0], effects[1:]).better_than_chance


def test_controls_of_latents_are_of_their_own_stream(varied: TinyModel) -> None:
    """Coders of two streams in one layer: neither takes its members from the other's activations."""
    few = coders_at(varied.ours, "resid_post")
    many = coders_at(varied.ours, "mlp_post_act")
    inv = Investigation(varied.ours, [few, many])
    run = inv.read([Case(TOKENS, OBJECTIVE, (), bases_of([few, many]))])
    controls = Controls(run, range(8), torch.Generator().manual_seed(0))
    last = many.coders[1].config.n_latents - 1
    assert last >= few.coders[1].config.n_latents
    for stream, index in (("resid", 2), ("mlp", last), ("resid", 3)):
        component = Component("latent", 1, index, stream)  # type: ignore[arg-type]  # a stream
        latents = run.reading(run.case.bases.at(component)).active
        own = (latents.latent == index) & (latents.token < 8)
        mean = float(latents.value[own].sum()) / 8
        assert float(controls.means(component, "positive")[index]) == pytest.approx(mean, abs=1e-6)
        for (drawn,) in controls.draw([(component, "positive")], 5):
            assert (drawn[0].stream, drawn[0].layer) == (stream, 1)
