"""`OpenAIProvider`: OpenAI's Images API, https://platform.openai.com/docs/api-reference/images."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from impasto_openai.answer import AnswerReader, Picture
from impasto_openai.calls import Call, call_for
from impasto_openai.models import MODELS
from impasto_openai.options import OpenAIOptions
from impasto_openai.prices import cost_of_pictures, cost_of_tokens
from impasto_openai.refusals import refusals
from impasto_sdk.errors import ProviderDownError, ProviderError
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImage,
    ExternalModel,
    ExternalProvider,
    PartialImage,
    with_retries,
)

if TYPE_CHECKING:  # it brings httpx, without which a server starts sooner
    from impasto_sdk.providers.http import ProviderHttp

__all__ = ["OpenAIProvider"]

#: The service's id of a request.
_REQUEST_ID = "x-request-id"


class OpenAIProvider(ExternalProvider):
    """OpenAI's image models, or those of any service that speaks its Images API."""

    provider_id = "openai"
    title = "OpenAI"
    #: With the version, as the environment of OpenAI's own clients has it.
    default_base_url = "https://api.openai.com/v1"
    key_help = "Keys are made at https://platform.openai.com/api-keys."
    #: Ten pictures of high quality in one request take minutes.
    timeout_s = 600.0
    options: ClassVar[type[OpenAIOptions]] = OpenAIOptions

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        """See `ExternalProvider.models`."""
        return MODELS

    @classmethod
    def refusals(cls, request: ExternalGenerationRequest) -> Iterator[str]:
        """See `ExternalProvider.refusals`."""
        return refusals(request)

    async def verify(self) -> None:
        """See `ExternalProvider.verify`. Asks for the list of models."""
        async with self._http() as http:
            await http.get("models")

    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        """See `ExternalProvider.generate`."""
        call = call_for(request)
        reader = AnswerReader(self.provider_id, request, partial)
        async with self._http() as http:
            headers = await self._read(http, call, reader)
            images = await self._images(http, reader.pictures)
        missing = request.num_images - len(images)
        details = {**call.remarks, **reader.choices}
        if missing > 0:
            details["missing"] = f"{missing} of {request.num_images} pictures did not come"
        usage = reader.usage
        return ExternalGenerationResult(
            images=images,
            request_id=headers.get(_REQUEST_ID),
            input_tokens=usage.input if usage else 0,
            output_tokens=usage.output if usage else 0,
            cost_usd=self._cost(request, call, reader),
            metadata=details,
        )

    def _http(self) -> "ProviderHttp":
        from impasto_openai.failures import explain
        from impasto_sdk.providers.http import ProviderHttp

        return ProviderHttp(self, headers={"authorization": f"Bearer {self.api_key}"}, explain=explain)

    async def _read(self, http: "ProviderHttp", call: Call, reader: AnswerReader) -> Mapping[str, str]:
        """Send `call` and read all of the answer; gives its headers."""
        if not call.streams:
            answer = await (
                http.post(call.path, call.fields)
                if call.files is None
                else http.post_form(call.path, call.form, call.files)
            )
            reader.take(answer.body)
            return answer.headers
        headers: Mapping[str, str] = {}
        content = {"json": call.fields} if call.files is None else {"data": call.form, "files": call.files}
        try:
            async with aclosing(http.events(call.path, **content)) as events:
                async for document, headers in events:  # noqa: B007 - those of the last one are given back
                    if isinstance(document, Mapping) and (document.get("error") or document.get("type") == "error"):
                        raise http.broken_off(document)
                    reader.take(document)
        except ProviderError:
            if not reader.pictures:  # one that came before the answer broke off is paid for, so it is kept
                raise
        return headers

    async def _images(self, http: "ProviderHttp", pictures: Sequence[Picture]) -> Sequence[ExternalImage]:
        """Those that are there or can be fetched. Raises the last failure when that is none of them."""
        found: list[ExternalImage] = []
        lost: ProviderError | None = None
        for picture in pictures:
            try:
                found.append(await self._image(http, picture))
            except ProviderError as error:
                lost = error
        if lost is not None and not found:
            raise lost
        return found

    async def _image(self, http: "ProviderHttp", picture: Picture) -> ExternalImage:
        data = picture.data if picture.data is not None else await self._fetched(http, str(picture.url))
        return ExternalImage(data=data, revised_prompt=picture.revised_prompt)

    async def _fetched(self, http: "ProviderHttp", url: str) -> bytes:
        """A picture that came as an address. Only this is tried again when it fails: the request itself is paid for."""
        lost = "the picture was made and could not be fetched"
        if not url.startswith(("http://", "https://")):
            raise ProviderDownError(self.provider_id, f"{lost}: {http.shown(url)!r} is no address", retryable=False)
        try:
            return await with_retries(lambda: http.download(url), self.retry, lambda error, wait_s: None)
        except ProviderError as error:
            raise ProviderDownError(self.provider_id, f"{lost}: {error.problem}", retryable=False) from error

    def _cost(self, request: ExternalGenerationRequest, call: Call, reader: AnswerReader) -> float | None:
        """US dollars, by OpenAI's prices; None at another base URL, which has its own."""
        if self.base_url != self.default_base_url:
            return None
        if reader.usage is not None:
            return cost_of_tokens(request.model, reader.usage)
        return cost_of_pictures(
            request.model, str(call.fields.get("quality")), str(call.fields["size"]), len(reader.pictures)
        )
