"""The vault: where secrets are from, who may see which, and what becomes of one that is set while the server runs."""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.toys import ToyAdd

from impasto.errors import SecretError, SecretFromEnvironmentError, SettingsError
from impasto.host import Contributions, PluginInfo, PluginState, Registered
from impasto.host.mask import Mask
from impasto.host.secrets import SecretVault, secrets_in
from impasto.storage.secret_file import SecretFile
from impasto_sdk.contributions import SecretDeclaration
from impasto_sdk.errors import SecretNotFoundError

KEY, OTHER = "sk-first-0123456", "sk-second-789012"


def plugin(name: str) -> PluginInfo:
    return PluginInfo(name=name, version="1.0.0", entry_point=name, state=PluginState.ACTIVE)


def declared(plugin_name: str, *names: str) -> list[Registered[SecretDeclaration]]:
    return [Registered(SecretDeclaration(name=name, title=name), plugin(plugin_name)) for name in names]


@pytest.fixture
def file(tmp_path: Path) -> SecretFile:
    return SecretFile(tmp_path / "api_keys.yaml")


def open_vault(file: SecretFile, environment: Mapping[str, str] | None = None, mask: Mask | None = None) -> SecretVault:
    contributions = Contributions(
        secrets=[*declared("mine", "my_key", "my_other"), *declared("theirs", "their_key")],
        invocations=[Registered(ToyAdd, plugin("mine"))],
    )
    vault = SecretVault(contributions, file, environment or {}, mask)
    vault.load()
    return vault


def test_a_secret_is_found_in_the_environment_before_the_file(file: SecretFile) -> None:
    file.write({"my_key": "of the file", "my_other": OTHER})
    vault = open_vault(file, {"IMPASTO_SECRET_MY_KEY": KEY, "HOME": "/somewhere"})
    assert (vault.get("my_key"), vault.source_of("my_key")) == (KEY, "environment")
    assert (vault.get("my_other"), vault.source_of("my_other")) == (OTHER, "file")
    assert (vault.get("their_key"), vault.source_of("their_key")) == (None, None)


def test_what_is_set_to_nothing_is_not_set(file: SecretFile) -> None:
    file.path.write_text("my_key: ''\nmy_other:\n", "utf-8")
    file.path.chmod(0o600)
    vault = open_vault(file, {"IMPASTO_SECRET_MY_KEY": ""})
    assert [vault.get(name) for name in ("my_key", "my_other")] == [None, None]
    assert [vault.source_of(name) for name in ("my_key", "my_other")] == [None, None]
    vault.set("my_key", KEY)
    assert vault.get("my_key") == KEY


def test_blanks_around_a_secret_are_no_part_of_it_wherever_it_is_from(file: SecretFile) -> None:
    file.path.write_text(f"my_other: '{OTHER} '\nmy_blank: ' '\n", "utf-8")
    file.path.chmod(0o600)
    vault = open_vault(file, {"IMPASTO_SECRET_MY_KEY": f" {KEY}\n", "IMPASTO_SECRET_THEIR_KEY": "\n"})
    assert [vault.get(name) for name in ("my_key", "my_other", "their_key", "my_blank")] == [KEY, OTHER, None, None]
    assert vault.source_of("their_key") is None
    assert vault.mask.text(f"{KEY},{OTHER}") == "***,***"


def test_secrets_of_the_environment_are_known_by_the_begin_of_their_names() -> None:
    environment = {"IMPASTO_SECRET_A_KEY": "1", "IMPASTO_SECRET_b": "2", "IMPASTO_PORT": "3", "IMPASTO_SECRET_C": ""}
    assert secrets_in(environment) == {"a_key": "1", "b": "2"}


def test_a_plugin_sees_what_it_declared_and_nothing_else(file: SecretFile) -> None:
    vault = open_vault(file, {"IMPASTO_SECRET_MY_KEY": KEY, "IMPASTO_SECRET_THEIR_KEY": OTHER})
    assert set(vault.declared_by("mine")) == {"my_key", "my_other"}
    assert set(vault.declared_by("nobody")) == set()
    assert vault.reveal("mine", "my_key") == KEY
    assert vault.reveal("mine", "my_other") is None
    for name in ("their_key", "no_key"):
        with pytest.raises(SecretNotFoundError, match="plugin 'mine' does not declare it with register_secrets"):
            vault.reveal("mine", name)


def test_node_types_lead_to_their_plugins(file: SecretFile) -> None:
    vault = open_vault(file)
    assert set(vault.plugins_of({ToyAdd.spec.type, "unknown"})) == {"mine"}
    assert set(vault.plugins_of(set())) == set()


