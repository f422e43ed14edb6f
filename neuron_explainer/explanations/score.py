"""How well simulated activations match the true ones: on held-out excerpts, with intervals.

    correlation             Pearson r over all tokens of top and random excerpts together
    correlation_top         the same over the top excerpts alone
    correlation_random      over the random ones alone
    correlation_percentile  after percentile matching: each simulated value becomes the true value of its rank
    r_squared               1 - sum (y - f(s))^2 / sum (y - mean y)^2, f the least-squares line
    absolute_deviation      1 - sum |y - f(s)| / sum |y|

y are true activations of one side (the other sign counts as 0), s simulated ones. Bills et al. 2023, "Language
models can explain neurons in language models", use r, R^2 (against sum y^2) and absolute deviation. A
calibration is fitted on the other excerpts and then applied to each one, so none is ever judged by itself.

Intervals are 95 %, from `N_RESAMPLES` bootstraps of whole excerpts, since tokens (token pairs, trials) of one excerpt
are not independent. A resample in which nothing varies has no score and is left out.
Where a score does not exist (nothing varies), its value is None and the reason is given: never 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from neuron_explainer.explanations.explanation import Score, SimulatedExcerpt

N_RESAMPLES = 200
SEED = 0
MIN_VARIANCE = 1e-12
"""As a share of the mean square: below it, a resample varies by rounding alone."""
TRUE_IS_CONSTANT = "the true activations do not vary"
SIMULATED_IS_CONSTANT = "the simulated activations do not vary"
TOO_FEW = "there are too few excerpts to calibrate on"

Values = Float[np.ndarray, "_"]
"""One number for each token of an excerpt; excerpts differ in length."""


def simulation_scores(
    excerpts: Sequence[SimulatedExcerpt],
) -> tuple[dict[str, Score], tuple[SimulatedExcerpt, ...]]:
    """All scores of a simulation, and the excerpts with the calibrated simulation (as it was, where
    there is nothing to calibrate with)."""
    true = [np.asarray(it.true, dtype=np.float64) for it in excerpts]
    simulated = [np.asarray(it.simulated, dtype=np.float64) for it in excerpts]
    scores = {"correlation": correlation(true, simulated)}
    for sample in ("top", "random"):
        of = [i for i, it in enumerate(excerpts) if it.sample == sample]
        scores[f"correlation_{sample}"] = correlation(
            [true[i] for i in of], [simulated[i] for i in of]
        )
    matched = cross_fitted(true, simulated, match_percentiles)
    line = cross_fitted(true, simulated, fit_line)
    if matched is None or line is None:
        undefined = Score(None, n=sum(map(len, true)), reason=_reason(true, simulated) or TOO_FEW)
        names = ("correlation_percentile", "r_squared", "absolute_deviation")
        return scores | dict.fromkeys(names, undefined), tuple(excerpts)
    scores["correlation_percentile"] = correlation(true, matched)
    scores["r_squared"] = r_squared(true, line)
    scores["absolute_deviation"] = absolute_deviation(true, line)
    calibrated = tuple(
        replace(it, simulated=values.tolist()) for it, values in zip(excerpts, line, strict=True)
    )
    return scores, calibrated


# --- the scores -----------------------------------------------------------------------------------


def correlation(true: Sequence[Values], simulated: Sequence[Values]) -> Score:
    """Pearson's r over the tokens of all excerpts."""
    reason = _reason(true, simulated)
    n = sum(map(len, true))
    if reason:
        return Score(None, n=n, reason=reason)
    # Shifted and scaled, so that sums of squares lose no digits; r does not change.
    y, s = _standard(true), _standard(simulated)
    parts = [(len(a), a.sum(), b.sum(), a @ a, b @ b, a @ b) for a, b in zip(y, s, strict=True)]
    return _bootstrapped(np.array(parts), _pearson, n)


