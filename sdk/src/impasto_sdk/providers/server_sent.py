"""`data_of_events`: what server-sent events carry, read from bytes as they come. Pure; it knows no HTTP.

Lines end as https://html.spec.whatwg.org/multipage/server-sent-events.html says, with CR, LF or both, and with nothing
else: a text may well hold characters that Unicode calls ends of lines. The last event counts without the empty line
after it as well, for what it carries is paid for.
"""

from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ["data_of_events"]

_DATA = b"data:"


async def data_of_events(parts: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The ``data`` of each event, its lines joined by ``\n``; events without any are left out."""
    held: list[bytes] = []
    async for line in _lines(parts):
        if line.startswith(_DATA):
            held.append(line.removeprefix(_DATA).removeprefix(b" "))
        elif not line and held:
            yield b"\n".join(held)
            held = []
    if held:
        yield b"\n".join(held)


async def _lines(parts: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Lines without their ends. Of a line that comes in many parts each byte is looked at once."""
    begun: list[bytes] = []
    after_return = False
    async for part in parts:
        # an LF after a CR that ended the part before belongs to it
        fresh = part[1:] if after_return and part.startswith(b"\n") else part
        after_return = part.endswith(b"\r") if part else after_return
        *whole, rest = fresh.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            yield b"".join([*begun, line])
            begun = []
        begun.append(rest)
    if any(begun):
        yield b"".join(begun)
