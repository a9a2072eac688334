"""`GeminiProvider`: the Gemini API as an external image service, at ``v1beta/models/{model}:generateContent``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from impasto_gemini.answer import result_of
from impasto_gemini.models import MAX_REQUEST_BYTES, MODELS
from impasto_gemini.options import GeminiOptions
from impasto_gemini.request_body import request_body
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalModel,
    ExternalProvider,
    PartialImage,
)

__all__ = ["GeminiProvider"]


class GeminiProvider(ExternalProvider):
    """Google's Gemini API. Its answers come whole: there are no pictures that are half done."""

    provider_id: ClassVar[str] = "gemini"
    title: ClassVar[str] = "Gemini"
    default_base_url: ClassVar[str] = "https://generativelanguage.googleapis.com"
    key_help: ClassVar[str] = "Keys are made at https://aistudio.google.com/apikey"
    options: ClassVar[type[GeminiOptions]] = GeminiOptions

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        """See `ExternalProvider.models`."""
        return MODELS

    @classmethod
    def refusals(cls, request: ExternalGenerationRequest) -> Iterator[str]:
        """Pictures that are too large together. See `ExternalProvider.refusals`."""
        images = [image for image in (request.init_image, *request.reference_images) if image is not None]
        size = sum(-(-len(image.data) // 3) * 4 for image in images)
        if size > MAX_REQUEST_BYTES:
            yield (
                f"its {len(images)} images have {size:,} bytes in base64; a request takes {MAX_REQUEST_BYTES:,} at "
                "most, so send fewer or smaller ones"
            )

    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        """See `ExternalProvider.generate`."""
        from impasto_gemini.failures import explain
        from impasto_sdk.providers.http import ProviderHttp

        async with ProviderHttp(self, headers=self._headers(), explain=explain) as http:
            answer = await http.post(f"v1beta/models/{request.model}:generateContent", request_body(request))
        return result_of(self.provider_id, request.model, answer.body)

    async def verify(self) -> None:
        """List the models, which costs nothing. Raises as `ExternalProvider.verify` says."""
        from impasto_gemini.failures import explain
        from impasto_sdk.providers.http import ProviderHttp

        async with ProviderHttp(self, headers=self._headers(), explain=explain) as http:
            await http.get("v1beta/models")

    def _headers(self) -> Mapping[str, str]:
        # never as ?key= in the address, which is written to logs on the way
        return {"x-goog-api-key": self.api_key}
