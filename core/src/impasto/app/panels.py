"""`PanelService`: forms and values in, graphs and queue items out; what `/api/v1/panels` asks.

What values come to is decided by pure code in the sdk. This is its edge: it looks up which models and images there
are, draws seeds, calls the plugins' functions in a guard, and enqueues.
"""

import hashlib
import json
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from impasto.app.panel_build import PanelGraph, build_draft, draw_seeds, guarded, least_seed
from impasto.app.panel_catalogue import OfferedPanel, PanelCatalogue
from impasto.app.panel_runs import panel_batch
from impasto.engine.references import find_references
from impasto.queue.records import Batch, EnqueueBatchResult
from impasto_sdk.errors import ImageNotFoundError, PanelProblem, PanelValuesError
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import (
    Availability,
    AvailabilityFix,
    Model,
    PanelForm,
    Scope,
    UpgradedValues,
    Verdict,
    World,
    candidates,
    check,
    upgrade_values,
)
from impasto_sdk.providers import ProviderStatus

__all__ = ["BatchQueue", "ImageSource", "ModelSource", "PanelService", "ProviderSource", "StoredImage"]

#: Version of the vocabulary of panel documents.
FORMAT = 1
#: Hexadecimal digits of a document's revision.
REVISION_DIGITS = 16


class ModelSource(Protocol):
    """Where the model records are."""

    def search(self) -> Sequence[ModelRecord]:
        """All of them."""
        ...


class StoredImage(Protocol):
    """What is looked at of a stored image."""

    @property
    def width(self) -> int:
        """Pixels."""
        ...

    @property
    def height(self) -> int:
        """Pixels."""
        ...


class ImageSource(Protocol):
    """Where the images are."""

    def get(self, name: str) -> StoredImage:
        """One of them. Raises `ImageNotFoundError`."""
        ...


class ProviderSource(Protocol):
    """Where the external providers are: `impasto.app.providers.service.ProviderService`."""

    def is_configured(self, provider_id: str) -> bool:
        """Whether one can be used; an unknown one cannot."""
        ...

    def status(self, provider_id: str) -> ProviderStatus:
        """Whether one can be used, and if not, why. Raises `NotFoundError`."""
        ...

    def records(self, provider_id: str) -> Sequence[ModelRecord]:
        """The models of one, whether they are there now or not. Raises `NotFoundError`."""
        ...


class BatchQueue(Protocol):
    """Where batches go: `impasto.app.submissions.Submissions`."""

    def enqueue(
        self,
        queue_id: str,
        batch: Batch,
        *,
        prepend: bool = False,
        user_id: str = "system",
        idempotency_key: str | None = None,
        request: JsonValue = None,
    ) -> EnqueueBatchResult:
        """Check a batch that was made from `request`, and put it into a queue."""
        ...

    def enqueued_before(
        self,
        queue_id: str,
        idempotency_key: str | None,
        request: JsonValue,
        *,
        prepend: bool = False,
        user_id: str = "system",
    ) -> EnqueueBatchResult | None:
        """What an earlier call with this key and this request answered; None when there was none."""
        ...


