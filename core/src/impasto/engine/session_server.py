"""`SessionServer`: answers what running nodes ask for: pictures, tensors, model records, secrets, external services.

One for each worker, which may only act for the session it runs: it is given no secret of a plugin that has no node
there. Called on the wire's thread; it publishes nothing.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from impasto.engine.ports import Claim, SessionServices
from impasto.engine.protocol import Request
from impasto.engine.unsettled_images import UnsettledImages
from impasto.engine.wire import Message
from impasto.errors import WireError
from impasto.host.mask import Mask
from impasto.host.provider_secrets import api_key_name, base_url_name
from impasto.host.secrets import SECRET_PREFIX
from impasto.settings import SECRET_FILE
from impasto_sdk.context import ImageRecord
from impasto_sdk.errors import SecretNotFoundError
from impasto_sdk.fields import JsonValue
from impasto_sdk.usage import ProviderUsage

__all__ = ["Answer", "SessionServer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the worker."""

    body: Mapping[str, JsonValue]
    parts: Sequence[bytes] = ()


@dataclass(slots=True)
class _Session:
    item: Claim
    images: UnsettledImages
    #: The plugins that it has nodes of, once somebody has asked.
    plugins: Collection[str] | None = None


class SessionServer:
    """Serves one worker. `begin` and `end` say which session it acts for."""

    def __init__(self, services: SessionServices, worker_id: str) -> None:
        self._services = services
        self._worker_id = worker_id
        self._run: _Session | None = None
        #: Held while a place at a service is taken or given back: each is, once, by its node or with the session.
        self._taking = threading.Lock()
        self._answers: dict[str, Callable[[Message], Answer]] = {
            Request.IMAGE_LOAD: self._load_image,
            Request.IMAGE_SAVE: self._save_image,
            Request.IMAGE_RECORD: self._describe_image,
            Request.EXIST: self._exist,
            Request.FILE_SAVE: self._save_file,
            Request.FILE_LOAD: self._load_file,
            Request.MODEL_RECORD: self._describe_model,
            Request.MODEL_SEARCH: self._search_models,
            Request.SECRET: self._give_secret,
            Request.PROVIDER: self._give_provider,
            Request.PROVIDER_BEGIN: self._begin_request,
            Request.PROVIDER_END: self._end_request,
        }

    @property
    def mask(self) -> Mask:
        """What is not to be seen in anything that is told of the worker."""
        return self._services.secrets.mask

    def begin(self, item: Claim) -> UnsettledImages:
        """From now on the worker acts for `item`; gives what its nodes save, for whoever knows what is to stay."""
        images = UnsettledImages(self._services.images)
        self._run = _Session(item, images)
        return images

    def end(self) -> None:
        """The worker acts for no session. What is not settled is removed, and places that it has are given back."""
        with self._taking:
            run, self._run = self._run, None
        if run is not None:
            self._services.providers.release(self._worker_id)
            run.images.close()

    def answer(self, request: Message) -> Answer:
        """The answer to a request. Raises what the stores raise, and `WireError` for a request that makes no sense."""
        answer = self._answers.get(request.kind)
        if answer is None:
            raise WireError(self._worker_id, f"it asked for {request.kind!r}, which there is not")
        return answer(request)

    def _load_image(self, request: Message) -> Answer:
        return Answer({}, [self._services.images.read(request.body["name"])])

    def _save_image(self, request: Message) -> Answer:
        run, asked = self._running(), request.body
        item = run.item
        own: dict[str, JsonValue] = asked["metadata"] or {}
        kept = bool(asked["is_intermediate"])
        image = self._services.images.save(
            request.parts[0],
            category=asked["category"],
            is_intermediate=kept,
            session_id=item.session_id,
            node_id=asked["node_id"],
            board_id=asked["board_id"],
            # what leads back to the run belongs to what a person keeps
            metadata=(own if kept else {**(item.metadata or {}), **own}) or None,
            graph=None if kept else item.graph,
            workflow=None if kept else item.workflow,
            user_id=item.user_id,
            unsettled=True,
            embed=asked["embed"],
        )
        if not run.images.add(image.image_name):
            raise WireError(self._worker_id, "it saved an image for a session that is over")
        return Answer({"image_name": image.image_name, "width": image.width, "height": image.height})

    def _describe_image(self, request: Message) -> Answer:
        name = request.body["name"]
        image = self._services.images.get(name)
        record = ImageRecord(
            image_name=image.image_name,
            width=image.width,
            height=image.height,
            image_category=image.image_category,
            is_intermediate=image.is_intermediate,
            board_id=image.board_id,
            metadata=self._services.images.metadata(name),
        )
        return Answer({"record": record.model_dump(mode="json")})

    def _exist(self, request: Message) -> Answer:
        images, files = request.body["images"], request.body["files"]
        there = (not images or self._services.images.exist(images).issuperset(images)) and (
            not files or self._services.sessions.exist(files).issuperset(files)
        )
        return Answer({"all": there})

    def _save_file(self, request: Message) -> Answer:
        return Answer({"name": self._services.sessions.save(self._running().item.session_id, request.parts[0])})

    def _load_file(self, request: Message) -> Answer:
        return Answer({}, [self._services.sessions.load(request.body["name"])])

    def _describe_model(self, request: Message) -> Answer:
        return Answer({"record": self._services.models.get(request.body["key"]).model_dump(mode="json")})

    def _search_models(self, request: Message) -> Answer:
        found = self._services.models.search(**request.body)
        return Answer({"records": [record.model_dump(mode="json") for record in found]})

    def _give_secret(self, request: Message) -> Answer:
        plugin, name = self._permitted(request), str(request.body["name"])
        secret = self._services.secrets.reveal(plugin, name)
        if secret is None:
            variable = f"{SECRET_PREFIX}{name.upper()}"
            raise SecretNotFoundError(name, f"set the environment variable {variable}, or write it into {SECRET_FILE}")
        return Answer({"secret": secret})

    def _give_provider(self, request: Message) -> Answer:
        plugin, provider_id = self._provider(request)
        reveal = self._services.secrets.reveal
        key, url = reveal(plugin, api_key_name(provider_id)), reveal(plugin, base_url_name(provider_id))
        return Answer({"api_key": key, "base_url": url})

    def _begin_request(self, request: Message) -> Answer:
        _, provider_id = self._provider(request)
        with self._taking:
            self._running()  # it may have ended since
            return Answer({"granted": self._services.providers.begin(provider_id, self._worker_id)})

    def _end_request(self, request: Message) -> Answer:
        _, provider_id = self._provider(request)
        usage = ProviderUsage(**request.body["usage"])
        with self._taking:
            user_id = self._running().item.user_id
            self._services.providers.end(provider_id, self._worker_id, usage, user_id)
        return Answer({})

    def _provider(self, request: Message) -> tuple[str, str]:
        """The plugin that asks, and its provider. Raises `SecretNotFoundError` when it has none of the id."""
        plugin, provider_id = self._permitted(request), str(request.body["provider_id"])
        name = api_key_name(provider_id)
        if name not in self._services.secrets.declared_by(plugin):
            raise SecretNotFoundError(name, f"plugin {plugin!r} registers no external provider {provider_id!r}")
        return plugin, provider_id

    def _permitted(self, request: Message) -> str:
        """The plugin that asks. Raises `SecretNotFoundError` when the session has no node of it."""
        run, plugin = self._running(), str(request.body["plugin"])
        if run.plugins is None:
            run.plugins = self._services.secrets.plugins_of(set(_node_types(run.item.graph)))
        if plugin not in run.plugins:
            wanted = request.body.get("name") or api_key_name(request.body["provider_id"])
            raise SecretNotFoundError(str(wanted), f"the session has no node of plugin {plugin!r}")
        return plugin

    def _running(self) -> _Session:
        if self._run is None:
            raise WireError(self._worker_id, "it acted for a session while it ran none")
        return self._run


def _node_types(graph: Mapping[str, JsonValue]) -> Iterator[str]:
    """The types of all nodes of a graph document, and of those that it calls."""
    for node in graph["nodes"].values():
        yield node["type"]
        if (called := node.get("called")) is not None:
            yield from _node_types(called["graph"])
