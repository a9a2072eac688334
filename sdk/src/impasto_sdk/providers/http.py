"""`ProviderHttp`: HTTP to an external service, with its limits, and its failures as errors of the sdk.

The only module of the sdk that needs httpx (``impasto-sdk[http]``). A provider opens one for each request; it follows
no redirect, so that a key goes where it was meant to go, and the key is taken out of every text that an error carries.
"""

import functools
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from impasto_sdk.errors import (
    ProviderContentRefusedError,
    ProviderDownError,
    ProviderError,
    ProviderRateLimitError,
    ProviderRequestError,
    ProviderTimeoutError,
)
from impasto_sdk.fields import JsonValue
from impasto_sdk.providers.provider import ExternalProvider
from impasto_sdk.providers.retry_after import retry_after_s
from impasto_sdk.providers.server_sent import data_of_events

__all__ = ["Answer", "Explanation", "ProviderHttp", "explain_plainly"]

#: Seconds to reach the service.
CONNECT_S = 10.0
#: Seconds to send the next part of a request: a slow line with large pictures.
WRITE_S = 60.0
#: Most bytes of one answer: ten large pictures in base64.
MAX_ANSWER_BYTES = 512 * 2**20
#: Most bytes that are read of a failure's document.
MAX_FAILURE_BYTES = 64 * 2**10
#: Most characters of a service's own words in an error.
MAX_WORDS = 500
#: What stands in the place of a key.
HIDDEN = "***"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a service says about a failure."""

    message: str
    #: Its safety rules refused the prompt or a picture.
    refused: bool = False
    #: It does not take the key; statuses 401 and 403 say so without this.
    key_refused: bool = False
    #: Seconds to wait, where the document says so; the longer of it and the ``Retry-After`` of the headers counts.
    retry_after_s: float | None = None
    #: False: waiting does not help, e.g. an account without credit. None: as the status says.
    retryable: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: JSON and headers."""

    body: Any
    headers: Mapping[str, str]


#: Reads an error's document (parsed JSON, or text where it is none) of a status.
Explain = Callable[[int, JsonValue], Explanation]


def explain_plainly(status: int, body: JsonValue) -> Explanation:
    """The message of an error's document, wherever the usual services put it."""
    found = body
    for name in ("error", "message", "detail"):
        if isinstance(found, Mapping) and name in found:
            found = found[name]
    return Explanation(message=found if isinstance(found, str) else json.dumps(found))


