"""What may be set of an external provider, decided purely: a key as its service shows it, and an address to send it to.

Nothing here repeats what it refuses: it may be a key, also where an address should be.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from impasto.errors import NewAddressError, ProviderConfigError
from impasto.host.mask import HIDDEN
from impasto.host.secrets import SecretOrigin

__all__ = ["ProviderConfig", "checked_address", "checked_key", "refuse_other_place", "shown_address"]

#: Far more characters than any service's key has, and those of an address that every program takes.
LONGEST_KEY = 4096
LONGEST_ADDRESS = 2048
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """What is set of a provider, but for the key itself."""

    provider_id: str
    title: str
    #: The plugin that it comes from.
    plugin: str
    api_key_configured: bool
    api_key_source: SecretOrigin | None
    #: Where the operator says that the service is; None: at `default_base_url`.
    base_url: str | None
    base_url_source: SecretOrigin | None
    default_base_url: str
    #: Where a person gets a key, in a sentence; may be empty.
    key_help: str


def checked_key(provider_id: str, given: str) -> str:
    """A key without the blanks around it. Raises `ProviderConfigError` for one that no request can carry."""
    key = given.strip()
    if not key:
        problem = "is empty; give it as the service shows it, or remove the one that is set"
    elif not key.isascii() or not key.isprintable() or " " in key:
        problem = "holds a blank, a line break or a character that no key has; give it as the service shows it"
    elif len(key) > LONGEST_KEY:
        problem = f"has {len(key):,} characters; a key has {LONGEST_KEY:,} at most"
    else:
        return key
    raise ProviderConfigError(provider_id, "api_key", f"the API key {problem}")


def checked_address(provider_id: str, given: str) -> str | None:
    """An address without blanks around it and a slash at its end; None for an empty one: the usual address.

    Raises `ProviderConfigError` for one that is none, or that has more than a scheme, a host, a port and a path.
    """
    address = given.strip().rstrip("/")
    if not address:
        return None
    wanted = "write http:// or https://, a host, and a path if there is one, e.g. https://proxy.example/v1"
    parts = _parts(address)
    if len(address) > LONGEST_ADDRESS:
        problem = f"has {len(address):,} characters; {LONGEST_ADDRESS:,} is the most"
    elif parts is None or parts.scheme not in _PORTS or not parts.hostname:
        problem = f"is none; {wanted}"
    elif "@" in parts.netloc:
        problem = f"holds a user or a password, which would be seen; {wanted}"
    elif parts.query or parts.fragment or "?" in address or "#" in address:
        problem = f"holds more than a path, and paths are put behind it; {wanted}"
    else:
        return address
    raise ProviderConfigError(provider_id, "base_url", f"the base URL {problem}")


def shown_address(address: str) -> str:
    """An address as anybody may see it. One from the environment or an edited file may hold a password or a token."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return HIDDEN
    place = f"{HIDDEN}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    hidden = parts._replace(
        netloc=place, query=HIDDEN if parts.query else "", fragment=HIDDEN if parts.fragment else ""
    )
    return hidden.geturl()


def refuse_other_place(provider_id: str, before: str, after: str, key_from: SecretOrigin | None) -> None:
    """Raise `NewAddressError` when a key that is stored would be sent to another host than before.

    Else whoever may change an address could have the key sent to a place of their own, and read it there.
    """
    if key_from is None or _place(before) == _place(after):
        return
    way_out = (
        "give the key with the new address"
        if key_from == "file"
        else "the key is from the environment, so set the address there, too"
    )
    raise NewAddressError(
        provider_id,
        "base_url",
        f"the key that is set was given for another address, and is not sent elsewhere; {way_out}",
    )


def _parts(address: str) -> SplitResult | None:
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port  # which may be no number
    except ValueError:
        return None
    return parts


def _place(address: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port."""
    parts = _parts(address)
    return None if parts is None else (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))
