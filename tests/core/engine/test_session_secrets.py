"""What a worker is given of secrets and services: what its session's plugins declared, and only while it runs."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from support.engine_room import EngineRoom, graph, node
from support.toys import ToyAdd, ToyFloat, ToyInteger

from impasto.app.providers.desk import ProviderDesk
from impasto.engine import SessionServices
from impasto.engine.protocol import Request
from impasto.engine.session_server import SessionServer
from impasto.engine.wire import Message
from impasto.errors import WireError
from impasto.host import Contributions, PluginInfo, PluginState, Registered
from impasto.host.secrets import SecretVault
from impasto.queue.records import Batch, ClaimedItem
from impasto.storage.provider_usage import ProviderUsageRecords
from impasto.storage.secret_file import SecretFile
from impasto_sdk.contributions import SecretDeclaration
from impasto_sdk.errors import SecretNotFoundError
from impasto_sdk.usage import ProviderUsage

KEY, ADDRESS = "sk-paint-01234567", "http://127.0.0.1:1/v1"
PAINTER = PluginInfo(name="painter", version="1.0.0", entry_point="painter", state=PluginState.ACTIVE)
NOSY = PluginInfo(name="nosy", version="1.0.0", entry_point="nosy", state=PluginState.ACTIVE)
FREE = PluginInfo(name="free", version="1.0.0", entry_point="free", state=PluginState.ACTIVE)
#: A node of each.
PAINTERS, NOSYS, FREES = ToyInteger.spec.type, ToyAdd.spec.type, ToyFloat.spec.type
USAGE = ProviderUsage(model="oils", outcome="completed", images=2)


def secrets_of(plugin: PluginInfo, *names: str) -> list[Registered[SecretDeclaration]]:
    return [Registered(SecretDeclaration(name=name, title=name), plugin) for name in names]


class House:
    """A server's side of one worker, with the real vault, desk and queue behind it, and no worker."""

    def __init__(self, folder: Path) -> None:
        self.stores = EngineRoom(folder)  # not entered: its engine is not started
        self.stores.database.open()
        self.stores.log.open()
        contributions = Contributions(
            invocations=[Registered(ToyInteger, PAINTER), Registered(ToyAdd, NOSY), Registered(ToyFloat, FREE)],
            secrets=[
                *secrets_of(PAINTER, "paint_api_key", "paint_base_url"),
                *secrets_of(NOSY, "nosy_key"),
                *secrets_of(FREE, "free_api_key", "free_base_url"),
            ],
        )
        environment = {"IMPASTO_SECRET_PAINT_API_KEY": KEY, "IMPASTO_SECRET_PAINT_BASE_URL": ADDRESS}
        self.vault = SecretVault(contributions, SecretFile(folder / "api_keys.yaml"), environment)
        self.usage = ProviderUsageRecords(self.stores.database)
        self.desk = ProviderDesk({"paint": 2}, self.usage)
        services = SessionServices(self.stores.images, self.stores.sessions, self.stores.models, self.vault, self.desk)
        self.server = SessionServer(services, "cpu-0")

    def close(self) -> None:
        self.stores.__exit__(None, None, None)

    def begin(self, document: dict[str, Any]) -> ClaimedItem:
        """Have the worker run a session of this graph."""
        self.stores.queue.enqueue("default", Batch(graph=document))
        item = self.stores.queue.claim("cpu-0")
        assert item is not None
        self.server.begin(item)
        return item

    def ask(self, kind: Request, **body: Any) -> dict[str, Any]:
        return dict(self.server.answer(Message(kind=kind, body=body, request_id=1)).body)

    def in_flight(self) -> int:
        return self.desk.readings()["paint"].in_flight


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def calling(inner: dict[str, Any]) -> dict[str, Any]:
    """A graph whose only node of its own calls another graph."""
    called = {"workflow_id": "w", "name": "W", "inputs": [], "graph": inner}
    return graph([node("call", "call", called=called)])


PAINTING = graph([node("p", PAINTERS)])


def test_a_plugin_with_a_node_in_the_session_is_given_what_it_declared(house: House):
    house.begin(PAINTING)
    assert house.ask(Request.SECRET, plugin="painter", name="paint_api_key") == {"secret": KEY}
    assert house.ask(Request.PROVIDER, plugin="painter", provider_id="paint") == {"api_key": KEY, "base_url": ADDRESS}


