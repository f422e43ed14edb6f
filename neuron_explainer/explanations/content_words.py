"""The words of a sentence that carry its meaning, for an encoder that weighs words and knows nothing of sentences.

    fires on ' Tuesday', '"' and 3 other tokens, mostly after ' on'    ->    tuesday quotation mark on

1. a quoted token counts as what stands between the quotes; if that is punctuation, by its Unicode name ("comma")
2. outside quotes punctuation is left out, and so are words that explanations of any meaning are made of: "fires" where
   a clause begins, "and 3 other tokens", "(19 % of its write)", articles, prepositions
3. a text of which nothing is left, such as ";" or "the", is read whole

Otherwise two explanations are alike because both quote something, and "fire" finds all that "fires on" anything.
"""

import re
import unicodedata

from neuron_explainer.explanations.wording import QUOTED

_FORMS = re.compile(
    r"(?:^|[;:] )\s*(?:it )?(?:fires?|activates?|responds?|attends?)\b|\(\d+ % of its write\)"
    r"|\b\d+ (?:other )?tokens?\b|\bother tokens?\b|\bwhatever the token\b",
    re.IGNORECASE,
)
_GRAMMAR = """
    a an and any are as at be by for from in into is it its of off on or other others such than that the their these
    this those to was were when where which while with also more sometimes like most all mostly only both
    token tokens after before
"""
_FORM_WORDS = frozenset(_GRAMMAR.split())
_WORD = re.compile(r"\w+")
_NAMES = {"\u21b5": "line break", "\u21e5": "tab"}
"""Of the signs that `wording.quoted` shows white space by."""


def content(text: str) -> str:
    """The words that carry meaning, in the order they stand, tokens last."""
    outside = _FORMS.sub(" ", QUOTED.sub(" ", text))
    words = [word for word in _WORD.findall(outside) if word.lower() not in _FORM_WORDS]
    words += [_named(token) for token in QUOTED.findall(text)]
    return " ".join(words).strip() or _named(text)


def _named(token: str) -> str:
    """A token without punctuation; if it is nothing else, what that is called."""
    words = _WORD.findall(token)
    if words:
        return " ".join(words)
    names = (_NAMES.get(sign, unicodedata.name(sign, "")) for sign in token.strip())
    return " ".join(names).lower().replace("-", " ")
