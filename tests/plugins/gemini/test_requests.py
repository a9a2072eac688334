"""What goes over the wire, byte for byte: each model, mode and option, and every size."""

import asyncio
import re

import pytest
from support.gemini_cases import CASES, PICTURES, GeminiCase
from support.gemini_service import GEMINI_KEY, gemini_context, gemini_model, model_list
from support.stand_in import StandIn

from impasto_gemini.models import MODELS
from impasto_gemini.node import GeminiImageGeneration
from impasto_gemini.provider import GeminiProvider
from impasto_sdk.fields import ImageField
from impasto_sdk.providers import ExternalModel, nearest_size
from impasto_sdk.testing import FakeContext, FakeProviderAccess, run_node

#: The service's own tables of sizes in pixels. One is mended: 21:9 in 512 stands there as 792x168, which is no 21:9.
TABLE_OF_2_5 = """
    1:1 1024x1024 / 2:3 832x1248 / 3:2 1248x832 / 3:4 864x1184 / 4:3 1184x864 / 4:5 896x1152 / 5:4 1152x896
    9:16 768x1344 / 16:9 1344x768 / 21:9 1536x672
"""
TABLE_OF_3 = """
    1:1 512x512 1024x1024 2048x2048 4096x4096
    2:3 424x632 848x1264 1696x2528 3392x5056
    3:2 632x424 1264x848 2528x1696 5056x3392
    3:4 448x600 896x1200 1792x2400 3584x4800
    4:3 600x448 1200x896 2400x1792 4800x3584
    4:5 464x576 928x1152 1856x2304 3712x4608
    5:4 576x464 1152x928 2304x1856 4608x3712
    9:16 384x688 768x1376 1536x2752 3072x5504
    16:9 688x384 1376x768 2752x1536 5504x3072
    21:9 792x336 1584x672 3168x1344 6336x2688
"""
EXTREMES = """
    1:4 256x1024 512x2048 1024x4096 2048x8192
    1:8 192x1536 384x3072 768x6144 1536x12288
    4:1 1024x256 2048x512 4096x1024 8192x2048
    8:1 1536x192 3072x384 6144x768 12288x1536
"""


def rows(table: str) -> dict[str, list[tuple[int, int]]]:
    """Sizes by ratio."""
    found = {}
    for row in re.split(r"[/\n]", table):
        if row.strip():
            ratio, *sizes = row.split()
            found[ratio] = [(int(width), int(height)) for width, height in (size.split("x") for size in sizes)]
    return found


def offered(model: ExternalModel) -> dict[tuple[str, str | None], tuple[int, int]]:
    return {(one.aspect_ratio, one.image_size): (one.width, one.height) for one in model.capabilities.presets}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_is_what_it_should_be_to_the_byte(service: StandIn, context: FakeContext, case: GeminiCase) -> None:
    run_node(case.node(context), context)
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", case.path)
    assert request.body == case.body
    assert request.headers["content-type"] == "application/json"


def test_every_model_and_every_mode_is_among_the_cases() -> None:
    assert {(case.model, case.mode) for case in CASES} == {
        (model.id, mode) for model in MODELS for mode in model.capabilities.modes
    }


def test_the_key_goes_in_a_header_and_nowhere_else(service: StandIn, context: FakeContext) -> None:
    run_node(CASES[0].node(context), context)
    (request,) = service.requests
    assert request.headers["x-goog-api-key"] == GEMINI_KEY
    others = {name: value for name, value in request.headers.items() if name != "x-goog-api-key"}
    assert GEMINI_KEY not in f"{request.path} {others} {request.body!r}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_sizes_of_a_model_are_those_of_the_services_table(model: ExternalModel) -> None:
    names: tuple[str | None, ...] = (None,)
    table = rows(TABLE_OF_2_5)
    if "gemini-3" in model.id:
        names = ("512", "1K", "2K", "4K")
        table = rows(TABLE_OF_3 + (EXTREMES if "flash" in model.id else ""))
    expected = {(ratio, name): size for ratio, row in table.items() for name, size in zip(names, row, strict=True)}
    if "pro" in model.id:
        expected = {key: size for key, size in expected.items() if key[1] != "512"}
    assert offered(model) == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_each_size_that_is_offered_is_asked_for_by_its_own_name(model: ExternalModel) -> None:
    for (ratio, name), (width, height) in offered(model).items():
        chosen = nearest_size("gemini", model.capabilities, width, height)
        assert (chosen.aspect_ratio, chosen.image_size) == (ratio, name)


def test_several_pictures_are_as_many_requests_side_by_side(service: StandIn) -> None:
    context = gemini_context(service.url, places=2)
    node = GeminiImageGeneration(model=gemini_model("gemini-2.5-flash-image"), prompt="a fox", num_images=5)
    output = run_node(node, context)
    assert len(output.collection) == len(service.requests) == 5
    assert len({request.body for request in service.requests}) == 1
    assert service.most_at_once <= 2


def test_as_many_references_as_the_model_takes_are_sent_in_order(service: StandIn, context: FakeContext) -> None:
    names = ["png", "jpeg", "webp"] * 4 + ["png"]
    library: dict[str, ImageField] = {name: context.images.add(data) for name, data in PICTURES.items()}
    node = GeminiImageGeneration(
        model=gemini_model("gemini-3-pro-image"),
        mode="img2img",
        prompt="a fox",
        init_image=library["webp"],
        reference_images=[library[name] for name in names],
    )
    run_node(node, context)
    _, *sent = service.requests[0].json["contents"][0]["parts"]
    assert [part["inlineData"]["mime_type"] for part in sent] == [f"image/{name}" for name in ["webp", *names]]


async def verify(url: str) -> None:
    await GeminiProvider(FakeProviderAccess(GEMINI_KEY, url)).verify()


def test_a_key_is_tested_by_asking_for_the_list_of_models(service: StandIn) -> None:
    service.answers(model_list())
    asyncio.run(verify(service.url))
    (request,) = service.requests
    assert (request.method, request.path, request.body) == ("GET", "/v1beta/models", b"")
    assert request.headers["x-goog-api-key"] == GEMINI_KEY
