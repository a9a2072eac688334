"""`SessionServer`: answers what running nodes ask for: pictures, tensors, conditioning and model records.

One for each worker, which may only act for the session it runs. Called on the wire's thread; it publishes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from impasto.engine.ports import Claim, SessionServices
from impasto.engine.protocol import Request
from impasto.engine.unsettled_images import UnsettledImages
from impasto.engine.wire import Message
from impasto.errors import WireError
from impasto_sdk.context import ImageRecord
from impasto_sdk.fields import JsonValue

__all__ = ["Answer", "SessionServer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the worker."""

    body: Mapping[str, JsonValue]
    parts: Sequence[bytes] = ()


class SessionServer:
    """Serves one worker. `begin` and `end` say which session it acts for."""

    def __init__(self, services: SessionServices, worker_id: str) -> None:
        self._services = services
        self._worker_id = worker_id
        self._run: tuple[Claim, UnsettledImages] | None = None
        self._answers: dict[str, Callable[[Message], Answer]] = {
            Request.IMAGE_LOAD: self._load_image,
            Request.IMAGE_SAVE: self._save_image,
            Request.IMAGE_RECORD: self._describe_image,
            Request.EXIST: self._exist,
            Request.FILE_SAVE: self._save_file,
            Request.FILE_LOAD: self._load_file,
            Request.MODEL_RECORD: self._describe_model,
            Request.MODEL_SEARCH: self._search_models,
        }

    def begin(self, item: Claim) -> UnsettledImages:
        """From now on the worker acts for `item`; gives what its nodes save, for whoever knows what is to stay."""
        images = UnsettledImages(self._services.images)
        self._run = (item, images)
        return images

    def end(self) -> None:
        """The worker acts for no session. What is not settled is removed."""
        if self._run is not None:
            _, images = self._run
            self._run = None
            images.close()

    def answer(self, request: Message) -> Answer:
        """The answer to a request. Raises what the stores raise, and `WireError` for a request that makes no sense."""
        answer = self._answers.get(request.kind)
        if answer is None:
            raise WireError(self._worker_id, f"it asked for {request.kind!r}, which there is not")
        return answer(request)

    def _load_image(self, request: Message) -> Answer:
        return Answer({}, [self._services.images.read(request.body["name"])])

    def _save_image(self, request: Message) -> Answer:
        (item, unsettled), asked = self._running(), request.body
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
        if not unsettled.add(image.image_name):
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
        return Answer({"name": self._services.sessions.save(self._running()[0].session_id, request.parts[0])})

    def _load_file(self, request: Message) -> Answer:
        return Answer({}, [self._services.sessions.load(request.body["name"])])

    def _describe_model(self, request: Message) -> Answer:
        return Answer({"record": self._services.models.get(request.body["key"]).model_dump(mode="json")})

    def _search_models(self, request: Message) -> Answer:
        found = self._services.models.search(**request.body)
        return Answer({"records": [record.model_dump(mode="json") for record in found]})

    def _running(self) -> tuple[Claim, UnsettledImages]:
        if self._run is None:
            raise WireError(self._worker_id, "it saved something while it ran no session")
        return self._run
