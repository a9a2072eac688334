"""`Studio`: the panels and models of the server as they are now, and which of them serves a request. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from impasto_openai_server.errors import InvalidRequestError, NoPanelError
from impasto_openai_server.roles import Roles, Task, roles_of
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import PanelForm, World

__all__ = ["Choice", "Studio"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Who serves a request."""

    roles: Roles
    model: ModelRecord


class Studio:
    """What there is to make pictures with."""

    def __init__(
        self, forms: Sequence[PanelForm], models: Sequence[ModelRecord], settings: OpenAIServerSettings
    ) -> None:
        """`forms` and `models` in the order in which the server lists them."""
        self._panels_of_all = [roles for form in forms if (roles := roles_of(form)) is not None]
        self._models = models
        self._settings = settings
        #: No image is looked up: those of a request are uploaded after the choice.
        self.world = World(models={record.key: record.all_facts() for record in models}, images=None)

    def models(self) -> list[ModelRecord]:
        """The models that a request may name: those with which anything can be made."""
        return [record for record in self._models if self._is_usable(record)]

    def find(self, name: str) -> ModelRecord | None:
        """The usable model that is called so: by its key, its name, or the id that `ids` gives it."""
        return next((record for record in _named(self._models, name) if self._is_usable(record)), None)

    def ids(self) -> dict[str, ModelRecord]:
        """The usable models by the ids that clients are told: plain forms of their names, or keys where two are one."""
        usable = self.models()
        names = Counter(_plain(record.name) for record in usable)
        unique = {name for name, count in names.items() if name and count == 1}
        return {name if (name := _plain(record.name)) in unique else record.key: record for record in usable}

    def choose(self, task: Task, name: str | None) -> Choice:
        """Who serves a request for the model `name`; a name that no usable model has stands for the default one.

        Raises `InvalidRequestError` when the model of that name cannot do it, `NoPanelError` when none can.
        """
        panels = list(self._panels(task))
        wanted = self.find(name) if name is not None else None
        if wanted is not None:
            found = next(self._served(task, panels, [wanted]), None)
            if found is None:
                raise InvalidRequestError(
                    f"model: {wanted.name} cannot {task.value} here; leave the model out, or name another",
                    param="model",
                    code="model_not_supported",
                )
            return found
        default = _named(self._models, self._settings.default_model)
        found = next(self._served(task, panels, [*default, *self._models]), None)
        if found is None:
            raise NoPanelError(self._why_not(task, panels), code="no_model")
        return found

    def _is_usable(self, record: ModelRecord) -> bool:
        tasks = (Task.GENERATE, Task.EDIT)
        return any(roles.serves(task, record, self.world) for task in tasks for roles in self._panels(task))

    def _served(self, task: Task, panels: Sequence[Roles], models: Sequence[ModelRecord]) -> Iterator[Choice]:
        """Who can do it: for the first model first, and of its panels the first."""
        return (Choice(roles, model) for model in models for roles in panels if roles.serves(task, model, self.world))

    def _panels(self, task: Task) -> Iterator[Roles]:
        """The panels that may serve a task, in order: the operator's alone, else those made for it first."""
        all_roles = self._panels_of_all
        chosen = self._chosen_panel(task)
        if chosen:
            return iter([roles for roles in all_roles if roles.form.id == chosen])
        if task is Task.GENERATE:
            return iter(all_roles)
        # one that may also do without a picture was made for something else
        return iter(sorted(all_roles, key=lambda roles: not roles.needs_image))

    def _chosen_panel(self, task: Task) -> str:
        settings = self._settings
        match task:
            case Task.GENERATE:
                return settings.generate_panel
            case Task.EDIT:
                return settings.edit_panel
        return settings.mask_panel

    def _why_not(self, task: Task, panels: Sequence[Roles]) -> str:
        chosen = self._chosen_panel(task)
        if chosen and not panels:
            return f"plugins.openai_server names the panel {chosen!r} to {task.value}, which no plugin offers"
        for roles in panels:
            available = roles.form.available
            if available is not None and not available.ok:
                return f"nothing can {task.value} now: {available.reason}"
        return f"no panel and no model of this server can {task.value}; install a plugin or a model that can"


def _named(models: Sequence[ModelRecord], name: str) -> list[ModelRecord]:
    """The models that are called so: by key, then by name, then by name in plain letters."""
    ways = (
        lambda record: record.key == name,
        lambda record: record.name == name,
        lambda record: _plain(name) != "" and _plain(record.name) == _plain(name),
    )
    return [record for is_meant in ways for record in models if is_meant(record)]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")
