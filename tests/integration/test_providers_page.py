"""The page on external providers for client developers is true: its requests are answered as it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.documentation import exchanges, resembles
from support.http_servers import HttpServer, http_server
from support.sources import WORKSPACE

from impasto.api.problems import problem_of
from impasto.errors import (
    ExternalProviderNotFoundError,
    NewAddressError,
    ProviderConfigError,
    SecretFromEnvironmentError,
)

PAGE = WORKSPACE / "docs" / "clients" / "providers.md"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpServer]:
    with http_server(tmp_path) as server:
        yield server


def test_every_example_is_answered_as_it_is_printed(server: HttpServer) -> None:
    shown = exchanges(PAGE)
    assert len(shown) >= 10
    for one in shown:
        headers = {"Content-Type": "application/json"}
        answer = server.client.request(one.method, one.path, content=one.body, headers=headers)
        what = f"{one.method} {one.path}: {answer.status_code} {answer.text[:600]}"
        assert answer.status_code == (one.answer.get("status", 200) if isinstance(one.answer, dict) else 200), what
        assert resembles(one.answer, answer.json()), what


@pytest.mark.parametrize(
    "error",
    [
        ExternalProviderNotFoundError("x", ["y"]),
        SecretFromEnvironmentError("x", "X"),
        NewAddressError("x", "base_url", "…"),
        ProviderConfigError("x", "api_key", "…"),
    ],
)
def test_every_refusal_is_in_the_table(error: Exception) -> None:
    document = problem_of(error)
    kind = document.type.removeprefix("urn:impasto:problem:")
    assert f"| {document.status} | `{kind}` |" in PAGE.read_text("utf-8")
