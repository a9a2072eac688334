"""`Mask`: what is not to be seen, and texts and documents without it.

Keys of external services turn up where nobody put them: a service repeats the key that it refuses, a library logs the
headers that it sent. So whatever a worker sends and a server logs goes through one of these, which finds a secret also
as JSON, addresses and Python's own `repr` write it. What a plugin does to a key on purpose it does not see.
"""

import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from impasto_sdk.fields import JsonValue

__all__ = ["HIDDEN", "SHORTEST_SECRET", "Mask"]

#: What stands in the place of a secret.
HIDDEN = "***"
#: A secret that is shorter, in characters, would be found in half of all words.
SHORTEST_SECRET = 6


class Mask:
    """Texts that are to be hidden, from any thread and from the moment they are added; none is ever taken out.

    False while there is nothing to hide.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._adding = threading.Lock()
        self._secrets: set[str] = set()
        #: All their spellings, the longest first: one may be part of another.
        self._spellings: tuple[str, ...] = ()
        #: The same, as they stand in JSON that is all ASCII.
        self._in_json: tuple[bytes, ...] = ()
        self.add(*secrets)

    def __bool__(self) -> bool:
        return bool(self._spellings)

    def add(self, *secrets: str) -> None:
        """Hide these too, but for those that are too short to be told from ordinary words."""
        with self._adding:
            new = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET} - self._secrets
            if not new:
                return
            self._secrets |= new
            spellings = {spelling for secret in self._secrets for spelling in _spellings(secret)}
            self._in_json = tuple({json.dumps(spelling)[1:-1].encode() for spelling in spellings})
            self._spellings = tuple(sorted(spellings, key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text with `HIDDEN` in the place of every secret."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        return text

    def document(self, value: JsonValue) -> JsonValue:
        """JSON values with all their texts so written, keys of objects among them. What it is given stays as it is."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.document(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(each) for each in value]
        return value

    def found_in(self, data: bytes) -> bool:
        """Whether a secret stands in these bytes, which may be JSON with all but ASCII escaped; quick, changes nothing.

        It may say so of one that `document` does not find, never the other way.
        """
        return any(spelling in data for spelling in self._in_json)


def _spellings(secret: str) -> Iterable[str]:
    """How the secret may be written: as it is, in JSON, in an address or a form, and by Python's `repr`."""
    yield secret
    for ascii_only in (True, False):
        yield json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
    yield repr(secret)[1:-1]
    # a variable of the environment may hold bytes that are no text
    plain = secret.encode("utf-8", "surrogateescape")
    for quoted in (quote(plain, safe=""), quote(plain), quote_plus(plain)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), quoted)