def test_a_node_in_a_graph_that_is_called_counts_however_deep(house: House):
    house.begin(calling(calling(PAINTING)))
    assert house.ask(Request.SECRET, plugin="painter", name="paint_api_key") == {"secret": KEY}


EVERY_REQUEST = [
    (Request.SECRET, {"name": "paint_api_key"}),
    (Request.PROVIDER, {"provider_id": "paint"}),
    (Request.PROVIDER_BEGIN, {"provider_id": "paint"}),
    (Request.PROVIDER_END, {"provider_id": "paint", "usage": asdict(USAGE)}),
]


@pytest.mark.parametrize(("kind", "body"), EVERY_REQUEST)
def test_a_plugin_without_a_node_in_the_session_is_given_nothing(house: House, kind: Request, body: dict[str, Any]):
    house.begin(graph([node("n", NOSYS)]))
    with pytest.raises(SecretNotFoundError, match="the session has no node of plugin 'painter'") as caught:
        house.ask(kind, plugin="painter", **body)
    assert caught.value.name == "paint_api_key"
    assert house.in_flight() == 0
    assert house.usage.since("2000-01-01") == []


@pytest.mark.parametrize(("kind", "body"), EVERY_REQUEST)
def test_a_plugin_is_given_nothing_of_anothers(house: House, kind: Request, body: dict[str, Any]):
    house.begin(graph([node("n", NOSYS), node("p", PAINTERS)]))
    with pytest.raises(SecretNotFoundError, match=r"plugin 'nosy' (does not declare|registers no external provider)"):
        house.ask(kind, plugin="nosy", **body)
    assert house.in_flight() == 0


@pytest.mark.parametrize(("kind", "body"), EVERY_REQUEST)
def test_between_sessions_there_is_nothing_to_be_had(house: House, kind: Request, body: dict[str, Any]):
    with pytest.raises(WireError, match="while it ran none"):
        house.ask(kind, plugin="painter", **body)
    house.begin(PAINTING)
    house.ask(Request.SECRET, plugin="painter", name="paint_api_key")
    house.server.end()
    with pytest.raises(WireError, match="while it ran none"):
        house.ask(kind, plugin="painter", **body)


def test_what_one_session_may_have_the_next_may_not(house: House):
    house.begin(PAINTING)
    house.ask(Request.SECRET, plugin="painter", name="paint_api_key")
    house.server.end()
    house.begin(graph([node("n", NOSYS)]))
    with pytest.raises(SecretNotFoundError):
        house.ask(Request.SECRET, plugin="painter", name="paint_api_key")


def test_a_secret_that_is_not_set_says_how_to_set_it(house: House):
    house.begin(graph([node("n", NOSYS)]))
    with pytest.raises(SecretNotFoundError, match=r"IMPASTO_SECRET_NOSY_KEY, or write it into api_keys\.yaml"):
        house.ask(Request.SECRET, plugin="nosy", name="nosy_key")


def test_a_key_counts_from_the_request_after_it_was_set(house: House):
    house.begin(graph([node("n", NOSYS)]))
    house.vault.set("nosy_key", "nosy-0123456")
    assert house.ask(Request.SECRET, plugin="nosy", name="nosy_key") == {"secret": "nosy-0123456"}
    house.vault.remove("nosy_key")
    with pytest.raises(SecretNotFoundError):
        house.ask(Request.SECRET, plugin="nosy", name="nosy_key")


def test_a_provider_that_has_neither_key_nor_address_is_told_so(house: House):
    house.begin(graph([node("f", FREES)]))
    assert house.ask(Request.PROVIDER, plugin="free", provider_id="free") == {"api_key": None, "base_url": None}


def test_places_are_taken_and_given_back_and_requests_are_counted(house: House):
    house.begin(PAINTING)
    who = {"plugin": "painter", "provider_id": "paint"}
    assert [house.ask(Request.PROVIDER_BEGIN, **who) for _ in range(3)] == [
        {"granted": True},
        {"granted": True},
        {"granted": False},
    ]
    house.ask(Request.PROVIDER_END, **who, usage=asdict(USAGE))
    assert house.in_flight() == 1
    (row,) = house.usage.since("2000-01-01")
    assert (row.provider_id, row.model) == ("paint", "oils")
    assert (row.counts.completed, row.counts.images) == (1, 2)


def test_no_place_is_left_taken_when_the_session_ends(house: House):
    house.begin(PAINTING)
    house.ask(Request.PROVIDER_BEGIN, plugin="painter", provider_id="paint")
    assert house.in_flight() == 1
    house.server.end()
    assert house.in_flight() == 0
