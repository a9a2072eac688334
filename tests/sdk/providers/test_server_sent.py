"""Server-sent events in every form that the standard allows, in parts of any size."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from impasto_sdk.providers.server_sent import data_of_events


def read(stream: bytes, size: int) -> list[bytes]:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(stream), size):
            yield stream[start : start + size]

    async def collect() -> list[bytes]:
        return [data async for data in data_of_events(parts())]

    return asyncio.run(collect())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_events_are_told_apart_whatever_ends_their_lines(end: bytes, size: int) -> None:
    stream = b": hello\nevent: one\ndata: {1}\n\nid: 7\n\ndata:a\ndata: b\n\ndata: [DONE]\n\n"
    assert read(stream.replace(b"\n", end), size) == [b"{1}", b"a\nb", b"[DONE]"]


@pytest.mark.parametrize("last", [b"data: paid for", b"data: paid for\n", b"data: paid for\r"])
def test_the_last_event_counts_without_an_empty_line_after_it(last: bytes) -> None:
    assert read(b"data: first\n\n" + last, 4) == [b"first", b"paid for"]


def test_what_unicode_calls_the_end_of_a_line_is_none() -> None:
    text = "a\u2028b\u0085c\x0cd".encode()
    assert read(b"data: " + text + b"\n\n", 2) == [text]


def test_a_stream_of_nothing_has_no_events() -> None:
    assert read(b"", 1) == read(b": only a remark\n\n", 5) == []
