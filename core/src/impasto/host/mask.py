"""`Mask`: what is not to be seen, and texts and documents without it.

Keys of external services turn up where nobody put them: a service repeats the key that it refuses, a library logs the
headers that it sent. So whatever a worker sends and a server logs goes through one of these, which finds a secret also
as JSON, addresses and Python's own `repr` write it. What a plugin does to a key on purpose it does not see.
"""

import json
import re
import threading
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from impasto_sdk.fields import JsonValue

__all__ = ["HIDDEN", "Mask"]

#: What stands in the place of a secret.
HIDDEN = "***"
#: What is shorter is in half of all words …
_SHORTEST = 6
#: … and what is one, and shorter than this, may be the name of a node type, a provider or a model: servers that ask
#: for no key are given such things as ``ollama`` or ``not-needed``.
_SHORTEST_WORD = 16
_WORD = re.compile(r"[A-Za-z_-]*")


class Mask:
    """Texts that are to be hidden, for any thread and from the moment they are added; none is ever taken out.

    False while there is nothing to hide.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._adding = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        #: All their spellings, the longest first: one may be part of another.
        self._spellings: tuple[str, ...] = ()
        #: The secrets as bytes, and their spellings as they stand in JSON.
        self._bytes: tuple[bytes, ...] = ()
        self._in_json: tuple[bytes, ...] = ()
        self.add(*secrets)

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def add(self, *secrets: str) -> None:
        """Hide these too, but for what cannot be told from ordinary words; of an address, what lets one in.

        An address is told to those who ask why nothing answers there, and ``http://localhost`` is in half of all lines.
        """
        new = {part for secret in secrets for part in _parts(secret) if _can_be_told(part)}
        with self._adding:
            if new <= self._secrets:
                return
            every = self._secrets | new
            spellings = {spelling for secret in every for spelling in _spellings(secret)}
            # each replaced as a whole, since other threads read them
            self._in_json = tuple({_as_bytes(each) for spelling in spellings for each in _in_json(spelling)})
            self._spellings = tuple(sorted(spellings, key=len, reverse=True))
            self._bytes = tuple({written for secret in every for written in (_as_bytes(secret), _as_latin(secret))})
            self._secrets = every

    @property
    def longest_bytes(self) -> int:
        """How long the longest secret is; 0: there is none."""
        return max(map(len, self._bytes), default=0)

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

    def data(self, data: bytes) -> bytes:
        """Bytes with `HIDDEN` in the place of every secret: of output, whose pieces need be no text."""
        for secret in self._bytes:
            data = data.replace(secret, HIDDEN.encode())
        return data

    def is_in(self, data: bytes) -> bool:
        """Whether a secret stands in these bytes as it is."""
        return any(secret in data for secret in self._bytes)

    def may_be_in(self, json_text: bytes) -> bool:
        """Whether `document` would find something in what this JSON holds; quick, and sure when it says no."""
        return any(spelling in json_text for spelling in self._in_json)


def _parts(secret: str) -> Iterator[str]:
    """What of a secret is not to be seen."""
    if not secret.startswith(("http://", "https://")):
        yield secret
        return
    try:
        address = urlsplit(secret)
    except ValueError:
        yield secret
        return
    # either may be the key; beside a password, a name is none
    key = address.password or address.username or ""
    yield from (key, unquote(key), address.query, *(value for _, value in parse_qsl(address.query)))


def _can_be_told(secret: str) -> bool:
    return len(secret) >= (_SHORTEST_WORD if _WORD.fullmatch(secret) else _SHORTEST)


def _spellings(secret: str) -> Iterator[str]:
    """How the secret may be written: as it is, in JSON, by Python's `repr`, and in an address or a form.

    Of most, which are nothing but ASCII letters and digits, these are all one.
    """
    yield secret
    yield repr(secret)[1:-1]
    for written in _in_json(secret):
        yield written
        yield from _in_json(written)  # an answer that is quoted in another
    plain = _as_bytes(secret)
    for quoted in (quote(plain, safe=""), quote(plain), quote_plus(plain)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), quoted)


def _in_json(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _as_bytes(text: str) -> bytes:
    # a variable of the environment may hold bytes that are no text
    return text.encode("utf-8", "surrogateescape")


def _as_latin(text: str) -> bytes:
    """As texts in a PNG are written, for one."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return _as_bytes(text)
