"""Checks of declarations, made when a panel or a contributed section is constructed.

What is refused here cannot go wrong later, in a client or in a run: names that lead nowhere, facts of things that have
none, circles, defaults that the field itself does not take. Each check raises `PanelDeclarationError` for the first
mistake it finds, naming the place and the way out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.panels.effective import ALLOWED_ROUNDS
from impasto_sdk.panels.findings import findings
from impasto_sdk.panels.form import PanelForm
from impasto_sdk.panels.kinds import AnyField, ChoiceKind, Image, ImageKind, Integer, Mask, Model, Size
from impasto_sdk.panels.option import Option
from impasto_sdk.panels.reference import Reference
from impasto_sdk.panels.scope import Scope
from impasto_sdk.panels.section import Section
from impasto_sdk.panels.uses import Use, field_uses, section_uses
from impasto_sdk.panels.world import World

__all__ = ["check_contributed_section", "check_form", "has_facts"]


def check_form(form: PanelForm) -> None:
    """Check a panel's declaration, or a form with contributed sections. Raises `PanelDeclarationError`."""
    _unique(form.id, "sections", [section.id for section in form.sections])
    _unique(form.id, "fields", [field.id for section in form.flat_sections for field in section.fields])
    root = form.root_fields
    for section in form.sections:
        if section.nested and section.id in root:
            raise PanelDeclarationError(form.id, section.id, "a field has this id; give the section another")
        _check_section(form.id, section, root, form.nested_sections)
    _check_circles(form.id, _decisions(form.sections))
    for section in form.nested_sections.values():
        _check_circles(form.id, {f.id: [use for use in field_uses(f) if use.decides] for f in section.fields}, section)
    _check_extras(form, root)


def check_contributed_section(section: Section) -> None:
    """Check a section that is to join the panels of others; what it names of those panels is checked when it joins."""
    if "." not in section.id:
        raise PanelDeclarationError(
            "", f"section {section.id!r}", f"its id begins with its plugin's prefix, e.g. 'lora.{section.id}'"
        )
    _check_section("", section, None, {})
    own = {f.id: [use for use in field_uses(f) if use.decides] for f in section.fields}
    _check_circles("", own, section)


def has_facts(field: AnyField) -> bool:
    """Whether what a field holds can have facts: a model, an image, or an option that was given some."""
    if isinstance(field, ChoiceKind):
        literal = field.options if not isinstance(field.options, Reference) else None
        if field.kind != "choice":
            return False
        return literal is None or any(isinstance(option, Option) and option.facts for option in literal)
    return isinstance(field, Model | Image | Mask)


def _check_section(
    panel: str, section: Section, root: Mapping[str, AnyField] | None, nested: Mapping[str, Section]
) -> None:
    own = {field.id: field for field in section.fields} if section.nested or root is None else {}
    _unique(panel, section.id, [field.id for field in section.fields])
    for use in section_uses(section):
        _check_use(panel, use, {}, root, nested)
    for field in section.fields:
        _check_field(panel, field)
        for use in field_uses(field):
            _check_use(panel, use, own, root, {} if own else nested)


def _check_use(
    panel: str,
    use: Use,
    own: Mapping[str, AnyField],
    root: Mapping[str, AnyField] | None,
    nested: Mapping[str, Section],
) -> None:
    """Names lead somewhere, and facts are asked of what has some. `root` is None while the panel is not known."""
    bare = use.target.removeprefix("/")
    target = own.get(bare) if not use.target.startswith("/") else None
    if target is None:
        if root is None or (bare in nested and use.fact is None):
            return
        target = root.get(bare)
    if target is None:
        known = [*own, *root, *nested] if root is not None else list(own)
        close = get_close_matches(bare, known, 1)
        hint = f"is {close[0]!r} meant?" if close else f"there are {', '.join(known) or 'none'}"
        raise PanelDeclarationError(panel, use.place, f"there is no field {use.target!r}; {hint}")
    if use.fact is not None and not has_facts(target):
        raise PanelDeclarationError(
            panel, use.place,
            f"it asks {use.target!r}, a {target.kind} field, for the fact {use.fact!r}; only models, images and "
            f"choices whose options have facts have any",
        )  # fmt: skip