class ProviderHttp:
    """An HTTP client for one request of a provider: ``async with ProviderHttp(self, headers=…) as http:``."""

    def __init__(
        self,
        provider: ExternalProvider,
        *,
        headers: Mapping[str, str],
        explain: Explain = explain_plainly,
        read_s: float | None = None,
    ) -> None:
        """`headers` carry the key. `read_s`: seconds without a byte of the answer; the provider's `timeout_s` if None.

        Raises `ProviderRequestError` when the operator's base URL is none.
        """
        self._provider = provider
        self._explain = explain
        timeout = httpx.Timeout(read_s or provider.timeout_s, connect=CONNECT_S, write=WRITE_S)
        try:
            url = httpx.URL(provider.base_url)
        except httpx.InvalidURL as error:
            raise self._unusable_url() from error
        if url.scheme not in ("http", "https") or not url.host:
            raise self._unusable_url()
        self._client = httpx.AsyncClient(headers=dict(headers), timeout=timeout, verify=_authorities())

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, traceback)

    async def get(self, path: str) -> Answer:
        """The JSON at `path`, below the base URL. Raises a `ProviderError`."""
        async with self._sent("GET", self._url(path)) as response:
            return await self._answer(response)

    async def post(self, path: str, body: Mapping[str, JsonValue]) -> Answer:
        """Send JSON, and give the JSON that comes back. Raises a `ProviderError`."""
        async with self._sent("POST", self._url(path), json=dict(body)) as response:
            return await self._answer(response)

    async def post_form(
        self, path: str, fields: Mapping[str, str], files: Sequence[tuple[str, tuple[str, bytes, str]]]
    ) -> Answer:
        """Send a multipart form; `files` are (field, (file name, bytes, media type)). Raises a `ProviderError`."""
        async with self._sent("POST", self._url(path), data=dict(fields), files=list(files)) as response:
            return await self._answer(response)

    async def events(self, path: str, **content: Any) -> AsyncGenerator[tuple[Any, Mapping[str, str]], None]:
        """Send what httpx's `content` says (``json=``, or ``data=`` and ``files=``) and give each server-sent event.

        An event is its ``data`` as JSON, with the answer's headers; ``[DONE]`` is left out. A service that does not
        stream answers with one JSON document, which is then the only event. Raises a `ProviderError`.
        """
        async with self._sent("POST", self._url(path), **content) as response:
            if not response.headers.get("content-type", EVENT_STREAM).startswith(EVENT_STREAM):
                yield self._json(await self._read(response)), response.headers
                return
            async with aclosing(data_of_events(self._parts(response))) as found:
                async for data in found:
                    if data != b"[DONE]":
                        yield self._json(data), response.headers

    async def download(self, url: str) -> bytes:
        """The bytes at an address that the service gave; the key is not sent along. Raises a `ProviderError`."""
        async with httpx.AsyncClient(timeout=self._client.timeout, verify=_authorities()) as client:
            try:
                request = client.build_request("GET", url)
            except httpx.InvalidURL as error:
                raise ProviderRequestError(self._id, f"{self.shown(url)!r} is no address") from error
            async with self._open(client, request) as response:
                return await self._read(response)

    def broken_off(self, document: JsonValue) -> ProviderError:
        """The error for a failure's document that comes in the middle of a good answer.

        Never retryable: the service may have done the work.
        """
        explained = self._explain(httpx.codes.OK, document)
        words = self.shown(explained.message)
        if explained.refused:
            return ProviderContentRefusedError(self._id, words)
        return ProviderDownError(self._id, f"the service gave up: {words}", retryable=False)

    def _url(self, path: str) -> str:
        return f"{self._provider.base_url}/{path.lstrip('/')}"

    def _sent(self, method: str, url: str, **content: Any) -> "Any":
        return self._open(self._client, self._client.build_request(method, url, **content))

    @asynccontextmanager
    async def _open(self, client: httpx.AsyncClient, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """The response to `request`, when it is a good one."""
        try:
            response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ProviderDownError(self._id, f"{request.url.host} cannot be reached: {self._words(error)}") from error
        except (httpx.WriteError, httpx.WriteTimeout) as error:  # a request that is not whole is not carried out
            raise ProviderDownError(
                self._id, f"{request.url.host} stopped taking the request: {self._words(error)}"
            ) from error
        except httpx.HTTPError as error:
            raise self._broken(error) from error
        try:
            if not response.is_success:
                raise await self._failure(response, had_key=client is self._client)
            yield response
        finally:
            await response.aclose()

    async def _answer(self, response: httpx.Response) -> Answer:
        return Answer(self._json(await self._read(response)), response.headers)

    async def _read(self, response: httpx.Response) -> bytes:
        return b"".join([part async for part in self._parts(response)])

    async def _parts(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """What comes, as it comes."""
        size = 0
        try:
            async for part in response.aiter_bytes():
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    raise ProviderRequestError(self._id, f"the answer has more than {MAX_ANSWER_BYTES:,} bytes")
                yield part
        except httpx.HTTPError as error:
            raise self._broken(error) from error

    async def _words_of_failure(self, response: httpx.Response) -> bytes:
        """What a failure's document begins with. Its status counts, even when the document itself breaks off."""
        data = b""
        with suppress(httpx.HTTPError):
            async for part in response.aiter_bytes():
                data += part
                if len(data) > MAX_FAILURE_BYTES:
                    break
        return data

    def _json(self, data: bytes) -> Any:
        try:
            return json.loads(data, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            # masked before it is cut, for half a key is no longer found
            shown = self._masked(data[: MAX_WORDS * 4].decode(errors="replace"))[:80]
            raise ProviderRequestError(self._id, f"the answer is no JSON; it begins with {shown!r}") from error

    async def _failure(self, response: httpx.Response, *, had_key: bool) -> ProviderError:
        status = response.status_code
        data = await self._words_of_failure(response)
        try:
            body: JsonValue = json.loads(data)
        except (ValueError, RecursionError):
            body = data.decode(errors="replace")
        explained = self._explain(status, body)
        words = f"{self.shown(explained.message) or response.reason_phrase} (status {status})"
        if explained.refused:
            return ProviderContentRefusedError(self._id, words)
        retryable = explained.retryable is not False and response.headers.get("x-should-retry") != "false"
        said_s = (retry_after_s(response.headers), explained.retry_after_s)
        asked_s = max((wait_s for wait_s in said_s if wait_s is not None), default=None)
        if status == 429:
            return ProviderRateLimitError(self._id, words, asked_s, retryable=retryable)
        if status >= 500 or status == 408:
            return ProviderDownError(self._id, words, status, asked_s, retryable=retryable)
        if had_key and (explained.key_refused or status in (401, 403)):
            words = f"the service does not take the key: {words}; set another with `impasto providers set {self._id}`"
        return ProviderRequestError(self._id, words, status)

    def _broken(self, error: httpx.HTTPError) -> ProviderError:
        if isinstance(error, httpx.TimeoutException):
            return ProviderTimeoutError(self._id, "the service was silent for too long and was given up")
        return ProviderDownError(self._id, f"the answer broke off: {self._words(error)}", retryable=False)

    def _unusable_url(self) -> ProviderRequestError:
        return ProviderRequestError(
            self._id,
            f"base URL {self.shown(self._provider.base_url)!r} is none; write http:// or https:// and a host",
        )

    def _words(self, error: Exception) -> str:
        return self.shown(str(error)) or type(error).__name__

    def shown(self, text: str) -> str:
        """A text of the service's as an error may show it: not endless, and without the key."""
        hidden = self._masked(text)
        return hidden if len(hidden) <= MAX_WORDS else f"{hidden[:MAX_WORDS]}…"

    def _masked(self, text: str) -> str:
        words = text.encode(errors="replace").decode()
        return words.replace(self._provider.api_key, HIDDEN) if self._provider.is_configured else words

    @property
    def _id(self) -> str:
        return self._provider.provider_id


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are trusted; read once, for that takes longer than all else that a request needs."""
    return httpx.create_ssl_context()
