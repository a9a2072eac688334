"""`effective`: the values that a draft comes to.

A draft holds only what a person touched. Everything else follows: a field that was not touched holds its default,
which may be a fact of another field's value; a field whose condition does not hold is hidden, and what is hidden is
absent, for other conditions too. Visibility is worked out until it is stable. This is the one place where that
happens; a client that evaluates panels itself is held to the same test vectors.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.condition import ConditionPart
from impasto_sdk.panels.form import PanelForm
from impasto_sdk.panels.kinds import AnyField, ChoiceKind
from impasto_sdk.panels.reference import Reference
from impasto_sdk.panels.scope import Scope
from impasto_sdk.panels.section import Section
from impasto_sdk.panels.world import World

__all__ = ["ALLOWED_ROUNDS", "Effective", "Group", "effective"]

#: Rounds in which visibility must settle; declarations that could need more are refused.
ALLOWED_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that share a scope: those of the panel, or of one item or contributed section."""

    #: JSON Pointer to the group's values *in the draft* (items that are off count there); empty for the panel.
    path: str
    #: The section it is of; None for the panel.
    section: Section | None
    #: Its fields and effective values, and where their names lead to.
    scope: Scope
    #: Ids of fields (for the panel: of nested sections too) that are hidden.
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True)
class Effective:
    """What a draft comes to."""

    #: What `build_graph` sees: no hidden field, no item that is off.
    values: dict[str, JsonValue]
    #: Ids of hidden root fields and nested sections.
    hidden: frozenset[str]
    #: The panel's group first, then one for each item and contributed section, in order.
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class _Level:
    """The fields of a panel or of an item, with all that decides whether they are shown."""

    panel: str
    fields: Mapping[str, AnyField]
    #: What must hold for each field (and nested section) to be shown.
    shown: Mapping[str, tuple[ConditionPart, ...]]
    #: Fields and nested sections whose section is switched off.
    off: frozenset[str] = frozenset()
    nested: tuple[Section, ...] = ()


def effective(form: PanelForm, draft: Mapping[str, JsonValue], world: World) -> Effective:
    """The values that `draft` comes to in `world`. Unknown keys of the draft are left out; no value is checked.

    Raises `PanelDeclarationError` when visibility does not settle, which no form that was checked can do.
    """
    switched_on = draft.get("_on")
    on = switched_on if isinstance(switched_on, Mapping) else {}
    level = _root_level(form, on)
    scope, hidden, groups = _settle(level, draft, world, None)
    kept = {
        section.id: True for section in form.sections if section.toggle and on.get(section.id) is True
        and not ({section.id} if section.nested else {field.id for field in section.fields}) <= hidden
    }  # fmt: skip
    values = dict(scope.values)
    if kept:
        values["_on"] = kept
    return Effective(values, hidden, (Group("", None, scope, hidden), *groups))


def _root_level(form: PanelForm, on: Mapping[str, JsonValue]) -> _Level:
    shown: dict[str, tuple[ConditionPart, ...]] = {}
    off: set[str] = set()
    for section in form.sections:
        names = [section.id] if section.nested else [field.id for field in section.fields]
        own = {} if section.nested else {field.id: field.visible_when for field in section.fields}
        for name in names:
            conditions = (section.visible_when, own.get(name))
            shown[name] = tuple(condition for condition in conditions if condition is not None)
        if section.toggle and on.get(section.id) is not True:
            off.update(names)
    return _Level(form.id, form.root_fields, shown, frozenset(off), tuple(form.nested_sections.values()))


def _item_level(panel: str, section: Section) -> _Level:
    fields = {field.id: field for field in section.fields}
    shown = {field.id: (field.visible_when,) for field in section.fields if field.visible_when is not None}
    return _Level(panel, fields, shown)


def _settle(
    level: _Level, given: Mapping[str, JsonValue], world: World, parent: Scope | None
) -> tuple[Scope, frozenset[str], tuple[Group, ...]]:
    hidden = level.off
    for _ in range(ALLOWED_ROUNDS):
        values = _fill(level.fields, given, hidden, world, parent)
        scope = Scope(level.fields, values, world, parent)
        groups: list[Group] = []
        for section in level.nested:
            if section.id not in hidden:
                items = list(_items(level.panel, section, given.get(section.id), world, scope))
                groups += items
                inner = [dict(item.scope.values) for item in items]
                values[section.id] = inner if section.repeat is not None else inner[0]
        now = level.off.union(
            name for name, conditions in level.shown.items() if not all(scope.test(part) for part in conditions)
        )
        if now == hidden:
            return scope, hidden, tuple(groups)
        hidden, changed = now, hidden ^ now
    raise PanelDeclarationError(level.panel, ", ".join(sorted(changed)), "visibility does not settle")


def _items(panel: str, section: Section, given: JsonValue, world: World, parent: Scope) -> Iterator[Group]:
    """The groups of a nested section: of each item that is on, or the one of a section that does not repeat."""
    level = _item_level(panel, section)
    if section.repeat is None:
        scope, hidden, _ = _settle(level, given if isinstance(given, Mapping) else {}, world, parent)
        yield Group(f"/{section.id}", section, scope, hidden)
        return
    for index, item in enumerate(given if isinstance(given, list | tuple) else ()):
        if not isinstance(item, Mapping) or item.get("_on") is False:
            continue
        # null in an item is "off" only for a field that can be off; for others it is "not touched"
        touched = {
            name: item[name] for name, field in level.fields.items()
            if name in item and (item[name] is not None or field.optional)
        }  # fmt: skip
        scope, hidden, _ = _settle(level, touched, world, parent)
        yield Group(f"/{section.id}/{index}", section, scope, hidden)


def _fill(
    fields: Mapping[str, AnyField],
    given: Mapping[str, JsonValue],
    hidden: frozenset[str],
    world: World,
    parent: Scope | None,
) -> dict[str, JsonValue]:
    """What is given, else defaults; those that follow other values after the values that they follow."""
    values = {name: given[name] for name in fields if name in given and name not in hidden}
    scope = Scope(fields, values, world, parent)
    following: dict[str, Reference] = {}
    for name, field in fields.items():
        if name in values or name in hidden or not field.has_default:
            continue
        if isinstance(field.default, Reference):
            following[name] = field.default
        else:
            values[name] = field.default
    while following:
        _follow(next(iter(following)), following, scope, values)
    return {name: values[name] for name in fields if name in values}


def _follow(name: str, following: dict[str, Reference], scope: Scope, values: dict[str, JsonValue]) -> None:
    """Give `name` the value that it follows, after giving its source one; taken out first, so a cycle ends."""
    reference = following.pop(name)
    sources = [reference.field]
    source = scope.fields.get(reference.field)
    if isinstance(source, ChoiceKind) and isinstance(source.options, Reference):
        sources.append(source.options.field)
    for path in sources:
        bare = path.removeprefix("/") if scope.parent is None else path
        if bare in following:
            _follow(bare, following, scope, values)
    value = scope.resolve(reference)
    if value is not None or "otherwise" in reference.model_fields_set:
        values[name] = value