def _check_field(panel: str, field: AnyField) -> None:
    if field.required and field.optional:
        raise PanelDeclarationError(panel, field.id, "it is required and optional; choose one")
    if field.required and field.visible_when is not None and not field.has_default:
        raise PanelDeclarationError(
            panel, field.id, "it is required, appears only at times and has no default; give it one, or check it in "
            "build_graph",
        )  # fmt: skip
    if field.has_default and any(use.target.removeprefix("/") == field.id for use in field_uses(field) if use.decides):
        raise PanelDeclarationError(panel, field.id, "it is shown only while it is set, so it can have no default")
    if isinstance(field, ChoiceKind) and (field.options is None) is (field.options_from is None):
        raise PanelDeclarationError(panel, field.id, "a choice has either options or options_from")
    if field.default is None or _follows(field):
        return
    for finding in findings(field, field.default, Scope({}, {}, World())):
        if not isinstance(field, Model | ImageKind):  # what is installed or stored is not known yet
            raise PanelDeclarationError(panel, f"{field.id}.default{finding.path}", finding.message)


def _follows(field: AnyField) -> bool:
    """Whether what the field takes depends on other values."""
    if any(isinstance(getattr(field, name), Reference) for name in type(field).model_fields):
        return True
    options = field.options if isinstance(field, ChoiceKind) and not isinstance(field.options, Reference) else ()
    return any(isinstance(option, Option) and option.enabled_when is not None for option in options or ())


def _decisions(sections: Iterable[Section]) -> dict[str, list[Use]]:
    """For each root field and nested section: what its value and visibility follow from."""
    decisions: dict[str, list[Use]] = {}
    for section in sections:
        above = [use for use in section_uses(section) if use.decides]
        if section.nested:
            decisions[section.id] = above
        for field in () if section.nested else section.fields:
            decisions[field.id] = [*above, *(use for use in field_uses(field) if use.decides)]
    return decisions


def _check_circles(panel: str, decisions: Mapping[str, list[Use]], section: Section | None = None) -> None:
    """No field decides about itself, over however many others, and no chain is longer than visibility takes to settle.

    One thing is allowed: a field that is shown only while it is set.
    """
    depth: dict[str, int] = {}
    trail: list[str] = []

    def visit(name: str) -> int:
        if name in depth:
            return depth[name]
        if name in trail:
            circle = " → ".join([*trail[trail.index(name) :], name])
            raise PanelDeclarationError(panel, name, f"its value or visibility follows from itself: {circle}")
        trail.append(name)
        deepest = 0
        for use in decisions[name]:
            target = use.target if section is not None else use.target.removeprefix("/")
            if target in decisions and not (target == name and use.presence):
                deepest = max(deepest, 1 + visit(target))
        trail.pop()
        if deepest >= ALLOWED_ROUNDS:
            raise PanelDeclarationError(
                panel, name, f"{deepest} fields follow one another; at most {ALLOWED_ROUNDS - 1} may"
            )
        depth[name] = deepest
        return deepest

    for name in decisions:
        visit(name)


def _check_extras(form: PanelForm, root: Mapping[str, AnyField]) -> None:
    """Canvas, submit and presets name fields of the right kind."""
    wanted: list[tuple[str, str | None, type[AnyField] | None]] = []
    if form.submit is not None:
        wanted.append(("submit.count", form.submit.count, Integer))
    if form.canvas is not None:
        wanted += [("canvas.box", form.canvas.box, Size), ("canvas.base", form.canvas.base, None)]
        wanted += [("canvas.mask", form.canvas.mask, Mask), ("canvas.strength", form.canvas.strength, None)]
        wanted.append(("canvas.mode", form.canvas.mode, None))
    for place, path, kind in wanted:
        if path is None:
            continue
        _check_use(form.id, Use(place, path, None), {}, root, {})
        found = root[path.removeprefix("/")]
        if kind is not None and not isinstance(found, kind):
            raise PanelDeclarationError(form.id, place, f"it names {path!r}, a {found.kind} field, which does not fit")
    for preset in form.presets or ():
        for key in preset.values:
            if key not in root and key not in form.nested_sections and key != "_on" and "." not in key:
                raise PanelDeclarationError(form.id, f"presets.{preset.id}", f"there is no field {key!r}")


def _unique(panel: str, place: str, ids: list[str]) -> None:
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise PanelDeclarationError(panel, place, f"{', '.join(map(repr, twice))} is declared more than once")
