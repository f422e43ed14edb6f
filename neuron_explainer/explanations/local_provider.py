"""A model in this process as a provider: our own forward pass, hence every log-probability there is.

Greedy at temperature 0, else sampled with a seed from the question, so that equal questions have equal answers.
Messages go through the tokenizer's own template, or as plain text where it has none.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence

import torch

from neuron_explainer.explanations.providers import (
    PromptToken,
    ProviderError,
    Question,
    Reply,
    Usage,
)
from neuron_explainer.models.chat import Message, has_chat_template
from neuron_explainer.models.sampling import generate
from neuron_explainer.models.tokens import PromptTooLong, encode, token_text
from neuron_explainer.models.transformer import Transformer

N_TOP = 15


class LocalProvider:
    """Asks a model that is loaded here; one question at a time."""

    has_prompt_logprobs = True

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self.name = f"local|{model.config.name}"
        self._turn = asyncio.Lock()

    async def complete(self, question: Question) -> Reply:
        """Write a reply."""
        async with self._turn:
            try:
                return await asyncio.to_thread(self._complete, question)
            except (PromptTooLong, ValueError) as problem:
                raise ProviderError(str(problem)) from problem

    async def prompt_tokens(
        self, prompt: str, candidates: Sequence[str]
    ) -> tuple[list[PromptToken], Usage]:
        """The prompt's tokens, and what was expected at each."""
        async with self._turn:
            try:
                return await asyncio.to_thread(self._prompt_tokens, prompt, candidates)
            except (PromptTooLong, ValueError) as problem:
                raise ProviderError(str(problem)) from problem

    async def close(self) -> None:
        """Nothing to let go of."""

    def _complete(self, question: Question) -> Reply:
        prompt: str | Sequence[Message] = question.messages
        if not has_chat_template(self.model):
            prompt = plain(question.messages)
        digest = hashlib.sha256(json.dumps(question.to_json()).encode()).digest()
        found = generate(
            self.model,
            prompt,
            max_new_tokens=question.max_tokens,
            temperature=question.temperature,
            seed=int.from_bytes(digest[:4], "big"),
            n_top=max(1, question.n_logprobs),
        ).run()
        logprobs = tuple({it.text: it.logprob for it in token.top} for token in found.tokens)
        usage = Usage(len(found.prompt.tokens), len(found.tokens))
        return Reply(found.text, usage, logprobs if question.n_logprobs else ())

    @torch.inference_mode()
    def _prompt_tokens(
        self, prompt: str, candidates: Sequence[str]
    ) -> tuple[list[PromptToken], Usage]:
        ids = encode(self.model, prompt)
        wanted = self._single_tokens(candidates)
        resid = self.model.layers(self.model.embed(torch.tensor([ids], device=self.model.device)))
        tokens = [PromptToken(token_text(self.model, ids[0]), {})]
        for first in range(0, len(ids) - 1, 128):
            stop = min(first + 128, len(ids) - 1)
            logprobs = self.model.unembed(resid[:, first:stop])[0].float().log_softmax(-1).cpu()
            top = logprobs.topk(min(N_TOP, logprobs.shape[1]), dim=-1)
            for row in range(stop - first):
                known = {
                    token_text(self.model, int(token)): float(value)
                    for token, value in zip(top.indices[row], top.values[row], strict=True)
                }
                known |= {text: float(logprobs[row, token]) for text, token in wanted.items()}
                tokens.append(PromptToken(token_text(self.model, ids[first + row + 1]), known))
        return tokens, Usage(len(ids), 0)

    def _single_tokens(self, texts: Sequence[str]) -> dict[str, int]:
        """Those of the texts that are one token."""
        found = {}
        for text in texts:
            ids = self.model.tokenizer.encode(text, add_special_tokens=False)
            if len(ids) == 1:
                found[text] = int(ids[0])
        return found


def plain(messages: Sequence[Message]) -> str:
    """Messages as one text, for models that know no turns."""
    return "\n\n".join(message.content for message in messages) + "\n"
