"""A provider with a key has its models among the records; keys are set, tested and removed, and never told."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.easel import Easel
from support.providers import KEY, ProviderHouse, provider_house

from impasto.app.providers.desk import today
from impasto.errors import (
    ExternalProviderNotFoundError,
    NewAddressError,
    ProviderConfigError,
    SecretFromEnvironmentError,
)
from impasto_sdk.errors import ProviderRequestError
from impasto_sdk.providers import ExternalModel
from impasto_sdk.usage import ProviderUsage

OILS = "easel.oils-1"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ProviderHouse]:
    with provider_house(tmp_path) as house:
        yield house


class Verifying(Easel):
    """Easel that can test a key, and repeats it."""

    async def verify(self) -> None:
        if self.api_key != KEY:
            raise ProviderRequestError("easel", f"{self.api_key} is no key of ours", 401)


class Fickle(Easel):
    """A provider whose code fails wherever it is asked."""

    provider_id = "fickle"
    broken = True

    def status(self):
        raise RuntimeError("no status")

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        raise RuntimeError("no models")


def test_a_provider_without_a_key_says_what_to_do_and_has_no_models(house: ProviderHouse) -> None:
    [status] = house.service.statuses()
    assert (status.provider_id, status.configured) == ("easel", False)
    assert "`impasto providers set easel`" in status.message
    assert house.keys() == []


def test_models_come_with_the_key_and_go_with_it(house: ProviderHouse) -> None:
    config = house.service.configure("easel", api_key=f"  {KEY}\n")
    assert (config.api_key_configured, config.api_key_source) == (True, "file")
    assert house.vault.get("easel_api_key") == KEY
    assert house.keys() == [OILS]
    assert house.service.is_configured("easel")
    house.service.reset("easel")
    assert house.keys() == []
    assert house.vault.get("easel_api_key") is None
    assert [(event.name, getattr(event, "key", None)) for event in house.told] == [
        ("model_install_complete", OILS),
        ("external_provider_changed", None),
        ("model_deleted", OILS),
        ("external_provider_changed", None),
    ]
    assert [event.configured for event in house.told if event.name == "external_provider_changed"] == [True, False]


def test_what_is_told_of_a_provider_never_holds_its_key(house: ProviderHouse) -> None:
    house.service.configure("easel", api_key=KEY)
    assert KEY not in f"{house.service.configs()} {house.service.statuses()} {house.told}"


def test_a_key_is_there_at_the_next_start_and_so_are_its_models(tmp_path: Path) -> None:
    with provider_house(tmp_path) as house:
        house.service.configure("easel", api_key=KEY)
    with provider_house(tmp_path) as again:
        assert again.keys() == [OILS]
        assert again.told == []


def test_models_of_a_key_that_was_taken_out_of_the_file_are_gone_at_the_next_start(tmp_path: Path) -> None:
    with provider_house(tmp_path) as house:
        house.service.configure("easel", api_key=KEY)
    (tmp_path / "api_keys.yaml").unlink()
    with provider_house(tmp_path) as again:
        assert again.keys() == []


def test_models_of_a_provider_that_is_installed_no_more_are_gone_at_the_next_start(tmp_path: Path) -> None:
    class Other(Easel):
        provider_id = "ea_el"  # in a pattern, its underscore would stand for any letter

    with provider_house(tmp_path, Easel, Other) as house:
        house.service.configure("easel", api_key=KEY)
        house.service.configure("ea_el", api_key=KEY)
        assert house.keys() == ["ea_el.oils-1", OILS]
    with provider_house(tmp_path, Easel) as again:
        assert again.keys() == [OILS]


def test_a_key_of_the_environment_counts_and_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    with provider_house(tmp_path, environment={"IMPASTO_SECRET_EASEL_API_KEY": KEY}) as house:
        assert house.keys() == [OILS]
        assert house.service.configs()[0].api_key_source == "environment"
        with pytest.raises(SecretFromEnvironmentError, match="IMPASTO_SECRET_EASEL_API_KEY"):
            house.service.configure("easel", api_key="other-key", base_url="")
        with pytest.raises(SecretFromEnvironmentError):
            house.service.reset("easel")
        assert house.keys() == [OILS]


def test_a_key_beside_an_address_of_the_environment_can_be_removed(tmp_path: Path) -> None:
    with provider_house(tmp_path, environment={"IMPASTO_SECRET_EASEL_BASE_URL": "http://127.0.0.1:1"}) as house:
        house.service.configure("easel", api_key=KEY)
        config = house.service.reset("easel")
        assert (config.api_key_configured, config.base_url_source) == (False, "environment")
        assert house.keys() == []
        assert house.service.reset("easel") == config, "there is nothing left to remove"


def test_a_key_that_stands_in_the_file_when_another_is_set_has_its_models_too(tmp_path: Path) -> None:
    class Other(Easel):
        provider_id = "other"

    with provider_house(tmp_path, Easel, Other) as house:
        (tmp_path / "api_keys.yaml").write_text(f"other_api_key: {KEY}\n", "utf-8")  # by a person, meanwhile
        house.service.configure("easel", api_key=KEY)
        assert house.service.is_configured("other")
        assert house.keys() == [OILS, "other.oils-1"]


def test_nothing_is_set_when_a_part_of_it_cannot_be(tmp_path: Path) -> None:
    with provider_house(tmp_path, environment={"IMPASTO_SECRET_EASEL_BASE_URL": "http://127.0.0.1:1"}) as house:
        with pytest.raises(SecretFromEnvironmentError, match="IMPASTO_SECRET_EASEL_BASE_URL"):
            house.service.configure("easel", api_key=KEY, base_url="http://127.0.0.1:2")
        assert house.vault.get("easel_api_key") is None
        with pytest.raises(ProviderConfigError, match="the base URL is none"):
            house.service.configure("easel", api_key=KEY, base_url="nowhere")
        assert house.vault.get("easel_api_key") is None
    assert not (tmp_path / "api_keys.yaml").exists()


def test_nothing_to_set_is_refused(house: ProviderHouse) -> None:
    with pytest.raises(ProviderConfigError, match="nothing is to be set"):
        house.service.configure("easel")


def test_an_address_is_set_beside_the_key_and_an_empty_one_is_the_usual_one_again(house: ProviderHouse) -> None:
    config = house.service.configure("easel", api_key=KEY, base_url="http://127.0.0.1:8080/")
    assert (config.base_url, config.base_url_source) == ("http://127.0.0.1:8080", "file")
    assert house.service.configure("easel", base_url="http://127.0.0.1:8080/v1").base_url == "http://127.0.0.1:8080/v1"
    assert house.service.configure("easel", base_url="").base_url is None
    assert house.vault.get("easel_api_key") == KEY


def test_a_key_that_is_stored_is_sent_to_no_address_that_came_without_it(house: ProviderHouse) -> None:
    house.service.configure("easel", api_key=KEY)
    with pytest.raises(NewAddressError):
        house.service.configure("easel", base_url="https://evil.example")
    assert house.vault.get("easel_base_url") is None
    assert house.service.configure("easel", api_key=KEY, base_url="https://other.example").base_url


def test_an_address_alone_may_be_set_before_there_is_a_key(house: ProviderHouse) -> None:
    assert house.service.configure("easel", base_url="http://127.0.0.1:1").base_url == "http://127.0.0.1:1"
    assert house.keys() == []


def test_an_address_that_holds_a_password_is_shown_without_it(tmp_path: Path) -> None:
    environment = {"IMPASTO_SECRET_EASEL_BASE_URL": "https://ada:opensesame@proxy.example"}
    with provider_house(tmp_path, environment=environment) as house:
        [config] = house.service.configs()
    assert config.base_url == "https://***@proxy.example"


def test_a_provider_that_there_is_not_is_answered_with_those_there_are(house: ProviderHouse) -> None:
    for ask in (house.service.status, house.service.reset, house.service.verify, house.service.records):
        with pytest.raises(ExternalProviderNotFoundError, match="no external provider 'easle': there are easel"):
            ask("easle")
    with pytest.raises(ExternalProviderNotFoundError):
        house.service.configure("easle", api_key=KEY)
    assert not house.service.is_configured("easle")


def test_a_key_is_tested_without_being_told(tmp_path: Path) -> None:
    with provider_house(tmp_path, Verifying) as house:
        assert house.service.verify("easel").outcome == "not_configured"
        house.service.configure("easel", api_key="wrongkey")  # a word, which nobody else hides
        refused = house.service.verify("easel")
        assert (refused.outcome, refused.message) == ("refused", "*** is no key of ours")
        house.service.configure("easel", api_key=KEY)
        assert house.service.verify("easel").outcome == "accepted"


def test_a_provider_whose_code_fails_takes_nothing_else_down(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with provider_house(tmp_path, Easel, Fickle) as house:
        house.service.configure("easel", api_key=KEY)
        house.service.configure("fickle", api_key=KEY)
        statuses = {status.provider_id: status for status in house.service.statuses()}
        assert statuses["easel"].configured
        assert not statuses["fickle"].configured
        assert "plugin impasto-easel failed to say how it is" in statuses["fickle"].message
        assert house.keys() == [OILS]
        assert [record.key for record, _ in house.service.offers()] == [OILS]
    assert "no status" in caplog.text
    assert "no models" in caplog.text


def test_all_models_are_offered_whether_they_can_be_used_or_not(house: ProviderHouse) -> None:
    [(record, plugin)] = house.service.offers()
    assert (record.source, plugin) == ("external://easel/oils-1", "impasto-easel")
    assert record.description.endswith("Needs an API key of Easel; usage may cost money.")


def test_advice_is_given_for_a_model_that_lacks_its_key_and_for_no_other(house: ProviderHouse) -> None:
    advice = house.service.advice(OILS)
    assert advice is not None
    assert "`impasto providers set easel`" in advice
    assert house.service.advice("other") is None
    house.service.configure("easel", api_key=KEY)
    assert house.service.advice(OILS) is None


def test_usage_is_added_up_by_model_and_by_day(house: ProviderHouse) -> None:
    for cost in (0.04, None, 0.02):
        house.desk.begin("easel", "io-0")
        usage = ProviderUsage(model="oils-1", outcome="completed", images=1, output_tokens=10, cost_usd=cost)
        house.desk.end("easel", "io-0", usage)
    house.desk.end("easel", "io-0", ProviderUsage(model="oils-2", outcome="refused"))
    report = house.service.usage(30)
    assert (report.total.requests, report.total.cost_usd, report.total.unpriced) == (4, 0.06, 1)
    assert [(one.provider_id, one.model, one.counts.requests) for one in report.models] == [
        ("easel", "oils-1", 3),
        ("easel", "oils-2", 1),
    ]
    assert [(one.day, one.provider_id, one.counts.images) for one in report.days] == [(today(), "easel", 3)]
    assert (report.last_day, house.service.usage(1).first_day) == (today(), today())
    assert house.service.usage(30, "other").total.requests == 0
