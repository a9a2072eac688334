"""What clients send, read: from JSON and from forms, in which everything is text."""

from typing import Any

import pytest

from impasto_openai_server.errors import InvalidRequestError
from impasto_openai_server.image_request import ImageRequest, read_request


def test_a_prompt_is_all_that_is_needed() -> None:
    assert read_request({"prompt": "a star"}) == ImageRequest(prompt="a star")


def test_null_is_as_good_as_nothing() -> None:
    names = ("model", "n", "size", "response_format", "stream", "partial_images", "output_format", "quality", "seed")
    assert read_request({"prompt": "a star", **dict.fromkeys(names)}) == ImageRequest(prompt="a star")


@pytest.mark.parametrize(
    ("name", "value", "attribute", "read"),
    [
        ("n", 2, "count", 2),
        ("n", "2", "count", 2),
        ("n", 2.0, "count", 2),
        ("size", "auto", "size", None),
        ("size", "1024x1536", "size", (1024, 1536)),
        ("size", "640X480", "size", (640, 480)),
        ("response_format", "url", "as_url", True),
        ("output_format", "webp", "output_format", "webp"),
        ("output_compression", "75", "output_compression", 75),
        ("stream", "true", "stream", True),
        ("stream", False, "stream", False),
        ("partial_images", "3", "partial_images", 3),
        ("quality", "high", "quality", "high"),
        ("quality", "hd", "quality", "auto"),
        ("model", "", "model", None),
    ],
)
def test_a_parameter_is_read_as_json_and_as_text(name: str, value: Any, attribute: str, read: Any) -> None:
    assert getattr(read_request({"prompt": "a star", name: value}), attribute) == read


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("prompt", None, "there is none"),
        ("prompt", 7, "it is 7"),
        ("prompt", " \n", "say what the picture is to show"),
        ("prompt", "a" * 32_001, "at most 32000"),
        ("model", ["a"], "the id of a model"),
        ("n", 0, "from 1 to 10"),
        ("n", "many", "it is 'many'"),
        ("n", True, "it is True"),
        ("n", 1.5, "it is 1.5"),
        ("size", "0x512", "e.g. 512x512, or auto"),
        ("size", "99999x1", "each 1 to 16384"),
        ("size", 512, "it is 512"),
        ("size", "٣x٣", "WIDTHxHEIGHT"),
        ("response_format", "file", "b64_json or url"),
        ("output_format", "gif", "png or jpeg or webp"),
        ("output_compression", 101, "from 0 to 100"),
        ("stream", "perhaps", "true or false"),
        ("stream", 1, "true or false"),
        ("partial_images", 4, "from 0 to 3"),
        ("n", "9" * 5000, "…"),
    ],
)
def test_what_cannot_be_names_parameter_value_and_what_is_taken(name: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_request({"prompt": "a star", name: value})
    assert caught.value.param == name
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_openai_alone_knows_is_taken_and_what_nobody_there_knows_is_kept() -> None:
    asked = read_request(
        {"prompt": "a star", "user": "u", "style": "vivid", "moderation": "low", "steps": 5, "negative_prompt": "blur"}
    )
    assert asked.extras == {"steps": 5, "negative_prompt": "blur"}


def test_a_stream_carries_its_pictures_itself() -> None:
    assert not read_request({"prompt": "a star", "stream": True, "response_format": "url"}).as_url
