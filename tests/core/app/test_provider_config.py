"""A key and an address are taken as a person pastes them, or refused without a word of what was given."""

import pytest

from impasto.app.providers.config import checked_address, checked_key, refuse_other_place, shown_address
from impasto.errors import NewAddressError, ProviderConfigError


@pytest.mark.parametrize("pasted", ["sk-abc", " sk-abc", "sk-abc\n", "\r\n\tsk-abc \n"])
def test_blanks_and_line_breaks_around_a_key_are_cut(pasted: str) -> None:
    assert checked_key("easel", pasted) == "sk-abc"


@pytest.mark.parametrize("wrong", ["", " \n", "sk abc", "sk-a\nbc", "sk-a\x00bc", "sk-ä-bc", "x" * 4097])
def test_what_no_request_can_carry_is_refused_and_not_repeated(wrong: str) -> None:
    with pytest.raises(ProviderConfigError) as caught:
        checked_key("easel", wrong)
    assert (caught.value.provider_id, caught.value.field) == ("easel", "api_key")
    assert not wrong.strip() or wrong not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://proxy.example", "https://proxy.example"),
        (" http://127.0.0.1:8080/v1/ \n", "http://127.0.0.1:8080/v1"),
        ("HTTPS://Proxy.Example/", "HTTPS://Proxy.Example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("", None),
        ("  ", None),
    ],
)
def test_an_address_has_a_scheme_and_a_host_and_an_empty_one_is_the_usual_one(given: str, taken: str | None) -> None:
    assert checked_address("easel", given) == taken


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("there.test", "is none"),
        ("ftp://there.test", "is none"),
        ("file:///etc/passwd", "is none"),
        ("https:", "is none"),
        ("https:///v1", "is none"),
        ("https://there.test:port", "is none"),
        ("https://there.test:99999", "is none"),
        ("https://the re.test", "is none"),
        ("https://there.test/\nv1", "is none"),
        ("https://[::1", "is none"),
        ("https://thäre.test", "is none"),
        ("https://ada@there.test", "a user or a password"),
        ("https://ada:pass@there.test", "a user or a password"),
        ("https://there.test?token=hidden", "more than a path"),
        ("https://there.test/v1#hidden", "more than a path"),
        ("https://there.test/" + "x" * 2048, "2,067 characters"),
        ("sk-a-key-in-the-wrong-place", "is none"),
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(given: str, said: str) -> None:
    with pytest.raises(ProviderConfigError, match=said) as caught:
        checked_address("easel", given)
    assert caught.value.field == "base_url"
    assert given not in str(caught.value).replace("https://proxy.example/v1", "").replace("https://", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://api.example/v1", "https://api.example/v2"),
        ("https://api.example", "https://api.example:443"),
        ("http://API.example:80", "http://api.example"),
    ],
)
def test_a_key_may_go_to_another_path_of_its_host(before: str, after: str) -> None:
    refuse_other_place("easel", before, after, "file")


@pytest.mark.parametrize("after", ["http://api.example", "https://api.example:444", "https://api.example.evil.example"])
def test_a_key_that_is_stored_goes_to_no_other_host_port_or_scheme(after: str) -> None:
    refuse_other_place("easel", "https://api.example", after, None)
    with pytest.raises(NewAddressError, match="give the key with the new address"):
        refuse_other_place("easel", "https://api.example", after, "file")
    with pytest.raises(NewAddressError, match="set the address there, too"):
        refuse_other_place("easel", "https://api.example", after, "environment")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://proxy.example:8080/v1", "https://proxy.example:8080/v1"),
        ("https://ada:pass@proxy.example/v1", "https://***@proxy.example/v1"),
        ("https://ada@proxy.example", "https://***@proxy.example"),
        ("https://proxy.example/v1?token=hidden#hidden", "https://proxy.example/v1?***#***"),
        ("https://[::1", "***"),
    ],
)
def test_an_address_is_shown_without_what_lets_one_in(address: str, shown: str) -> None:
    assert shown_address(address) == shown
