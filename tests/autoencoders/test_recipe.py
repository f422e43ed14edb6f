"""Recipes: the schedules, JSON, and what clashes."""

from typing import Any

import pytest

from neuron_explainer.autoencoders.recipe import Point, Recipe, check_points

TOP_K = Recipe(n_latents=64, k=4, tokens=204_800)


def test_the_rate_rises_stays_and_falls_to_zero() -> None:
    assert TOP_K.n_steps == 100
    assert TOP_K.rate(0) == pytest.approx(TOP_K.learning_rate / 2)  # the second of 2 steps is full
    assert TOP_K.rate(1) == TOP_K.rate(69) == TOP_K.learning_rate
    assert TOP_K.rate(85) == pytest.approx(TOP_K.learning_rate / 2)
    assert TOP_K.rate(99) == pytest.approx(TOP_K.learning_rate / 30)


def test_the_penalty_rises_with_its_own_warmup() -> None:
    recipe = Recipe(n_latents=64, nonlinearity="relu", l1=5.0, tokens=204_800)
    assert recipe.penalty(0) == pytest.approx(0.5)
    assert recipe.penalty(9) == recipe.penalty(99) == 5.0
    assert TOP_K.penalty(50) == 0.0


def test_dead_latents_are_resampled_only_where_the_recipe_says() -> None:
    assert TOP_K.resample_steps == frozenset()
    resampled = Recipe(n_latents=64, k=4, tokens=204_800, revival="resample")
    assert resampled.resample_steps == {12, 25, 38, 50}


def test_a_latent_counts_as_dead_after_a_fiftieth_of_the_run_unless_said_otherwise() -> None:
    assert Recipe(n_latents=64, k=4, tokens=5_000_000).silence == 100_000
    assert Recipe(n_latents=64, k=4, tokens=10_000).silence == 8 * 2048
    assert Recipe(n_latents=64, k=4, tokens=10**10).silence == 10_000_000
    assert Recipe(n_latents=64, k=4, dead_after=7).silence == 7


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"k": 65}, "k=65 is more than all n_latents=64"),
        ({"k": None}, "clashes with k=None"),
        ({"l1": 1.0}, "clashes with l1=1.0"),
        ({"k": None, "nonlinearity": "relu"}, "clashes with l1=None"),
        ({"k": None, "nonlinearity": "relu", "l1": -1.0}, "l1=-1.0: a penalty's weight"),
        ({"batch_tokens": 1000}, "batch_tokens=1000 is no multiple of window=128"),
        ({"tokens": 0}, "tokens=0: at least 1"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: a positive number"),
    ],
)
def test_what_clashes_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**{"n_latents": 64, "k": 4} | fields)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ((), "at least one site"),
        ((Point("attn_q", 0),), "site 'attn_q' cannot carry a coder"),
        ((Point("resid_post", 3),), "layer 3 is out of range: the model has layers 0-2"),
        ((Point("resid_post", 1), Point("resid_post", 1)), "resid_post/L1 is named twice"),
    ],
)
def test_places_that_are_not_there_are_named(points: tuple[Point, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_points(points, n_layers=3)
