"""What ``impasto providers`` says of costs, and where it takes a key from."""

import io

import pytest

from impasto.cli.client import Client
from impasto.cli.external_providers import cost_in_words, read_key, refuse_arguments, show_usage
from impasto.cli.failures import CommandError, UsageError

COUNTS = {"requests": 3, "completed": 3, "refused": 0, "failed": 0, "canceled": 0, "images": 3}
TOKENS = {"input_tokens": 10, "output_tokens": 20}


class Report(Client):
    """A client of a server that has counted this."""

    def __init__(self, *, cost_usd: float, unpriced: int) -> None:
        counts = {**COUNTS, **TOKENS, "cost_usd": cost_usd, "unpriced": unpriced}
        one = {**counts, "provider_id": "easel", "model": "oils-1"}
        self.report = {
            "first_day": "2026-10-24", "last_day": "2026-11-22", "total": counts, "models": [one], "days": [],
        }  # fmt: skip

    def get(self, path: str, **parameters: object) -> object:
        assert parameters == {"days": 30}
        return self.report


@pytest.mark.parametrize(
    ("dollars", "unpriced", "words"),
    [(0.0421, 0, "$0.0421"), (1234.5, 2, "$1,234.5000"), (0.0, 0, "$0.0000"), (0.0, 2, "?")],
)
def test_a_cost_is_in_dollars_and_one_that_is_not_known_says_so(dollars: float, unpriced: int, words: str) -> None:
    assert cost_in_words(dollars, unpriced) == words


@pytest.mark.parametrize(
    ("unpriced", "said"),
    [
        (0, "$0.1200 from 2026-10-24 to 2026-11-22 (UTC)"),
        (1, "$0.1200 from 2026-10-24 to 2026-11-22 (UTC), without 1 request whose price is not known"),
        (2, "$0.1200 from 2026-10-24 to 2026-11-22 (UTC), without 2 requests whose price is not known"),
    ],
)
def test_below_the_table_stands_the_sum_and_how_many_requests_have_no_price(unpriced: int, said: str) -> None:
    listing = show_usage(Report(cost_usd=0.12, unpriced=unpriced), 30, None, by_day=False)
    assert listing.rows == [("easel", "oils-1", 3, 3, 0, 0, 0, 3, 10, 20, "$0.1200")]
    assert listing.remark == said


def test_days_without_requests_say_since_when() -> None:
    listing = show_usage(Report(cost_usd=0, unpriced=0), 30, None, by_day=True)
    assert (listing.rows, listing.remark) == ([], "")
    assert listing.empty == "no external service was asked for anything since 2026-10-24"


def test_a_key_comes_through_a_pipe_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-abc\n"))
    assert read_key("Easel") == "sk-abc\n"


def test_a_key_that_is_typed_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []
    monkeypatch.setattr("sys.stdin", Terminal("never read"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "sk-abc")
    assert read_key("Easel") == "sk-abc"
    assert asked == ["API key of Easel (it is not shown): "]


def test_nothing_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    with pytest.raises(CommandError, match="no key of Easel was given"):
        read_key("Easel")


def test_bytes_are_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    with pytest.raises(CommandError, match="it is no text"):
        read_key("Easel")


def test_what_is_typed_behind_the_provider_is_refused_and_not_repeated() -> None:
    refuse_arguments([], "easel")
    with pytest.raises(UsageError, match="a key is not taken as an argument") as caught:
        refuse_arguments(["sk-abc"], "easel")
    assert "sk-abc" not in str(caught.value)
