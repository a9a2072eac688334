"""`check`: whether values make a graph, and all that stands in the way.

It works on effective values, so what is hidden is never wrong. Problems stand in the way; notices do not. Paths are
JSON Pointers into the values as they were given, so that a client finds the field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Literal

from impasto_sdk.errors import PanelProblem
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.effective import Effective, Group, effective
from impasto_sdk.panels.filter import candidates, identifier
from impasto_sdk.panels.findings import count_findings, findings
from impasto_sdk.panels.form import PanelForm
from impasto_sdk.panels.kinds import AnyField, Integer, Model
from impasto_sdk.panels.scope import Scope, is_empty, is_number
from impasto_sdk.panels.section import Section
from impasto_sdk.panels.world import World

__all__ = ["PanelNotice", "Verdict", "check"]

#: Keys of the values that are not fields: switches and stable keys of items.
SWITCHES, ITEM_KEYS = frozenset({"_on"}), frozenset({"_id", "_on"})


@dataclass(frozen=True, slots=True)
class PanelNotice:
    """Something a person should know about values that stands in no one's way."""

    #: JSON Pointer into the values, as in `PanelProblem`.
    path: str
    level: Literal["info", "warning"]
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `check` found."""

    #: The effective values; models with their whole identifier, whole numbers as integers.
    values: dict[str, JsonValue]
    problems: tuple[PanelProblem, ...]
    notices: tuple[PanelNotice, ...]
    #: Ids of hidden root fields and nested sections.
    hidden: frozenset[str]

    @property
    def ok(self) -> bool:
        """Whether a graph can be built."""
        return not self.problems

    def to_document(self) -> dict[str, JsonValue]:
        """``{ok, values, hidden, errors: [{path, message, fix?}], notices: [{path, level, message}]}``."""
        errors = [
            {name: value for name, value in asdict(problem).items() if name != "fix" or value is not None}
            for problem in self.problems
        ]
        return {
            "ok": self.ok,
            "values": self.values,
            "hidden": sorted(self.hidden),
            "errors": errors,
            "notices": [asdict(notice) for notice in self.notices],
        }


def check(form: PanelForm, values: Mapping[str, JsonValue], world: World) -> Verdict:
    """Work out what `values` come to in `world` and say all that is wrong with it."""
    outcome = effective(form, values, world)
    problems = [problem for group in outcome.groups for problem in _group_problems(group)]
    problems += _structure_problems(form, values, outcome)
    notices = tuple(_unknown_keys(form, values))
    return Verdict(_tidy(outcome), tuple(problems), notices, outcome.hidden)


def _group_problems(group: Group) -> Iterator[PanelProblem]:
    for name, field in group.scope.fields.items():
        if name in group.hidden or field.kind == "note":
            continue
        path, value = f"{group.path}/{name}", group.scope.values.get(name)
        if field.required and is_empty(value):
            yield PanelProblem(path, f"{field.title} is needed", _only_choice(field, group.scope))
        elif value is not None:
            for finding in findings(field, value, group.scope):
                yield PanelProblem(path + finding.path, f"{field.title}: {finding.message}", finding.fix)


def _only_choice(field: AnyField, scope: Scope) -> JsonValue:
    """The model to take when there is but one."""
    if not isinstance(field, Model):
        return None
    fitting = list(candidates(field, scope))
    return fitting[0] if len(fitting) == 1 else None


def _structure_problems(form: PanelForm, values: Mapping[str, JsonValue], outcome: Effective) -> Iterator[PanelProblem]:
    """What is wrong with the shapes of nested sections, the switches, and the number of images."""
    root = outcome.groups[0].scope
    for section in form.nested_sections.values():
        if section.id not in outcome.hidden:
            yield from _section_problems(section, values.get(section.id), outcome, root)
    switches = values.get("_on")
    if switches is not None and not (
        isinstance(switches, Mapping) and all(isinstance(state, bool) for state in switches.values())
    ):
        yield PanelProblem("/_on", f"{switches!r} is given, an object of section ids and true or false is needed")
    if form.submit and form.submit.count and form.submit.max_count is not None:
        count = root.look(form.submit.count)
        if is_number(count) and count > form.submit.max_count:
            most = form.submit.max_count
            yield PanelProblem(
                f"/{form.submit.count.removeprefix('/')}", f"{count} is given, at most {most} is taken", most
            )


def _section_problems(section: Section, given: JsonValue, outcome: Effective, root: Scope) -> Iterator[PanelProblem]:
    path = f"/{section.id}"
    if section.repeat is None:
        if given is not None and not isinstance(given, Mapping):
            yield PanelProblem(path, f"{section.title}: {given!r} is given, an object is needed")
        return
    if given is not None and not isinstance(given, list | tuple):
        yield PanelProblem(path, f"{section.title}: {given!r} is given, a list of items is needed")
        return
    for index, item in enumerate(given or ()):
        if not isinstance(item, Mapping):
            yield PanelProblem(f"{path}/{index}", f"{section.title}: {item!r} is given, an object is needed")
    count = len(outcome.values.get(section.id) or ())
    for finding in count_findings(count, section.repeat.min, root.resolve(section.repeat.max), "items"):
        yield PanelProblem(path, f"{section.title}: {finding.message}")


def _unknown_keys(form: PanelForm, values: Mapping[str, JsonValue]) -> Iterator[PanelNotice]:
    known = {**form.root_fields, **form.nested_sections}
    yield from _unknown_in(values, known, SWITCHES, "")
    for section in form.nested_sections.values():
        fields = {field.id: field for field in section.fields}
        given = values.get(section.id)
        if section.repeat is None and isinstance(given, Mapping):
            yield from _unknown_in(given, fields, frozenset(), f"/{section.id}")
        for index, item in enumerate(given if isinstance(given, list | tuple) else ()):
            if isinstance(item, Mapping):
                yield from _unknown_in(item, fields, ITEM_KEYS, f"/{section.id}/{index}")


def _unknown_in(
    values: Mapping[str, JsonValue], known: Mapping[str, Any], also: frozenset[str], path: str
) -> Iterator[PanelNotice]:
    for key in values:
        if key in known or key in also:
            continue
        renamed = next(
            (name for name, part in known.items() if key in (getattr(part, "renamed_from", None) or ())), None
        )
        close = get_close_matches(key, known, 1)
        hint = f"; it is called {renamed!r} now" if renamed else f"; is {close[0]!r} meant?" if close else ""
        escaped = key.replace("~", "~0").replace("/", "~1")
        yield PanelNotice(f"{path}/{escaped}", "warning", f"there is no field {key!r}, so it does nothing{hint}")


def _tidy(outcome: Effective) -> dict[str, JsonValue]:
    """The effective values with models' whole identifiers and whole numbers as integers."""
    root, *nested = outcome.groups
    tidy = {**outcome.values, **_tidy_group(root)}
    for section_id in {group.section.id for group in nested if group.section}:
        own = [_tidy_group(group) for group in nested if group.section and group.section.id == section_id]
        tidy[section_id] = own if isinstance(outcome.values[section_id], list) else own[0]
    return tidy


def _tidy_group(group: Group) -> dict[str, JsonValue]:
    tidy = {}
    for name, field in group.scope.fields.items():
        if name not in group.scope.values:
            continue
        value = group.scope.values[name]
        if isinstance(field, Integer) and isinstance(value, float) and value.is_integer():
            value = int(value)
        elif isinstance(field, Model) and (facts := group.scope.facts(field, value)):
            value = {**value, **identifier(facts)}
        tidy[name] = value
    return tidy
