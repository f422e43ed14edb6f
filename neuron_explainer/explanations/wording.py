"""Puts a token rule in plain words: "fires on ' Tuesday', ' Friday' and other days of the week, after ' on'".

The tokens named are the strongest; tokens of one class are named by it (`word_classes.py`). A pattern whose token
is free is worded by what comes before: "fires after colours such as ' red', ' blue'".
"""

import re
from collections.abc import Callable, Iterable, Sequence

from neuron_explainer.explanations.token_rule import Pattern, TokenRule
from neuron_explainer.explanations.word_classes import common_class

N_NAMED = 3
"""Tokens named one by one before the others are summed up."""
STRONG = 0.4
"""Tokens worth less than this share of the strongest are not spoken of."""
MAX_SPOKEN = 16
MIN_SHARE = 0.2
"""A pattern that covers less of the firing does not lead."""

QUOTED = re.compile(r"(?<![^\s(])'([^\n]+?)'(?=[\s,;.:)]|$)")
"""What `quoted` writes, where it stands in a sentence. Apostrophes in a token, or in other words, are no quotes."""

TokenText = Callable[[int], str]


def describe(rule: TokenRule, text_of: TokenText) -> str:
    """The rule as a sentence without its subject, in lower case, without a full stop.

    Led by the pattern that covers most of the firing; by the tokens alone where no pattern covers much.
    """
    by_share = sorted(rule.patterns, key=lambda it: -it.share)
    strongest = _strongest(rule)
    if not by_share or by_share[0].share < MIN_SHARE:
        sentence = f"fires on {_tokens(strongest, text_of)}"
        if by_share:
            sentence += f"; sometimes {_pattern(by_share[0], rule, text_of)}"
        return sentence
    main = by_share[0]
    sentence = f"fires {_pattern(main, rule, text_of)}"
    rest = [token for token in strongest if main.tokens is None or token not in main.tokens]
    if len(by_share) > 1 and by_share[1].share >= MIN_SHARE / 2:
        sentence += f"; also {_pattern(by_share[1], rule, text_of, 2)}"
    elif rest and main.share < 0.9:
        sentence += f"; also on {_tokens(rest, text_of, 2)}"
    return sentence


def _pattern(pattern: Pattern, rule: TokenRule, text_of: TokenText, n: int = N_NAMED) -> str:
    after = _contexts(pattern, text_of, n)
    if pattern.tokens is None:
        return f"{after}, whatever the token"
    return f"on {_tokens(_ranked(pattern.tokens, rule), text_of, n)} {after}"


def quoted(token: str) -> str:
    """A token between quotes, with its white space visible."""
    shown = token.replace("\n", "\u21b5").replace("\t", "\u21e5").replace("\r", "\u240d")
    return f"'{shown}'"


def _strongest(rule: TokenRule) -> list[int]:
    """The rule's tokens from the strongest down, while they are strong."""
    ranked = sorted(rule.values, key=lambda token: -rule.values[token])
    if not ranked:
        return []
    least = STRONG * rule.values[ranked[0]]
    return [token for token in ranked if rule.values[token] >= least][:MAX_SPOKEN]


def _ranked(tokens: Iterable[int], rule: TokenRule) -> list[int]:
    return sorted(tokens, key=lambda token: (-rule.values.get(token, 0.0), token))


def _tokens(tokens: Sequence[int], text_of: TokenText, n: int = N_NAMED) -> str:
    texts = list(dict.fromkeys(text_of(token) for token in tokens))
    return listed(texts, n) if texts else "no token in particular"


def listed(texts: Sequence[str], n: int = N_NAMED) -> str:
    """Some tokens by name, the others by their class or number."""
    shared = common_class(texts)
    if shared is not None:
        named = [quoted(text) for text in shared.members[: max(1, n - 1)]]
        if len(shared.members) == len(named):
            return joined(named)
        return f"{', '.join(named)} and other {shared.name}"
    named = [quoted(text) for text in texts[:n]]
    more = len(texts) - len(named)
    if more == 0:
        return joined(named)
    return f"{', '.join(named)} and {more} other token{'s' if more > 1 else ''}"


def _contexts(pattern: Pattern, text_of: TokenText, n: int = N_NAMED) -> str:
    """What comes before, nearest first."""
    parts = []
    for distance, allowed in pattern.context:
        where = "after" if distance == 1 else f"{distance} tokens after"
        parts.append(f"{where} {_tokens(sorted(allowed), text_of, n)}")
    return " and ".join(parts)


def joined(parts: Sequence[str]) -> str:
    """As in "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
