"""`picture_of_base64`: the bytes of a picture that came as text, as most services send it."""

import base64

from impasto_sdk.errors import ProviderRequestError

__all__ = ["picture_of_base64"]

_USUAL = str.maketrans("-_", "+/")


def picture_of_base64(provider: str, text: str) -> bytes:
    """The bytes that `text` stands for, in either alphabet of RFC 4648, with or without padding and breaks of lines.

    Raises `ProviderRequestError` when it stands for nothing.
    """
    joined = "".join(text.split()).translate(_USUAL)
    try:
        return base64.b64decode(joined + "=" * (-len(joined) % 4), validate=True)
    except ValueError as error:
        raise ProviderRequestError(provider, f"the picture in the answer is no base64: {error}") from error
