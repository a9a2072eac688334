"""`result_of`: the pictures in an answer of ``generateContent``, and why there are none. Pure.

The form is that of ``GenerateContentResponse`` in https://ai.google.dev/api/generate-content . Pictures that belong to
a model's thoughts are drafts, and left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from impasto_gemini.prices import TokenCounts, cost_usd
from impasto_gemini.refusals import BLOCKED_PROMPTS, REFUSED_ANSWERS
from impasto_sdk.errors import ProviderContentRefusedError, ProviderError, ProviderRequestError
from impasto_sdk.fields import JsonValue
from impasto_sdk.providers import ExternalGenerationResult, ExternalImage, picture_of_base64

__all__ = ["result_of"]

#: Most characters of the model's words in an error.
MAX_WORDS = 500


class _Document(BaseModel):
    """A part of an answer; what it has beside its fields is of no use here."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, document: Any) -> Any:
        """Null says no more than leaving the field out; some gateways write it."""
        if not isinstance(document, Mapping):
            return document
        return {name: value for name, value in document.items() if value is not None}


class _Blob(_Document):
    mime_type: str = ""
    data: str = ""


class _Part(_Document):
    text: str | None = None
    thought: bool = False
    inline_data: _Blob | None = None


class _Content(_Document):
    parts: tuple[_Part, ...] = ()


class _SafetyRating(_Document):
    category: str = ""
    blocked: bool = False


class _Candidate(_Document):
    content: _Content = _Content()
    finish_reason: str | None = None
    finish_message: str | None = None
    safety_ratings: tuple[_SafetyRating, ...] = ()


class _PromptFeedback(_Document):
    block_reason: str | None = None
    block_reason_message: str | None = None
    safety_ratings: tuple[_SafetyRating, ...] = ()


class _ModalityCount(_Document):
    modality: str = ""
    token_count: int = 0


class _Usage(_Document):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    candidates_tokens_details: tuple[_ModalityCount, ...] = ()
    thoughts_token_count: int = 0

    @property
    def counts(self) -> TokenCounts:
        details = self.candidates_tokens_details
        images = sum(one.token_count for one in details if one.modality == "IMAGE") if details else None
        return TokenCounts(
            prompt=self.prompt_token_count,
            answer=self.candidates_token_count,
            images=images,
            thoughts=self.thoughts_token_count,
        )


class _Answer(_Document):
    candidates: tuple[_Candidate, ...] = ()
    prompt_feedback: _PromptFeedback = _PromptFeedback()
    usage_metadata: _Usage | None = None
    response_id: str | None = None
    model_version: str | None = None

    @field_validator("usage_metadata", mode="wrap")
    @classmethod
    def _known_usage(cls, document: Any, read: ValidatorFunctionWrapHandler) -> _Usage | None:
        """An odd meter is no reason to lose the picture."""
        try:
            usage: _Usage | None = read(document)
        except ValidationError:
            return None
        return usage

    @property
    def parts(self) -> Iterator[_Part]:
        """What is meant for who asked: thoughts are not."""
        return (part for one in self.candidates for part in one.content.parts if not part.thought)

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if part.text).strip()


def result_of(provider: str, model: str, document: object) -> ExternalGenerationResult:
    """The pictures in `document`, an answer for `model`, byte for byte, with what it says of them.

    Raises `ProviderContentRefusedError` when the service refused, and `ProviderRequestError` when there is no picture
    for another reason or the document is not of the form that it should be.
    """
    try:
        answer = _Answer.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise ProviderRequestError(
            provider, f"the answer is not of the form it should be: {place}: {first['msg']}"
        ) from error
    images = [ExternalImage(data=picture_of_base64(provider, blob.data)) for blob in _pictures(answer)]
    if not images:
        raise _why_there_is_none(provider, answer)
    usage = answer.usage_metadata
    return ExternalGenerationResult(
        images=images,
        request_id=answer.response_id,
        input_tokens=usage.prompt_token_count if usage else 0,
        output_tokens=usage.candidates_token_count + usage.thoughts_token_count if usage else 0,
        cost_usd=cost_usd(model, usage.counts) if usage else None,
        metadata=dict(_said(answer)),
    )


def _pictures(answer: _Answer) -> Iterator[_Blob]:
    for part in answer.parts:
        if part.inline_data is not None and part.inline_data.mime_type.startswith("image/"):
            yield part.inline_data


def _said(answer: _Answer) -> Iterator[tuple[str, JsonValue]]:
    if answer.text:
        yield "text", answer.text
    if answer.model_version:
        yield "model_version", answer.model_version
    if answer.usage_metadata and answer.usage_metadata.thoughts_token_count:
        yield "thoughts_tokens", answer.usage_metadata.thoughts_token_count


def _why_there_is_none(provider: str, answer: _Answer) -> ProviderError:
    feedback = answer.prompt_feedback
    if feedback.block_reason:
        why = BLOCKED_PROMPTS.get(feedback.block_reason, "the service does not say why")
        more = _more(feedback.block_reason_message, feedback.safety_ratings)
        return ProviderContentRefusedError(provider, f"the prompt was refused ({feedback.block_reason}): {why}{more}")
    for candidate in answer.candidates:
        reason = candidate.finish_reason or ""
        if reason in REFUSED_ANSWERS:
            more = _more(candidate.finish_message or answer.text, candidate.safety_ratings)
            return ProviderContentRefusedError(
                provider, f"the picture was refused ({reason}): {REFUSED_ANSWERS[reason]}{more}"
            )
    ended = ", ".join(candidate.finish_reason or "no reason" for candidate in answer.candidates) or "no candidates"
    message = next((one.finish_message for one in answer.candidates if one.finish_message), None)
    return ProviderRequestError(
        provider, f"the answer has no picture ({ended}); say in the prompt what to paint{_more(answer.text or message)}"
    )


def _more(words: str | None, ratings: Sequence[_SafetyRating] = ()) -> str:
    """The kinds of harm that the service saw, and its own words."""
    harms = ", ".join(one.category.removeprefix("HARM_CATEGORY_").lower() for one in ratings if one.blocked)
    shown = words if words is None or len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"
    return f"{f' [{harms}]' if harms else ''}{f'; it said: {shown}' if shown else ''}"
