"""`AnswerReader`: pictures, and what they came to, out of the documents that OpenAI's service answers with.

A plain answer is one document; a streamed one is an event for each preview and for each finished picture. It knows no
HTTP: `impasto_openai.provider` gives it the documents, and fetches pictures that came as an address.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from impasto_openai.usage import TokenUsage
from impasto_sdk.errors import ProviderRequestError
from impasto_sdk.fields import JsonValue
from impasto_sdk.providers import ExternalGenerationRequest, PartialImage, picture_of_base64

__all__ = ["AnswerReader", "Picture"]

_PARTIAL, _COMPLETED = ".partial_image", ".completed"
#: What the service chose where it was left to it.
_CHOICES = ("size", "quality", "background", "output_format")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of an answer: its bytes, or where they are."""

    data: bytes | None
    url: str | None
    revised_prompt: str | None


@dataclass(slots=True)
class AnswerReader:
    """Reads one answer. Give it each document with `take`."""

    provider_id: str
    request: ExternalGenerationRequest
    #: Told of previews.
    partial: PartialImage
    pictures: list[Picture] = field(default_factory=list)
    #: None until the service says something.
    usage: TokenUsage | None = None
    #: What the service says it chose.
    choices: dict[str, JsonValue] = field(default_factory=dict)
    #: How far the request is, 0 to 1.
    _done: float = 0.0

    def take(self, document: Any) -> None:
        """Read a plain answer, or an event. An event of a kind that is not known is left out.

        Raises `ProviderRequestError` when a picture is none.
        """
        if not isinstance(document, Mapping):
            raise ProviderRequestError(self.provider_id, f"the answer is a {type(document).__name__}, not an object")
        kind = str(document.get("type", ""))
        if kind.endswith(_PARTIAL):
            self._preview(document)
        elif kind.endswith(_COMPLETED):
            self._finished([document], document)
        elif "data" in document:
            self._finished(document["data"], document)

    def _preview(self, event: Mapping[str, Any]) -> None:
        number, most = event.get("partial_image_index"), self.request.provider_options.get("partial_images")
        if isinstance(number, int) and isinstance(most, int):
            self._done = max(self._done, min((number + 1) / (most + 1), 1.0))
        with suppress(ProviderRequestError):  # a preview that is none is no reason to lose the picture
            data = self._decoded(event.get("b64_json"))
            if data is not None:
                self.partial(data, self._done)

    def _finished(self, entries: Any, document: Mapping[str, Any]) -> None:
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise ProviderRequestError(self.provider_id, "the answer's data is no list of pictures")
        for entry in entries:
            self.pictures.append(self._picture(entry))
        said = TokenUsage.read(document.get("usage"))
        if said is not None:
            self.usage = said if self.usage is None else self.usage + said
        self.choices.update({name: document[name] for name in _CHOICES if isinstance(document.get(name), str)})

    def _picture(self, entry: Mapping[str, Any]) -> Picture:
        data, url = self._decoded(entry.get("b64_json")), entry.get("url")
        if data is None and not isinstance(url, str):
            raise ProviderRequestError(self.provider_id, "the answer has a picture with neither b64_json nor url")
        revised = entry.get("revised_prompt")
        return Picture(
            data=data,
            url=url if data is None else None,
            revised_prompt=revised if isinstance(revised, str) else None,
        )

    def _decoded(self, text: Any) -> bytes | None:
        if not isinstance(text, str) or not text:
            return None
        return picture_of_base64(self.provider_id, text)
