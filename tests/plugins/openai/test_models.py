"""The models: what each is said to do, which options it takes, and what its requests cost."""

import pytest
from support.openai_service import openai_records

from impasto_openai.models import MODELS
from impasto_openai.options import OpenAIOptions
from impasto_openai.prices import cost_of_pictures, cost_of_tokens
from impasto_openai.usage import TokenUsage

GPT_IMAGE = {"quality", "background", "output_format", "output_compression", "moderation", "partial_images"}


def test_each_model_takes_the_options_that_the_service_documents_for_it() -> None:
    assert {model.id: set(model.option_names(OpenAIOptions.model_fields)) for model in MODELS} == {
        "gpt-image-1.5": {*GPT_IMAGE, "input_fidelity"},
        "gpt-image-1-mini": GPT_IMAGE,
        "gpt-image-1": {*GPT_IMAGE, "input_fidelity"},
        "dall-e-3": {"quality", "style"},
    }


def test_no_option_is_misspelt() -> None:
    assert {name for model in MODELS for name in model.options or ()} == set(OpenAIOptions.model_fields)


def test_each_model_makes_the_sizes_that_the_service_documents_for_it() -> None:
    landscape_and_portrait = {
        model.id: {f"{preset.width}x{preset.height}" for preset in model.capabilities.presets} for model in MODELS
    }
    usual = {"1024x1024", "1536x1024", "1024x1536"}
    assert landscape_and_portrait == {
        "gpt-image-1": usual,
        "gpt-image-1.5": usual,
        "gpt-image-1-mini": usual,
        "dall-e-3": {"1024x1024", "1792x1024", "1024x1792"},
    }


def test_limits_are_those_of_the_service() -> None:
    limits = {
        model.id: (
            model.capabilities.max_images_per_request,
            model.capabilities.max_reference_images,
            model.capabilities.max_input_images,
            model.capabilities.max_prompt_length,
            sorted(model.capabilities.modes),
        )
        for model in MODELS
    }
    gpt_image = (10, 16, 16, 32_000, ["img2img", "inpaint", "txt2img"])
    assert limits == {
        "gpt-image-1": gpt_image,
        "gpt-image-1.5": gpt_image,
        "gpt-image-1-mini": gpt_image,
        "dall-e-3": (1, 0, None, 4_000, ["txt2img"]),
    }


def test_no_model_takes_a_seed() -> None:
    assert not any(model.capabilities.supports_seed for model in MODELS)


def test_records_say_that_a_key_is_needed_usage_may_cost_money_and_when_a_model_is_shut_down() -> None:
    for record in openai_records().values():
        assert record.source.startswith("external://openai/")
        assert "Needs an API key of OpenAI; usage may cost money." in record.description
        assert "2026" in record.description


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        ("gpt-image-1", TokenUsage(input=1_000_000, output=0, text_input=1_000_000, image_input=0), 5.0),
        ("gpt-image-1", TokenUsage(input=1_000_000, output=0, text_input=0, image_input=1_000_000), 10.0),
        ("gpt-image-1", TokenUsage(input=0, output=1_000_000, text_input=0, image_input=0), 40.0),
        # the service's own example: a square picture of medium quality is 1,056 tokens, and about 4 cents
        ("gpt-image-1", TokenUsage(input=0, output=1056, text_input=0, image_input=0), 0.04224),
        ("gpt-image-1-mini", TokenUsage(input=300, output=1056, text_input=100, image_input=200), 0.009148),
        (
            "gpt-image-1.5",
            TokenUsage(input=300, output=1100, text_input=100, image_input=200, text_output=100),
            0.0351,
        ),
        # not known: what kind of tokens they are; words of a model that is not said to write any; the model
        ("gpt-image-1", TokenUsage(input=300, output=1056), None),
        ("gpt-image-1", TokenUsage(input=0, output=9, text_input=0, image_input=0, text_output=9), None),
        ("gpt-image-9", TokenUsage(input=0, output=1056, text_input=0, image_input=0), None),
    ],
)
def test_tokens_cost_what_is_published(model: str, usage: TokenUsage, dollars: float | None) -> None:
    assert cost_of_tokens(model, usage) == dollars


@pytest.mark.parametrize(
    ("quality", "size", "count", "dollars"),
    [
        ("standard", "1024x1024", 1, 0.04),
        ("standard", "1792x1024", 1, 0.08),
        ("standard", "1024x1792", 2, 0.16),
        ("hd", "1024x1024", 1, 0.08),
        ("hd", "1024x1792", 3, 0.36),
        ("hd", "512x512", 1, None),
        ("medium", "1024x1024", 1, None),
    ],
)
def test_pictures_cost_what_is_published(quality: str, size: str, count: int, dollars: float | None) -> None:
    assert cost_of_pictures("dall-e-3", quality, size, count) == dollars


def test_tokens_of_pictures_add_up_and_what_is_not_known_stays_so() -> None:
    known = TokenUsage(input=3, output=5, text_input=1, image_input=2, text_output=1)
    assert known + known == TokenUsage(input=6, output=10, text_input=2, image_input=4, text_output=2)
    assert known + TokenUsage(input=3, output=5) == TokenUsage(input=6, output=10, text_output=1)
