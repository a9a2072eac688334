"""Google's own Python client, given what a node is given, sends what the node sends: our wire format is theirs.

Nothing is added, left out or respelled on either side. Two things are said to the client that it would choose
otherwise: where the service is, and version ``v1beta`` of the API (``v1`` is its own choice), which has models in
preview and is what the service's documentation shows.
"""

import json
from collections.abc import Iterator

import pytest
from google import genai
from google.genai import types
from support.gemini_cases import CASES, PICTURES, PROMPT, GeminiCase
from support.gemini_service import GEMINI_KEY, model_list, pictures
from support.provenance import signed_picture
from support.stand_in import Recorded, StandIn


@pytest.fixture(scope="module")
def shared_service() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def client(shared_service: StandIn) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=shared_service.url, api_version="v1beta")
    with genai.Client(api_key=GEMINI_KEY, http_options=options) as client:
        yield client


def sent_by_the_client(client: genai.Client, service: StandIn, case: GeminiCase) -> Recorded:
    """The client's request for what `case` asks, said in the client's own words."""
    service.requests.clear()
    service.answers(pictures(signed_picture()))
    asked_size = json.loads(case.body)["generationConfig"]["imageConfig"]
    level = case.options.get("thinking_level")
    answer = client.models.generate_content(
        model=case.model,
        contents=[
            PROMPT,
            *(types.Part.from_bytes(data=PICTURES[name], mime_type=f"image/{name}") for name in case.pictures),
        ],
        config=types.GenerateContentConfig(
            response_modalities=["IMAGE"],
            temperature=case.options.get("temperature"),
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel(level)) if level else None,
            image_config=types.ImageConfig(
                aspect_ratio=asked_size["aspectRatio"], image_size=asked_size.get("imageSize")
            ),
        ),
    )
    assert answer.parts is not None, "the client reads the stand-in's answer"
    assert answer.parts[0].inline_data is not None
    assert answer.parts[0].inline_data.data == signed_picture()
    (request,) = service.requests
    return request


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_official_client_sends_the_same(client: genai.Client, shared_service: StandIn, case: GeminiCase) -> None:
    theirs = sent_by_the_client(client, shared_service, case)
    assert (theirs.method, theirs.path) == ("POST", case.path)
    assert theirs.json == json.loads(case.body)
    assert theirs.headers["x-goog-api-key"] == GEMINI_KEY
    assert theirs.headers["content-type"] == "application/json"


def test_the_official_client_lists_models_at_the_same_place(client: genai.Client, shared_service: StandIn) -> None:
    shared_service.requests.clear()
    shared_service.answers(model_list())
    assert [model.name for model in client.models.list()] == ["models/gemini-2.5-flash-image"]
    (request,) = shared_service.requests
    assert (request.method, request.path) == ("GET", "/v1beta/models")
