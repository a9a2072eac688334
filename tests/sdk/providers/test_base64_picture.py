"""Pictures as text: every way in which services write it, and what is none."""

import base64

import pytest

from impasto_sdk.errors import ProviderRequestError
from impasto_sdk.providers import picture_of_base64

DATA = bytes(range(250, 256)) * 7 + b"x"


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(DATA).decode(),
        base64.urlsafe_b64encode(DATA).decode(),
        base64.b64encode(DATA).decode().rstrip("="),
        base64.encodebytes(DATA).decode().replace("\n", "\r\n"),
    ],
    ids=["usual", "for addresses", "without padding", "in lines"],
)
def test_every_form_is_read(text: str) -> None:
    assert picture_of_base64("easel", text) == DATA


@pytest.mark.parametrize("text", ["!!!", "ä", "A", "data:image/png;base64,AAAA"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ProviderRequestError, match=r"easel: .*the picture in the answer is no base64"):
        picture_of_base64("easel", text)
