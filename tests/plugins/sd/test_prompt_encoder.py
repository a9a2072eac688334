"""Prompts as tensors: equal to the text encoder's own, moved by weights, never cut."""

from collections.abc import Mapping

import pytest
import torch

from impasto_sd.prompts.encoder import EncodedPrompt, PromptEncoder
from impasto_sd.prompts.syntax import parse_prompt
from impasto_sdk.errors import InvalidInputError

#: The starter's text encoder takes 30 tokens between its markers.
WINDOW = 32


@pytest.fixture
def encoder(starter_parts: Mapping[str, object]) -> PromptEncoder:
    return PromptEncoder(starter_parts["tokenizer"], starter_parts["text_encoder"])


def encoded(encoder: PromptEncoder, prompt: str) -> EncodedPrompt:
    return encoder.encode(parse_prompt(prompt))


def test_a_plain_prompt_is_what_the_text_encoder_gives(
    encoder: PromptEncoder, starter_parts: Mapping[str, object]
) -> None:
    prompt = "a red star on a blue background"
    ids = starter_parts["tokenizer"](prompt, padding="max_length", max_length=WINDOW, return_tensors="pt").input_ids
    with torch.inference_mode():
        expected = starter_parts["text_encoder"](ids).last_hidden_state
    assert torch.equal(encoded(encoder, prompt).embeddings, expected)


def test_a_greater_weight_moves_the_word_further_from_the_empty_prompt(encoder: PromptEncoder) -> None:
    plain, heavier = (encoded(encoder, prompt) for prompt in ("a red star", "a (red)1.5 star"))
    expected = plain.empty[0, 2] + 1.5 * (plain.embeddings[0, 2] - plain.empty[0, 2])
    assert torch.allclose(heavier.embeddings[0, 2], expected, atol=1e-6)
    others = [token for token in range(WINDOW) if token != 2]
    assert torch.equal(heavier.embeddings[0, others], plain.embeddings[0, others])


def test_a_word_of_no_weight_is_no_longer_attended_to(encoder: PromptEncoder) -> None:
    plain, without = encoded(encoder, "a red star"), encoded(encoder, "a (red)0 star")
    # the words after it differ, since they do not see it any more; the one before never did
    assert torch.allclose(without.embeddings[0, 1], plain.embeddings[0, 1], atol=1e-4)
    assert (without.embeddings[0, 3] - plain.embeddings[0, 3]).abs().max() > 0.05


def test_a_lighter_weight_lies_between_the_word_and_none_of_it(encoder: PromptEncoder) -> None:
    full, half, none = (encoded(encoder, f"a (red){weight} star").embeddings for weight in (1, 0.5, 0))
    assert torch.dist(full, half) < torch.dist(full, none)
    assert torch.dist(half, none) < torch.dist(full, none)


def test_a_blend_is_the_weighted_mean(encoder: PromptEncoder) -> None:
    star, ring = encoded(encoder, "a red star").embeddings, encoded(encoder, "a blue ring").embeddings
    blend = encoded(encoder, '("a red star", "a blue ring").blend(3, 1)').embeddings
    assert torch.allclose(blend, 0.75 * star + 0.25 * ring, atol=1e-5)
    sum_ = encoded(encoder, '("a red star", "a blue ring").blend(3, 1, no_normalize)').embeddings
    assert torch.allclose(sum_, 3 * star + ring, atol=1e-4)


def test_a_conjunction_stands_side_by_side(encoder: PromptEncoder) -> None:
    star, ring = encoded(encoder, "a red star"), encoded(encoder, "a blue ring")
    both = encoded(encoder, '("a red star", "a blue ring").and(1, 0.5)').embeddings
    assert both.shape == (1, 2 * WINDOW, 128)
    assert torch.equal(both[:, :WINDOW], star.embeddings)
    assert torch.allclose(both[:, WINDOW:], ring.empty + 0.5 * (ring.embeddings - ring.empty), atol=1e-6)


def test_a_blend_of_unequal_lengths_pads_with_the_empty_prompt(encoder: PromptEncoder) -> None:
    long = "a red star, " * 10
    blend = encoded(encoder, f'("{long}", "a ring").blend(0, 1)')
    ring = encoded(encoder, "a ring")
    assert blend.embeddings.shape[1] == encoded(encoder, long).embeddings.shape[1]
    assert torch.allclose(blend.embeddings[:, :WINDOW], ring.embeddings)
    assert torch.allclose(blend.embeddings[:, WINDOW : 2 * WINDOW], ring.empty)


def test_words_beyond_the_window_count(encoder: PromptEncoder) -> None:
    start = "a red star on a blue background, " * 5
    one, other = encoded(encoder, start + "green"), encoded(encoder, start + "yellow")
    assert one.token_count == other.token_count == 5 * 8 + 1
    assert one.embeddings.shape == (1, 2 * WINDOW, 128)
    # it is cut after a phrase, so the last words stand in the second window
    assert torch.equal(one.embeddings[:, :WINDOW], other.embeddings[:, :WINDOW])
    assert not torch.equal(one.embeddings[:, WINDOW:], other.embeddings[:, WINDOW:])


def test_every_token_is_encoded_however_long_the_prompt(encoder: PromptEncoder) -> None:
    words = encoded(encoder, "star " * 301)
    assert words.token_count == 301
    assert words.embeddings.shape == (1, 11 * WINDOW, 128)


def test_skipped_layers_are_left_out_as_diffusers_does(starter_parts: Mapping[str, object]) -> None:
    tokenizer, text_encoder = starter_parts["tokenizer"], starter_parts["text_encoder"]
    ids = tokenizer("a star", padding="max_length", max_length=WINDOW, return_tensors="pt").input_ids
    with torch.inference_mode():
        states = text_encoder(ids, output_hidden_states=True).hidden_states
        expected = text_encoder.final_layer_norm(states[-3])
    found = PromptEncoder(tokenizer, text_encoder, skipped_layers=2).encode(parse_prompt("a star"))
    assert torch.equal(found.embeddings, expected)


def test_more_skipped_layers_than_there_are_is_refused(starter_parts: Mapping[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="the text encoder has 3 layers") as caught:
        PromptEncoder(starter_parts["tokenizer"], starter_parts["text_encoder"], skipped_layers=4)
    assert caught.value.field == "skipped_layers"


def test_a_prompt_longer_than_the_window_says_nothing_on_standard_error(
    encoder: PromptEncoder, capfd: pytest.CaptureFixture[str]
) -> None:
    encoded(encoder, "star " * 100)
    assert capfd.readouterr().err == ""
