"""What a mask finds, in whatever spelling, and what it leaves alone."""

import json
from urllib.parse import quote, quote_plus

import pytest

from impasto.host.mask import Mask

#: As services make them, as people make them, and as bad as they come.
SECRETS = [
    "sk-proj-A1b2C3d4E5f6",
    "AIzaSyD-0123456789_abc",
    "hunter22",
    'with "quotes", \\backslashes\\ and /slashes?',
    "ünïcödé ключ 鍵🗝",
    "a+b c%20d&e=f",
    "tell-nobody-of-me",
]


def spellings(secret: str) -> list[str]:
    return [
        secret,
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        json.dumps(json.dumps({"body": secret})),
        repr(secret),
        repr(KeyError(secret)),
        f"https://service.example/?key={quote(secret)}",
        f"https://service.example/?key={quote(secret, safe='')}",
        f"https://service.example/?key={quote(secret, safe='').lower()}" if secret.islower() else secret,
        f"key={quote_plus(secret)}&n=1",
        f"Authorization: Bearer {secret}\r\n",
        f"{secret}{secret}",
    ]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_hidden_however_it_is_written(secret: str) -> None:
    mask = Mask([secret])
    for text in spellings(secret):
        hidden = mask.text(text)
        assert "***" in hidden, text
        for spelling in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret), quote_plus(secret)):
            assert spelling not in hidden, text


@pytest.mark.parametrize("secret", SECRETS)
def test_a_document_is_searched_to_its_ends_and_what_was_given_stays(secret: str) -> None:
    document = {"a": [{"b": f"x{secret}y"}, 1, None, True, 0.5], f"k{secret}": {"c": secret}, "d": "plain"}
    before = json.dumps(document)
    mask = Mask([secret])
    assert mask.may_be_in(before.encode())
    assert mask.may_be_in(json.dumps(document, ensure_ascii=False).encode())
    assert mask.document(document) == {"a": [{"b": "x***y"}, 1, None, True, 0.5], "k***": {"c": "***"}, "d": "plain"}
    assert json.dumps(document) == before


@pytest.mark.parametrize("secret", SECRETS)
def test_a_quick_look_misses_no_spelling_in_json(secret: str) -> None:
    mask = Mask([secret])
    for text in spellings(secret):
        for ascii_only in (True, False):
            assert mask.may_be_in(json.dumps({"said": text}, ensure_ascii=ascii_only).encode()), text
    assert not mask.may_be_in(json.dumps({"said": "nothing of the kind"}).encode())


def test_what_was_added_stays_hidden_and_the_longest_goes_first() -> None:
    mask = Mask()
    assert not mask
    assert mask.text("abc12345 abc12345-extra") == "abc12345 abc12345-extra"
    mask.add("abc12345")
    mask.add("abc12345-extra", "abc12345")
    assert mask
    assert mask.text("abc12345 abc12345-extra") == "*** ***"
    assert mask.longest_bytes == len("abc12345-extra")


@pytest.mark.parametrize("word", ["", "a", "k3y", "openai", "ollama", "not-needed", "no_key_at_all"])
def test_what_cannot_be_told_from_ordinary_words_is_left_alone(word: str) -> None:
    mask = Mask([word])
    assert not mask
    assert mask.text(f"{word}_image_generation") == f"{word}_image_generation"


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("http://localhost:8000/v1", []),
        ("https://me:hush-hush-2@proxy.example/v1", ["hush-hush-2"]),
        ("https://tok-12345@proxy.example/v1", ["tok-12345"]),
        ("https://me:a%2Fb%2Fc%2F1@proxy.example", ["a%2Fb%2Fc%2F1", "a/b/c/1"]),
        ("https://proxy.example/v1?code=q-12345678&x=1", ["q-12345678"]),
    ],
)
def test_of_an_address_only_what_lets_one_in_is_hidden(address: str, hidden: list[str]) -> None:
    mask = Mask([address])
    assert mask.text("http://localhost:8000/v1 https://proxy.example/v1") == (
        "http://localhost:8000/v1 https://proxy.example/v1"
    )
    for secret in hidden:
        assert mask.text(f"at {secret}!") == "at ***!"
        assert secret not in mask.text(address)


def test_bytes_are_searched_and_written_without_it() -> None:
    mask = Mask(["ünïcödé-1"])
    data = b"\x89PNG\xff" + "ünïcödé-1".encode() + b"\x00"
    assert mask.is_in(data)
    assert not mask.is_in(b"\x89PNG")
    assert mask.data(data) == b"\x89PNG\xff***\x00"
    assert mask.is_in(b"tEXt" + "ünïcödé-1".encode("latin-1"))


def test_a_secret_of_bytes_that_are_no_text_is_hidden_too() -> None:
    secret = b"raw-\xff\xfe-bytes1".decode("utf-8", "surrogateescape")
    mask = Mask([secret])
    assert mask.text(f"it is {secret}") == "it is ***"
    assert mask.may_be_in(json.dumps({"said": secret}).encode())
    assert mask.data(b"raw-\xff\xfe-bytes1") == b"***"
