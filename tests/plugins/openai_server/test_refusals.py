"""What the server's refusals are to a client of OpenAI's."""

import pytest

from impasto_openai_server.errors import (
    BusyError,
    ForbiddenError,
    InvalidRequestError,
    NotReadyError,
    OpenAIError,
    RunFailedError,
    TooLargeError,
)
from impasto_openai_server.refusals import refusal_of
from impasto_sdk.errors import ApiClosedError, ApiRefusedError


def problem(status: int, kind: str, **more: object) -> ApiRefusedError:
    document = {"type": f"urn:impasto:problem:{kind}", "detail": "the detail", **more}
    return ApiRefusedError(status, document, retry_after_s=500 if status in (429, 503) else None)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (problem(429, "queue-is-full"), BusyError, "rate_limit_exceeded"),
        (problem(503, "no-worker"), NotReadyError, "no_worker"),
        (problem(409, "refused-by-a-plugin"), ForbiddenError, "refused_by_a_plugin"),
        (problem(413, "too-large"), TooLargeError, "too_large"),
        (problem(415, "not-a-readable-image"), InvalidRequestError, "invalid_image_file"),
        (problem(422, "panel-values-do-not-fit"), InvalidRequestError, "panel_values_do_not_fit"),
        (problem(404, "not-found"), RunFailedError, "not_found"),
        (problem(500, "plugin-failed"), RunFailedError, "plugin_failed"),
    ],
)
def test_a_problem_has_its_class_and_its_words(error: ApiRefusedError, kind: type[OpenAIError], code: str) -> None:
    refused = refusal_of(error)
    assert type(refused) is kind
    assert refused.document()["error"] == {
        "message": "the detail", "type": kind.type, "param": None, "code": code,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (problem(429, "queue-is-full"), {"x-should-retry": "true", "retry-after": "120"}),
        (problem(422, "panel-values-do-not-fit"), {"x-should-retry": "false"}),
        (problem(500, "plugin-failed"), {"x-should-retry": "false"}),
        (ApiClosedError(1001, "the server stops"), {"x-should-retry": "true"}),
    ],
)
def test_who_may_ask_again_is_told_when(error: ApiRefusedError, headers: dict[str, str]) -> None:
    assert refusal_of(error).headers() == headers


def test_nothing_is_refused_with_a_status_that_is_tried_again_for_a_lock() -> None:
    assert 409 not in {refusal_of(problem(status, "any")).status for status in range(400, 600)}


def test_a_finding_is_about_the_parameter_that_filled_the_field() -> None:
    errors = [{"message": "too long", "path": "/words/0"}]
    refused = refusal_of(problem(422, "panel-values-do-not-fit", errors=errors), {"words": "prompt"})
    assert refused.param == "prompt"
    assert refusal_of(problem(422, "panel-values-do-not-fit", errors=errors)).param == "words"


def test_a_server_that_stops_is_not_ready() -> None:
    refused = refusal_of(ApiClosedError(1001, "the server stops"))
    assert isinstance(refused, NotReadyError)
    assert str(refused) == "the server broke off: the server stops"