def r_squared(true: Sequence[Values], predicted: Sequence[Values]) -> Score:
    """Share of the variance of the true activations that the prediction explains; can be negative."""
    parts = [
        (len(y), y.sum(), y @ y, (y - p) @ (y - p)) for y, p in zip(true, predicted, strict=True)
    ]

    def of(sums: Float[np.ndarray, "resample 4"]) -> Float[np.ndarray, " resample"]:
        n, total, squares, errors = sums.T
        return np.asarray(1 - errors / _spread(n, total, squares))

    return _bootstrapped(np.array(parts), of, sum(map(len, true)))


def absolute_deviation(true: Sequence[Values], predicted: Sequence[Values]) -> Score:
    """Share of the true activations' size that the prediction gets right; can be negative."""
    parts = [(np.abs(y).sum(), np.abs(y - p).sum()) for y, p in zip(true, predicted, strict=True)]
    return _bootstrapped(
        np.array(parts), lambda sums: 1 - sums[:, 1] / sums[:, 0], sum(map(len, true))
    )


def precision_and_recall(
    fires: Sequence[np.ndarray], predicted: Sequence[np.ndarray]
) -> dict[str, Score]:
    """Of the tokens where it should fire, how many do; of those where it fires, how many should."""
    parts = np.array(
        [((f & p).sum(), p.sum(), f.sum()) for f, p in zip(fires, predicted, strict=True)],
        dtype=np.float64,
    )
    found = {}
    for name, column, reason in (
        ("precision", 1, "the explanation never says that it fires"),
        ("recall", 2, "it never fires in these excerpts"),
    ):
        n = int(parts[:, column].sum()) if len(parts) else 0
        found[name] = (
            _bootstrapped(parts, lambda sums, c=column: sums[:, 0] / sums[:, c], n)  # type: ignore[misc]  # c binds the loop's column
            if n
            else Score(None, reason=reason)
        )
    return found


