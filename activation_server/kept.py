"""Answers kept as the bytes that went out, so that asking the same again costs nothing."""

from collections import OrderedDict
from collections.abc import Hashable


class KeptAnswers:
    """The most recently used answers, bounded in number and in bytes. For the event loop only."""

    def __init__(self, max_answers: int, max_bytes: int) -> None:
        self._max_answers = max_answers
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, request: Hashable) -> bytes | None:
        """The answer to this very request, if it is still here."""
        answer = self._answers.get(request)
        if answer is not None:
            self._answers.move_to_end(request)
        return answer

    def put(self, request: Hashable, answer: bytes) -> None:
        """Keep an answer; the ones that were not asked for longest give way."""
        self._n_bytes += len(answer) - len(self._answers.pop(request, b""))
        self._answers[request] = answer
        while self._n_bytes > self._max_bytes or len(self._answers) > self._max_answers:
            self._n_bytes -= len(self._answers.popitem(last=False)[1])
