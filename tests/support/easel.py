"""Easel: an external image service whose plugin a stranger writes with nothing but the sdk. This is all of it."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from impasto_sdk import BaseInvocation, InputField, hookimpl
from impasto_sdk.panels import Panel
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImage,
    ExternalImageGeneration,
    ExternalModel,
    ExternalModelCapabilities,
    ExternalProvider,
    PartialImage,
    external_invocation,
    image_panel,
    picture_of_base64,
)


class EaselOptions(BaseModel):
    """What Easel can be asked beside the usual."""

    glaze: Literal["matt", "gloss"] = InputField("matt", description="How the picture shines")


class Easel(ExternalProvider):
    """Easel paints in oils."""

    provider_id, title, default_base_url = "easel", "Easel", "https://easel.example"
    options = EaselOptions

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        able = ExternalModelCapabilities(
            modes=frozenset({"txt2img"}), supports_seed=True, aspect_ratio_sizes={"1:1": (64, 64), "2:1": (96, 48)}
        )
        return [ExternalModel(id="oils-1", name="Oils", description="Oil paintings.", capabilities=able)]

    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        from impasto_sdk.providers.http import ProviderHttp

        size = [request.width, request.height]
        body = {"model": request.model, "prompt": request.prompt, "size": size, "seed": request.seed}
        async with ProviderHttp(self, headers={"authorization": f"Easel {self.api_key}"}) as http:
            answer = (await http.post("/paint", {**body, **request.provider_options})).body
        picture = ExternalImage(data=picture_of_base64(self.provider_id, answer["picture"]))
        return ExternalGenerationResult(images=[picture], request_id=answer["id"], cost_usd=answer["price"])


@external_invocation("easel_image_generation", provider=Easel, title="Easel")
class EaselImageGeneration(EaselOptions, ExternalImageGeneration):
    """Have Easel paint pictures."""


@hookimpl
def register_external_providers() -> Sequence[type[ExternalProvider]]:
    return [Easel]


@hookimpl
def register_invocations() -> Sequence[type[BaseInvocation]]:
    return [EaselImageGeneration]


@hookimpl
def register_panels() -> Sequence[Panel]:
    return [image_panel(EaselImageGeneration)]
