"""`ApiSocket`: a WebSocket of the API, from the client's side."""

from dataclasses import dataclass, field

from impasto_sdk.asgi.connection import AsgiConnection
from impasto_sdk.errors import ApiClosedError

__all__ = ["ApiSocket"]

#: The close code of a socket that was closed without one.
NO_CODE = 1005


@dataclass(frozen=True, slots=True)
class ApiSocket:
    """An open socket. Raises `ApiClosedError`, which says why, once the server has closed it."""

    _connection: AsgiConnection = field(repr=False)

    async def receive(self) -> str | bytes:
        """The next frame: text or bytes."""
        message = await self._connection.get()
        if message["type"] == "websocket.close":
            raise ApiClosedError(message.get("code") or NO_CODE, message.get("reason") or "")
        text = message.get("text")
        return str(text) if text is not None else bytes(message["bytes"])

    def send(self, frame: str | bytes) -> None:
        """Send a frame."""
        key = "text" if isinstance(frame, str) else "bytes"
        self._connection.put({"type": "websocket.receive", key: frame})
