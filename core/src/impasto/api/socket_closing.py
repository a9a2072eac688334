"""Why a WebSocket is closed: the codes, and the words that fit into the frame that closes it.

Used by the route of events, and where a query that makes no sense is answered. Pure.
"""

__all__ = ["GOING_AWAY", "POLICY", "TRY_AGAIN", "closing_words"]

#: Close codes (RFC 6455 and its registry): the server stops; the query is wrong; the client is to come back.
GOING_AWAY, POLICY, TRY_AGAIN = 1001, 1008, 1013
#: A frame that closes holds two bytes of code and at most so many of words.
MOST_BYTES = 123


def closing_words(reason: str) -> str:
    """As much of `reason` as a frame takes, which counts bytes and not characters."""
    encoded = reason.encode("utf-8", "backslashreplace")
    if len(encoded) <= MOST_BYTES:
        return encoded.decode()
    mark = "…"
    return encoded[: MOST_BYTES - len(mark.encode())].decode("utf-8", "ignore") + mark