def test_a_secret_that_is_set_counts_at_once_and_at_the_next_start(file: SecretFile) -> None:
    vault, told = open_vault(file), []
    vault.add_listener(lambda name: told.append((name, vault.get(name))))
    vault.set("my_key", f"  {KEY}\n")
    assert (vault.get("my_key"), vault.source_of("my_key")) == (KEY, "file")
    vault.set("my_key", OTHER)
    assert vault.remove("my_key")
    assert not vault.remove("my_key")
    assert (vault.get("my_key"), vault.source_of("my_key")) == (None, None)
    assert told == [("my_key", KEY), ("my_key", OTHER), ("my_key", None), ("my_key", None)]
    vault.set("my_other", KEY)
    assert open_vault(file).get("my_other") == KEY


def test_what_the_environment_holds_is_changed_there(file: SecretFile) -> None:
    vault = open_vault(file, {"IMPASTO_SECRET_MY_KEY": KEY})
    for change in (lambda: vault.set("my_key", OTHER), lambda: vault.remove("my_key")):
        with pytest.raises(SecretFromEnvironmentError, match="IMPASTO_SECRET_MY_KEY holds it") as caught:
            change()
        assert (caught.value.name, caught.value.variable) == ("my_key", "IMPASTO_SECRET_MY_KEY")
        assert KEY not in str(caught.value)
    assert vault.get("my_key") == KEY
    assert not file.path.exists()


@pytest.mark.parametrize("value", ["", "  \n", f"{KEY}\n{OTHER}", f"{KEY}\x00"])
def test_what_is_no_secret_is_refused_without_repeating_it(file: SecretFile, value: str) -> None:
    vault = open_vault(file)
    with pytest.raises(SecretError, match="secret 'my_key': ") as caught:
        vault.set("my_key", value)
    assert KEY not in str(caught.value)
    assert vault.get("my_key") is None


def test_what_others_wrote_into_the_file_meanwhile_stays(file: SecretFile) -> None:
    vault = open_vault(file)
    file.write({"of_a_plugin_that_is_gone": "keep me 1", "their_key": OTHER})
    vault.set("my_key", KEY)
    assert file.read() == {"of_a_plugin_that_is_gone": "keep me 1", "their_key": OTHER, "my_key": KEY}
    assert vault.get("their_key") == OTHER


def test_listeners_hear_of_what_others_changed_too(file: SecretFile) -> None:
    file.write({"my_other": OTHER})
    vault, told = open_vault(file), []
    vault.add_listener(told.append)
    file.write({"their_key": OTHER})
    vault.set("my_key", KEY)
    assert sorted(told) == ["my_key", "my_other", "their_key"]
    told.clear()
    file.write({"my_key": KEY})
    vault.remove("my_key")
    assert sorted(told) == ["my_key", "their_key"]


def test_threads_that_set_at_once_lose_nothing(file: SecretFile) -> None:
    vaults = [open_vault(file), open_vault(file)]
    threads = [
        threading.Thread(target=vaults[place % 2].set, args=(f"key_{place}", f"secret-{place}")) for place in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read() == {f"key_{place}": f"secret-{place}" for place in range(8)}


def test_a_file_that_makes_no_sense_is_told_of_when_it_is_loaded(file: SecretFile) -> None:
    file.path.write_text("my_key: [", "utf-8")
    with pytest.raises(SettingsError, match=r"api_keys\.yaml"):
        open_vault(file)


def test_everything_that_is_or_was_a_secret_is_hidden(file: SecretFile, caplog: pytest.LogCaptureFixture) -> None:
    file.write({"my_other": "of-the-file-1", "nobody_declared": "not-declared-1"})
    mask = Mask()
    vault = open_vault(file, {"IMPASTO_SECRET_UNKNOWN": "of-the-environment-1"}, mask)
    assert vault.mask is mask
    assert mask.text("of-the-file-1 not-declared-1 of-the-environment-1") == "*** *** ***"
    assert set(vault.values()) == {"of-the-file-1", "not-declared-1", "of-the-environment-1"}

    vault.add_listener(lambda name: logging.getLogger("impasto.test").warning(mask.text(f"{name} {KEY}")))
    vault.set("my_key", KEY)
    assert caplog.messages == ["my_key ***"], "hidden before anybody hears of it"
    vault.set("my_key", OTHER)
    vault.remove("my_other")
    assert mask.text(f"{KEY} {OTHER} of-the-file-1") == "*** *** ***", "as long as the server runs"
    assert set(vault.values()) == {OTHER, "not-declared-1", "of-the-environment-1"}
