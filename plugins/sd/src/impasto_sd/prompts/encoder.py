"""From a parsed prompt to the tensors that a UNet is conditioned with. Torch only; the syntax is `prompts.syntax`.

A prompt longer than the text encoder's window is cut into windows at ends of phrases or words, each encoded by itself,
and set side by side: nothing is dropped. Called by the `compel` node.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from transformers import CLIPTextModel, CLIPTokenizer

from impasto_sd.prompts.syntax import Blend, Conjunction, Fragment, WeightedText
from impasto_sdk.errors import InvalidInputError

__all__ = ["EncodedPrompt", "PromptEncoder", "pad_with"]

#: A weight of 0 would need an infinite share of the prompt without the words; this is near enough.
_LEAST_WEIGHT = 1e-5
_PHRASE_ENDS = frozenset({",</w>", ".</w>", ";</w>", ":</w>", "!</w>", "?</w>"})
_WORD_END = "</w>"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPrompt:
    """A prompt as a UNet takes it."""

    #: Shape (1, windows × window, width of the text encoder).
    embeddings: torch.Tensor
    #: One window of the empty prompt, shape (1, window, width): what a shorter prompt is padded with.
    empty: torch.Tensor
    #: Tokens of the prompt, without markers and padding.
    token_count: int


@dataclass(frozen=True, slots=True)
class _Windows:
    """A weighted text, cut into windows. All tensors have shape (windows, window)."""

    ids: torch.Tensor
    weights: torch.Tensor
    #: Number of the fragment that each token came from; -1 for markers and padding.
    fragments: torch.Tensor
    token_count: int


class PromptEncoder:
    """Encodes prompts with one CLIP text encoder.

    `skipped_layers` are left out at its end, 0 to its number of layers; raises `InvalidInputError` for more.
    """

    def __init__(self, tokenizer: CLIPTokenizer, text_encoder: CLIPTextModel, *, skipped_layers: int = 0) -> None:
        layers = int(text_encoder.config.num_hidden_layers)
        if skipped_layers > layers:
            raise InvalidInputError(
                "skipped_layers", skipped_layers, f"the text encoder has {layers} layers", f"skip 0 to {layers}"
            )
        self._tokenizer = tokenizer
        self._text_encoder = text_encoder
        self._skipped_layers = skipped_layers
        self._window = int(text_encoder.config.max_position_embeddings)
        self._device = text_encoder.device

    def encode(self, prompt: Conjunction) -> EncodedPrompt:
        """The embeddings of a prompt, in the text encoder's precision and on its device."""
        with torch.inference_mode():
            empty = self._hidden(self._windows(WeightedText((Fragment(""),))).ids, None)
            parts: list[torch.Tensor] = []
            count = 0
            for part, weight in zip(prompt.parts, prompt.weights, strict=True):
                encoded, tokens = self._part(part, empty)
                # a part's weight says how far it lies from the empty prompt, as a word's does
                plain = empty.repeat(1, encoded.shape[1] // self._window, 1)
                parts.append(encoded if weight == 1 else plain + (encoded - plain) * weight)
                count += tokens
            return EncodedPrompt(embeddings=torch.cat(parts, dim=1), empty=empty, token_count=count)

    def _part(self, part: WeightedText | Blend, empty: torch.Tensor) -> tuple[torch.Tensor, int]:
        if isinstance(part, WeightedText):
            return self._text(part, empty)
        encoded = [self._text(text, empty) for text in part.prompts]
        length = max(embeddings.shape[1] for embeddings, _ in encoded)
        padded = torch.stack([pad_with(embeddings, empty, length) for embeddings, _ in encoded])
        weights = torch.tensor(part.weights, dtype=padded.dtype, device=padded.device)
        if part.normalize:
            weights = weights / weights.sum()
        return (padded * weights.reshape(-1, 1, 1, 1)).sum(dim=0), sum(tokens for _, tokens in encoded)

    def _text(self, text: WeightedText, empty: torch.Tensor) -> tuple[torch.Tensor, int]:
        windows = self._windows(text)
        embeddings = self._scaled(self._hidden(windows.ids, None), windows, empty)
        light = [number for number, fragment in enumerate(text.fragments) if fragment.weight < 1]
        if light:
            embeddings = self._without(light, text, windows, embeddings, empty)
        return embeddings.reshape(1, -1, embeddings.shape[-1]), windows.token_count

    def _scaled(self, hidden: torch.Tensor, windows: _Windows, empty: torch.Tensor) -> torch.Tensor:
        """Each token moved away from the empty prompt's, or towards it, by its weight."""
        weights = windows.weights.unsqueeze(-1).to(hidden.dtype)
        # what weighs 1 stays exactly what the text encoder gave
        return torch.where(weights == 1, hidden, empty + (hidden - empty) * weights)

    def _without(
        self, light: Sequence[int], text: WeightedText, windows: _Windows, embeddings: torch.Tensor, empty: torch.Tensor
    ) -> torch.Tensor:
        """Blend with the prompt as it reads without each light fragment: 0.5 is half way, 0 is wholly without it.

        Scaling alone would leave a word of weight 0.01 in the other words' embeddings, which attended to it.
        """
        total = embeddings
        share_sum = 1.0
        for number in light:
            kept = (windows.fragments != number).long()
            share = math.tan((1 - max(text.fragments[number].weight, _LEAST_WEIGHT)) * math.pi / 2)
            total = total + share * self._scaled(self._hidden(windows.ids, kept), windows, empty)
            share_sum += share
        return total / share_sum

    def _hidden(self, ids: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
        """The text encoder's last layer that is not skipped, normalised; shape (windows, window, width)."""
        if self._skipped_layers == 0:
            last: torch.Tensor = self._text_encoder(ids, attention_mask).last_hidden_state
            return last
        states = self._text_encoder(ids, attention_mask, output_hidden_states=True).hidden_states
        # transformers before version 5 keeps the layers one level deeper
        layers = getattr(self._text_encoder, "text_model", self._text_encoder)
        hidden: torch.Tensor = layers.final_layer_norm(states[-(self._skipped_layers + 1)])
        return hidden

    def _windows(self, text: WeightedText) -> _Windows:
        ids: list[int] = []
        fragments: list[int] = []
        for number, fragment in enumerate(text.fragments):
            tokens = self._tokenizer(fragment.text, add_special_tokens=False, verbose=False)["input_ids"]
            ids += tokens
            fragments += [number] * len(tokens)
        rows = [_Row((), ())]
        if ids:
            words = self._tokenizer.convert_ids_to_tokens(ids)
            rows = [_Row(ids[begin:end], fragments[begin:end]) for begin, end in _cuts(words, self._window - 2)]
        first, last = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        padding = self._tokenizer.pad_token_id
        table = [row.framed(first, last, padding, self._window) for row in rows]
        origin = torch.tensor([row.fragments for row in table], device=self._device)
        weights = torch.tensor([*(fragment.weight for fragment in text.fragments), 1.0], device=self._device)
        return _Windows(
            ids=torch.tensor([row.ids for row in table], device=self._device),
            weights=weights[origin],  # -1, markers and padding, is the 1.0 at the end
            fragments=origin,
            token_count=len(ids),
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """Tokens of one window and the fragments they came from."""

    ids: Sequence[int]
    fragments: Sequence[int]

    def framed(self, first: int, last: int, padding: int, length: int) -> "_Row":
        """Between the markers and padded to `length`."""
        room = length - len(self.ids) - 2
        return replace(
            self,
            ids=[first, *self.ids, last, *[padding] * room],
            fragments=[-1, *self.fragments, -1, *[-1] * room],
        )


def pad_with(embeddings: torch.Tensor, empty: torch.Tensor, length: int) -> torch.Tensor:
    """Embeddings of shape (1, tokens, width), made `length` tokens long with windows of the empty prompt."""
    missing = (length - embeddings.shape[1]) // empty.shape[1]
    return torch.cat([embeddings, *[empty] * missing], dim=1) if missing else embeddings


def _cuts(words: Sequence[str], room: int) -> list[tuple[int, int]]:
    """Where to cut tokens into runs of at most `room`: after a phrase in the later half, else after a word."""
    cuts: list[tuple[int, int]] = []
    begin = 0
    while begin < len(words):
        end = min(begin + room, len(words))
        if end < len(words):
            phrase = _last(words, begin + room // 2, end, lambda word: word in _PHRASE_ENDS)
            end = phrase or _last(words, begin, end, lambda word: word.endswith(_WORD_END)) or end
        cuts.append((begin, end))
        begin = end
    return cuts


def _last(words: Sequence[str], begin: int, end: int, wanted: Callable[[str], bool]) -> int | None:
    """The place after the last wanted word between `begin` and `end`."""
    return next((place + 1 for place in range(end - 1, begin - 1, -1) if wanted(words[place])), None)
