"""Scores against independent computations, and at the ends: perfect, random, constant."""

import numpy as np
import pytest
import scipy.stats

from neuron_explainer.explanations.explanation import SimulatedExcerpt
from neuron_explainer.explanations.score import (
    SIMULATED_IS_CONSTANT,
    TRUE_IS_CONSTANT,
    auroc,
    auroc_score,
    correlation,
    fit_line,
    precision_and_recall,
    share_score,
    simulation_scores,
)

RNG = np.random.default_rng(3)
LENGTHS = (20, 13, 64, 7, 30, 22)


def recorded(
    noise: float = 0.5, true_scale: float = 3.0, offset: float = 0.0
) -> list[SimulatedExcerpt]:
    excerpts = []
    for number, length in enumerate(LENGTHS):
        true = np.maximum(RNG.normal(size=length), 0) * true_scale
        simulated = np.clip(true / true_scale + noise * RNG.normal(size=length), 0, None) * 10
        sample = "top" if number < 3 else "random"
        excerpts.append(
            SimulatedExcerpt(("t",) * length, (true + offset).tolist(), simulated.tolist(), sample)
        )
    return excerpts


def joined(excerpts: list[SimulatedExcerpt]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.concatenate([it.true for it in excerpts]),
        np.concatenate([it.simulated for it in excerpts]),
    )


@pytest.mark.parametrize("offset", [0.0, 1e4], ids=["near zero", "far from zero"])
def test_correlations_are_scipys(offset: float) -> None:
    excerpts = recorded(offset=offset)
    scores, _ = simulation_scores(excerpts)
    for name, part in (
        ("correlation", excerpts),
        ("correlation_top", excerpts[:3]),
        ("correlation_random", excerpts[3:]),
    ):
        y, s = joined(part)
        assert scores[name].value == pytest.approx(scipy.stats.pearsonr(y, s).statistic, abs=1e-6)
        assert scores[name].n == len(y)


def test_r_squared_and_deviation_are_those_of_lines_fitted_to_the_other_excerpts() -> None:
    excerpts = recorded()
    scores, calibrated = simulation_scores(excerpts)
    predicted = []
    for left_out, excerpt in enumerate(excerpts):
        y, s = joined([it for i, it in enumerate(excerpts) if i != left_out])
        line = scipy.stats.linregress(s, y)
        predicted.append(line.slope * np.asarray(excerpt.simulated) + line.intercept)
    for it, expected in zip(calibrated, predicted, strict=True):
        assert np.allclose(it.simulated, expected, atol=1e-9)
    y, p = joined(excerpts)[0], np.concatenate(predicted)
    r_squared = 1 - np.mean((y - p) ** 2) / np.var(y)
    assert scores["r_squared"].value == pytest.approx(r_squared, abs=1e-6)
    deviation = 1 - np.mean(np.abs(y - p)) / np.mean(np.abs(y))
    assert scores["absolute_deviation"].value == pytest.approx(deviation, abs=1e-6)


def test_percentile_matching_gives_each_value_the_true_one_of_its_rank() -> None:
    excerpts = recorded()
    scores, _ = simulation_scores(excerpts)
    matched = []
    for left_out, excerpt in enumerate(excerpts):
        y, s = joined([it for i, it in enumerate(excerpts) if i != left_out])
        ranks = scipy.stats.rankdata(s, method="min").astype(int)
        by_value = {
            value: np.mean([np.sort(y)[r - 1 + k] for k in range(int((s == value).sum()))])
            for value, r in zip(s, ranks, strict=True)
        }
        levels = sorted(by_value)
        inside = np.clip(excerpt.simulated, levels[0], levels[-1])
        beyond = scipy.stats.linregress(s, y).slope * (np.asarray(excerpt.simulated) - inside)
        matched.append(np.interp(inside, levels, [by_value[v] for v in levels]) + beyond)
    expected = scipy.stats.pearsonr(joined(excerpts)[0], np.concatenate(matched)).statistic
    assert scores["correlation_percentile"].value == pytest.approx(expected, abs=1e-6)


def test_a_perfect_simulation_scores_one_and_a_random_one_nothing() -> None:
    perfect = [
        SimulatedExcerpt(it.tokens, it.true, tuple(2 * v + 1 for v in it.true), it.sample)
        for it in recorded()
    ]
    scores, _ = simulation_scores(perfect)
    for name, score in scores.items():
        assert score.value == pytest.approx(1.0), name
    many = []
    for number in range(10):
        true, simulated = RNG.random(400), RNG.random(400)
        sample = "top" if number < 5 else "random"
        many.append(SimulatedExcerpt(("t",) * 400, true.tolist(), simulated.tolist(), sample))
    scores, _ = simulation_scores(many)
    for name in ("correlation", "correlation_top", "correlation_random", "r_squared"):
        value = scores[name].value
        assert value is not None
        assert abs(value) < 0.06, name
    assert scores["correlation"].low is not None
    assert scores["correlation"].low < 0 < (scores["correlation"].high or 0)