def auroc(positive: Values, negative: Values) -> float | None:
    """Probability that a positive scores above a negative, ties counting half; None without either."""
    if not len(positive) or not len(negative):
        return None
    both = np.concatenate([positive, negative])
    _, place, counts = np.unique(both, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    ranks = mean_rank[place]
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def auroc_score(ratings: Values, is_true: np.ndarray, excerpt: Sequence[int]) -> Score:
    """AUROC of ratings of true and false cases, each from an excerpt: excerpts are resampled, with all their cases."""
    value = auroc(ratings[is_true], ratings[~is_true])
    if value is None:
        reason = "there are no examples of one of the two classes"
        return Score(None, n=len(ratings), reason=reason)
    _, rows = np.unique(np.asarray(excerpt), return_inverse=True)
    levels, columns = np.unique(ratings, return_inverse=True)
    counts = np.zeros((2, int(rows.max()) + 1, len(levels)))
    np.add.at(counts, (is_true.astype(np.int64), rows, columns), 1.0)

    def of(sums: Float[np.ndarray, "resample level"]) -> Float[np.ndarray, " resample"]:
        false, true = sums[:, : len(levels)], sums[:, len(levels) :]
        below = false.cumsum(1) - false / 2
        return np.asarray((true * below).sum(1) / (true.sum(1) * false.sum(1)))

    return _bootstrapped(np.concatenate([counts[0], counts[1]], axis=1), of, len(ratings))


def share_score(right: np.ndarray, excerpt: Sequence[int]) -> Score:
    """A share of trials that went right, each of an excerpt: excerpts are resampled, with all their trials."""
    if not len(right):
        return Score(None, reason="there were no trials")
    _, rows = np.unique(np.asarray(excerpt), return_inverse=True)
    parts = np.stack([np.bincount(rows, right.astype(np.float64)), np.bincount(rows)], axis=1)
    return _bootstrapped(parts, lambda sums: sums[:, 0] / sums[:, 1], len(right))


# --- calibration ----------------------------------------------------------------------------------

Calibration = Callable[[Values], Values]


def fit_line(true: Values, simulated: Values) -> Calibration:
    """The least-squares line from simulated to true; a constant where the simulation is one."""
    spread = simulated - simulated.mean()
    # Not "power > 0": the mean of equal numbers may differ from them in the last digit.
    slope = 0.0 if _is_constant(simulated) else float(spread @ true / (spread @ spread))
    offset = float(true.mean() - slope * simulated.mean())
    return lambda values: slope * values + offset


def match_percentiles(true: Values, simulated: Values) -> Calibration:
    """Each simulated value becomes the true one of equal rank, straight lines in between.

    Values beyond all those seen go on with the slope of the least-squares line.
    """
    levels, place = np.unique(np.sort(simulated), return_inverse=True)
    # Equal simulated values get the mean of the true values of their ranks.
    sums = np.bincount(place, np.sort(true))
    means = sums / np.bincount(place)
    line = fit_line(true, simulated)
    slope = float(line(np.ones(1))[0] - line(np.zeros(1))[0])

    def calibrated(values: Values) -> Values:
        beyond = values - np.clip(values, levels[0], levels[-1])
        return np.asarray(np.interp(values, levels, means) + slope * beyond)

    return calibrated


def cross_fitted(
    true: Sequence[Values],
    simulated: Sequence[Values],
    fit: Callable[[Values, Values], Calibration],
) -> list[Values] | None:
    """Each excerpt calibrated by all the others; None with fewer than two, or where nothing varies."""
    if len(true) < 2 or _reason(true, simulated):
        return None
    result = []
    for left_out in range(len(true)):
        others = [i for i in range(len(true)) if i != left_out]
        calibration = fit(
            np.concatenate([true[i] for i in others]),
            np.concatenate([simulated[i] for i in others]),
        )
        result.append(calibration(simulated[left_out]))
    return result


# --- intervals ------------------------------------------------------------------------------------


def _bootstrapped(
    parts: Float[np.ndarray, "excerpt part"],
    of: Callable[[Float[np.ndarray, "resample part"]], Float[np.ndarray, " resample"]],
    n: int,
) -> Score:
    """A score that is a function of sums over excerpts, with its interval."""
    value = float(of(parts.sum(0, keepdims=True))[0])
    if len(parts) < 2:
        return Score(value, n=n)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample in which nothing varies
        resampled = of(_draws(len(parts)) @ parts)
    low, high = np.quantile(resampled[np.isfinite(resampled)], (0.025, 0.975))
    return Score(value, float(low), float(high), n)


def _draws(n: int) -> Int[np.ndarray, "resample excerpt"]:
    """How often each excerpt occurs in each resample; the first two are the sample itself."""
    draws = np.random.default_rng(SEED).multinomial(n, [1 / n] * n, size=N_RESAMPLES)
    draws[:2] = 1
    return draws


def _pearson(sums: Float[np.ndarray, "resample 6"]) -> Float[np.ndarray, " resample"]:
    n, y, s, yy, ss, ys = sums.T
    r = (ys - y * s / n) / np.sqrt(_spread(n, y, yy) * _spread(n, s, ss))
    return np.asarray(np.clip(r, -1, 1))  # the last digit may be beyond


def _spread(
    n: Float[np.ndarray, " resample"],
    total: Float[np.ndarray, " resample"],
    squares: Float[np.ndarray, " resample"],
) -> Float[np.ndarray, " resample"]:
    """n times the variance; NaN where nothing varies, since a difference of equal sums leaves only their rounding."""
    spread = squares - total**2 / n
    return np.where(spread > MIN_VARIANCE * squares, spread, np.nan)


def _standard(values: Sequence[Values]) -> list[Values]:
    every = np.concatenate(values)
    mean, std = every.mean(), every.std()
    return [(it - mean) / std for it in values]


def _reason(true: Sequence[Values], simulated: Sequence[Values]) -> str:
    """Why there is no correlation; empty if there is one."""
    if not sum(map(len, true)):
        return "there are no excerpts"
    if _is_constant(np.concatenate(true)):
        return TRUE_IS_CONSTANT
    return SIMULATED_IS_CONSTANT if _is_constant(np.concatenate(simulated)) else ""


def _is_constant(values: Values) -> bool:
    return bool(np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())))