class PanelService:
    """Panels as clients use them. Methods that take a panel's id raise `PanelNotFoundError` for an unknown one.

    They take the panel of an external provider without a key, too: an image that it made is recalled all the same.
    """

    def __init__(
        self,
        catalogue: PanelCatalogue,
        models: ModelSource,
        images: ImageSource,
        submissions: BatchQueue,
        providers: ProviderSource,
        draw_seed: Callable[[int, int], int],
    ) -> None:
        """`draw_seed(least, greatest)` gives a random number between the two, both included."""
        self._catalogue = catalogue
        self._models = models
        self._images = images
        self._submissions = submissions
        self._providers = providers
        self._draw_seed = draw_seed

    def document(self) -> dict[str, JsonValue]:
        """The panel document, ``{format, revision, panels}``; the revision changes whenever a panel does.

        A panel of an external provider is in it while that has a key.
        """
        world = self._world({})
        panels = [
            one.form.model_copy(update={"available": _availability(one.form, world)}).to_document()
            for one in self._catalogue
            if one.panel.provider is None or self._providers.is_configured(one.panel.provider)
        ]
        content = json.dumps(panels, sort_keys=True, separators=(",", ":")).encode()
        return {"format": FORMAT, "revision": hashlib.sha256(content).hexdigest()[:REVISION_DIGITS], "panels": panels}

    def check(self, panel_id: str, values: Mapping[str, JsonValue]) -> Verdict:
        """What the values come to and everything that stands in the way of a graph, the panel's own rules included.

        Values of an external provider without a key are looked at as if it had one, and that it has none is said first.
        Raises `PluginError` when the panel's plugin fails on values that its form accepts.
        """
        offered = self._catalogue[panel_id]
        verdict = self._verdict(offered, values)
        if not verdict.ok:
            return verdict
        try:
            build_draft(offered, draw_seeds(offered.form, verdict.values, least_seed))
        except PanelValuesError as error:
            return replace(verdict, problems=error.problems)
        return verdict

    def graph(self, panel_id: str, values: Mapping[str, JsonValue]) -> PanelGraph:
        """The graph that the values make, seeds drawn; nothing is queued.

        Raises `PanelValuesError` with every problem of the values, `PluginError` when a plugin fails.
        """
        offered = self._catalogue[panel_id]
        ready = self._ready(offered, values)
        return PanelGraph(build_draft(offered, ready).to_document(), ready)

    def enqueue(
        self,
        queue_id: str,
        panel_id: str,
        values: Mapping[str, JsonValue],
        *,
        runs: int = 1,
        prepend: bool = False,
        origin: str | None = None,
        destination: str | None = None,
        user_id: str = "system",
        idempotency_key: str | None = None,
    ) -> EnqueueBatchResult:
        """Put the graph of the values into a queue: `runs` times the images that the form asks for.

        Raises what `graph` raises, and what `Submissions.enqueue` raises; nothing is queued then.
        """
        # the batch differs from call to call: a seed is drawn, a model's hash becomes known
        request: JsonValue = {
            "panel": panel_id,
            "values": dict(values),
            "runs": runs,
            "origin": origin,
            "destination": destination,
        }
        earlier = self._submissions.enqueued_before(
            queue_id, idempotency_key, request, prepend=prepend, user_id=user_id
        )
        if earlier is not None:
            return earlier
        offered = self._catalogue[panel_id]
        ready = self._ready(offered, values)
        draft = build_draft(offered, ready)
        batch = panel_batch(offered, draft, ready, runs=runs, origin=origin, destination=destination)
        return self._submissions.enqueue(
            queue_id,
            batch,
            prepend=prepend,
            user_id=user_id,
            idempotency_key=idempotency_key,
            request=request,
        )

    def upgrade(self, panel_id: str, version: int, values: Mapping[str, JsonValue]) -> UpgradedValues:
        """Values that were stored with `version` of the panel, for the present one.

        Raises `PluginError` when the panel's own `upgrade` fails.
        """
        offered = self._catalogue[panel_id]
        what = f"upgrade of panel {panel_id!r} from version {version}"
        return guarded(offered.plugin.name, what, upgrade_values, offered.form, offered.panel.upgrade, version, values)

    def _ready(self, offered: OfferedPanel, values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        verdict = self._verdict(offered, values)
        if not verdict.ok:
            raise PanelValuesError(offered.form.id, verdict.problems)
        return draw_seeds(offered.form, verdict.values, self._draw_seed)

    def _verdict(self, offered: OfferedPanel, values: Mapping[str, JsonValue]) -> Verdict:
        world, provider_id = self._world(values), offered.panel.provider
        status = None if provider_id is None else self._providers.status(provider_id)
        if status is None or status.configured:
            return check(offered.form, values, world)
        facts = {record.key: record.all_facts() for record in self._providers.records(status.provider_id)}
        verdict = check(offered.form, values, replace(world, models={**world.models, **facts}))
        problem = PanelProblem(_model_path(offered.form), status.message)
        return replace(verdict, problems=(problem, *verdict.problems))

    def _world(self, values: Mapping[str, JsonValue]) -> World:
        """All models, and the images that the values name."""
        named = find_references(dict(values)).images
        return World(
            models={record.key: record.all_facts() for record in self._models.search()},
            images={name: facts for name in named if (facts := self._image_facts(name)) is not None},
        )

    def _image_facts(self, name: str) -> dict[str, JsonValue] | None:
        try:
            image = self._images.get(name)
        except ImageNotFoundError:
            return None
        facts: dict[str, JsonValue] = {"width": image.width, "height": image.height}
        media, _ = mimetypes.guess_type(name)
        return {**facts, "mime_type": media} if media is not None else facts


def _model_path(form: PanelForm) -> str:
    """Where the model is chosen, as a JSON Pointer; empty in a form without one."""
    return next((f"/{name}" for name, field in form.root_fields.items() if isinstance(field, Model)), "")


def _availability(form: PanelForm, world: World) -> Availability:
    """A panel works unless a model that it always needs is not installed."""
    scope = Scope(form.root_fields, {}, world)
    for field in form.root_fields.values():
        needed = isinstance(field, Model) and field.required and field.visible_when is None
        if needed and isinstance(field, Model) and next(candidates(field, scope), None) is None:
            return Availability(
                ok=False,
                reason=f"No model is installed that fits {field.title!r}.",
                fix=AvailabilityFix(title="Add a model", href="/models"),
            )
    return Availability(ok=True)