def test_what_never_varies_has_no_score_and_says_why() -> None:
    constant = [
        SimulatedExcerpt(("t",) * 9, [0.3] * 9, [float(i) for i in range(9)], "top")
        for _ in range(4)
    ]
    silent = [
        SimulatedExcerpt(("t",) * 9, [float(i) for i in range(9)], [0.0] * 9, "top")
        for _ in range(4)
    ]
    for excerpts, reason in ((constant, TRUE_IS_CONSTANT), (silent, SIMULATED_IS_CONSTANT)):
        scores, _ = simulation_scores(excerpts)
        for name in ("correlation", "correlation_top", "correlation_percentile", "r_squared"):
            assert scores[name].value is None
            assert scores[name].reason == reason
            assert scores[name].n == 36
    assert scores["correlation_random"].reason == "there are no excerpts"
    assert simulation_scores([])[0]["correlation"].value is None


def test_a_line_through_equal_predictions_is_flat_whatever_their_last_digit() -> None:
    simulated = np.full(7, 0.1) + 0.0
    simulated[3] = np.nextafter(0.1, 1)
    line = fit_line(RNG.normal(size=7), simulated)
    assert np.ptp(line(np.array([0.0, 0.1, 5.0]))) == 0


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rho, hits, trials = 0.6, 0, 200
    for _ in range(trials):
        true = [RNG.normal(size=40) for _ in range(12)]
        simulated = [rho * y + np.sqrt(1 - rho**2) * RNG.normal(size=40) for y in true]
        score = correlation(true, simulated)
        assert score.low is not None
        assert score.high is not None
        hits += score.low <= rho <= score.high
    assert 0.85 < hits / trials <= 1.0


def test_auroc_is_the_chance_that_a_positive_is_above_a_negative() -> None:
    positive, negative = RNG.integers(0, 6, 31).astype(float), RNG.integers(0, 5, 17).astype(float)
    by_hand = np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative])
    assert auroc(positive, negative) == pytest.approx(by_hand, abs=1e-12)
    u = scipy.stats.mannwhitneyu(positive, negative).statistic / (31 * 17)
    assert auroc(positive, negative) == pytest.approx(u, abs=1e-12)
    ratings = np.concatenate([positive, negative])
    is_true = np.arange(48) < 31
    score = auroc_score(ratings, is_true, range(48))
    assert score.value == pytest.approx(by_hand, abs=1e-12)
    assert score.low is not None
    assert score.low <= by_hand <= (score.high or 0)
    assert auroc_score(positive, np.ones(31, bool), range(31)).value is None


def test_intervals_resample_excerpts_and_not_what_is_in_them() -> None:
    """Four excerpts, each with 50 equal cases of either class: as little is known as from four of each."""
    excerpt = np.repeat(np.arange(4), 100)
    is_true = np.tile(np.arange(100) < 50, 4)
    ratings = np.array([3.0, 1.0, 4.0, 2.0])[excerpt] + is_true * np.array([2.0, 0, 2, 0])[excerpt]
    draws = np.random.default_rng(7).integers(0, 4, (400, 4))
    each = [
        auroc(
            np.concatenate([ratings[is_true & (excerpt == e)] for e in drawn]),
            np.concatenate([ratings[~is_true & (excerpt == e)] for e in drawn]),
        )
        for drawn in draws
    ]
    score = auroc_score(ratings, is_true, excerpt.tolist())
    expected = np.quantile(np.array(each, dtype=np.float64), (0.025, 0.975))
    assert (score.low, score.high) == pytest.approx(tuple(expected), abs=0.06)
    right = excerpt < 2
    share = share_score(right, excerpt.tolist())
    assert (share.value, share.low, share.high, share.n) == (0.5, 0.0, 1.0, 400)


@pytest.mark.parametrize("height", [0.123456789, 1.0, 7.3])
def test_a_resample_that_misses_the_only_spike_counts_for_nothing(height: float) -> None:
    excerpts = []
    for number in range(5):
        true = [0.1] * 37
        true[11] = height if number == 0 else 0.1
        excerpts.append(SimulatedExcerpt(("t",) * 37, true, [3 * v for v in true], "random"))
    score = simulation_scores(excerpts)[0]["correlation_random"]
    assert (score.value, score.low, score.high) == pytest.approx((1, 1, 1))
    assert -1 <= (score.low or 0) <= (score.high or 0) <= 1


def test_precision_recall_and_shares_are_counts() -> None:
    fires = [np.array([True, False, True]), np.array([True, False])]
    said = [np.array([True, True, False]), np.array([True, False])]
    scores = precision_and_recall(fires, said)
    assert scores["precision"].value == pytest.approx(2 / 3)
    assert (scores["precision"].n, scores["recall"].n) == (3, 3)
    assert scores["recall"].value == pytest.approx(2 / 3)
    never = precision_and_recall(fires, [np.zeros(3, bool), np.zeros(2, bool)])
    assert never["precision"].value is None
    assert "never" in never["precision"].reason
    assert never["recall"].value == 0
    assert share_score(np.array([True, True, False, True]), range(4)).value == 0.75
    assert share_score(np.array([]), []).value is None
